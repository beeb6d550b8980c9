"""Facts from what people did before: alerts, cases, interview lists, talks, re-tests. Times and plain columns.

Only the result of an interview lies sealed, and is opened to count. What of
these has no history of its own is not here: the level of a case and what a
person raised an alert to are kept as they are now, and a row of last year
would see today's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import aliased

from app.risk.gathering.facts import NEVER, Asked, Facts, Moments, Places, moments
from app.security.access import Access
from models.bulk import fetch_sealed
from models.case import CareTalk, Case
from models.interview import InterviewEntry, InterviewStage
from models.participation import Retest, RetestStage
from models.risk import Alert, AlertStage, Level, Signal

RESULTS = {"C": 0.0, "B": 1.0, "A": 2.0}
"""How serious the result of an interview is (domain §A.4)."""


def alerts(access: Access, asked: Asked) -> Iterator[Facts]:
    """``alert.level``: every reason of an alert with its level, until it was void or the alert disproved."""
    query = (
        select(Signal.student_id, Signal.level, Signal.raised_at, Signal.voided_at, Alert.stage, Alert.ended_at)
        .join(Alert, Alert.id == Signal.alert_id)
        .where(Signal.raised_at <= asked.until)
    )
    places, (levels, raised, voided, stages, ended) = asked.columns(access.session, query, width=5)
    disproved = np.array([stage == AlertStage.DISPROVED.value for stage in stages], dtype=bool)
    until = np.fmin(moments(voided), np.where(disproved, moments(ended), NEVER))
    values = np.array([Level(level).severity for level in levels], dtype=np.float64)
    yield Facts(kind="alert.level", places=places, values=values, known_at=moments(raised), until=until)


def cases(access: Access, asked: Asked) -> Iterator[Facts]:
    """``case.opened``: that a case was opened; ``case.open``: the same, until it was closed."""
    query = select(Case.student_id, Case.opened_at, Case.closed_at).where(Case.opened_at <= asked.until)
    places, (opened, closed) = asked.columns(access.session, query, width=2)
    yield _happened("case.opened", places, moments(opened))
    yield _happened("case.open", places, moments(opened), until=moments(closed))


def interviews(access: Access, asked: Asked) -> Iterator[Facts]:
    """``interview.listed`` and ``interview.result``, both known when the entry ended.

    An open entry is not earlier than itself: whoever is listed now and whoever
    is not have the same history.
    """
    query = select(
        InterviewEntry.student_id,
        InterviewEntry.id,
        InterviewEntry.stage,
        InterviewEntry.listed_at,
        InterviewEntry.ended_at,
        InterviewEntry.outcome,
    ).where(InterviewEntry.ended_at <= asked.until, InterviewEntry.stage != InterviewStage.VOID)
    rows = fetch_sealed(access.session, asked.narrowed(query.order_by(InterviewEntry.student_id)))
    places, (ids, stages, listed, ended, outcomes) = asked.part(rows)
    known_at, of_time = moments(ended), moments(listed)
    yield _happened("interview.listed", places, known_at, of_time=of_time)
    if "interview.result" not in asked.kinds:
        return
    owners = [asked.students[place] for place in places.tolist()]
    done = [
        outcome if stage == InterviewStage.DONE.value else None for stage, outcome in zip(stages, outcomes, strict=True)
    ]
    texts = access.open_many_to_count(InterviewEntry.outcome, owners, ids, done)
    values = np.array([_result(text) for text in texts], dtype=np.float64)
    told = np.isfinite(values)
    yield Facts(
        kind="interview.result",
        places=places[told],
        values=values[told],
        known_at=known_at[told],
        of_time=of_time[told],
    )


def _result(text: bytes | None) -> float:
    return RESULTS.get(json.loads(text).get("result"), np.nan) if text else np.nan


def talks(access: Access, asked: Asked) -> Iterator[Facts]:
    """``talk.reached`` and ``talk.not_reached``: known when written down, until a later entry amended it."""
    amendment = aliased(CareTalk)
    query = (
        select(CareTalk.student_id, CareTalk.reached, CareTalk.held_at, CareTalk.recorded_at, amendment.recorded_at)
        .outerjoin(amendment, amendment.amends_id == CareTalk.id)
        .where(CareTalk.recorded_at <= asked.until)
    )
    places, (reached, held, recorded, amended) = asked.columns(access.session, query, width=4)
    known_at, until = moments(recorded), moments(amended)
    of_time = np.minimum(moments(held), known_at)
    met = np.array(reached, dtype=bool)
    for kind, which in (("talk.reached", met), ("talk.not_reached", ~met)):
        yield _happened(kind, places[which], known_at[which], of_time=of_time[which], until=until[which])


def retests(access: Access, asked: Asked) -> Iterator[Facts]:
    """``retest.asked``: that answers were to be given again, until that fell away with its ground."""
    query = select(Retest.student_id, Retest.created_at, Retest.ended_at, Retest.stage).where(
        Retest.created_at <= asked.until
    )
    places, (created, ended, stages) = asked.columns(access.session, query, width=3)
    void = np.array([stage == RetestStage.VOID.value for stage in stages], dtype=bool)
    yield _happened("retest.asked", places, moments(created), until=np.where(void, moments(ended), NEVER))


def _happened(
    kind: str, places: Places, known_at: Moments, *, of_time: Moments | None = None, until: Moments | None = None
) -> Facts:
    return Facts(kind=kind, places=places, values=np.ones(len(places)), known_at=known_at, of_time=of_time, until=until)
