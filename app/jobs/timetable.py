"""Things that happen by the clock: each due time is one row with a unique key, whoever puts it there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import select

from app.jobs.queue import enqueue
from models.database import Database
from models.job import Job
from models.moment import now, zone


@dataclass(frozen=True, slots=True)
class Timetable:
    """A job kind that is due every so often."""

    kind: str
    every: timedelta
    at: time | None = None
    """At which time of day, where the school is, something daily is due."""

    def slot(self, instant: datetime) -> datetime:
        """The latest due time not after ``instant``."""
        if self.at is not None:
            today = datetime.combine(instant.astimezone(zone()).date(), self.at, zone())
            return (today if today <= instant else today - self.every).astimezone(UTC)
        seconds = int(self.every.total_seconds())
        return datetime.fromtimestamp(int(instant.timestamp()) // seconds * seconds, UTC)

    def key(self, instant: datetime) -> str:
        return f"{self.kind} {self.slot(instant).isoformat()}"


def put_due(database: Database, timetable: Sequence[Timetable]) -> bool:
    """Put what is owed on the table; only the newest slot of each, so that a pause is not paid back."""
    instant = now()
    keys = {item.key(instant): item for item in timetable}
    with database.reading() as session:
        known = set(session.scalars(select(Job.effect_key).where(Job.effect_key.in_(keys))))
    missing = {key: item for key, item in keys.items() if key not in known}
    if not missing:
        return False
    with database.writing() as session:
        for key, item in missing.items():
            enqueue(session, item.kind, effect_key=key, run_at=item.slot(instant))
    return True
