"""What the model learns from: the ended interviews, each as of the moment the student was listed.

An outcome belongs to what was known when the student came on the list, not to
what the talk brought to light. The sheets that listed him count: they were
recorded while the delivery was worked out, before its commit listed anybody.

Whoever could not be reached, declined, or of whom a person judged that no
talk was needed has no outcome: counted, not learned from. Mostly the flagged
are interviewed; those drawn by lot stand for all whom the lot passed over, so
they weigh one over the chance with which they were drawn.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from app.risk.gathering.facts import NEVER, Asked, Moments, moments
from app.risk.gathering.groups import groups_of
from app.security.access import Access
from config import catalogue
from models.bulk import fetch_sealed
from models.interview import EntryOrigin, InterviewEntry, InterviewStage
from models.risk import Signal

__all__ = ["Labelled", "groups_of", "labelled"]

OPEN = "open"
UNREADABLE = "no_result"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Rows to learn from, oldest listing first; everything runs over the same rows."""

    students: list[UUID]
    at: list[datetime]
    """When each was listed."""
    labels: NDArray[np.int8]
    weights: NDArray[np.float64]
    rules: NDArray[np.float64]
    """How far the rules found each above their thresholds; 0 for those drawn by lot."""
    rounds: list[UUID]
    origins: list[str]
    event_days: NDArray[np.float64]
    """Days from the listing to the first that told: the interview or an alert; nan for those without an event."""
    counts: dict[str, int] = field(default_factory=dict)
    """Entries by what became of them (stages of an interview; ``open``, ``no_result``), learned from or not."""


def labelled(access: Access, *, until: datetime) -> Labelled:
    """Every interview that had ended by ``until`` with a result, as of its listing."""
    rows = _entries(access, until)
    counts = Counter(row.stage if row.ended is not None else OPEN for row in rows)
    done = [row for row in rows if row.stage == InterviewStage.DONE.value and row.result]
    counts[UNREADABLE] = counts[InterviewStage.DONE.value] - len(done)
    positive = frozenset(catalogue.table("risk_model")["positive_results"])
    labels = np.array([row.result in positive for row in done], dtype=np.int8)
    return Labelled(
        students=[row.student for row in done],
        at=[row.listed for row in done],
        labels=labels,
        weights=np.array([_weight(row) for row in done], dtype=np.float64),
        rules=np.array([row.weight if row.origin == EntryOrigin.RULES.value else 0 for row in done], dtype=np.float64),
        rounds=[row.round for row in done],
        origins=[row.origin for row in done],
        event_days=_event_days(access, done, labels, until),
        counts=dict(counts),
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    student: UUID
    round: UUID
    stage: str
    origin: str
    share: float | None
    weight: int
    listed: datetime
    ended: datetime | None
    result: str


def _entries(access: Access, until: datetime) -> list[_Entry]:
    query = (
        select(
            InterviewEntry.student_id,
            InterviewEntry.id,
            InterviewEntry.round_id,
            InterviewEntry.stage,
            InterviewEntry.origin,
            InterviewEntry.share,
            InterviewEntry.weight,
            InterviewEntry.listed_at,
            InterviewEntry.ended_at,
            InterviewEntry.outcome,
        )
        .where(InterviewEntry.listed_at <= until, InterviewEntry.stage != InterviewStage.VOID)
        .order_by(InterviewEntry.listed_at, InterviewEntry.id)
    )
    columns = fetch_sealed(access.session, query)
    students, ids, rounds, stages, origins, shares, weights, listed, ended, outcomes = columns
    listed_at, ended_at = _datetimes(listed), _datetimes(ended)
    over = [None if when is None or when > until else when for when in ended_at]
    told = [
        outcome if when is not None and stage == InterviewStage.DONE.value else None
        for outcome, when, stage in zip(outcomes, over, stages, strict=True)
    ]
    results = _results(access, students, ids, told)
    return [
        _Entry(UUID(bytes=student), UUID(bytes=round_id), stage, origin, share, weight, since, end, result)
        for student, round_id, stage, origin, share, weight, since, end, result in zip(
            students, rounds, stages, origins, shares, weights, listed_at, over, results, strict=True
        )
        if since is not None
    ]


def _results(access: Access, students: Sequence[bytes], ids: Sequence[bytes], told: Sequence[Any]) -> list[str]:
    """A, B or C of each, or empty. Opened one person's together, given back in the order of the rows."""
    order = sorted((place for place, outcome in enumerate(told) if outcome is not None), key=lambda at: students[at])
    texts = access.open_many_to_count(
        InterviewEntry.outcome, [students[at] for at in order], [ids[at] for at in order], [told[at] for at in order]
    )
    found = [""] * len(told)
    for at, text in zip(order, texts, strict=True):
        found[at] = (json.loads(text).get("result") or "") if text else ""
    return found


def _weight(row: _Entry) -> float:
    """One over the chance of having been asked; the rules and the model ask everybody they name."""
    return 1.0 / row.share if row.origin == EntryOrigin.AUDIT.value and row.share else 1.0


def _event_days(
    access: Access, rows: Sequence[_Entry], labels: NDArray[np.int8], until: datetime
) -> NDArray[np.float64]:
    """For those with an event: days until the interview ended or, if that came first, an alert was raised."""
    if not rows:
        return np.empty(0)
    asked = Asked(sorted({row.student.bytes for row in rows}), frozenset(), until)
    query = select(Signal.student_id, Signal.raised_at).where(Signal.raised_at <= until, Signal.voided_at.is_(None))
    places, (raised,) = asked.columns(access.session, query, width=1)
    order = np.lexsort((raised_at := moments(raised), places))
    places, raised_at = places[order], raised_at[order]
    listed, ended = moments([row.listed for row in rows]), moments([row.ended for row in rows])
    own = np.array([asked.places[row.student.bytes] for row in rows], dtype=np.int64)
    first = np.fmin(ended, _first_after(places, raised_at, own, listed))
    days = (first - listed) / np.timedelta64(1, "D")
    return np.where(labels == 1, days, np.nan)


def _first_after(places: NDArray[np.int64], raised: Moments, own: NDArray[np.int64], since: Moments) -> Moments:
    """Per row the first alert of the same student after that moment."""
    found = np.full(len(own), NEVER)
    for row, (place, moment) in enumerate(zip(own.tolist(), since, strict=True)):
        later = raised[np.searchsorted(places, place, "left") : np.searchsorted(places, place, "right")]
        later = later[later > moment]
        if len(later):
            found[row] = later[0]
    return found


def _datetimes(values: Sequence[str | datetime | None]) -> list[datetime | None]:
    found: list[datetime | None] = moments(values).astype("O").tolist()
    return [None if value is None else value.replace(tzinfo=UTC) for value in found]
