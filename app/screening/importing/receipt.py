"""What a delivery came to, in numbers and problems: shown as a preview, kept as the receipt."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.intake.problem import listed
from app.screening.quality.validity import Validity, quality
from app.screening.tables.reading import Reading
from app.screening.tables.sheets import Bundle, Fate, Findings, ScaleSheets

MOST_NOTES = 60


def receipt_of(bundle: Bundle, findings: list[Findings], reading: Reading) -> dict[str, Any]:
    """Counts by fate, what the scales came to, what is new against what was known, what to know about the file."""
    fates = Counter(bundle.fate.tolist())
    receipt: dict[str, Any] = {
        "rows_read": len(bundle.fate),
        "rows_accepted": fates[Fate.ACCEPTED] + fates[Fate.KNOWN],
        "rows_incomplete": fates[Fate.INCOMPLETE],
        "rows_rejected": fates[Fate.REJECTED],
        "already_known": fates[Fate.KNOWN],
        "scored": {},
        "bands": {},
        "red_flags": {},
        "quality": {},
        "against": {},
    }
    for key, held in bundle.scales.items():
        scored = held.fresh & (np.isfinite(held.scores.totals) | (held.scores.bands >= 0))
        counted = Counter(held.scores.bands[scored].tolist())
        receipt["scored"][key] = int(scored.sum())
        receipt["bands"][key] = {band.key: counted[place] for place, band in enumerate(held.scale.bands)}
        receipt["red_flags"][key] = int((held.scores.flagged & (held.fresh | held.left_out)).sum())
        receipt["quality"][key] = _quality(held)
        receipt["against"][key] = _against(held)
    for found in findings:
        receipt |= found.counts
    receipt["has_critical_items"] = reading.has_critical_items
    receipt["notes"] = reading.notes[:MOST_NOTES]
    receipt["problems_total"] = len(reading.problems)
    receipt["problems"] = listed(reading.problems)
    return receipt


def _quality(held: ScaleSheets) -> dict[str, Any]:
    where = held.present
    if where.all():
        return quality(held.scale, held.answers, held.validity).as_table()
    reasons = {code: flags[where] for code, flags in held.validity.reasons.items()}
    return quality(held.scale, held.answers[where], Validity(held.validity.doubtful[where], reasons)).as_table()


def _against(held: ScaleSheets) -> dict[str, int]:
    """The difference to what the round holds already."""
    replaced = np.zeros(len(held.fresh), dtype=bool)
    replaced[list(held.replaces)] = True
    return {
        "sheets_new": int((held.fresh & ~replaced).sum()),
        "sheets_replaced": int((held.fresh & replaced).sum()),
        "sheets_known": int(held.known.sum()),
        "sheets_left": int(held.left_out.sum()),
    }


def strict_words(receipt: dict[str, Any]) -> str:
    critical = sum(receipt["alerts"].values()) + receipt["identify"]
    more = f"其中 {critical} 行含关键题提示或同样紧急的提示，都还没有发出，请尽快改正后导入。" if critical else ""
    first = receipt["problems"][0]
    file = f"{first['file']} " if "file" in first else ""
    return (
        f"严格模式：文件有 {receipt['problems_total']} 处问题，没有导入任何内容。{more}"
        f"第一处：{file}第 {first['row']} 行 {first['column'] or ''} {first['message']}"
    )


def people(bundle: Bundle, where: NDArray[np.bool_]) -> list[tuple[bytes, bytes, bytes]]:
    """Student, college and class of the rows in ``where``, each student once."""
    found: dict[bytes, tuple[bytes, bytes, bytes]] = {}
    for place in np.flatnonzero(where).tolist():
        student, units = bundle.students[place], bundle.units[place]
        if student is not None and units is not None:
            found.setdefault(student, (student, *units))
    return list(found.values())
