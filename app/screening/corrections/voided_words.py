"""Why a sheet of a file no longer holds, by whom and when: replaced, taken back, another person's, scored anew."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.security.access import Access
from app.security.holders import names_of
from app.web.words import stamp
from models.correction import Correction, CorrectionKind
from models.intake import BatchStage, ImportBatch

_CORRECTED = {
    CorrectionKind.REATTRIBUTED: "更正归属，不是这名学生的作答",
    CorrectionKind.SWAPPED: "更正归属，与另一名学生互换",
    CorrectionKind.RESCORED: "按新的量表版本重新计分",
}


def of(access: Access, ids: Iterable[UUID | None]) -> dict[UUID | None, tuple[str, ...]]:
    """Delivery or correction → lines that say what it did. Nobody else's identity is named (law 4)."""
    wanted = {found for found in ids if found is not None}
    if not wanted:
        return {}
    lines: dict[UUID | None, tuple[str, ...]] = {}
    batches = access.session.execute(
        select(ImportBatch.id, ImportBatch.stage, ImportBatch.rolled_back_at, ImportBatch.rolled_back_by).where(
            ImportBatch.id.in_(wanted)
        )
    ).all()
    corrections = access.session.execute(
        select(
            Correction.id.label("correction_id"),
            Correction.kind,
            Correction.made_at,
            Correction.made_by,
            Correction.reason,
        ).where(Correction.id.in_(wanted))
    ).all()
    names = names_of(access.session, [*(row.rolled_back_by for row in batches), *(row.made_by for row in corrections)])
    for batch in batches:
        lines[batch.id] = (_of_batch(batch, names),)
    for row, reason in zip(corrections, access.open_each(corrections, Correction.reason), strict=True):
        who = names.get(row.made_by, "命令行")
        said = f"已作废：{who}于 {stamp(row.made_at)} {_CORRECTED[row.kind]}"
        lines[row.correction_id] = (said, f"原因：{reason}") if reason else (said,)
    return lines


def _of_batch(row: Any, names: dict[UUID, str]) -> str:
    if row.stage is BatchStage.ROLLED_BACK:
        return f"已作废：{names.get(row.rolled_back_by, '另一位老师')}于 {stamp(row.rolled_back_at)} 撤回了所在文件"
    return "已作废：以后来导入的结果为准"
