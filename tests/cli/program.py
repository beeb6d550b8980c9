"""The program as a person runs it: ``manage.py``'s second half in a process of its own."""

from __future__ import annotations

import atexit
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from config.settings import PROJECT, Settings


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """What a process is told: no setting of the one who tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XINYU_")}
    return kept | {"PYTHONPATH": str(PROJECT)} | dict(settings)


def settings_for(settings: Settings) -> dict[str, str]:
    """An installation of the ``house`` fixture, as a process of its own is told about it."""
    told = {"XINYU_HOME": str(settings.home), "XINYU_KEY_DIR": str(settings.key_dir), "XINYU_SECURE_COOKIES": "0"}
    if settings.is_sqlite:
        return told
    return told | {
        "XINYU_DATABASE_URL": settings.database_url,
        "XINYU_OWNER_DATABASE_URL": settings.owner_database_url,
    }


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str

    @property
    def held(self) -> dict[str, Any]:
        """What it said with ``--json``, below whatever it printed before."""
        found: dict[str, Any] = json.loads(self.out[self.out.index("{") :])
        return found

    @property
    def refusal(self) -> str:
        """The sentence of a command that failed as it should: with a status, in words, without a traceback."""
        assert self.status == 1
        assert "Traceback" not in self.err + self.out
        return str(self.held["error"]) if self.out.startswith("{") else self.err.strip()


class Started:
    """A command that runs; it is killed or waited for."""

    def __init__(self, folder: Path, words: Sequence[object], told: Mapping[str, str]) -> None:
        self._out, self._err = folder / "out", folder / "err"
        asked = {"words": [*map(str, words)], "environment": environment(told)}
        self._warm = _warm()
        _say(self._warm, json.dumps(asked | {"out": str(self._out), "err": str(self._err)}))
        self.pid = _hear(self._warm, "began")

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def end(self) -> Ended:
        _say(self._warm, "null")
        status = _hear(self._warm, "ended")
        return Ended(status, self._out.read_text(), self._err.read_text())


@cache
def _warm() -> subprocess.Popen[str]:
    """The process that has the program loaded already (``tests/cli/warm.py``)."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "tests.cli.warm"],
        env=environment({}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(_end, process)
    return process


def _end(process: subprocess.Popen[str]) -> None:
    process.communicate()


def _say(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    print(line, file=process.stdin, flush=True)


def _hear(process: subprocess.Popen[str], word: str) -> int:
    """The next answer of this kind; what a test that failed in between did not hear is passed over."""
    assert process.stdout is not None
    for line in process.stdout:
        said, number = line.split()
        if said == word:
            return int(number)
    raise AssertionError("the process that has the program loaded is gone")


def run(home: Path, *words: object, **settings: str) -> Ended:
    """Run a command on the installation under ``home``."""
    with tempfile.TemporaryDirectory() as folder:
        return Started(Path(folder), words, {"XINYU_HOME": str(home), **settings}).end()


def run_cold(home: Path, *words: object, **settings: str) -> Ended:
    """The same from nothing, as ``manage.py`` starts it."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "app.cli", *map(str, words)],
        env=environment({"XINYU_HOME": str(home), **settings}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def table(path: Path, *rows: Sequence[object]) -> Path:
    """A CSV file with these rows."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    return path
