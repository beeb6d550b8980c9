"""更正归属: answers that went to the wrong student are given to the right one, in one act (practice §1.4).

The old sheets are void and stay as they were; new ones with the same answers,
scores and time are sealed for the right student and judged at once, so that an
alert that he should have had is raised in the same transaction. What the wrong
student's other data had said before holds again. This is possible in any
round, also a closed one: a student in need must not wait for a form.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from app.events import Event
from app.screening import retest
from app.screening.corrections import stored, taking_part
from app.screening.importing import fate, prepare, restore
from app.screening.rounds import absence
from app.screening.sheet_words import title_of
from app.security.access import Access
from models.base import new_ids
from models.bulk import Same
from models.correction import Correction, CorrectionKind
from models.moment import now
from models.refusal import Refusal
from models.screening import ResponseSet, ScreeningRound, SheetValidity
from models.student import Student

LEAST_REASON = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetsReattributed(Event):
    """Answers were given to the student whose they are. ``object_id`` is the correction."""

    round_id: UUID
    given: tuple[UUID, ...] = ()
    """The new sheets."""
    restored: tuple[UUID, ...] = ()
    """Earlier sheets of the wrong student that hold again."""
    taken_from: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """Sheets and the student to whom they belong."""

    rows: tuple[Row[Any], ...]
    to: Student


def sheets_with(access: Access, sheet: ResponseSet) -> list[Row[Any]]:
    """This sheet and everything else that the same delivery brought for the same student, as far as it holds."""
    return stored.sheets_of(
        access,
        ResponseSet.batch_id == sheet.batch_id,
        ResponseSet.student_id == sheet.student_id,
        ResponseSet.round_id == sheet.round_id,
        ResponseSet.voided_at.is_(None),
    )


def of_round(access: Access, round_id: UUID, student_id: UUID) -> list[Row[Any]]:
    """What holds of a student in a round."""
    return stored.sheets_of(
        access,
        ResponseSet.round_id == round_id,
        ResponseSet.student_id == student_id,
        ResponseSet.voided_at.is_(None),
    )


def reattribute(
    access: Access, rows: Sequence[Row[Any]], *, to: Student, reason: str, replace: bool = False
) -> Correction:
    """These sheets of one student are ``to``'s."""
    return _move(access, [Move(tuple(rows), to)], CorrectionKind.REATTRIBUTED, reason=reason, replace=replace)


def swap(access: Access, rows: Sequence[Row[Any]], *, other: Student, reason: str, replace: bool = False) -> Correction:
    """Two students have each other's sheets: both are put right together."""
    if not rows:
        raise Refusal(_GONE)
    mine = access.session.get_one(Student, rows[0].student_id)
    scales = {row.scale for row in rows}
    theirs = [row for row in of_round(access, rows[0].round_id, other.id) if row.scale in scales]
    if not theirs:
        raise Refusal("对方在本批次没有可以互换的结果，请改用“归到这名学生”。")
    moves = [Move(tuple(rows), other), Move(tuple(theirs), mine)]
    return _move(access, moves, CorrectionKind.SWAPPED, reason=reason, replace=replace)


_GONE = "这份结果已经作废或更正过，没有改动。请返回档案查看最新情况。"


def _move(access: Access, moves: Sequence[Move], kind: CorrectionKind, *, reason: str, replace: bool) -> Correction:
    if len(reason.strip()) < LEAST_REASON:
        raise Refusal(f"请写明更正的原因（至少 {LEAST_REASON} 个字）。", field="reason")
    if not moves or not all(move.rows for move in moves):
        raise Refusal(_GONE)
    round_id = moves[0].rows[0].round_id
    screening_round = access.session.get_one(ScreeningRound, round_id, with_for_update=True)
    in_the_way = _refuse_unfit(access, moves, replace=replace)
    gone = [row.response_set_id for move in moves for row in move.rows]
    correction = _begin(access, kind, reason)
    prepare.void(access, gone, by=correction.id, was_anothers=True)
    if in_the_way:
        prepare.void(access, [row.response_set_id for row in in_the_way], by=correction.id)
    restored = _restore(access, moves, gone)
    given = [sheet_id for move in moves for sheet_id in _give(access, move)]
    taken = list(dict.fromkeys(row.student_id for move in moves for row in move.rows))
    access.record(
        SheetsReattributed(
            object_id=correction.id,
            student_ids=tuple(dict.fromkeys([*taken, *(move.to.id for move in moves)])),
            count=len(given),
            round_id=round_id,
            given=tuple(given),
            restored=tuple(restored),
            taken_from=tuple(taken),
        )
    )
    _see_to_participation(access, screening_round, moves, taken)
    return correction


