"""How far the answers of a round can be believed: what each committed file brought, as its receipt says.

A missed reversal shows as an alpha far below what the scale usually has; careless
answers show as doubtful ones and as the same pattern twice. None of it lowers
anybody's priority, and none of it hides a critical item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.screening.scales.scale import all_scales
from app.security.access import Access
from config import catalogue
from models.intake import BatchKind, BatchStage, ImportBatch

NO_CRITICAL_ITEMS = "本批次来源不含关键题，无法识别自伤提示"


@dataclass(frozen=True, slots=True)
class ScaleQuality:
    """One scale in one file."""

    scale: str
    sheets: int
    doubtful: int
    reasons: tuple[tuple[str, int], ...]
    alpha: float | None
    alpha_expected: float | None
    alarm: str | None
    duplicates: int


@dataclass(frozen=True, slots=True)
class FileQuality:
    """One committed file of a round."""

    batch_id: UUID
    file_name: str
    committed_at: datetime
    scales: tuple[ScaleQuality, ...]
    has_critical_items: bool


def files(reader: Access, round_id: UUID) -> list[FileQuality]:
    """Every committed file of a round, oldest first. ``reader`` may open receipts."""
    query = (
        select(
            ImportBatch.id.label("import_batch_id"),
            ImportBatch.committed_at,
            ImportBatch.file_name,
            ImportBatch.receipt,
        )
        .where(
            ImportBatch.kind == BatchKind.SCREENING,
            ImportBatch.round_id == round_id,
            ImportBatch.stage == BatchStage.COMMITTED,
        )
        .order_by(ImportBatch.committed_at, ImportBatch.id)
    )
    rows = reader.session.execute(query).all()
    names = reader.open_each(rows, ImportBatch.file_name)
    return [
        _file(row, name, reader.open_json(row, ImportBatch.receipt) or {})
        for row, name in zip(rows, names, strict=True)
    ]


def _file(row: Any, name: str, receipt: dict[str, Any]) -> FileQuality:
    held = receipt.get("quality", {})
    return FileQuality(
        row.import_batch_id,
        name,
        row.committed_at,
        tuple(_scale(key, found) for key, found in held.items()),
        bool(receipt.get("has_critical_items", receipt.get("red_flags"))),
    )


def _scale(key: str, held: dict[str, Any]) -> ScaleQuality:
    words = catalogue.table("words").get("validity", {})
    scale = all_scales().get(key)
    reasons = held.get("reasons", {})
    return ScaleQuality(
        scale.name if scale else key,
        held.get("sheets", 0),
        held.get("doubtful", 0),
        tuple((str(words.get(code, code)), count) for code, count in reasons.items() if count),
        held.get("alpha"),
        held.get("alpha_expected"),
        held.get("alarm"),
        held.get("duplicates", 0),
    )


def lacks_critical_items(found: Sequence[FileQuality]) -> bool:
    """Whether nothing that came in could have shown a critical answer. A round without files lacks nothing yet."""
    return bool(found) and not any(file.has_critical_items for file in found)
