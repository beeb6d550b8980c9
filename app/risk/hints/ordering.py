"""The order of a round's list, anew whenever the round was scored: who is talked to first, never whether.

What stands on top, in this order of strength:

1. Whoever has an open alert (critical patterns, people's reports): always first,
   and never inside the budget of talks. Most of them have no entry at all.
2. Whoever the active model speaks of stands by its log-odds, as a share of the
   way down those it knows.
3. Whoever it does not speak of (it abstains, or the student objected) stands by
   the rules: as far down as the weight of his reasons stands among the weights
   of the list. He is laid in between the others at the same share of the way,
   ahead of them where they meet, and never behind the last of those the model
   knows: not knowing is no reason to come last.
4. Whoever was drawn by lot stands by lot. If talks run out before the list does,
   those of the drawn who were reached are still a fair sample of the drawn.

Without a model everybody but the drawn stands by the rules, in the order in
which the list has always been read: weight, deadline, id.

Only ``place`` is written. Owner, deadline, level, reasons, weight and stage are
as the rules and people left them (law 2), and the version of an entry stays, so
that nobody's open page grows stale overnight.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update

from app.events import Event
from app.risk.hints import added, audit_share, objection
from app.risk.scores.said import Said, said_of
from app.risk.scores.scoring import RoundScored
from app.security.access import Access
from models.interview import EntryOrigin, InterviewEntry
from models.risk import Alert
from models.screening import RoundStage, ScreeningRound

MIDDLE = 0.5


class InterviewsArranged(Event):
    """The order of a round's list changed; ``count`` is how many entries changed their place."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open entry, as far as its place is concerned."""

    id: UUID
    student_id: UUID
    weight: int
    due_at: datetime
    origin: EntryOrigin
    place: int | None = None


def follow(access: Access, happened: RoundScored) -> None:
    """Listener: the active model (or nobody) has spoken of a round.

    Where nobody has, because there is no model or it failed, what it said before orders nothing either.
    """
    if happened.shadow or happened.object_id is None:
        return
    screening_round = access.session.get_one(ScreeningRound, happened.object_id, with_for_update=True)
    if screening_round.stage is RoundStage.DRAFT:
        return
    without = objection.objected(access.session)
    spoken = said_of(access, screening_round.id) if happened.model is not None else {}
    said = {student: held for student, held in spoken.items() if student not in without}
    arrange(access, screening_round, said)


def arrange(access: Access, screening_round: ScreeningRound, said: Mapping[UUID, Said]) -> None:
    """Add what may be added, draw what is to be drawn, and give every open entry its place."""
    added.add(access, screening_round, said)
    audit_share.draw(access, screening_round)
    access.session.flush()
    waiting = _waiting(access, screening_round.id)
    alerted = set(access.session.scalars(select(Alert.student_id).where(Alert.ended_at.is_(None))))
    lots = {
        entry.student_id: audit_share.lot(access, screening_round.id, entry.student_id, of="place")
        for entry in waiting
        if entry.origin is EntryOrigin.AUDIT
    }
    ordered = in_order(waiting, said, alerted=alerted, lots=lots)
    changed = [
        {"entry": entry.id, "new": place} for place, entry in enumerate(ordered, start=1) if entry.place != place
    ]
    if not changed:
        return
    table = InterviewEntry.__table__
    statement = update(table).where(table.c.id == bindparam("entry")).values(place=bindparam("new"))  # type: ignore[arg-type]
    access.session.execute(statement, changed)
    access.record(InterviewsArranged(object_id=screening_round.id, count=len(changed)))


def _waiting(access: Access, round_id: UUID) -> list[Waiting]:
    rows = access.session.execute(
        select(
            InterviewEntry.id,
            InterviewEntry.student_id,
            InterviewEntry.weight,
            InterviewEntry.due_at,
            InterviewEntry.origin,
            InterviewEntry.place,
        )
        .where(InterviewEntry.round_id == round_id, InterviewEntry.ended_at.is_(None))
        .order_by(InterviewEntry.id)
    )
    return [Waiting(*row) for row in rows]


# --- the order itself: pure -------------------------------------------------------------------


def in_order(
    waiting: Sequence[Waiting],
    said: Mapping[UUID, Said],
    *,
    alerted: set[UUID] | frozenset[UUID] = frozenset(),
    lots: Mapping[UUID, float] | None = None,
) -> list[Waiting]:
    """All entries in the order in which they should be talked to; the same input, the same order, to the last place."""
    down = _by_the_model(waiting, said) or {}
    last = max(down.values(), default=1.0)
    by_rules = _by_the_rules(waiting)

    def key(entry: Waiting) -> tuple[Any, ...]:
        if entry.origin is EntryOrigin.AUDIT:
            share, known = (lots or {}).get(entry.student_id, MIDDLE), True
        elif entry.id in down:
            share, known = down[entry.id], True
        else:
            share, known = min(by_rules[entry.id], last), False
        return entry.student_id not in alerted, share, known, -entry.weight, entry.due_at, entry.id

    return sorted(waiting, key=key)


def _by_the_model(waiting: Sequence[Waiting], said: Mapping[UUID, Said]) -> dict[UUID, float]:
    """How far down each entry stands among those the model knows, from 0 to 1."""
    known = [
        (-held.log_odds, -entry.weight, entry.id)
        for entry in waiting
        if entry.origin is not EntryOrigin.AUDIT
        and (held := said.get(entry.student_id)) is not None
        and held.log_odds is not None
    ]
    return {entry_id: (place + 0.5) / len(known) for place, (_, _, entry_id) in enumerate(sorted(known))}


def _by_the_rules(waiting: Sequence[Waiting]) -> dict[UUID, float]:
    """How far down the weight of each entry stands among the weights of the rules; the middle where no rule spoke."""
    weights = sorted(entry.weight for entry in waiting if entry.origin is EntryOrigin.RULES)
    if not weights:
        return dict.fromkeys((entry.id for entry in waiting), MIDDLE)

    def share(entry: Waiting) -> float:
        if entry.origin is not EntryOrigin.RULES:
            return MIDDLE
        heavier = len(weights) - bisect_right(weights, entry.weight)
        alike = bisect_right(weights, entry.weight) - bisect_left(weights, entry.weight)
        return (heavier + alike / 2) / len(weights)

    return {entry.id: share(entry) for entry in waiting}
