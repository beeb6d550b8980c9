"""Two additive parts learned side by side, weighed by rows they did not see, and added up to one curve per feature.

The lines weigh a little more than the trees (``LINES``). On the public follow-up tables .5 to .7 differ by less than
.001 in AUC; on 24 made tables of faint or rare straight effects, where trees follow noise, .6 lost .0046 to plain
logistic regression and .5 lost .0058; on bent truths it keeps nearly all that the trees add.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ml import boosted, ramps
from ml.calibrate import Calibration, calibrate
from ml.features import Feature
from ml.folds import Index, sides
from ml.model import RULES
from ml.shape import Additive, Floats, Shape, centred, ordered, total

LINES = 0.6  # share of the lines in the blend; the trees get the rest
DOUBT = 0.1  # rows that showed nothing, per row learned from, where few labels meet no rules


@dataclass(frozen=True, eq=False)
class Rows:
    """What is learned from: ``labels`` 0 or 1, ``weights`` that average 1, the fold each row is held out in."""

    features: tuple[Feature, ...]
    values: Floats
    labels: Floats
    weights: Floats
    fold_of: Index
    rules: Floats | None


@dataclass(frozen=True, eq=False)
class Learned:
    """Both parts (and where labels are few the curve of the rules) on all rows, and what held-out rows say of them."""

    ramps: Additive
    trees: Additive
    forest: boosted.Trees
    rounds: int
    rules: Additive | None
    rules_share: float
    calibration: Calibration


def learn(rows: Rows, share: float, beat: Callable[[int], None]) -> Learned:
    """Run the procedure; ``share`` is how much of the blend the parts get, the rules get the rest."""
    every = (rows.values, rows.labels, rows.weights)
    bent = _held_out(rows.features, *every, rows.fold_of)
    beat(1)
    grown = boosted.grow(rows.features, *every, rows.fold_of)
    beat(2)
    blend = LINES * bent + (1 - LINES) * grown.log_odds
    by_rules = None
    if rows.rules is not None and share < 1:
        column = rows.rules[:, None]
        by_rules = ramps.fit([RULES], column, rows.labels, rows.weights)
        blend = share * blend + (1 - share) * _held_out([RULES], column, rows.labels, rows.weights, rows.fold_of)
    doubt = DOUBT * (1 - share) * len(rows.labels) if by_rules is None else 0.0
    calibration = calibrate(blend, rows.labels, rows.weights, doubt=doubt)
    forest = boosted.Trees(rows.features, *every)
    forest.grow(grown.rounds)
    beat(3)
    trees = forest.read(0, grown.rounds)
    bent_lines = ramps.fit(rows.features, *every)
    beat(4)
    rules_share = 0.0 if by_rules is None else 1 - share
    return Learned(bent_lines, trees, forest, grown.rounds, by_rules, rules_share, calibration)


def compose(rows: Rows, learned: Learned) -> tuple[tuple[Feature, ...], tuple[Shape, ...], float]:
    """The calibrated blend as one centred, monotone curve per feature, and the log-odds of the average person."""
    slope, own = learned.calibration.slope, 1 - learned.rules_share
    of_lines, of_trees = slope * own * LINES, slope * own * (1 - LINES)
    base = learned.calibration.intercept + of_lines * learned.ramps.intercept + of_trees * learned.trees.intercept
    features, values = rows.features, rows.values
    shapes = [
        total([bent.times(of_lines), stepped.times(of_trees)])
        for bent, stepped in zip(learned.ramps.shapes, learned.trees.shapes, strict=True)
    ]
    if learned.rules is not None and rows.rules is not None:
        base += slope * learned.rules_share * learned.rules.intercept
        features, values = (*features, RULES), np.column_stack([values, rows.rules])
        shapes.append(learned.rules.shapes[0].times(slope * learned.rules_share))
    found = []
    for column, (feature, shape) in enumerate(zip(features, shapes, strict=True)):
        middled, middle = centred(shape, values[:, column], rows.weights)
        found.append(ordered(middled, feature.direction.sign, feature.key))
        base += middle
    return features, tuple(found), base


def _held_out(features: Sequence[Feature], values: Floats, labels: Floats, weights: Floats, fold_of: Index) -> Floats:
    """What the bent lines say of each row when learned without its fold."""
    said = np.empty(len(values))
    for fold in range(int(fold_of.max()) + 1):
        seen, held = sides(fold_of, fold)
        said[held] = ramps.fit(features, values[seen], labels[seen], weights[seen]).log_odds(values[held])
    return said
