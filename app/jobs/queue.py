"""Putting work on the table, and taking it off under a lease."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from app.security.access import Access
from app.security.policy import Permission, Purpose
from models.base import new_id
from models.database import add_unless_there
from models.job import Job, JobStage
from models.moment import now

LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of job: by which right it enters, and what it does. ``prepare`` runs outside the transaction."""

    name: str
    permission: Permission
    purpose: Purpose
    run: Callable[..., None]
    """``run(access, **ids)`` inside one write transaction that also marks the job done."""
    prepare: Callable[..., object] | None = None
    """``prepare(door, beat, **ids)`` before it: reading, scoring, sealing. ``run`` gets its result."""
    gave_up: Callable[..., None] | None = None
    """``gave_up(access, why=sentence, **ids)`` when refused or failed for the last time: whoever waits is told."""


def enqueue(session: Session, kind: str, *, effect_key: str, run_at: datetime | None = None, **arguments: UUID) -> None:
    """Add a job in the caller's transaction. The same effect key twice is one job."""
    instant = now()
    row = {
        "id": new_id(),
        "kind": kind,
        "arguments": json.dumps({k: v.hex for k, v in arguments.items()}),
        "effect_key": effect_key,
        "stage": JobStage.WAITING,
        "run_at": run_at or instant,
        "created_at": instant,
        "attempts": 0,
    }
    add_unless_there(session, Job, row, key="effect_key")


def _is_due(instant: datetime) -> tuple[object, ...]:
    return (
        Job.run_at <= instant,
        or_(
            Job.stage == JobStage.WAITING,
            (Job.stage == JobStage.RUNNING) & (Job.lease_until < instant),
        ),
    )


def anything_due(session: Session) -> bool:
    """Looks without locking; workers poll with this (decisions 27)."""
    return session.scalar(select(Job.id).where(*_is_due(now())).limit(1)) is not None  # type: ignore[arg-type]


def claim(session: Session, worker: str) -> Job | None:
    """Take the next due job under a lease, or one whose worker died."""
    instant = now()
    job = session.scalars(
        select(Job)
        .where(*_is_due(instant))  # type: ignore[arg-type]
        .order_by(Job.run_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if job is None:
        return None
    job.stage, job.lease_by, job.lease_until = JobStage.RUNNING, worker, instant + LEASE
    job.attempts += 1
    return job


def extend_lease(session: Session, job_id: UUID, worker: str) -> None:
    """Say that the worker is alive."""
    session.execute(update(Job).where(Job.id == job_id, Job.lease_by == worker).values(lease_until=now() + LEASE))


def finish(access: Access, job_id: UUID, worker: str) -> bool:
    """Mark the job done in the transaction of its effect; false if another worker has taken it over."""
    done = access.session.execute(
        update(Job)
        .where(Job.id == job_id, Job.lease_by == worker, Job.stage == JobStage.RUNNING)
        .values(stage=JobStage.DONE, finished_at=now(), lease_until=None)
        .execution_options(synchronize_session=False)
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


def give_back(session: Session, job_id: UUID, worker: str, *, error: str) -> bool:
    """Put a job back, later after each failure; true if it failed for good after ``MOST_ATTEMPTS``.

    A job that another worker has taken over meanwhile is his, and stays as it is.
    """
    job = session.get_one(Job, job_id, with_for_update=True)
    if job.stage is not JobStage.RUNNING or job.lease_by != worker:
        return False
    failed = job.attempts >= MOST_ATTEMPTS
    job.lease_by = job.lease_until = None
    job.error = error
    job.stage = JobStage.FAILED if failed else JobStage.WAITING
    job.finished_at = now() if failed else None
    job.run_at = now() + timedelta(seconds=2 ** min(job.attempts, 6))
    return failed
