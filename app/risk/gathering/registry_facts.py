"""Facts from the roster: who came back from leave, who is off campus on an internship. Only under the register.

The roster knows both by tags and by a status (``config/tags.toml``,
``config/statuses.toml``), each from–to. A tag is kept by days; within its
first and last day nobody knows the hour, so it counts, and ends, with the
next day. A status whose beginning nobody kept is not used.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import numpy as np
from sqlalchemy import select

from app.risk.gathering.facts import Asked, Facts, Moments, moments
from app.security.access import Access
from models import moment
from models.student import FormerStatus, Student, StudentTag

RETURNED, INTERNSHIP = "registry.returned", "registry.internship"
TAGS = {RETURNED: "returned", INTERNSHIP: "internship"}


def facts(access: Access, asked: Asked) -> Iterator[Facts]:
    """``registry.returned`` and ``registry.internship``."""
    for kind in sorted(asked.of("registry") & set(TAGS)):
        yield _tagged(access, asked, kind)
    if RETURNED in asked.kinds:
        yield _back_from_leave(access, asked)
    if INTERNSHIP in asked.kinds:
        yield from _on_internship(access, asked)


def _tagged(access: Access, asked: Asked, kind: str) -> Facts:
    query = select(StudentTag.student_id, StudentTag.since, StudentTag.until).where(
        StudentTag.tag == TAGS[kind], StudentTag.since < asked.until.astimezone(moment.zone()).date()
    )
    places, (since, until) = asked.columns(access.session, query, width=2)
    return Facts(
        kind=kind, places=places, values=np.ones(len(places)), known_at=_next_day(since), until=_next_day(until)
    )


def _back_from_leave(access: Access, asked: Asked) -> Facts:
    """Known when the leave ended: whatever became of the student then, he was away."""
    query = select(FormerStatus.student_id, FormerStatus.until).where(
        FormerStatus.status == "on_leave", FormerStatus.until <= asked.until
    )
    places, (until,) = asked.columns(access.session, query, width=1)
    return Facts(kind=RETURNED, places=places, values=np.ones(len(places)), known_at=moments(until))


def _on_internship(access: Access, asked: Asked) -> Iterator[Facts]:
    """Now, and before."""
    now = select(Student.id, Student.status_since, Student.left_at).where(
        Student.status == "internship", Student.status_since <= asked.until
    )
    before = select(FormerStatus.student_id, FormerStatus.since, FormerStatus.until).where(
        FormerStatus.status == "internship", FormerStatus.since <= asked.until
    )
    for query in (now, before):
        places, (since, until) = asked.columns(access.session, query, width=2)
        yield Facts(
            kind=INTERNSHIP,
            places=places,
            values=np.ones(len(places)),
            known_at=moments(since),
            until=moments(until),
        )


def _next_day(days: list[date | str | None]) -> Moments:
    """When the next day begins where the school is."""
    return moments([None if day is None else _begin(_day(day) + timedelta(days=1)) for day in days])


def _day(day: date | str) -> date:
    return date.fromisoformat(day) if isinstance(day, str) else day


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=moment.zone())
