"""What the clock does for the house itself: heads of the log, and clearing away what is over."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.security import heads
from app.security.access import Access
from app.security.door import Door
from models.identity import SignInSession, SignInThrottle
from models.job import Job, JobStage
from models.moment import now

KEEP_JOBS = timedelta(days=7)
KEEP_SESSIONS = timedelta(days=7)
KEEP_THROTTLE = timedelta(days=1)
WORKER_SILENT = timedelta(minutes=5)
"""Without a finished round of clocks for this long, somebody must look: the worker runs one every minute."""


def take_head(door: Door) -> int | None:
    """Sign the tips of the log, and write them outside the database once they are committed."""
    with door.database.writing() as session:
        head = heads.take(session, door.instance_keys)
    if head is None:
        return None
    heads.anchor(door.settings.anchor_dir, head)
    return head.number


def clear_away(access: Access) -> None:
    """Remove finished jobs, ended sessions and old throttle counts. Nothing about students."""
    instant = now()
    session = access.session
    session.execute(delete(Job).where(Job.stage == JobStage.DONE, Job.finished_at < instant - KEEP_JOBS))
    session.execute(delete(SignInSession).where(SignInSession.ends_at < instant - KEEP_SESSIONS))
    session.execute(delete(SignInThrottle).where(SignInThrottle.first_at < instant - KEEP_THROTTLE))


def is_worker_running(session: Session) -> bool:
    """Whether clocks have been looked at lately."""
    last = session.scalar(select(func.max(Job.finished_at)).where(Job.kind == "ladder", Job.stage == JobStage.DONE))
    return last is not None and now() - last < WORKER_SILENT


def health(door: Door) -> dict[str, str]:
    """For a monitor outside: whether the database answers, contents can be opened, and clocks run. Nothing else."""
    with door.database.reading() as session:
        worker = "ok" if is_worker_running(session) else "silent"
    return {"status": "sealed" if door.keyring is None else "ok", "worker": worker}
