"""Facts from the roster: tags with a from and a to. Collected for another purpose, so only under the register.

``tag.KEY`` (``config/tags.toml``). A tag is kept by days; within its first and
last day nobody knows the hour, so it counts, and ends, with the next day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import numpy as np
from sqlalchemy import select

from app.risk.model.facts import Asked, Facts, Moments, moments
from app.security.access import Access
from models import moment
from models.student import StudentTag

NAME = "tag"


def tags(access: Access, asked: Asked) -> Iterator[Facts]:
    """The tags asked for."""
    for kind in sorted(asked.of(NAME)):
        query = select(StudentTag.student_id, StudentTag.since, StudentTag.until).where(
            StudentTag.tag == kind.removeprefix(f"{NAME}."),
            StudentTag.since < asked.until.astimezone(moment.zone()).date(),
        )
        places, (since, until) = asked.columns(access.session, query, width=2)
        yield Facts(
            kind=kind, places=places, values=np.ones(len(places)), known_at=_next_day(since), until=_next_day(until)
        )


def _next_day(days: list[date | str | None]) -> Moments:
    """When the next day begins where the school is."""
    return moments([None if day is None else _begin(_day(day) + timedelta(days=1)) for day in days])


def _day(day: date | str) -> date:
    return date.fromisoformat(day) if isinstance(day, str) else day


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=moment.zone())
