"""A process that has the program loaded and gives each command a fork of its own: seconds saved per command.

Reads one JSON line per command (words, environment, files for what it says)
and answers with its process id; a line with nothing asks how it ended. Until
then the id is the command's, even when it is over: it can be killed safely.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback

from sqlalchemy.orm import configure_mappers

from app.cli import __main__ as program


def become(words: list[str], environment: dict[str, str], out: str, err: str) -> int:
    """Be the command, to its end; returns its exit status."""
    os.environ.clear()
    os.environ.update(environment)
    for path, handle in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), handle)
    sys.argv = ["manage.py", *words]
    try:
        program.run()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - what an interpreter does with it: print and end
        traceback.print_exc()
        return 1
    return 0


def main() -> None:
    configure_mappers()
    gc.freeze()
    child = 0
    for line in sys.stdin:
        asked = json.loads(line)
        if asked:
            child = os.fork()
            if child == 0:
                status = become(**asked)
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
            print("began", child, flush=True)
        else:
            print("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
