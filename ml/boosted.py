"""The stepped part: scikit-learn's boosted trees, each of one feature, none against a declared direction.

``HistGradientBoostingClassifier`` with ``interaction_cst="no_interactions"``: every tree asks about one feature only,
so the sum of all trees is a sum of step curves, one per feature, read off exactly from thresholds and leaves
(``read``). The trees may learn a branch for missing values; it is not read: a missing value has no effect of its
own. How many rounds to grow is found on held-out folds (``grow``).

Codes without an order are put in the order of their (shrunken) rates among the rows learned from, so that one
threshold parts codes of high from codes of low rate; the curve is then read off code by code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from ml.calibrate import base_rate
from ml.features import Feature
from ml.folds import Index, sides
from ml.shape import Additive, Floats, Shape, centred, flat, per_code, steps

LEARNING_RATE = 0.1
STEP = 20
MOST_ROUNDS = 800
PATIENCE = 3
GAIN = 1e-5  # of the mean log-loss; less is no progress
PRIOR_ROWS = 20.0


@dataclass(frozen=True, eq=False)
class Ranks:
    """Codes of one column and the place each takes on the trees' line; no codes: the value itself."""

    codes: Floats
    places: Floats

    def __call__(self, values: Floats) -> Floats:
        if not len(self.codes):
            return values
        where = np.minimum(np.searchsorted(self.codes, values), len(self.codes) - 1)
        return np.where(self.codes[where] == values, self.places[where], np.nan)


class Trees:
    """Boosted trees on the usable columns of one set of rows; grows on demand."""

    def __init__(self, features: Sequence[Feature], values: Floats, labels: Floats, weights: Floats) -> None:
        self.features = features
        self.used = [column for column in range(len(features)) if _varies(values[:, column])]
        self.ranks = [
            _ranks(values[:, column], labels, weights) if features[column].nominal else Ranks(np.zeros(0), np.zeros(0))
            for column in self.used
        ]
        self._values, self._labels, self._weights = values, labels, weights
        self._inputs = self.inputs(values)
        self.estimator = HistGradientBoostingClassifier(
            learning_rate=LEARNING_RATE,
            max_leaf_nodes=4,
            min_samples_leaf=20,
            l2_regularization=1.0,
            monotonic_cst=[features[column].direction.sign for column in self.used],
            interaction_cst="no_interactions",
            early_stopping=False,
            warm_start=True,
            random_state=0,
        )

    def inputs(self, values: Floats) -> Floats:
        """The columns as the trees see them."""
        if not self.used:
            return np.zeros((len(values), 0))
        return np.column_stack([rank(values[:, column]) for rank, column in zip(self.ranks, self.used, strict=True)])

    def grow(self, rounds: int) -> None:
        """Grow until there are this many rounds; without a usable column there is nothing to ask about."""
        if self.used:
            weights = (
                self._weights if (self._weights != 1.0).any() else None
            )  # binning by weights takes ten times as long
            self.estimator.set_params(max_iter=rounds).fit(self._inputs, self._labels, sample_weight=weights)

    def read(self, start: int, stop: int) -> Additive:
        """The trees of these rounds as one curve per feature, centred on the rows they were grown on."""
        intercept = base_rate(self._labels, self._weights) if start == 0 else 0.0
        found = [flat(feature.nominal) for feature in self.features]
        grown = [trees[0].nodes for trees in self.estimator._predictors[start:stop]] if self.used else []
        for place, curve in _curves(grown).items():
            column, rank = self.used[place], self.ranks[place]
            by_code = per_code(rank.codes, curve(rank.places)) if len(rank.codes) else curve
            found[column], middle = centred(by_code, self._values[:, column], self._weights)
            intercept += middle
        return Additive(intercept, tuple(found))


@dataclass(frozen=True, eq=False)
class Grown:
    """How many rounds did best on held-out rows, and what they said there."""

    rounds: int
    log_odds: Floats


def grow(features: Sequence[Feature], values: Floats, labels: Floats, weights: Floats, fold_of: Index) -> Grown:
    """Grow on every fold's learning rows side by side until the held-out loss no longer falls."""
    folds = [sides(fold_of, fold) for fold in range(int(fold_of.max()) + 1)]
    trees = [Trees(features, values[learn], labels[learn], weights[learn]) for learn, _ in folds]
    said = np.zeros(len(values))
    best, least, rounds, worse, planted = Grown(0, said), np.inf, 0, 0, 0
    while rounds < MOST_ROUNDS and worse < PATIENCE:
        if rounds == planted:
            planted = min(MOST_ROUNDS, rounds + STEP * max(3, rounds // (3 * STEP)))
            for one in trees:
                one.grow(planted)
        for one, (_, held) in zip(trees, folds, strict=True):
            said[held] += one.read(rounds, rounds + STEP).log_odds(values[held])
        rounds += STEP
        loss = float(np.sum(weights * (np.logaddexp(0.0, said) - labels * said)) / np.sum(weights))
        if loss < least - GAIN:
            best, least, worse = Grown(rounds, said.copy()), loss, 0
        else:
            worse += 1
    return best


def _varies(values: Floats) -> bool:
    known = values[~np.isnan(values)]
    return len(known) > 1 and bool((known != known[0]).any())


def _ranks(values: Floats, labels: Floats, weights: Floats) -> Ranks:
    """Codes in the order of their rates, each pulled toward the whole rate by ``PRIOR_ROWS`` rows."""
    known = ~np.isnan(values)
    codes, code_of = np.unique(values[known], return_inverse=True)
    rows = np.bincount(code_of, weights=weights[known])
    positives = np.bincount(code_of, weights=(labels * weights)[known])
    rate = (positives + PRIOR_ROWS * np.sum(positives) / np.sum(rows)) / (rows + PRIOR_ROWS)
    places = np.empty(len(codes))
    places[np.argsort(rate, kind="stable")] = np.arange(len(codes))
    return Ranks(codes, places)


def _curves(grown: Sequence[Any]) -> dict[int, Shape]:
    """The summed steps of every column that a tree asks about."""
    by_column: dict[int, list[tuple[Floats, Floats]]] = {}
    for nodes in grown:
        if not nodes[0]["is_leaf"]:
            by_column.setdefault(int(nodes[0]["feature_idx"]), []).append(_steps_of(nodes))
    return {column: _summed(by_column[column]) for column in sorted(by_column)}


def _steps_of(nodes: Any) -> tuple[Floats, Floats]:
    """Thresholds and leaves of one tree from left to right; a known value is never above an infinite threshold."""
    breaks: list[float] = []
    leaves: list[float] = []

    def walk(place: int) -> None:
        node = nodes[place]
        if node["is_leaf"]:
            leaves.append(float(node["value"]))
            return
        walk(int(node["left"]))
        if np.isfinite(node["num_threshold"]):
            breaks.append(float(node["num_threshold"]))
            walk(int(node["right"]))

    walk(0)
    return np.array(breaks), np.array(leaves)


def _summed(curves: Sequence[tuple[Floats, Floats]]) -> Shape:
    breaks = np.unique(np.concatenate([own for own, _ in curves]))
    right = np.append(breaks, np.inf)
    levels = np.zeros(len(right))
    for own, leaves in curves:
        levels += leaves[np.searchsorted(own, right, side="left")]
    return steps(breaks, levels)
