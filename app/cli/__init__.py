"""The command line: ``python3 manage.py …``. One module per group of commands."""
