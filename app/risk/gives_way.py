"""A hint gives way to a rule: what the model or the lot put on the list never stands where a rule's entry belongs.

A student has one place on a round's list. When a rule speaks of somebody who
has it by a hint or by lot, that entry is void on account of the delivery and
the rule's own is written, with its reasons, its weight and its deadline:
exactly what would stand there had no model ever spoken (law 2). Whoever was
already inviting him keeps him. Rolling the delivery back lets the hint stand
again, as with every entry that a delivery took off (``dropped``).

A talk that was held is never taken back: the student has been talked to in
this round, and whoever talked is told of the new reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select

from app.notices import post
from app.risk.duty import role_of
from app.security.access import Access
from models.interview import EntryOrigin, InterviewEntry, InterviewStage
from models.moment import now

SOME = 500
IN_HAND = frozenset({InterviewStage.INVITED, InterviewStage.SECOND_TALK})


def holds_the_place() -> ColumnElement[bool]:
    """Entries that keep a rule from listing a student anew: a rule's own."""
    return and_(InterviewEntry.stage != InterviewStage.VOID, InterviewEntry.origin == EntryOrigin.RULES)


@dataclass(frozen=True, slots=True)
class Room:
    """Places on a round's list after hints were taken off them."""

    kept: frozenset[bytes]
    """Students who keep their place: a talk was held, and nothing more is written."""
    owners: dict[bytes, bytes]
    """Who was already inviting a student whose hint was taken off."""


def make_room(access: Access, round_id: UUID, students: Sequence[bytes], *, by: UUID) -> Room:
    """Take hints off whose students a rule lists now. The caller holds the round locked."""
    found = _held(access, round_id, students)
    kept = {entry.student_id.bytes: entry for entry in found if entry.stage is InterviewStage.DONE}
    gone = [entry for entry in found if entry.student_id.bytes not in kept]
    owners = {entry.student_id.bytes: entry.owner_id.bytes for entry in gone if entry.stage in IN_HAND}
    for entry in gone:
        give_way(entry, by)
    told = [(entry.owner_id, role_of(access.session, entry.owner_id)) for entry in kept.values()]
    post.tell_each(access, told, "interview_reason_added")
    access.session.flush()
    return Room(frozenset(kept), owners)


def _held(access: Access, round_id: UUID, students: Sequence[bytes]) -> list[InterviewEntry]:
    return [
        entry
        for start in range(0, len(students), SOME)
        for entry in access.session.scalars(
            select(InterviewEntry)
            .where(
                InterviewEntry.round_id == round_id,
                InterviewEntry.student_id.in_([UUID(bytes=student) for student in students[start : start + SOME]]),
                InterviewEntry.stage != InterviewStage.VOID,
                InterviewEntry.origin != EntryOrigin.RULES,
            )
            .order_by(InterviewEntry.student_id)
        )
    ]


def give_way(entry: InterviewEntry, by: UUID | None) -> None:
    """One hint no longer stands, on account of a delivery or a correction."""
    entry.move_to(InterviewStage.VOID)
    entry.ended_at, entry.voided_by, entry.place = now(), by, None
