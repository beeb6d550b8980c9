"""What the clock does for the house itself: heads of the log, and clearing away what is over."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete

from app.security import heads
from app.security.access import Access
from app.security.door import Door
from models.identity import SignInSession, SignInThrottle
from models.job import Job, JobStage
from models.moment import now

KEEP_JOBS = timedelta(days=7)
KEEP_SESSIONS = timedelta(days=7)
KEEP_THROTTLE = timedelta(days=1)


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
