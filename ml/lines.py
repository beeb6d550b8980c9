"""How a column is laid on the line that trees cut, and how their cuts are read back in its own values.

Few different numbers lie there as they are. Many are gathered in ``MOST`` bins of about equal rows: scikit-learn would
do the same, but with weights it searches every bin anew and takes twenty times as long. Codes without an order are
laid in the order of their rates among the rows learned from, each pulled toward the whole rate by ``PRIOR_ROWS`` rows,
so that one cut parts codes of high from codes of low rate; codes of fewer than ``FEWEST`` rows are not laid at all, for
their order would be the order of chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.features import Feature
from ml.shape import Floats, Shape, per_code, steps

MOST = 254
PRIOR_ROWS = 20.0
FEWEST = 20


@dataclass(frozen=True, eq=False)
class Line:
    """``edges``: upper ends of bins. ``codes`` with their ``places``. With neither, the values themselves."""

    edges: Floats
    codes: Floats
    places: Floats
    nominal: bool = False

    def place(self, values: Floats) -> Floats:
        """Where each value lies; nan where it is not known or not laid."""
        if self.nominal:
            where = np.minimum(np.searchsorted(self.codes, values), len(self.codes) - 1)
            return np.where(self.codes[where] == values, self.places[where], np.nan)
        if len(self.edges):
            return np.where(np.isnan(values), np.nan, np.searchsorted(self.edges, values, side="left"))
        return values

    def back(self, curve: Shape) -> Shape:
        """A curve over the line as a curve over the column's own values."""
        if self.nominal:
            return per_code(self.codes, curve(self.places))
        if len(self.edges):
            return steps(self.edges[np.floor(curve.breaks).astype(np.int_)], curve.levels)
        return curve


def lay(feature: Feature, values: Floats, labels: Floats, weights: Floats) -> Line | None:
    """The line of a column; None where it has nothing to tell apart."""
    nothing = np.zeros(0)
    known = ~np.isnan(values)
    different, place_of, counts = np.unique(values[known], return_inverse=True, return_counts=True)
    if feature.nominal:
        codes, places = _by_rate(different, place_of, counts, labels[known], weights[known])
        return Line(nothing, codes, places, nominal=True) if len(codes) > 1 else None
    if len(different) < 2:
        return None
    if len(different) <= MOST:
        return Line(nothing, nothing, nothing)
    ends = np.quantile(values[known], np.arange(1, MOST) / MOST, method="lower")
    upper = np.searchsorted(different, np.unique(ends[ends < different[-1]]))
    return Line(np.unique((different[upper] + different[upper + 1]) / 2), nothing, nothing)


def _by_rate(
    codes: Floats, code_of: NDArray[np.int_], counts: NDArray[np.int_], labels: Floats, weights: Floats
) -> tuple[Floats, Floats]:
    rows = np.bincount(code_of, weights=weights, minlength=len(codes))
    positives = np.bincount(code_of, weights=labels * weights, minlength=len(codes))
    often = counts >= FEWEST
    if not often.any():
        return np.zeros(0), np.zeros(0)
    rate = (positives + PRIOR_ROWS * np.sum(positives) / np.sum(rows)) / (rows + PRIOR_ROWS)
    places = np.empty(int(often.sum()))
    places[np.argsort(rate[often], kind="stable")] = np.arange(len(places))
    return codes[often], places
