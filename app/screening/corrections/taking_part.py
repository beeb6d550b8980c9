"""Re-tests and absences, when a delivery that opened or ended them is rolled back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from app.security.access import Access
from models.intake import ImportBatch
from models.moment import now
from models.participation import Retest, RetestStage, RoundAbsence
from models.screening import ResponseSet, SheetValidity

SOME = 500


def count(access: Access, batch: ImportBatch, _undoing: Any) -> dict[str, int]:
    """How many it would touch: re-tests it asked for, re-tests and absences it had ended."""
    session = access.session
    return {
        "retests_voided": len(session.scalars(select(Retest.id).where(*_asked(batch))).all()),
        "retests_reopened": len(session.scalars(select(Retest.id).where(*_settled(batch))).all()),
        "absences_restored": len(session.scalars(select(RoundAbsence.id).where(*_ended(batch))).all()),
    }


def _asked(batch: ImportBatch) -> tuple[ColumnElement[bool], ...]:
    return Retest.batch_id == batch.id, Retest.ended_at.is_(None)


def _settled(batch: ImportBatch) -> tuple[ColumnElement[bool], ...]:
    return Retest.settled_by == batch.id, Retest.stage == RetestStage.DONE


def _ended(batch: ImportBatch) -> tuple[ColumnElement[bool], ...]:
    return RoundAbsence.voided_by == batch.id, RoundAbsence.voided_at.is_not(None)


def undo(access: Access, batch: ImportBatch) -> None:
    """After the sheets: what it asked for has lost its ground, what it had ended is open again."""
    session = access.session
    asked = session.scalars(select(Retest).where(*_asked(batch)).order_by(Retest.student_id)).all()
    settled = session.scalars(select(Retest).where(*_settled(batch)).order_by(Retest.student_id)).all()
    ended = session.scalars(select(RoundAbsence).where(*_ended(batch)).order_by(RoundAbsence.student_id)).all()
    holding = _holding(
        access, batch.round_id, {row.student_id for row in (*asked, *settled)} | {row.student_id for row in ended}
    )
    _end_groundless(asked, holding)
    session.flush()
    open_ones = set(
        session.scalars(select(Retest.student_id).where(Retest.round_id == batch.round_id, Retest.ended_at.is_(None)))
    )
    for retest in settled:
        _settle_or_open(retest, holding.get(retest.student_id, []), is_free=retest.student_id not in open_ones)
    _restore_absences(access, batch.round_id, ended, holding)
    session.flush()


def follow_away(access: Access, round_id: UUID, batch_id: UUID, students: Sequence[UUID]) -> None:
    """Answers that a delivery brought were not these students': neither is what it had asked of them, or ended."""
    mine = Retest.batch_id == batch_id, Retest.ended_at.is_(None), Retest.student_id.in_(students)
    asked = access.session.scalars(select(Retest).where(*mine).order_by(Retest.student_id)).all()
    his = RoundAbsence.voided_by == batch_id, RoundAbsence.round_id == round_id, RoundAbsence.student_id.in_(students)
    ended = access.session.scalars(select(RoundAbsence).where(*his).order_by(RoundAbsence.student_id)).all()
    holding = _holding(access, round_id, {row.student_id for row in asked} | {row.student_id for row in ended})
    _end_groundless(asked, holding)
    _restore_absences(access, round_id, ended, holding)
    access.session.flush()


def _end_groundless(asked: Iterable[Retest], holding: dict[UUID, list[Any]]) -> None:
    """Without doubtful answers there is nothing to ask again; where another delivery's are, it is that one's."""
    for retest in asked:
        doubted = [row.batch_id for row in holding.get(retest.student_id, ()) if row.validity is SheetValidity.DOUBTFUL]
        if doubted:
            retest.batch_id = doubted[-1]
            continue
        retest.move_to(RetestStage.VOID)
        retest.ended_at = now()


def _settle_or_open(retest: Retest, sheets: list[Any], *, is_free: bool) -> None:
    """Open again while doubtful answers hold; where none do, others have taken their place."""
    if is_free and any(row.validity is SheetValidity.DOUBTFUL for row in sheets):
        retest.stage, retest.ended_at, retest.settled_by = RetestStage.OPEN, None, None


def _restore_absences(
    access: Access, round_id: UUID | None, ended: Iterable[RoundAbsence], holding: dict[UUID, list[Any]]
) -> None:
    """Who has no result left did not take part after all, unless something else has been written down since."""
    written = set(
        access.session.scalars(
            select(RoundAbsence.student_id).where(RoundAbsence.round_id == round_id, RoundAbsence.voided_at.is_(None))
        )
    )
    for row in ended:
        sheets = [sheet for sheet in holding.get(row.student_id, ()) if sheet.recorded_at >= row.recorded_at]
        if sheets:
            row.voided_by = sheets[-1].batch_id
        elif row.student_id not in written:
            row.voided_at = row.voided_by = row.voided_because = None


def _holding(access: Access, round_id: UUID | None, students: set[UUID]) -> dict[UUID, list[Any]]:
    """Sheets of the round that hold now, by student, oldest first."""
    wanted = sorted(students)
    found: dict[UUID, list[Any]] = {}
    for start in range(0, len(wanted), SOME):
        rows = access.session.execute(
            select(ResponseSet.student_id, ResponseSet.batch_id, ResponseSet.validity, ResponseSet.recorded_at)
            .where(
                ResponseSet.round_id == round_id,
                ResponseSet.student_id.in_(wanted[start : start + SOME]),
                ResponseSet.voided_at.is_(None),
            )
            .order_by(ResponseSet.recorded_at, ResponseSet.id)
        )
        for row in rows:
            found.setdefault(row.student_id, []).append(row)
    return found
