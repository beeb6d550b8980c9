"""Runs due jobs, keeps the timetable, finishes or gives back what it holds on SIGTERM."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

from app.jobs import queue
from app.jobs.timetable import Timetable, put_due
from app.security.access import Access
from app.security.actor import WORKER
from app.security.door import Door
from app.security.plainlog import log, where
from models.job import Job
from models.refusal import Refusal

POLL_SECONDS = 0.5
GAVE_UP = "处理没有完成，没有写入任何内容。请重新上传；如果再次出现，请联系系统管理员。"


class Beat:
    """Tells the table that a long preparation is alive and how far it is."""

    def __init__(self, door: Door, job_id: UUID, worker: str) -> None:
        self._door = door
        self._job_id = job_id
        self._worker = worker

    def __call__(self, mark: Callable[..., None] | None = None, **facts: Any) -> None:
        """Extend the lease; ``mark(session, **facts)`` may write progress in the same small transaction."""
        with self._door.database.writing() as session:
            queue.extend_lease(session, self._job_id, self._worker)
            if mark is not None:
                mark(session, **facts)


def _arguments(job: Job) -> dict[str, Any]:
    return {name: UUID(value) for name, value in json.loads(job.arguments).items()}


class Worker:
    """One worker process (or, in tests and commands, one call of ``run_due``)."""

    def __init__(self, door: Door, kinds: Mapping[str, queue.Kind], timetable: Sequence[Timetable]) -> None:
        self._door = door
        self._kinds = kinds
        self._timetable = timetable
        self._stop = threading.Event()
        self.name = f"{socket.gethostname()[:24]}-{os.getpid()}-{secrets.token_hex(3)}"

    def run_forever(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        log.info("worker started", worker=self.name)
        while not self._stop.is_set():
            if not self.step():
                self._stop.wait(POLL_SECONDS)
        log.info("worker stopped", worker=self.name)

    def run_due(self) -> int:
        """Run everything that is due now; returns how many jobs ran."""
        count = 0
        while self.step():
            count += 1
        return count

    def step(self) -> bool:
        """Put what the timetable owes on the table, run one due job; false if there was none."""
        with self._door.database.reading() as session:
            due = queue.anything_due(session)
        due = put_due(self._door.database, self._timetable) or due
        if not due:
            return False
        with self._door.database.writing() as session:
            job = queue.claim(session, self.name)
        if job is None:
            return False
        self._run(job)
        return True

    def _run(self, job: Job) -> None:
        try:
            self._do(job)
        except Exception as problem:  # noqa: BLE001 - a worker survives any job; the job does not
            self._tell_log("job failed", job, problem)
            try:
                self._put_back(job, f"{type(problem).__name__} {where(problem)}"[:120])
            except Exception as worse:  # noqa: BLE001 - the lease runs out and the job comes again
                self._tell_log("job not put back", job, worse)

    def _do(self, job: Job) -> None:
        kind, arguments = self._kinds[job.kind], _arguments(job)
        if job.attempts > queue.MOST_ATTEMPTS:
            raise RuntimeError("this job has killed its workers")
        prepared = kind.prepare(self._door, Beat(self._door, job.id, self.name), **arguments) if kind.prepare else None
        try:
            with self._enter(kind, job) as access:
                if queue.finish(access, job.id, self.name):
                    kind.run(access, **arguments, **({"prepared": prepared} if kind.prepare else {}))
        except Refusal as refusal:
            if kind.gave_up is None:
                raise
            with self._enter(kind, job) as access:
                if queue.finish(access, job.id, self.name):
                    kind.gave_up(access, why=refusal.sentence, **arguments)

    def _put_back(self, job: Job, error: str) -> None:
        with self._door.database.writing() as session:
            gave_up = queue.give_back(session, job.id, self.name, error=error)
        kind = self._kinds.get(job.kind)
        if gave_up and kind is not None and kind.gave_up is not None:
            with self._enter(kind, job) as access:
                kind.gave_up(access, why=GAVE_UP, **_arguments(job))

    def _tell_log(self, what: str, job: Job, problem: Exception) -> None:
        log.error(
            what,
            job=job.kind,
            job_id=job.id.hex,
            attempt=job.attempts,
            error=type(problem).__name__,
            where=where(problem),
        )

    def _enter(self, kind: queue.Kind, job: Job) -> AbstractContextManager[Access]:
        return self._door.enter(WORKER, kind.permission, kind.purpose, request_id=job.id.hex)
