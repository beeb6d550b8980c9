"""The rows that take part in a measurement, and every figure of them by name: once, and in every draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml import measures
from ml.intervals import UNKNOWN, Estimate, Floats, estimate, resamples, witnesses
from ml.measures import Ranked

CAPACITY = (0.05, 0.10)
THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.5)
DRAWS = 200
SEED = 20261125


@dataclass(frozen=True)
class Asked:
    """What is measured besides the order itself."""

    capacity: tuple[float, ...] = CAPACITY
    thresholds: tuple[float, ...] = THRESHOLDS
    event_days: Floats | None = None


@dataclass(frozen=True)
class Drawn:
    """Each figure by name: of the rows, and of every draw; so that differences can be taken draw by draw."""

    value: dict[str, float]
    draws: dict[str, Floats]
    size: float
    """Witnesses of the rarer outcome."""

    def estimate(self, name: str) -> Estimate:
        return estimate(self.value[name], self.draws[name], size=self.size) if name in self.value else UNKNOWN

    def less(self, other: Drawn, name: str) -> Estimate:
        """The difference to another order of the same rows in the same draws."""
        return estimate(self.value[name] - other.value[name], self.draws[name] - other.draws[name], size=self.size)


@dataclass(frozen=True)
class Rows:
    """The rows that take part, ready to be measured: one ``Ranked`` per repetition."""

    ranked: tuple[Ranked, ...]
    weights: Floats
    people: NDArray[Any] | None
    strata: NDArray[Any] | None
    asked: Asked
    kept: NDArray[np.bool_]
    """Which of the rows given take part."""
    abstained: int
    unlabelled: int

    @property
    def labels(self) -> Floats:
        return self.ranked[0].labels

    def draw(self, draws: int, seed: int) -> Drawn:
        value = self.plain()
        counts = resamples(len(self.weights), draws=draws, seed=seed, people=self.people, strata=self.strata)
        held = [self.measure(self.weights * count) for count in counts]
        return Drawn(value, {name: np.array([one[name] for one in held]) for name in value}, self.size)

    @property
    def size(self) -> float:
        """Of the outcome with fewer witnesses, how many; rows of one person are one."""
        who = np.arange(len(self.weights)) if self.people is None else np.unique(self.people, return_inverse=True)[1]
        hit = self.labels > 0
        return min(witnesses(np.bincount(who[held], weights=self.weights[held])) for held in (hit, ~hit))

    def plain(self) -> dict[str, float]:
        """The figures without draws."""
        return self.measure(self.weights)

    def measure(self, weights: Floats) -> dict[str, float]:
        found = [measure(held, weights, self.asked) for held in self.ranked]
        return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


def prepare(
    labels: NDArray[Any],
    log_odds: NDArray[np.float64],
    *,
    asked: Asked,
    weights: NDArray[np.float64] | None = None,
    people: NDArray[Any] | None = None,
    strata: NDArray[Any] | None = None,
    ranks: NDArray[np.float64] | None = None,
) -> Rows:
    """Drop what takes no part and sort once."""
    known = np.asarray(labels, dtype=np.float64)
    odds = np.atleast_2d(np.asarray(log_odds, dtype=np.float64))
    order = odds if ranks is None else np.broadcast_to(np.atleast_2d(ranks), odds.shape)
    if odds.shape[1] != len(known):
        raise ValueError("labels and log-odds are of different rows")
    if not np.isin(known[np.isfinite(known)], (0.0, 1.0)).all():
        raise ValueError("labels are 0, 1 or unknown")
    scored = measures.finite(*odds, *order)
    keep = scored & np.isfinite(known)
    weight = np.ones(len(known)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not (np.isfinite(weight).all() and (weight >= 0).all()):
        raise ValueError("weights are finite and not negative")
    days = None if asked.event_days is None else asked.event_days[keep]
    return Rows(
        tuple(Ranked(known[keep], odds[turn, keep], order[turn, keep]) for turn in range(len(odds))),
        weight[keep],
        None if people is None else np.asarray(people)[keep],
        None if strata is None else np.asarray(strata)[keep],
        Asked(asked.capacity, asked.thresholds, days),
        keep,
        int((~scored).sum()),
        int((scored & ~np.isfinite(known)).sum()),
    )


def measure(held: Ranked, weights: Floats, asked: Asked) -> dict[str, float]:
    """Every figure of one order under one set of weights, by name."""
    slope, intercept = measures.calibration_line(held, weights)
    found = {
        "prevalence": measures.ratio((weights * held.labels).sum(), weights.sum()),
        "auc": measures.auc(held, weights),
        "ap": measures.average_precision(held, weights),
        "brier": measures.brier(held, weights),
        "slope": slope,
        "intercept": intercept,
        "in_the_large": measures.in_the_large(held, weights),
    }
    part = np.zeros(len(weights))
    for at in sorted(asked.capacity):
        part = measures.taken(held, weights, at)
        found[f"talks@{at:g}"] = float((weights * part).sum())
        found[f"recall@{at:g}"] = measures.recall(held, weights, part)
        found[f"precision@{at:g}"] = measures.precision(held, weights, part)
    for at in asked.thresholds:
        found[f"benefit@{at:g}"] = measures.net_benefit(held, weights, at)
        found[f"benefit_of_all@{at:g}"] = measures.net_benefit_of_all(held, weights, at)
    if asked.event_days is not None:
        chosen = np.where(np.isfinite(asked.event_days), weights * part * held.labels, 0.0)
        found["lead_rows"] = float(chosen.sum())
        quarter = measures.quantiles(np.nan_to_num(asked.event_days), chosen, (0.25, 0.5, 0.75))
        found["lead_first"], found["lead"], found["lead_third"] = quarter
    return found
