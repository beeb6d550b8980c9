"""The stepped part: scikit-learn's boosted trees, each of one feature, none against a declared direction.

``HistGradientBoostingClassifier`` with ``interaction_cst="no_interactions"``: every tree asks about one feature only,
so the sum of all trees is a sum of step curves, one per feature, read off exactly from thresholds and leaves
(``read``). The trees may learn a branch for missing values; it is not read: a missing value has no effect of its
own. How many rounds to grow is found on held-out folds (``grow``); how columns are laid before trees cut them stands
in ``ml/lines.py``.
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
from ml.lines import lay
from ml.shape import Additive, Floats, Shape, centred, flat, steps

LEARNING_RATE = 0.1
STEP = 20
MOST_ROUNDS = 800
PATIENCE = 3
GAIN = 1e-5  # of the mean log-loss; less is no progress


class Trees:
    """Boosted trees on the usable columns of one set of rows; grows on demand."""

    def __init__(self, features: Sequence[Feature], values: Floats, labels: Floats, weights: Floats) -> None:
        self.features = features
        lines = [lay(feature, values[:, place], labels, weights) for place, feature in enumerate(features)]
        self.lines = {place: line for place, line in enumerate(lines) if line is not None}
        self._values, self._labels, self._weights = values, labels, weights
        self._inputs = self.inputs(values)
        self.estimator = HistGradientBoostingClassifier(
            learning_rate=LEARNING_RATE,
            max_leaf_nodes=4,
            min_samples_leaf=20,
            l2_regularization=1.0,
            monotonic_cst=[features[column].direction.sign for column in self.lines],
            interaction_cst="no_interactions",
            early_stopping=False,
            warm_start=True,
            random_state=0,
        )

    def inputs(self, values: Floats) -> Floats:
        """The columns as the trees see them."""
        if not self.lines:
            return np.zeros((len(values), 0))
        return np.column_stack([line.place(values[:, column]) for column, line in self.lines.items()])

    def grow(self, rounds: int) -> None:
        """Grow until there are this many rounds; without a usable column there is nothing to ask about."""
        if self.lines:
            self.estimator.set_params(max_iter=rounds).fit(self._inputs, self._labels, sample_weight=self._weights)

    def read(self, start: int, stop: int) -> Additive:
        """The trees of these rounds as one curve per feature, centred on the rows they were grown on."""
        intercept = base_rate(self._labels, self._weights) if start == 0 else 0.0
        found = [flat(feature.nominal) for feature in self.features]
        grown = [trees[0].nodes for trees in self.estimator._predictors[start:stop]] if self.lines else []
        columns = list(self.lines)
        for place, curve in _curves(grown).items():
            column = columns[place]
            own = self.lines[column].back(curve)
            found[column], middle = centred(own, self._values[:, column], self._weights)
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
