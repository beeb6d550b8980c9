"""What a model has to beat, on the very folds on which it was measured itself.

``single``: the best one score, chosen inside the training rows. ``rules``: the
rule set, put on a scale of log-odds by the training rows so that it too has a
calibration. ``logistic``: plain logistic regression (standardised, gaps filled
with the mean of the training rows, nominal columns one-hot). ``mono_additive``:
additive monotone boosted trees alone. ``boosted_default``: boosted trees as
they come, kept as a warning example: at these sizes they are the worst choice.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from ml import measures
from ml.features import Direction, FeatureTable
from ml.intervals import Floats
from ml.measures import Ranked
from ml.train import Beat, nothing

_MOST_CODES = 200
"""Codes of a nominal column that the trees tell apart; the rarer ones count as not known."""
_ITERATIONS, _RATE, _LEAVES = 150, 0.05, 4


@dataclass(frozen=True)
class Split:
    """One fold: rows to learn from and rows to order."""

    train: NDArray[np.intp]
    test: NDArray[np.intp]


@dataclass(frozen=True)
class Ordered:
    """A baseline out of fold: log-odds (repeats x rows), the score itself where that orders, and what was chosen."""

    log_odds: Floats
    ranks: Floats | None = None
    chosen: tuple[str, ...] = ()


def splits(folds: NDArray[Any]) -> list[Split]:
    """The folds of one repetition; ``folds`` holds the number of the fold in which each row is tested."""
    return [Split(np.flatnonzero(folds != one), np.flatnonzero(folds == one)) for one in np.unique(folds)]


def out_of_fold(
    table: FeatureTable,
    labels: NDArray[Any],
    folds: NDArray[Any],
    *,
    rules: Floats | None = None,
    weights: Floats | None = None,
    single: str | None = None,
    beat: Beat = nothing,
) -> dict[str, Ordered]:
    """Every baseline on the folds given (repeats x rows). ``single`` names the score instead of choosing it."""
    folds = np.atleast_2d(folds)
    y = np.asarray(labels, dtype=np.float64)
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    fitted: dict[str, Callable[[Split], Floats]] = {
        "logistic": lambda split: logistic(table, y, w, split),
        "mono_additive": lambda split: mono_additive(table, y, w, split),
        "boosted_default": lambda split: boosted_default(table, y, w, split),
    }
    turns = [splits(one) for one in folds]
    total, done, found = len(fitted) * sum(map(len, turns)), 0, {}
    for name, fit in fitted.items():
        odds = np.full(folds.shape, np.nan)
        for turn, held in enumerate(turns):
            for split in held:
                odds[turn, split.test] = fit(split)
                done += 1
                beat(done, total)
        found[name] = Ordered(odds)
    scores = candidates(table, single)
    if scores:
        found["single"] = _single(table, y, w, turns, scores)
    if rules is not None:
        found["rules"] = _scored(np.asarray(rules, dtype=np.float64), y, w, turns)
    return found


def logistic(table: FeatureTable, y: Floats, w: Floats, split: Split) -> Floats:
    """Log-odds of the test rows by plain logistic regression (scikit-learn's, C = 1) on the training rows."""
    train, test = _design(table, split)
    model = LogisticRegression(max_iter=5000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(train, y[split.train], sample_weight=w[split.train])
    return np.asarray(model.decision_function(test), dtype=np.float64)


def _design(table: FeatureTable, split: Split) -> tuple[Floats, Floats]:
    columns = []
    for place, feature in enumerate(table.features):
        held = table.values[:, place]
        if not feature.nominal:
            columns.append(held)
            continue
        codes = np.unique(held[split.train])
        columns += [np.where(np.isnan(held), np.nan, held == code) for code in codes[np.isfinite(codes)]]
    x = np.column_stack(columns) if columns else np.zeros((len(table), 0))
    known = np.isfinite(x[split.train])
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, x[split.train], 0).sum(axis=0) / count
    spread = np.sqrt(np.where(known, (x[split.train] - mean) ** 2, 0).sum(axis=0) / count)
    x = np.nan_to_num((x - mean) / np.where(spread > 0, spread, 1.0))
    return x[split.train], x[split.test]


def mono_additive(table: FeatureTable, y: Floats, w: Floats, split: Split) -> Floats:
    """Log-odds of the test rows by boosted trees of one feature each that keep every declared direction."""
    signs = {Direction.INCREASING: 1, Direction.DECREASING: -1, Direction.NONE: 0}
    model = HistGradientBoostingClassifier(
        max_iter=_ITERATIONS,
        learning_rate=_RATE,
        max_leaf_nodes=_LEAVES,
        l2_regularization=1.0,
        monotonic_cst=[0 if feature.nominal else signs[feature.direction] for feature in table.features],
        interaction_cst="no_interactions",
        categorical_features=_nominal(table),
        early_stopping=False,
        random_state=0,
    )
    return _boosted(model, table, y, w, split)


def boosted_default(table: FeatureTable, y: Floats, w: Floats, split: Split) -> Floats:
    """Log-odds of the test rows by boosted trees with every setting as it comes."""
    model = HistGradientBoostingClassifier(categorical_features=_nominal(table), random_state=0)
    return _boosted(model, table, y, w, split)


def _boosted(model: HistGradientBoostingClassifier, table: FeatureTable, y: Floats, w: Floats, split: Split) -> Floats:
    x = table.values.copy()
    for place, feature in enumerate(table.features):
        if feature.nominal:
            x[:, place] = _codes(x[:, place], split.train)
        if np.isnan(x[split.train, place]).all():
            x[:, place] = 0.0  # nobody to learn from knows it; the library cannot bin such a column
    with threadpool_limits(1):  # small tables: threads that wait for each other cost more than they save
        model.fit(x[split.train], y[split.train], sample_weight=w[split.train])
    return np.asarray(model.decision_function(x[split.test]), dtype=np.float64)


def _nominal(table: FeatureTable) -> NDArray[np.bool_]:
    return np.array([feature.nominal for feature in table.features], dtype=bool)


def _codes(held: Floats, train: NDArray[np.intp]) -> Floats:
    """The commonest codes of the training rows as 0, 1, 2…; any other is not known."""
    codes, counts = np.unique(held[train][np.isfinite(held[train])], return_counts=True)
    kept = np.sort(codes[np.argsort(-counts, kind="stable")[:_MOST_CODES]])
    if len(kept) == 0:
        return np.full(len(held), np.nan)
    place = np.minimum(np.searchsorted(kept, np.nan_to_num(held, nan=kept[0])), len(kept) - 1)
    return np.where(np.isfinite(held) & (kept[place] == held), place.astype(np.float64), np.nan)


def candidates(table: FeatureTable, single: str | None = None) -> list[int]:
    """The columns that may stand alone: the one named, else every one with an order."""
    if single is not None:
        return [place for place, feature in enumerate(table.features) if feature.key == single]
    return [place for place, feature in enumerate(table.features) if not feature.nominal]


def _single(table: FeatureTable, y: Floats, w: Floats, turns: list[list[Split]], scores: list[int]) -> Ordered:
    """The score with the best AUC in the training rows of each fold.

    Where every fold chose the same one, the raw value orders, as it would by
    hand; otherwise only the fitted log-odds are comparable between folds.
    """
    shape = (len(turns), len(y))
    odds, raw, chosen = np.full(shape, np.nan), np.full(shape, np.nan), []
    for turn, held in enumerate(turns):
        for split in held:
            place, sign = max(((at, s) for at in scores for s in _signs(table, at)), key=_worth(table, y, w, split))
            value = sign * _filled(table.values[:, place], split.train)
            odds[turn, split.test] = _line(value, y, w, split)
            raw[turn, split.test] = value[split.test]
            chosen.append((table.features[place].key, sign))
    names = tuple(sorted({name for name, _sign in chosen}, key=lambda name: -sum(name == one for one, _ in chosen)))
    return Ordered(odds, raw if len(set(chosen)) == 1 else None, names)


def _signs(table: FeatureTable, place: int) -> tuple[float, ...]:
    direction = table.features[place].direction
    return {Direction.INCREASING: (1.0,), Direction.DECREASING: (-1.0,)}.get(direction, (1.0, -1.0))


def _worth(table: FeatureTable, y: Floats, w: Floats, split: Split) -> Callable[[tuple[int, float]], float]:
    def worth(one: tuple[int, float]) -> float:
        value = one[1] * _filled(table.values[split.train, one[0]], slice(None))
        return float(np.nan_to_num(measures.auc(Ranked(y[split.train], value, value), w[split.train])))

    return worth


def _filled(held: Floats, train: NDArray[np.intp] | slice) -> Floats:
    known = held[train][np.isfinite(held[train])]
    return np.nan_to_num(held, nan=float(known.mean()) if len(known) else 0.0)


def _scored(rules: Floats, y: Floats, w: Floats, turns: list[list[Split]]) -> Ordered:
    odds, raw = np.full((len(turns), len(y)), np.nan), np.full((len(turns), len(y)), np.nan)
    for turn, held in enumerate(turns):
        for split in held:
            value = _filled(rules, split.train)
            odds[turn, split.test] = _line(value, y, w, split)
            raw[turn, split.test] = value[split.test]
    return Ordered(odds, raw)


def _line(value: Floats, y: Floats, w: Floats, split: Split) -> Floats:
    """Log-odds of the test rows from one score, by a logistic line through the training rows."""
    x = value[split.train]
    slope, intercept = measures.calibration_line(Ranked(y[split.train], x, x), w[split.train])
    if not np.isfinite(slope):
        share = (w[split.train] * y[split.train]).sum() + 0.5
        none = (w[split.train] * (1 - y[split.train])).sum() + 0.5
        return np.full(len(split.test), np.log(share / none))
    return np.asarray(slope * value[split.test] + intercept, dtype=np.float64)
