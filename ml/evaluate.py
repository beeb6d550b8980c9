"""What a model is worth: figures out of fold, against simpler orders on the same folds, forward in time, across groups.

``evaluate`` measures any order of risk. ``worth`` compares a procedure with what
is simpler, draw by draw of the same bootstrap, and asks two things that protect
from self-deception: with labels shuffled between people the whole procedure
must find nothing, and an AUC above ``LEAK`` on follow-up data means that the
answer stands among the questions ("leak?"), not that the model is good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml import baselines
from ml.baselines import Ordered
from ml.features import FeatureTable
from ml.figures import Figures, evaluate, figures_of
from ml.forward import Forward, across, forward
from ml.intervals import Estimate, Floats, as_json, by_spread
from ml.rows import CAPACITY, DRAWS, SEED, THRESHOLDS, Asked, Drawn, Rows, prepare
from ml.train import Beat, OutOfFold, Settings, nothing, out_of_fold

__all__ = [
    "Comparison",
    "Figures",
    "Forward",
    "Leak",
    "Shuffled",
    "across",
    "evaluate",
    "forward",
    "shuffled_labels",
    "worth",
]

LEAK = 0.93
SURE = 0.99
"""Of the interval around shuffled labels: an alarm that rings in one sound procedure of twenty is not heeded."""
COMPARED = ("auc", "ap", "brier")


class Leak(ValueError):
    """An AUC too good for follow-up data: something known only afterwards stands among the features."""


@dataclass(frozen=True)
class Shuffled:
    """The whole procedure on labels that belong to somebody else; the interval is one of 99 %."""

    auc: Estimate
    shows_nothing: bool
    seed: int


@dataclass(frozen=True)
class Comparison:
    """The model and the simpler orders on the same folds and the same draws."""

    model: Figures
    baselines: Mapping[str, Figures]
    single: tuple[str, ...]
    """The scores chosen inside the folds, the commonest first."""
    differences: Mapping[str, Mapping[str, Estimate]]
    """The model less each baseline, by figure; intervals are paired."""
    shuffled: Shuffled | None
    leak_suspected: bool
    leak_limit: float | None

    def as_json(self) -> dict[str, Any]:
        held: dict[str, Any] = as_json(self)
        return held


def worth(
    table: FeatureTable,
    labels: NDArray[Any],
    oof: OutOfFold,
    *,
    single: str | None = None,
    rules: Floats | None = None,
    weights: Floats | None = None,
    people: NDArray[Any] | None = None,
    strata: NDArray[Any] | None = None,
    event_days: Floats | None = None,
    capacity: Sequence[float] = CAPACITY,
    thresholds: Sequence[float] = THRESHOLDS,
    settings: Settings | None = None,
    shuffle: bool = True,
    leak_limit: float | None = LEAK,
    stop: bool = True,
    draws: int = DRAWS,
    seed: int = SEED,
    beat: Beat = nothing,
) -> Comparison:
    """Compare a model out of fold with simpler orders on its own folds.

    ``single`` names the score that stands alone; without it the best is chosen
    inside each training fold. ``people`` are drawn whole where they are not
    those of the table. Raises ``Leak`` above ``leak_limit`` (``None``:
    the labels are not follow-up), or only says so where ``stop`` is off.
    """
    asked = Asked(tuple(capacity), tuple(thresholds), event_days)
    rules_seen = None if rules is None else np.asarray(rules, dtype=np.float64)

    def rows_of(order: Ordered, *, plain: bool = False) -> Rows:
        return prepare(
            labels,
            np.where(np.isfinite(oof.log_odds), order.log_odds, np.nan),
            asked=asked,
            weights=None if plain else weights,
            people=table.people if people is None else people,
            strata=strata,
            ranks=order.ranks,
        )

    def is_too_good(order: Ordered, drawn: Drawn) -> bool:
        """A leak shows with and without weights; a weighted figure alone may rest on a handful of rows."""
        if leak_limit is None or not drawn.value["auc"] > leak_limit:
            return False
        return weights is None or rows_of(order, plain=True).plain()["auc"] > leak_limit

    said = Ordered(np.atleast_2d(oof.log_odds))
    own = rows_of(said)
    drawn = own.draw(draws, seed)
    suspected = is_too_good(said, drawn)
    if suspected and stop:
        raise Leak(f"leak? AUC {drawn.value['auc']:.3f} is above {leak_limit} on follow-up data")
    half = _part(beat, 0) if shuffle else beat
    held = baselines.out_of_fold(table, labels, oof.folds, rules=rules_seen, weights=weights, single=single, beat=half)
    rows = {name: rows_of(order) for name, order in held.items()}
    others = {name: one.draw(draws, seed) for name, one in rows.items()}
    suspects = [name for name, one in others.items() if is_too_good(held[name], one)]
    if suspects and stop:
        raise Leak(f"leak? AUC of {suspects[0]} is above {leak_limit} on follow-up data")
    return Comparison(
        figures_of(own, drawn, draws=draws, seed=seed),
        {name: figures_of(rows[name], one, draws=draws, seed=seed) for name, one in others.items()},
        held["single"].chosen if "single" in held else (),
        {name: _differences(drawn, one, asked) for name, one in others.items()},
        shuffled_labels(
            table,
            labels,
            rules=rules_seen,
            weights=weights,
            settings=settings,
            draws=draws,
            seed=seed,
            beat=_part(beat, 1),
        )
        if shuffle
        else None,
        suspected or bool(suspects),
        leak_limit,
    )


def _part(beat: Beat, before: int) -> Beat:
    """One of two equal parts of the way."""
    return lambda done, total: beat(before * total + done, 2 * total)


def _differences(model: Drawn, other: Drawn, asked: Asked) -> dict[str, Estimate]:
    names = (*COMPARED, *(f"recall@{at:g}" for at in asked.capacity))
    return {name: model.less(other, name) for name in names}


def shuffled_labels(
    table: FeatureTable,
    labels: NDArray[Any],
    *,
    rules: Floats | None = None,
    weights: Floats | None = None,
    settings: Settings | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
    beat: Beat = nothing,
) -> Shuffled:
    """Run the whole procedure on labels dealt anew between people; its AUC has to be that of chance."""
    mixed = shuffle_between_people(table.people, labels, seed=seed)
    oof = out_of_fold(table, mixed, rules=rules, weights=weights, settings=settings or Settings(), repeats=1, beat=beat)
    drawn = prepare(mixed, oof.log_odds, asked=Asked((), ()), weights=weights, people=table.people).draw(draws, seed)
    found = by_spread(drawn.value["auc"], drawn.draws["auc"], level=SURE)
    return Shuffled(found, found.value is None or found.covers(0.5), seed)


def shuffle_between_people(people: NDArray[Any], labels: NDArray[Any], *, seed: int) -> NDArray[Any]:
    """Give each person the labels of somebody with as many rows, in their order; rows of one person stay together."""
    rng = np.random.default_rng(seed)
    codes = np.unique(people, return_inverse=True)[1]
    rows = np.argsort(codes, kind="stable")
    counts = np.bincount(codes)
    starts = np.cumsum(counts) - counts
    out = np.asarray(labels).copy()
    for size in np.unique(counts):
        alike = np.flatnonzero(counts == size)
        places = rows[starts[alike][:, None] + np.arange(size)]
        out[places] = np.asarray(labels)[places[rng.permutation(len(alike))]]
    return out
