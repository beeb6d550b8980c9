"""Splits that out-of-fold figures cannot show: forward in time, and across groups the model never saw.

Out of fold, every round is learned from; in use, the model meets a round that
is not over yet. ``forward`` learns from earlier rounds and measures the last.
``across`` learns without one group (a college, a grade) and measures it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.features import FeatureTable
from ml.figures import Figures, evaluate
from ml.folds import taken
from ml.intervals import Floats
from ml.rows import CAPACITY, DRAWS, SEED
from ml.train import Beat, Settings, TooFew, nothing, train


@dataclass(frozen=True)
class Forward:
    """Learned from what came before ``since``, measured on what came from then on."""

    figures: Figures
    since: str
    trained_rows: int
    tested_rows: int
    strangers_only: bool


def forward(
    table: FeatureTable,
    labels: NDArray[Any],
    *,
    since: np.datetime64 | None = None,
    known_by: NDArray[np.datetime64] | None = None,
    strangers: bool = False,
    rules: Floats | None = None,
    weights: Floats | None = None,
    settings: Settings | None = None,
    capacity: Sequence[float] = CAPACITY,
    draws: int = DRAWS,
    seed: int = SEED,
    beat: Beat = nothing,
) -> Forward:
    """Train on earlier rounds, measure on the last (rows from ``since``; without it the last moment in the table).

    A label counts for training only if it was known by then (``known_by``).
    ``strangers`` measures only people the model has never seen. Raises
    ``TooFew`` where one side has nothing to learn or to measure.
    """
    begin = since if since is not None else (table.at.max() if len(table) else np.datetime64("NaT"))
    early, late = forward_split(table, since=begin, known_by=known_by, strangers=strangers)
    if len(early) == 0 or len(late) == 0:
        raise TooFew("no rows on one side of the split in time")
    figures = _measured(
        table,
        labels,
        early,
        late,
        rules=rules,
        weights=weights,
        settings=settings,
        capacity=capacity,
        draws=draws,
        seed=seed,
        beat=beat,
    )
    return Forward(figures, str(begin), len(early), len(late), strangers)


def forward_split(
    table: FeatureTable,
    *,
    since: np.datetime64,
    known_by: NDArray[np.datetime64] | None = None,
    strangers: bool = False,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows before ``since`` whose label was known by then, and rows from ``since`` on."""
    early = table.at < since
    if known_by is not None:
        early = early & (known_by < since)
    late = table.at >= since
    if strangers:
        late = late & ~np.isin(table.people, table.people[early])
    return np.flatnonzero(early), np.flatnonzero(late)


def group_splits(
    people: NDArray[Any], groups: NDArray[Any], *, smallest: int
) -> Iterator[tuple[str, NDArray[np.intp], NDArray[np.intp]]]:
    """One group held out at a time, without its people in training; groups of fewer people are not held out."""
    names = np.asarray(groups).astype(str)
    for name in np.unique(names):
        test = names == name
        if len(np.unique(people[test])) < smallest or test.all():
            continue
        train_on = ~test & ~np.isin(people, people[test])
        yield str(name), np.flatnonzero(train_on), np.flatnonzero(test)


def across(
    table: FeatureTable,
    labels: NDArray[Any],
    groups: NDArray[Any],
    *,
    smallest: int = 50,
    rules: Floats | None = None,
    weights: Floats | None = None,
    settings: Settings | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
) -> dict[str, Figures]:
    """Each large enough group measured by a model that never saw it: what a new college could expect."""
    return {
        name: _measured(
            table, labels, early, late, rules=rules, weights=weights, settings=settings, draws=draws, seed=seed
        )
        for name, early, late in group_splits(table.people, groups, smallest=smallest)
    }


def _measured(
    table: FeatureTable,
    labels: NDArray[Any],
    early: NDArray[np.intp],
    late: NDArray[np.intp],
    *,
    rules: Floats | None,
    weights: Floats | None,
    settings: Settings | None,
    draws: int,
    seed: int,
    capacity: Sequence[float] = CAPACITY,
    beat: Beat = nothing,
) -> Figures:
    """Learned from the rows ``early``, measured on the rows ``late``."""
    y, held = np.asarray(labels), table.rows(late)
    model = train(
        table.rows(early),
        y[early],
        rules=taken(rules, early),
        weights=taken(weights, early),
        settings=settings or Settings(),
        beat=beat,
    )
    return evaluate(
        y[late],
        model.score(held, rules=taken(rules, late)).log_odds,
        weights=taken(weights, late),
        people=held.people,
        capacity=capacity,
        draws=draws,
        seed=seed,
    )
