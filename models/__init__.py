"""The things the house keeps, and the rules that hold within one row.

Knows no web and no rooms. Tables import nothing but each other, so that they
can be read on their own.
"""
