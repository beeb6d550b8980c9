"""Whether raising one declared feature ever lowers the risk: tried on every row, not argued from the curves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ml.features import LARGEST, FeatureTable
from ml.intervals import Floats
from ml.model import Model

_MOST_STEPS = 60
_BEYOND = 0.25
"""Share of the range by which the grid goes past what was seen, on both sides."""


@dataclass(frozen=True, slots=True)
class Monotone:
    """One directed feature: rows tried, rows in which a step in its direction ever lowered the risk."""

    key: str
    rows: int
    steps: int
    violations: int


def raised(model: Model, table: FeatureTable, *, rules: Floats | None = None) -> tuple[Monotone, ...]:
    """Move every directed feature of every row over a grid, the others fixed, and compare neighbouring scores.

    The grid holds every value seen (or quantiles of them), goes beyond both ends, and each row's own value is
    compared with its neighbours on it. No tolerance: a fall in the last bit counts.
    """
    found = []
    for place, feature in enumerate(table.features):
        if feature.direction.sign:
            grid = _grid(table.values[:, place])
            bad = _falls(model, table, place, grid, feature.direction.sign, rules)
            found.append(Monotone(feature.key, len(table), len(grid), bad))
    return tuple(found)


def _grid(values: Floats) -> Floats:
    known = np.unique(values[np.isfinite(values)])
    if len(known) == 0:
        return np.zeros(0)
    if len(known) > _MOST_STEPS:
        known = np.unique(np.quantile(known, np.linspace(0, 1, _MOST_STEPS)))
    past = _BEYOND * (known[-1] - known[0]) + 1
    ends = max(known[0] - past, -LARGEST), min(known[-1] + past, LARGEST)
    return np.concatenate([ends[:1], known, ends[1:]])


def _falls(model: Model, table: FeatureTable, place: int, grid: Floats, sign: int, rules: Floats | None) -> int:
    own_value = table.values[:, place]
    own = model.score(table, rules=rules).would_say * sign
    bad = np.zeros(len(table), dtype=bool)
    before = np.full(len(table), -np.inf)
    for value in grid:
        here = model.score(_with(table, place, value), rules=rules).would_say * sign
        bad |= here < before
        bad |= (own_value <= value) & (own > here)
        bad |= (own_value >= value) & (own < here)
        before = here
    return int(bad.sum())


def _with(table: FeatureTable, place: int, value: float) -> FeatureTable:
    """Every row with this value, known at its moment."""
    values, known_at = table.values.copy(), table.known_at.copy()
    values[:, place], known_at[:, place] = value, table.at
    return replace(table, values=values, known_at=known_at)
