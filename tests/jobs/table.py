"""Jobs on the table, put there and looked at without a worker; and kinds of job that only tests know."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from app.jobs import queue
from app.jobs.queue import Kind
from app.jobs.timetable import Timetable
from app.jobs.worker import Worker
from app.security.access import Access
from app.security.policy import Permission, Purpose
from models.identity import College
from models.job import Job, JobStage
from models.moment import now
from tests.house import House


def put(
    house: House, key: str, *, kind: str = "found_college", run_at: datetime | None = None, **arguments: Any
) -> Job:
    """A job on the table."""
    with house.door.database.writing() as session:
        queue.enqueue(session, kind, effect_key=key, run_at=run_at, **arguments)
    return found(house, key)


def found(house: House, key: str) -> Job:
    [(job,)] = house.all(select(Job).where(Job.effect_key == key))
    return job  # type: ignore[no-any-return]


def claim(house: House, worker: str) -> Job | None:
    with house.door.database.writing() as session:
        return queue.claim(session, worker)


def finish(house: House, job: Job, worker: str) -> bool:
    with house.console(Permission.MAINTENANCE) as access:
        return queue.finish(access, job.id, worker)


def give_back(house: House, job: Job, worker: str, error: str = "ValueError app/x.py:1") -> bool:
    with house.door.database.writing() as session:
        return queue.give_back(session, job.id, worker, error=error)


def let_leases_expire(house: House) -> None:
    _set(house, Job.stage == JobStage.RUNNING, lease_until=now() - timedelta(seconds=1))


def let_waiting_be_due(house: House) -> None:
    _set(house, Job.stage == JobStage.WAITING, run_at=now() - timedelta(seconds=1))


def _set(house: House, where: Any, **values: Any) -> None:
    with house.door.database.writing() as session:
        session.execute(update(Job).where(where).values(**values))


def worker(house: House, *kinds: Kind, timetable: tuple[Timetable, ...] = ()) -> Worker:
    """A worker that knows these kinds and no clocks."""
    return Worker(house.door, {kind.name: kind for kind in kinds}, timetable)


def kind(run: Callable[..., None], name: str = "found_college", **named: Any) -> Kind:
    return Kind(name=name, permission=Permission.MAINTENANCE, purpose=Purpose.ADMINISTRATION, run=run, **named)


def found_college(access: Access) -> None:
    """An effect that can be counted, and that may happen twice if the queue lets it."""
    access.session.add(College(name=f"学院{now().timestamp()}"))
