"""Entries of the interview list whose ground goes, and those that stand again.

An entry nobody has worked on goes with the sheets it rested on. Once a talk
has begun it is a person's: it stays, and its owner is told.

A hint (the model's, or drawn by lot) rests on all that the round knows of a
student: it goes when the round has no answers of his any more, and its owner is
told, because no file had announced it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import aliased

from app.notices import post
from app.risk import relist
from app.risk.duty import role_of
from app.screening.importing.prepare import ScreeningCommitted, SheetsVoided
from app.security.access import Access
from models.intake import BatchStage, ImportBatch
from models.interview import EntryOrigin, InterviewEntry, InterviewStage
from models.moment import now
from models.screening import ResponseSet

SOME = 500


@dataclass(frozen=True, slots=True)
class Resting:
    """Open entries that a delivery put on the list."""

    idle: tuple[InterviewEntry, ...]
    """Listed or invited: no talk has begun."""
    in_work: tuple[InterviewEntry, ...]


def drop_voided(access: Access, happened: SheetsVoided) -> None:
    """Listener: entries nobody has worked on go with the sheets they rested on; the new sheets list anew.

    When the answers were another person's, an invitation has lost its ground
    too, and whoever is in the middle of a talk is told.
    """
    ids, told = list(happened.sheet_ids), []
    for start in range(0, len(ids), SOME):
        rows = access.session.execute(
            select(ResponseSet.round_id, ResponseSet.student_id, ResponseSet.batch_id).where(
                ResponseSet.id.in_(ids[start : start + SOME])
            )
        ).all()
        brought = {(row.round_id, row.student_id, row.batch_id) for row in rows}
        for entry in access.session.scalars(
            select(InterviewEntry).where(
                InterviewEntry.round_id.in_({row.round_id for row in rows}),
                InterviewEntry.student_id.in_({row.student_id for row in rows}),
                InterviewEntry.ended_at.is_(None),
            )
        ):
            hinted = entry.origin is not EntryOrigin.RULES
            if entry.stage is InterviewStage.LISTED:
                _drop(entry, happened.by)
                told += [(entry.owner_id, role_of(access.session, entry.owner_id))] if hinted else []
            elif happened.was_anothers and (hinted or (entry.round_id, entry.student_id, entry.batch_id) in brought):
                told.append((entry.owner_id, role_of(access.session, entry.owner_id)))
                if entry.stage is InterviewStage.INVITED:
                    _drop(entry, happened.by)
    post.tell_each(access, told, "interview_ground_void")
    access.session.flush()


def list_what_is_left(access: Access, happened: ScreeningCommitted) -> None:
    """Listener: whoever was taken off the list with one sheet, while another sheet of his still lists, is put back."""
    batch = access.session.get(ImportBatch, happened.object_id) if happened.object_id else None
    if batch is None:
        return
    students = set(
        access.session.scalars(select(InterviewEntry.student_id).where(InterviewEntry.voided_by == batch.id))
    )
    if students:
        relist.list_again(access, students, round_id=batch.round_id)


def _drop(entry: InterviewEntry, by: UUID | None) -> None:
    entry.move_to(InterviewStage.VOID)
    entry.ended_at, entry.voided_by = now(), by


def resting_on(access: Access, batch_id: UUID, *, kept: Collection[UUID]) -> Resting:
    """Open entries of this delivery, without those that rest on sheets which another delivery says as well."""
    entries = access.session.scalars(
        select(InterviewEntry)
        .where(InterviewEntry.batch_id == batch_id, InterviewEntry.ended_at.is_(None))
        .order_by(InterviewEntry.student_id)
    ).all()
    staying = _students_kept(access, kept)
    mine = [entry for entry in entries if entry.student_id not in staying]
    mine += _hints(access, batch_id, staying)
    early = {InterviewStage.LISTED, InterviewStage.INVITED}
    return Resting(
        tuple(entry for entry in mine if entry.stage in early),
        tuple(entry for entry in mine if entry.stage not in early),
    )


def _hints(access: Access, batch_id: UUID, staying: Collection[UUID]) -> list[InterviewEntry]:
    """Open hints of students of whom the round has no answers without this delivery: they are asked about nothing."""
    brought = select(ResponseSet.student_id).where(ResponseSet.batch_id == batch_id)
    other = aliased(ResponseSet)
    left = select(other.id).where(
        other.round_id == InterviewEntry.round_id,
        other.student_id == InterviewEntry.student_id,
        other.batch_id != batch_id,
        other.voided_at.is_(None),
    )
    entries = access.session.scalars(
        select(InterviewEntry)
        .where(
            InterviewEntry.round_id.in_(select(ImportBatch.round_id).where(ImportBatch.id == batch_id)),
            InterviewEntry.ended_at.is_(None),
            InterviewEntry.origin != EntryOrigin.RULES,
            InterviewEntry.student_id.in_(brought),
            ~left.exists(),
        )
        .order_by(InterviewEntry.student_id)
    )
    return [entry for entry in entries if entry.student_id not in staying]


def _students_kept(access: Access, kept: Collection[UUID]) -> set[UUID]:
    ids, found = list(kept), set()
    for start in range(0, len(ids), SOME):
        found |= set(
            access.session.scalars(select(ResponseSet.student_id).where(ResponseSet.id.in_(ids[start : start + SOME])))
        )
    return found


def dropped_by(access: Access, batch_id: UUID) -> list[InterviewEntry]:
    """Entries that this delivery took off and that would stand again without it."""
    standing = select(ImportBatch.id).where(ImportBatch.stage == BatchStage.ROLLED_BACK)
    return list(
        access.session.scalars(
            select(InterviewEntry)
            .where(
                InterviewEntry.voided_by == batch_id,
                InterviewEntry.stage == InterviewStage.VOID,
                InterviewEntry.batch_id.is_(None) | InterviewEntry.batch_id.not_in(standing),
            )
            .order_by(InterviewEntry.student_id, InterviewEntry.listed_at)
        )
    )


def undo(access: Access, batch_id: UUID, *, kept: dict[UUID, UUID]) -> set[UUID]:
    """What the delivery listed goes, what it had taken off stands again; returns the students whose entry went."""
    resting = resting_on(access, batch_id, kept=kept)
    early = [
        entry
        for entry in resting.idle
        if entry.stage is InterviewStage.INVITED or entry.origin is not EntryOrigin.RULES
    ]
    told = [(entry.owner_id, role_of(access.session, entry.owner_id)) for entry in [*early, *resting.in_work]]
    for entry in resting.idle:
        _drop(entry, batch_id if entry.origin is EntryOrigin.RULES else None)
    post.tell_each(access, told, "interview_ground_void")
    access.session.flush()
    _inherit(access, batch_id, kept)
    _restore(access, [entry for entry in dropped_by(access, batch_id) if entry.batch_id != batch_id])
    return {entry.student_id for entry in resting.idle}


def _restore(access: Access, back: Sequence[InterviewEntry]) -> None:
    """Let entries stand again.

    One that was written instead, for what was left of the same delivery, gives
    way, and so does a hint to a rule's own.
    """
    taken = _on_list(access, {entry.round_id for entry in back}, [entry.student_id for entry in back])
    free = []
    for entry in back:
        instead = taken.get((entry.round_id, entry.student_id))
        if instead is not None:
            gives_way = instead.origin is not EntryOrigin.RULES and entry.origin is EntryOrigin.RULES
            same = instead.batch_id == entry.batch_id and instead.stage is InterviewStage.LISTED
            if not same and (not gives_way or instead.stage is InterviewStage.DONE):
                continue
            _drop(instead, None)
        taken[entry.round_id, entry.student_id] = entry
        free.append(entry)
    access.session.flush()
    for entry in free:
        entry.stage, entry.ended_at, entry.voided_by, entry.basis = InterviewStage.LISTED, None, None, None
    access.session.flush()


def _inherit(access: Access, batch_id: UUID, kept: dict[UUID, UUID]) -> None:
    """Entries that stay are the other delivery's from now on."""
    heirs = {}
    ids = list(kept)
    for start in range(0, len(ids), SOME):
        for sheet_id, student_id in access.session.execute(
            select(ResponseSet.id, ResponseSet.student_id).where(ResponseSet.id.in_(ids[start : start + SOME]))
        ):
            heirs[student_id] = kept[sheet_id]
    for entry in access.session.scalars(
        select(InterviewEntry).where(InterviewEntry.batch_id == batch_id, InterviewEntry.ended_at.is_(None))
    ):
        if entry.student_id in heirs:
            entry.batch_id = heirs[entry.student_id]
    access.session.flush()


def _on_list(
    access: Access, rounds: Iterable[UUID], students: Sequence[UUID]
) -> dict[tuple[UUID, UUID], InterviewEntry]:
    found: dict[tuple[UUID, UUID], InterviewEntry] = {}
    for start in range(0, len(students), SOME):
        rows = access.session.scalars(
            select(InterviewEntry).where(
                InterviewEntry.round_id.in_(list(rounds)),
                InterviewEntry.student_id.in_(students[start : start + SOME]),
                InterviewEntry.stage != InterviewStage.VOID,
            )
        )
        found |= {(row.round_id, row.student_id): row for row in rows}
    return found


def drop_idle(access: Access, round_id: UUID, student_id: UUID, *, by: UUID) -> None:
    """Take a rule's student off the list whom nobody has invited yet."""
    for entry in access.session.scalars(
        select(InterviewEntry).where(
            InterviewEntry.round_id == round_id,
            InterviewEntry.student_id == student_id,
            InterviewEntry.stage == InterviewStage.LISTED,
            InterviewEntry.origin == EntryOrigin.RULES,
        )
    ):
        _drop(entry, by)
    access.session.flush()
