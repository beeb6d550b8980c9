"""The figures of one order of risk on one set of rows, each with its interval.

Rows without log-odds (the model abstained) or without a known label take no
part and are counted. Log-odds of several repetitions (repeats x rows) give the
mean of the figures of each, never the figures of the mean: an average of
repetitions is a better model than the one in use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.intervals import Estimate, as_json, wilson
from ml.rows import CAPACITY, DRAWS, SEED, THRESHOLDS, Asked, Drawn, Rows, prepare

_BINS = 10


@dataclass(frozen=True, slots=True)
class AtCapacity:
    """What a list of this length finds: a share of everyone, or a number of talks."""

    capacity: float
    talks: float
    """In weighted rows, that is, in people of the whole round where weights are given."""
    recall: Estimate
    precision: Estimate


@dataclass(frozen=True, slots=True)
class Bin:
    """One tenth of the rows by predicted probability."""

    rows: int
    predicted: float
    observed: Estimate


@dataclass(frozen=True, slots=True)
class Benefit:
    """Net benefit per person at one threshold; talking to nobody is 0."""

    threshold: float
    model: Estimate
    treat_all: float | None
    treat_none: float = 0.0


@dataclass(frozen=True, slots=True)
class Lead:
    """Days between a row on the list and its event, over the rows of the longest list that had one."""

    capacity: float
    rows: float
    median: Estimate
    quartiles: tuple[float | None, float | None]


@dataclass(frozen=True)
class Figures:
    """All figures of one order on one set of rows."""

    rows: int
    people: int
    positives: int
    abstained: int
    unlabelled: int
    prevalence: Estimate
    auc: Estimate
    ap: Estimate
    brier: Estimate
    slope: Estimate
    intercept: Estimate
    in_the_large: Estimate
    at_capacity: tuple[AtCapacity, ...]
    calibration: tuple[Bin, ...]
    net_benefit: tuple[Benefit, ...]
    lead: Lead | None
    draws: int
    seed: int

    def at(self, capacity: float) -> AtCapacity:
        return next(one for one in self.at_capacity if one.capacity == capacity)

    def as_json(self) -> dict[str, Any]:
        held: dict[str, Any] = as_json(self)
        return held


def evaluate(
    labels: NDArray[Any],
    log_odds: NDArray[np.float64],
    *,
    weights: NDArray[np.float64] | None = None,
    capacity: Sequence[float] = CAPACITY,
    event_days: NDArray[np.float64] | None = None,
    people: NDArray[Any] | None = None,
    strata: NDArray[Any] | None = None,
    ranks: NDArray[np.float64] | None = None,
    thresholds: Sequence[float] = THRESHOLDS,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Figures:
    """The figures of one order. ``log_odds``: rows, or repeats x rows; nan where the model abstained.

    ``labels`` 0 or 1, nan where unknown. ``people`` are drawn whole, inside
    ``strata`` where those are given (flagged and audited). ``ranks`` orders
    the list where it is not the log-odds that order it.
    """
    days = None if event_days is None else np.asarray(event_days, dtype=np.float64)
    rows = prepare(
        labels,
        log_odds,
        asked=Asked(tuple(capacity), tuple(thresholds), days),
        weights=weights,
        people=people,
        strata=strata,
        ranks=ranks,
    )
    return figures_of(rows, rows.draw(draws, seed), draws=draws, seed=seed)


def figures_of(rows: Rows, drawn: Drawn, *, draws: int, seed: int) -> Figures:
    """The figures and their intervals, from what was drawn."""
    one, asked = drawn.estimate, rows.asked
    size = len(rows.labels)
    return Figures(
        rows=size,
        people=size if rows.people is None else len(np.unique(rows.people)),
        positives=int(rows.labels.sum()),
        abstained=rows.abstained,
        unlabelled=rows.unlabelled,
        prevalence=one("prevalence"),
        auc=one("auc"),
        ap=one("ap"),
        brier=one("brier"),
        slope=one("slope"),
        intercept=one("intercept"),
        in_the_large=one("in_the_large"),
        at_capacity=tuple(
            AtCapacity(at, drawn.value[f"talks@{at:g}"], one(f"recall@{at:g}"), one(f"precision@{at:g}"))
            for at in asked.capacity
        ),
        calibration=_bins(rows),
        net_benefit=tuple(
            Benefit(at, one(f"benefit@{at:g}"), one(f"benefit_of_all@{at:g}").value) for at in asked.thresholds
        ),
        lead=None if asked.event_days is None else _lead(drawn, max(asked.capacity)),
        draws=draws,
        seed=seed,
    )


def _lead(drawn: Drawn, capacity: float) -> Lead:
    quartiles = (drawn.estimate("lead_first").value, drawn.estimate("lead_third").value)
    return Lead(capacity, drawn.value["lead_rows"], drawn.estimate("lead"), quartiles)


def _bins(rows: Rows) -> tuple[Bin, ...]:
    """Tenths by predicted probability, repetitions pooled, equals kept together; Wilson on the effective rows."""
    weights = np.tile(rows.weights, len(rows.ranked))
    if weights.sum() <= 0:
        return ()
    predicted = np.concatenate([held.probabilities for held in rows.ranked])
    labels = np.concatenate([held.labels for held in rows.ranked])
    _values, place = np.unique(predicted, return_inverse=True)
    share = np.bincount(place, weights=weights)
    middle = (np.cumsum(share) - share / 2) / weights.sum()
    tenth = np.minimum((middle * _BINS).astype(int), _BINS - 1)[place]
    found = []
    for number in np.unique(tenth):
        held = (tenth == number) & (weights > 0)
        if not held.any():
            continue
        w = weights[held]
        size = w.sum() ** 2 / (w**2).sum() / len(rows.ranked)
        observed = wilson(float((w * labels[held]).sum() / w.sum()), float(size))
        found.append(Bin(round(held.sum() / len(rows.ranked)), float((w * predicted[held]).sum() / w.sum()), observed))
    return tuple(found)
