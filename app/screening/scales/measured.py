"""The values that rules compare: an item, the total, a subscale, the highest factor, a count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.screening.scales.scale_parts import Pattern
from app.screening.scales.scale_whole import Scale

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

COMPARE: Mapping[str, Any] = {
    ">=": np.greater_equal,
    ">": np.greater,
    "<=": np.less_equal,
    "<": np.less,
    "==": np.equal,
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known of many sheets of one scale; ``nan``, which meets no comparison, where it is not."""

    scale: Scale
    answers: NDArray[Any]
    totals: NDArray[Any]
    subscales: Floats
    counts: Mapping[str, Floats]

    def of(self, measure: str) -> Floats:
        """The values of ``total``, ``item 9``, ``subscale anxiety``, ``highest_factor``, ``count positive_items``."""
        kind, _, name = measure.partition(" ")
        if kind == "total":
            return self.totals.astype(np.float64)
        if kind == "item":
            column = self.answers[:, int(name) - 1].astype(np.float64)
            column[column < 0] = np.nan
            return column
        if kind == "subscale":
            return self.subscales[:, [held.key for held in self.scale.subscales].index(name)]
        if kind == "count":
            return self.counts[name]
        factors = [place for place, held in enumerate(self.scale.subscales) if held.is_factor]
        highest: Floats = np.fmax.reduce(self.subscales[:, factors], axis=1)
        return highest


def compare(op: str, values: Floats, value: float) -> Bools:
    """``nan`` meets nothing."""
    found: Bools = COMPARE[op](values, value)
    return found


def holds(pattern: Pattern, measured: Measured) -> Bools:
    """On which sheets any, or all, checks of the pattern hold; without checks on none."""
    if not pattern.checks:
        return np.zeros(len(measured.totals), dtype=bool)
    found = [compare(check.op, measured.of(check.measure), check.value) for check in pattern.checks]
    combined: Bools = (np.logical_and if pattern.every else np.logical_or).reduce(found)
    return combined
