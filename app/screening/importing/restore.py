"""Which sheets hold again once others are void.

A sheet that another delivery replaced holds again when, of its student, scale
and round, no sheet is left that holds; the last one that stands. One that was
corrected (another person's, scored anew) or whose own delivery was rolled
back never does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, or_, select, update

from app.security.access import Access
from models.intake import BatchStage, ImportBatch
from models.moment import now
from models.screening import ResponseSet

SOME = 500
Key = tuple[UUID, UUID, str]
"""Round, student, scale."""


def to_hold_again(access: Access, keys: Iterable[Key], *, without: UUID | None, gone: Iterable[UUID]) -> list[UUID]:
    """Ids of the sheets that hold again when the sheets ``gone`` no longer do.

    ``without``: a delivery that is being rolled back, whose sheets never come back.
    """
    wanted, gone = set(keys), set(gone)
    students = sorted({student_id for _, student_id, _ in wanted})
    taken: set[Key] = set()
    best: dict[Key, UUID] = {}
    for start in range(0, len(students), SOME):
        for row in _candidates(access, students[start : start + SOME]):
            key = (row.round_id, row.student_id, row.scale)
            if key not in wanted:
                continue
            if row.voided_at is None:
                if row.id not in gone:
                    taken.add(key)
            elif row.batch_id != without:
                best[key] = row.id
    return [sheet_id for key, sheet_id in best.items() if key not in taken]


def _candidates(access: Access, students: Sequence[UUID]) -> Iterable[Row[Any]]:
    """Sheets that hold or that a delivery replaced, of deliveries that stand; oldest first: the last one wins."""
    replaced_by = select(ImportBatch.id)
    standing = select(ImportBatch.id).where(ImportBatch.stage != BatchStage.ROLLED_BACK)
    return access.session.execute(
        select(
            ResponseSet.id,
            ResponseSet.round_id,
            ResponseSet.student_id,
            ResponseSet.scale,
            ResponseSet.batch_id,
            ResponseSet.voided_at,
        )
        .where(
            ResponseSet.student_id.in_(students),
            ResponseSet.batch_id.in_(standing),
            or_(ResponseSet.voided_at.is_(None), ResponseSet.voided_by.in_(replaced_by)),
        )
        .order_by(ResponseSet.recorded_at, ResponseSet.id)
    )


def let_go(access: Access, ids: Sequence[UUID], *, by: UUID) -> None:
    """Let these sheets no longer hold, on account of a delivery or a correction. Tells nobody."""
    for start in range(0, len(ids), SOME):
        access.session.execute(
            update(ResponseSet)
            .where(ResponseSet.id.in_(ids[start : start + SOME]))
            .values(voided_at=now(), voided_by=by)
        )


def hold_again(access: Access, ids: Sequence[UUID]) -> None:
    """Let these sheets hold again."""
    for start in range(0, len(ids), SOME):
        access.session.execute(
            update(ResponseSet)
            .where(ResponseSet.id.in_(ids[start : start + SOME]))
            .values(voided_at=None, voided_by=None)
        )
