"""Eight readers and a writer on SQLite: what the log costs a page, at the slow end."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app.cli import bench_import, installation
from app.security.actor import Actor
from app.security.door import Door
from app.security.policy import Permission
from app.students import record
from models.identity import Role, RoleGrant
from models.student import Student

READERS = 8
STUDENTS = 2_000


def run(seconds: int, rounds: int) -> dict[str, Any]:
    """Measure the p99 of reading a student's file with and without the log, interleaved."""
    with tempfile.TemporaryDirectory() as folder:
        settings = bench_import.settings_in(Path(folder) / "home")
        bench_import.build(settings, STUDENTS)
        door = installation.opened(settings)
        with_log: list[float] = []
        without: list[float] = []
        locked = reads = 0
        for _ in range(rounds):
            for times, logged in ((with_log, True), (without, False)):
                took, errors = _measure(door, seconds, logged=logged)
                times.append(statistics.quantiles(took, n=100)[98] * 1000)
                locked += errors
                reads += len(took)
        door.database.dispose()
    ratios = [one / other for one, other in zip(with_log, without, strict=True)]
    return {
        "ratio": round(statistics.median(ratios), 2),
        "ratios": [round(ratio, 2) for ratio in ratios],
        "with_log_ms": round(statistics.median(with_log), 2),
        "without_log_ms": round(statistics.median(without), 2),
        "locked": locked,
        "reads": reads,
        "readers": READERS,
    }


@contextmanager
def _unlogged() -> Iterator[None]:
    """The same page without its row in the log: the floor. Never reachable outside this measurement."""
    with mock.patch.object(Door, "_write_alone", return_value=None):
        yield


def _measure(door: Door, seconds: int, *, logged: bool) -> tuple[list[float], int]:
    """How long each read took while one writer wrote all the time, and how often the database was locked."""
    with door.database.reading() as session:
        people = session.scalars(select(Student.id).limit(500)).all()
        psychologist = session.scalar(select(RoleGrant.staff_id).where(RoleGrant.role == Role.PSYCHOLOGIST))
    actor = Actor(role=Role.PSYCHOLOGIST, id=psychologist)
    took: list[float] = []
    errors: list[OperationalError] = []
    stop = threading.Event()

    def read(start: int) -> None:
        place = start
        while not stop.is_set():
            place += 1
            before = time.perf_counter()
            try:
                with door.enter(actor, Permission.STUDENT_READ, writing=False) as access:
                    record.card(access, access.find(Student, people[place % len(people)]).id)
            except OperationalError as problem:
                errors.append(problem)
            took.append(time.perf_counter() - before)

    def write() -> None:
        while not stop.is_set():
            try:
                with door.enter(actor, Permission.STUDENT_READ) as access:
                    student = access.find(Student, people[0])
                    student.has_phone = not student.has_phone
            except OperationalError as problem:
                errors.append(problem)
            stop.wait(0.02)

    threads = [threading.Thread(target=read, args=(number * 37,)) for number in range(READERS)]
    threads.append(threading.Thread(target=write))
    for thread in threads:
        thread.start()
    context = _unlogged() if not logged else None
    if context is not None:
        context.__enter__()
    try:
        time.sleep(seconds)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        if context is not None:
            context.__exit__(None, None, None)
    return took, len(errors)
