"""What scoring anew means for alerts and lists: what still holds follows, what is new is raised, nothing is taken away.

A reason that the new score still gives rests on the new sheet from now on. One
that it no longer gives is void, and whoever owes the decision on the alert is
told so and decides: a computer does not end anybody's attention (law 2). An
entry of the interview list that nobody has worked on goes with its ground.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from app.admin import rulebook
from app.admin.rule import Rulebook
from app.risk import alert, dropped, ground, judge
from app.risk.rules import hits_of
from app.screening.corrections import stored
from app.screening.corrections.rescore import SheetsRescored
from app.security.access import Access
from models.intake import ImportBatch
from models.risk import Signal
from models.screening import ResponseSet, ScreeningRound

SOME = 500


@dataclass(frozen=True, slots=True)
class Change:
    """Rules that fire on a student's sheets: before and after."""

    before: frozenset[str]
    after: frozenset[str]

    def new(self, book: Rulebook, *, raising: bool) -> set[str]:
        return {key for key in self.after - self.before if (book.rule(key).level is not None) is raising}

    def gone(self, book: Rulebook, *, raising: bool) -> set[str]:
        return {key for key in self.before - self.after if (book.rule(key).level is not None) is raising}


def count(access: Access, rows: Sequence[Row[Any]], bodies: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """For how many students a critical rule newly fires, and for how many one no longer does."""
    book = rulebook.current(access.session)
    found = _changes(access, book, rows, bodies).values()
    return (
        sum(bool(change.new(book, raising=True)) for change in found),
        sum(bool(change.gone(book, raising=True)) for change in found),
    )


def follow(access: Access, happened: SheetsRescored) -> None:
    """Listener: reasons and lists follow the new scores."""
    assert happened.object_id is not None  # noqa: S101 - a correction
    book = rulebook.current(access.session)
    news = dict(happened.pairs)
    olds = {row.student_id: row for row in _sheets(access, news)}
    rows = _sheets(access, news.values())
    before = [olds[row.student_id] for row in rows]
    changes = _changes(access, book, before, stored.bodies_of(access, before))
    _carry(access, book, news, changes)
    ground.void_reasons(access, list(news), cause="rescored", by=happened.object_id)
    screening_round = access.session.get_one(ScreeningRound, happened.round_id)
    _raise_new(access, book, screening_round, rows, changes)
    fewer = {student_id for student_id, change in changes.items() if change.gone(book, raising=False)}
    for student_id in sorted(fewer):
        left = stored.sheets_of(
            access,
            ResponseSet.student_id == student_id,
            ResponseSet.round_id == happened.round_id,
            ResponseSet.voided_at.is_(None),
        )
        if not hits_of(book, stored.bundle_of(access, left, stored.bodies_of(access, left))):
            dropped.drop_idle(access, happened.round_id, student_id, by=happened.object_id)


def _sheets(access: Access, ids: Iterable[UUID]) -> list[Row[Any]]:
    wanted = list(ids)
    return [
        row
        for start in range(0, len(wanted), SOME)
        for row in stored.sheets_of(access, ResponseSet.id.in_(wanted[start : start + SOME]))
    ]


def _changes(
    access: Access, book: Rulebook, rows: Sequence[Row[Any]], bodies: Sequence[Mapping[str, Any]]
) -> dict[UUID, Change]:
    was = stored.bundle_of(access, rows, bodies, as_scored=True)
    now = stored.bundle_of(access, rows, bodies)
    before, after = hits_of(book, was), hits_of(book, now)
    return {
        UUID(bytes=student): Change(
            frozenset(hit.rule.id for hit in before.get(place, ())),
            frozenset(hit.rule.id for hit in after.get(place, ())),
        )
        for place, student in enumerate(was.students)
        if student is not None
    }


def _carry(access: Access, book: Rulebook, news: Mapping[UUID, UUID], changes: Mapping[UUID, Change]) -> None:
    """Reasons that the new score still gives rest on the new sheet: same alert, same clocks, nobody is told."""
    olds = list(news)
    for start in range(0, len(olds), SOME):
        signals = access.session.scalars(
            select(Signal)
            .where(Signal.source_id.in_(olds[start : start + SOME]), Signal.source_kind == "response_set")
            .order_by(Signal.id)
        ).all()
        unsure = [signal for signal in signals if changes[signal.student_id].gone(book, raising=True)]
        said = dict(
            zip((signal.id for signal in unsure), access.open_each(unsure, Signal.reason), strict=True)
            if unsure
            else ()
        )
        for signal in signals:
            rule = json.loads(said[signal.id])["rule"] if signal.id in said else None
            if rule not in changes[signal.student_id].gone(book, raising=True):
                assert signal.source_id is not None  # noqa: S101 - selected by it
                signal.source_id = news[signal.source_id]
    access.session.flush()


def _raise_new(
    access: Access,
    book: Rulebook,
    screening_round: ScreeningRound,
    rows: Sequence[Row[Any]],
    changes: Mapping[UUID, Change],
) -> None:
    """What fires now and did not before: alerts with those reasons only, and entries of the list."""
    batches: dict[UUID, list[Row[Any]]] = {}
    for row in rows:
        change = changes[row.student_id]
        if change.new(book, raising=True) or change.new(book, raising=False):
            batches.setdefault(row.batch_id, []).append(row)
    for batch_id, some in batches.items():
        bundle = stored.bundle_of(access, some, stored.bodies_of(access, some))
        found = judge.judge(access, bundle, screening_round)
        concerns = [
            replace(concern, reasons=reasons)
            for concern in found.concerns
            if (
                reasons := tuple(
                    reason
                    for reason in concern.reasons
                    if reason.rule.id in changes[UUID(bytes=concern.student_id)].new(book, raising=True)
                )
            )
        ]
        sealed = alert.seal_reasons(access, book, concerns)
        batch = access.session.get_one(ImportBatch, batch_id)
        replace(found, concerns=concerns, reasons=sealed).write(access, screening_round, batch)
