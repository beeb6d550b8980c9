"""Answers in, totals and bands out, for a whole batch at once.

Pure arithmetic over arrays: no names, no database. Missing is -1. A sheet
with a missing or impossible answer has no total (``nan``); what it holds is
kept, because a critical answer counts on an incomplete sheet too (decisions 15).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.screening.scale import Scale

ENGINE = "1"
"""Version of the arithmetic; stored with every score."""
MISSING = -1

Answers = NDArray[np.int8]
"""Sheets x items; ``MISSING`` where there is no usable answer."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Results of one scale for many sheets, in the order of the sheets."""

    totals: NDArray[np.float64]
    """Total, ``nan`` where the sheet is incomplete."""
    at_least: NDArray[np.int64]
    """The total if every missing answer were the lowest: what the total is at least."""
    bands: NDArray[np.int64]
    """Position of the band, -1 where the sheet is incomplete."""
    positive: NDArray[np.bool_]
    flagged: NDArray[np.bool_]
    """A red-flag item was answered critically."""


def score(scale: Scale, answers: Answers) -> Scores:
    """Score sheets x items of one scale. Values are ``MISSING`` or within the scale's range."""
    missing = answers == MISSING
    filled = np.where(missing, scale.minimum, answers)
    at_least = filled.sum(axis=1, dtype=np.int64)
    complete = ~missing.any(axis=1)
    totals = np.where(complete, at_least.astype(np.float64), np.nan)
    starts = np.array([band.start for band in scale.bands])
    bands = np.where(complete, np.searchsorted(starts, at_least, side="right") - 1, -1)
    flagged = np.zeros(len(answers), dtype=bool)
    for item, value in scale.red_flags:
        flagged |= answers[:, item - 1] >= value
    return Scores(totals, at_least, bands, complete & (at_least >= scale.positive_from), flagged)
