"""The exact effect of one feature: a curve of level pieces and slopes, or a value per code.

Trees give steps, ramps give slopes; their sum on one line of break points is this shape. Between two breaks
``(at[i-1], at[i]]`` the value is ``level[i] + slope[i] * (x - anchor[i])``; outside the outer breaks it is
flat. A missing value, and a code never seen, has the effect exactly 0.

A shape with a direction is monotone in floating point, not only on paper: inside a piece each operation is
monotone by itself, and ``ordered`` lifts the start of a piece to the end of the one before where rounding
put it a hair below (more than a hair is a mistake of ours and raises ``NotMonotone``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HAIR = 1e-9


class NotMonotone(RuntimeError):
    """A directed feature came out with an effect that turns: a bug, never a property of the data."""


@dataclass(frozen=True, eq=False)
class Shape:
    """``breaks`` are ascending; an ordered shape has one level, slope and anchor more than it has breaks."""

    nominal: bool
    breaks: Floats
    levels: Floats
    slopes: Floats
    anchors: Floats

    def __call__(self, values: Floats) -> Floats:
        """The effect of each value."""
        if not len(self.breaks):
            return np.zeros(len(values))
        if self.nominal:
            place = np.minimum(np.searchsorted(self.breaks, values), len(self.breaks) - 1)
            return np.where(self.breaks[place] == values, self.levels[place], 0.0)
        place = np.searchsorted(self.breaks, values, side="left")
        effect: Floats = self.levels[place]
        if self.slopes.any():
            effect = effect + self.slopes[place] * (values - self.anchors[place])
        return np.where(np.isnan(values), 0.0, effect)

    def knows(self, values: Floats) -> NDArray[np.bool_]:
        """Where the value says something: known, and of a code that was seen."""
        return np.isin(values, self.breaks) if self.nominal else ~np.isnan(values)

    @property
    def is_flat(self) -> bool:
        return not (self.levels.any() or self.slopes.any())

    def times(self, factor: float) -> Shape:
        return replace(self, levels=self.levels * factor, slopes=self.slopes * factor)

    def raised(self, by: float) -> Shape:
        return replace(self, levels=self.levels + by)


def flat(nominal: bool = False) -> Shape:
    """No effect at all: a column that is constant, empty or of no use."""
    return per_code(np.zeros(0), np.zeros(0)) if nominal else steps(np.zeros(0), np.zeros(1))


def per_code(codes: Floats, levels: Floats) -> Shape:
    """A value per code."""
    return Shape(True, codes, levels, np.zeros(len(codes)), np.zeros(len(codes)))


def steps(breaks: Floats, levels: Floats) -> Shape:
    """Level pieces; a value equal to a break belongs to the piece on its left, as in the trees."""
    return Shape(False, breaks, levels, np.zeros(len(levels)), np.zeros(len(levels)))


def polyline(knots: Floats, heights: Floats) -> Shape:
    """Straight lines between knots, flat outside."""
    slopes = np.concatenate([[0.0], np.diff(heights) / np.diff(knots), [0.0]])
    return Shape(
        False,
        knots,
        np.concatenate([heights[:1], heights]),
        slopes,
        np.concatenate([[0.0], knots[:-1], [0.0]]),
    )


def total(shapes: Sequence[Shape]) -> Shape:
    """The sum of shapes of one feature as one shape."""
    nominal = shapes[0].nominal
    breaks = np.unique(np.concatenate([shape.breaks for shape in shapes]))
    if not len(breaks):
        return flat(nominal)
    if nominal:
        return per_code(breaks, np.sum([shape(breaks) for shape in shapes], axis=0))
    right = np.append(breaks, np.inf)
    left = np.insert(breaks, 0, 0.0)
    levels, slopes = np.zeros(len(right)), np.zeros(len(right))
    for shape in shapes:
        place = np.searchsorted(shape.breaks, right, side="left")
        sloping = shape.slopes[place] != 0.0
        levels += shape.levels[place] + np.where(sloping, shape.slopes[place] * (left - shape.anchors[place]), 0.0)
        slopes += shape.slopes[place]
    return Shape(False, breaks, levels, slopes, np.where(slopes != 0.0, left, 0.0))


def ordered(shape: Shape, sign: int, name: str) -> Shape:
    """The same shape, monotone to the last bit; ``sign`` is +1 (never falls), -1 (never rises) or 0 (as it is)."""
    if sign == 0 or not len(shape.breaks):
        return shape
    if (shape.slopes * sign < 0).any():
        raise NotMonotone(f"{name}: a slope goes against its direction")
    levels = shape.levels.copy()
    for piece, end in enumerate(shape.breaks):
        reached = levels[piece] + shape.slopes[piece] * (end - shape.anchors[piece])
        if (reached - levels[piece + 1]) * sign > HAIR:
            raise NotMonotone(f"{name}: a step goes against its direction")
        levels[piece + 1] = max(reached * sign, levels[piece + 1] * sign) * sign
    return replace(shape, levels=levels)


def mean_of(shape: Shape, values: Floats, weights: Floats) -> float:
    """The weighted mean effect over the rows where the value is known."""
    known = shape.knows(values)
    if not known.any():
        return 0.0
    effect = shape(values)
    return float(np.sum(effect[known] * weights[known]) / np.sum(weights[known]))


def centred(shape: Shape, values: Floats, weights: Floats) -> tuple[Shape, float]:
    """The shape moved so that 0 is the average of those known, and by how much it was moved."""
    middle = mean_of(shape, values, weights)
    return shape.raised(-middle), middle


@dataclass(frozen=True, eq=False)
class Additive:
    """An intercept and one centred shape per feature: each part of the model, and their blend."""

    intercept: float
    shapes: tuple[Shape, ...]

    def log_odds(self, values: Floats) -> Floats:
        """Rows x features to log-odds; a missing value adds nothing."""
        found = np.full(len(values), self.intercept)
        for column, shape in enumerate(self.shapes):
            found += shape(values[:, column])
        return found
