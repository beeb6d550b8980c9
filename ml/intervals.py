"""How sure a figure is: percentile bootstrap over people, and Wilson's interval for a share.

People are drawn, not rows: two rows of one student are not two witnesses. A
draw is a row of whole numbers, how often each row counts, so that every
measure needs only weights and a table is sorted once for all draws. Seeds are
explicit, so that two runs give the same interval to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

Floats = NDArray[np.float64]

LEVEL = 0.95
_Z = 1.959963984540054
"""Of the normal distribution, two-sided, at ``LEVEL``."""
_LEAST_DEFINED = 0.8
"""Share of draws in which a figure has to exist, or its interval would speak of the lucky draws only."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval; ``None`` where the rows do not determine it."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def covers(self, truth: float) -> bool:
        return self.low is not None and self.high is not None and self.low <= truth <= self.high


UNKNOWN = Estimate(None)


def resamples(
    rows: int, *, draws: int, seed: int, people: NDArray[Any] | None = None, strata: NDArray[Any] | None = None
) -> Iterator[Floats]:
    """How often each row counts in each draw. Whole people are drawn, inside their stratum where strata are given."""
    rng = np.random.default_rng(seed)
    if rows == 0:
        return
    codes = np.arange(rows) if people is None else np.unique(people, return_inverse=True)[1]
    members = _members(codes, strata)
    for _ in range(draws):
        counts = np.zeros(int(codes.max()) + 1)
        for held in members:
            counts += np.bincount(held[rng.integers(0, len(held), len(held))], minlength=len(counts))
        yield counts[codes].astype(np.float64)


def _members(codes: NDArray[Any], strata: NDArray[Any] | None) -> list[NDArray[Any]]:
    """The people of each stratum; a person belongs to the stratum of the first row."""
    everyone, first = np.unique(codes, return_index=True)
    if strata is None:
        return [everyone]
    stratum = np.asarray(strata)[first]
    return [everyone[stratum == one] for one in np.unique(stratum)]


def estimate(value: float, drawn: Floats, *, level: float = LEVEL, size: float = np.inf) -> Estimate:
    """The figure and the percentiles of its draws; draws in which it does not exist are nan.

    ``size`` is how many independent witnesses the figure rests on: of few the
    bootstrap is too sure of itself, so its percentiles are taken as far out as
    Student's t says (the expanded percentile interval; Hesterberg 2015).
    """
    if not np.isfinite(value):
        return UNKNOWN
    known = drawn[np.isfinite(drawn)]
    if len(drawn) == 0 or len(known) < _LEAST_DEFINED * len(drawn):
        return Estimate(float(value))
    tail = expanded((1 - level) / 2, size)
    low, high = np.quantile(known, [tail, 1 - tail])
    return Estimate(float(value), float(low), float(high))


def by_spread(value: float, drawn: Floats, *, level: float) -> Estimate:
    """A normal interval by the spread of the draws, for high levels: far percentiles would need thousands of draws."""
    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(value):
        return UNKNOWN
    if len(known) < max(2, _LEAST_DEFINED * len(drawn)):
        return Estimate(float(value))
    half = float(-ndtri((1 - level) / 2) * known.std(ddof=1))
    return Estimate(float(value), float(value - half), float(value + half))


def expanded(tail: float, size: float) -> float:
    """The tail of a bootstrap of ``size`` witnesses that leaves out what ``tail`` promises."""
    if not np.isfinite(size):
        return tail
    freedom = max(size - 1, 1.0)
    return float(ndtr(np.sqrt((freedom + 1) / freedom) * stdtrit(freedom, tail)))


def witnesses(weights: NDArray[Any]) -> float:
    """How many rows carry the variance of a weighted sum: n for equal weights, few where a few weigh most."""
    square = float((weights**2).sum())
    return square**2 / float((weights**4).sum()) if square > 0 else 0.0


def wilson(share: float, size: float, *, z: float = _Z) -> Estimate:
    """Wilson's interval of a share seen in ``size`` independent rows; good for few rows and for 0 and 1."""
    if size <= 0 or not np.isfinite(share):
        return UNKNOWN
    middle = (share + z * z / (2 * size)) / (1 + z * z / size)
    half = z / (1 + z * z / size) * np.sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    return Estimate(float(share), float(max(0.0, middle - half)), float(min(1.0, middle + half)))


def as_json(held: Any) -> Any:
    """A figure, a table of figures or a mapping of them as JSON takes it: nan becomes ``None``."""
    if isinstance(held, dict):
        return {str(key): as_json(value) for key, value in held.items()}
    if isinstance(held, list | tuple):
        return [as_json(value) for value in held]
    if hasattr(held, "__dataclass_fields__"):
        return {name: as_json(getattr(held, name)) for name in held.__dataclass_fields__}
    if isinstance(held, np.ndarray):
        return [as_json(value) for value in held.tolist()]
    if isinstance(held, float | np.floating):
        return round(float(held), 6) if np.isfinite(held) else None
    return held.item() if isinstance(held, np.generic) else held
