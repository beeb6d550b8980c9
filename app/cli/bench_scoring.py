"""Scoring a million PHQ-9 sheets against nothing but their sums, taken in turns in one run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from app.screening.scales.scale import all_scales
from app.screening.scales.scoring import MISSING, score

Summary = Callable[[list[float], list[float]], dict[str, Any]]


def run(sheets: int, rounds: int, gaps: float, summary: Summary) -> dict[str, Any]:
    """Ratio of ``score`` to ``answers.sum(axis=1)`` on the same array; ``gaps`` = share of sheets with one gap."""
    scale = all_scales()["phq9"]
    chance = np.random.default_rng(2026)
    answers = chance.integers(scale.minimum, scale.maximum + 1, (sheets, scale.size)).astype(np.int16)
    lacking = chance.choice(sheets, int(sheets * gaps), replace=False)
    answers[lacking, chance.integers(0, scale.size, len(lacking))] = MISSING
    whole, bare = [], []
    for turn in range(rounds + 1):
        started = time.perf_counter()
        answers.sum(axis=1, dtype=np.int64)
        summed = time.perf_counter()
        score(scale, answers)
        scored = time.perf_counter()
        if turn:  # the first turn only warms up
            bare.append(summed - started)
            whole.append(scored - summed)
    return {"sheets": sheets, "sheets_with_gaps": len(lacking), **summary(whole, bare)}
