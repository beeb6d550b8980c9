"""What a results file came to, in numbers and problems: shown as a preview, kept as the receipt."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from app.intake.problem import Problem, listed
from app.screening.sheets import Bundle, Fate, Findings


def receipt_of(bundle: Bundle, findings: list[Findings], problems: list[Problem]) -> dict[str, Any]:
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
    }
    for key, held in bundle.scales.items():
        scored = held.fresh & np.isfinite(held.scores.totals)
        counted = Counter(held.scores.bands[scored].tolist())
        receipt["scored"][key] = int(scored.sum())
        receipt["bands"][key] = {band.key: counted[place] for place, band in enumerate(held.scale.bands)}
        looked_at = held.fresh | (bundle.fate == Fate.REJECTED)
        receipt["red_flags"][key] = int((held.scores.flagged & looked_at).sum())
    for found in findings:
        receipt |= found.counts
    receipt["problems_total"] = len(problems)
    receipt["problems"] = listed(problems)
    return receipt


def strict_words(receipt: dict[str, Any]) -> str:
    critical = sum(receipt["red_flags"].values())
    more = f"其中 {critical} 行含关键题提示，请尽快改正后导入。" if critical else ""
    first = receipt["problems"][0]
    return (
        f"严格模式：文件有 {receipt['problems_total']} 处问题，没有导入任何内容。{more}"
        f"第一处：第 {first['row']} 行 {first['column'] or ''} {first['message']}"
    )