def _begin(access: Access, kind: CorrectionKind, reason: str) -> Correction:
    correction = Correction(kind=kind, made_at=now(), made_by=access.actor.id)
    access.seal(correction, Correction.reason, reason.strip())
    access.session.add(correction)
    access.session.flush()
    return correction


def _refuse_unfit(access: Access, moves: Sequence[Move], *, replace: bool) -> list[Row[Any]]:
    """Refuse what cannot be done; returns what is in the way and is to be replaced."""
    access.lock_students([move.to.id for move in moves] + [row.student_id for move in moves for row in move.rows])
    gone = [row.response_set_id for move in moves for row in move.rows]
    _refuse_changed(access, gone)
    if any(row.student_id == move.to.id for move in moves for row in move.rows):
        raise Refusal("选的就是现在这名学生，不需要更正。", field="student")
    in_the_way = _in_the_way(access, moves, gone)
    if in_the_way and not replace:
        scales = "、".join(sorted({title_of(row.scale) for row in in_the_way}))
        raise Refusal(
            f"这名学生在本批次已有结果（{scales}）。如果已有的那份不对，请勾选“替换已有结果”；"
            "如果两人的结果对调了，请勾选“互换”。",
            field="replace",
        )
    return in_the_way


def _refuse_changed(access: Access, ids: Sequence[UUID]) -> None:
    """Somebody else may have corrected or rolled back the same sheets since the page was made."""
    held = select(ResponseSet.id).where(ResponseSet.id.in_(ids), ResponseSet.voided_at.is_(None))
    if set(access.session.scalars(held)) != set(ids):
        raise Refusal(_GONE)


def _in_the_way(access: Access, moves: Iterable[Move], gone: Sequence[UUID]) -> list[Row[Any]]:
    """What the right student has on the same scales, without what moves away from him in the same act."""
    return [
        held
        for move in moves
        for held in of_round(access, move.rows[0].round_id, move.to.id)
        if held.scale in {row.scale for row in move.rows} and held.response_set_id not in gone
    ]


def _restore(access: Access, moves: Sequence[Move], gone: Sequence[UUID]) -> list[UUID]:
    """What these sheets had replaced of the wrong student holds again, unless he gets others in the same act."""
    coming = {(row.round_id, move.to.id, row.scale) for move in moves for row in move.rows}
    keys = [(row.round_id, row.student_id, row.scale) for move in moves for row in move.rows]
    again = restore.to_hold_again(access, [key for key in keys if key not in coming], without=None, gone=gone)
    restore.hold_again(access, again)
    return again


def _give(access: Access, move: Move) -> list[UUID]:
    """Seal the same answers for the right student: same delivery, versions, scores and time."""
    rows, owner = list(move.rows), move.to.id.bytes
    bodies = stored.bodies_of(access, rows)
    raws = access.open_bytes(rows, ResponseSet.body)
    ids = new_ids(len(rows))
    bundle = stored.bundle_of(access, rows, bodies)
    digests = {key: fate.digests_of(access, held, [owner])[0] for key, held in bundle.scales.items()}
    access.insert_many(
        ResponseSet,
        {
            "id": ids,
            "round_id": [row.round_id for row in rows],
            "student_id": Same(owner),
            "batch_id": [row.batch_id for row in rows],
            "scale": [row.scale for row in rows],
            "scale_version": [row.scale_version for row in rows],
            "engine_version": [row.engine_version for row in rows],
            "status": [row.status for row in rows],
            "validity": [row.validity for row in rows],
            "coding": [row.coding for row in rows],
            "norm": [row.norm for row in rows],
            "taken_at": [row.taken_at for row in rows],
            "recorded_at": Same(now()),
            "digest": [digests.get(row.scale) or bytes(16) for row in rows],
            "body": access.seal_many(ResponseSet.body, [owner] * len(rows), ids, [raw or b"" for raw in raws]),
        },
    )
    return [UUID(bytes=sheet_id) for sheet_id in ids]


def _see_to_participation(
    access: Access, screening_round: ScreeningRound, moves: Sequence[Move], taken: Sequence[UUID]
) -> None:
    """Re-tests and absences follow the answers."""
    for move in moves:
        batch_id = move.rows[0].batch_id
        taking_part.follow_away(access, screening_round.id, batch_id, taken)
        absence.settle(access, screening_round.id, [move.to.id], by=batch_id)
        doubted = {row.scale: row for row in move.rows if row.validity is SheetValidity.DOUBTFUL}
        if doubted:
            place = (move.to.id.bytes, move.to.college_id.bytes, move.to.class_id.bytes)
            bodies = stored.bodies_of(access, list(doubted.values()))
            why = {scale: body.get("doubtful", []) for scale, body in zip(doubted, bodies, strict=True)}
            retest.ask(access, screening_round, batch_id, [place], [why])
