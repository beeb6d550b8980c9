"""Connections and the shape of a transaction (decisions 1 and 2).

SQLite: reads run in a snapshot; every write begins ``IMMEDIATE`` behind a fair
queue, within the process and across processes, so that nobody meets
"database is locked" and nobody starves. PostgreSQL: plain transactions. A
session that ended never begins again.

The only ``commit`` of the product stands here.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

BUSY_TIMEOUT = "PRAGMA busy_timeout = 15000"
"""How many milliseconds a statement waits for another process that bypasses the queue (a backup, a shell)."""


class WriteQueue:
    """First come, first served: threads queue in order, processes by a file lock."""

    def __init__(self, lock_file: Path) -> None:
        self._lock_file = lock_file
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._busy = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        self._wait()
        try:
            handle = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)
        finally:
            self._next()

    def _wait(self) -> None:
        with self._guard:
            if not self._busy:
                self._busy = True
                return
            ticket = threading.Event()
            self._waiting.append(ticket)
        ticket.wait()

    def _next(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._busy = False


class Database:
    """One database of an installation, on SQLite or PostgreSQL."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite(url, pool_size) if self.is_sqlite else _postgresql(url, pool_size)
        self._writer = self.engine.execution_options(immediate=True) if self.is_sqlite else self.engine
        self._queue: WriteQueue | None = None
        if self.is_sqlite:
            self._queue = WriteQueue(Path(f"{self.url.database}.queue"))

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A snapshot: consistent for the length of a page, never written through."""
        with Session(self.engine, expire_on_commit=False, close_resets_only=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction: everything inside happens, or nothing."""
        with (
            self._queue.turn() if self._queue else nullcontext(),
            Session(self._writer, expire_on_commit=False, close_resets_only=False) as session,
        ):
            session.connection()
            yield session
            session.commit()

    def dispose(self) -> None:
        """Close every connection, for example after a fork (decisions 27)."""
        self.engine.dispose()


def add_unless_there(session: Session, model: type[Any], row: dict[str, Any], *, key: str | None = None) -> None:
    """Insert a row unless one with the same ``key`` (the primary key if not named) is there, whoever comes first."""
    insert = (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert
    columns = [key] if key else [column.name for column in model.__table__.primary_key]
    session.execute(insert(model).values(row).on_conflict_do_nothing(index_elements=columns))


def migration_engine(url: str) -> Engine:
    """A connection that may change the schema: foreign keys wait, because SQLite rebuilds tables to change them."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, poolclass=NullPool)
    engine = create_engine(url, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute(BUSY_TIMEOUT)
        connection.execute("PRAGMA journal_mode = WAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _text(raw: bytes) -> str:
    """What stands in a column, even if somebody wrote bytes there that are no text: one spoilt row stops no page."""
    return raw.decode("utf-8", "surrogateescape")


def _sqlite(url: str, pool_size: int) -> Engine:
    engine = create_engine(
        url, pool_size=pool_size, max_overflow=16, connect_args={"check_same_thread": False}, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        connection.text_factory = _text
        connection.execute(BUSY_TIMEOUT)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _postgresql(url: str, pool_size: int) -> Engine:
    return create_engine(url, pool_size=pool_size, max_overflow=16, pool_pre_ping=True, hide_parameters=True)
