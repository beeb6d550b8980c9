"""A world with known truth: what the interviews alone would say, and what they say when the audit share speaks too.

Every student answers a questionnaire; an adviser notices some of those who
struggle. The rules flag by either. Nearly all flagged are interviewed, of the
others only the audit share, so the labels come from a part of the world that
is not like it. The order that is judged (log-odds from the questionnaire, as
calibrated as it can be) knows nothing of the adviser.

Judged by the interviews alone (naive), events look common, the rules seem to
find nearly all of them, and the order seems to promise too little. Weighted
for the chance to be interviewed, the same labels give the truth back, within
intervals that hold it as often as they say; at the price of width, which is
what the audit share buys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ml import measures
from ml.intervals import Estimate, Floats, as_json
from ml.measures import Ranked
from ml.rows import SEED, Asked, prepare
from ml.train import Beat, nothing
from ml.weights import AUDIT_SHARE, Counted, by_stratum, effective_size, of_strata

_LIST = 0.10
_DRAWS = 200
_REACHED = 0.85
FIGURES = ("prevalence", "reached_by_flags", "auc", "slope", "in_the_large", f"recall@{_LIST:g}")
_BIG = 40_000
"""Students of the earlier world from which the order is calibrated."""


@dataclass(frozen=True)
class World:
    """One college: what is known of each student, who is flagged, and who would turn out to need a talk."""

    score: Floats
    noticed: NDArray[np.bool_]
    flagged: NDArray[np.bool_]
    events: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Told:
    """One figure over all repetitions: its mean, the mean of both estimates, and how often their intervals hold it."""

    truth: float
    naive: float
    weighted: float
    naive_coverage: float
    weighted_coverage: float
    weighted_width: float


@dataclass(frozen=True)
class Simulation:
    """What the simulation says of the two ways to read the same labels."""

    students: int
    repeats: int
    audit_share: float
    reached: float
    seed: int
    labels: float
    """Mean of labelled students per repetition."""
    effective_labels: float
    """Of how many equally chosen students they are worth."""
    figures: Mapping[str, Told]

    def as_json(self) -> dict[str, Any]:
        held: dict[str, Any] = as_json(self)
        return held


def world(students: int, rng: np.random.Generator) -> World:
    """A questionnaire of 0 to 27, an adviser's notice, events that depend on both and on what nobody sees."""
    burden = rng.normal(size=students)
    score = np.clip(np.round(6 + 5 * burden + 2 * rng.normal(size=students)), 0, 27)
    noticed = rng.random(students) < expit(-3.4 + 1.1 * burden)
    flagged = (score >= 12) | noticed
    events = rng.random(students) < expit(-5.2 + 0.22 * score + 1.6 * noticed)
    return World(score, noticed, flagged, events)


def order_of(seed: int) -> tuple[float, float]:
    """Slope and intercept that make log-odds of the questionnaire alone, learned where every outcome was known."""
    held = world(_BIG, np.random.default_rng([seed, 0]))
    return measures.calibration_line(Ranked(held.events.astype(np.float64), held.score, held.score), np.ones(_BIG))


def interviewed(held: World, *, share: float, reached: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Most of the flagged, and of the others a random share; both as far as they come."""
    chance = np.where(held.flagged, reached, share * reached)
    return np.asarray(rng.random(len(chance)) < chance, dtype=bool)


def simulate(
    *,
    students: int = 15_000,
    repeats: int = 100,
    share: float = AUDIT_SHARE,
    reached: float = _REACHED,
    seed: int = SEED,
    draws: int = _DRAWS,
    beat: Beat = nothing,
) -> Simulation:
    """Repeat the world and compare both readings of its interviews with what is true of everybody in it."""
    slope, intercept = order_of(seed)
    told: list[tuple[dict[str, float], dict[str, Estimate], dict[str, Estimate]]] = []
    sizes = []
    for turn in range(repeats):
        rng = np.random.default_rng([seed, turn + 1])
        held = world(students, rng)
        seen = interviewed(held, share=share, reached=reached, rng=rng)
        odds = slope * held.score + intercept
        weights = by_stratum(held.flagged, seen)
        told.append(
            (
                _truth(held, odds),
                _naive(held, odds, seen, draws, seed + turn),
                _weighted(held, odds, seen, weights, draws, seed + turn),
            )
        )
        sizes.append((seen.sum(), effective_size(weights[seen])))
        beat(turn + 1, repeats)
    labels, effective = np.mean(sizes, axis=0)
    figures = {name: _told([tuple(one[name] for one in turn) for turn in told]) for name in FIGURES}  # type: ignore[misc]
    return Simulation(students, repeats, share, reached, seed, float(labels), float(effective), figures)


def _truth(held: World, odds: Floats) -> dict[str, float]:
    rows = prepare(held.events.astype(np.float64), odds, asked=Asked((_LIST,), ()))
    recall = measures.ratio((held.events & held.flagged).sum(), held.events.sum())
    return {**rows.plain(), "reached_by_flags": recall}


def _naive(held: World, odds: Floats, seen: NDArray[np.bool_], draws: int, seed: int) -> dict[str, Estimate]:
    """As if who was interviewed were everybody."""
    labels = np.where(seen, held.events, np.nan)
    drawn = prepare(labels, odds, asked=Asked((_LIST,), ())).draw(draws, seed)
    counted = [_counted(held, seen, flagged, everybody=False) for flagged in (True, False)]
    flags = of_strata(*counted, seed=seed).reached_by_flags
    return {name: flags if name == "reached_by_flags" else drawn.estimate(name) for name in FIGURES}


def _weighted(
    held: World, odds: Floats, seen: NDArray[np.bool_], weights: Floats, draws: int, seed: int
) -> dict[str, Estimate]:
    labels = np.where(seen, held.events, np.nan)
    rows = prepare(labels, odds, asked=Asked((_LIST,), ()), weights=weights, strata=held.flagged)
    drawn = rows.draw(draws, seed)
    counted = [_counted(held, seen, flagged, everybody=True) for flagged in (True, False)]
    shares = of_strata(*counted, seed=seed)
    exact = {"prevalence": shares.prevalence, "reached_by_flags": shares.reached_by_flags}
    return {name: exact[name] if name in exact else drawn.estimate(name) for name in FIGURES}


def _counted(held: World, seen: NDArray[np.bool_], flagged: bool, *, everybody: bool) -> Counted:
    stratum = held.flagged == flagged
    labelled = int((stratum & seen).sum())
    people = int(stratum.sum()) if everybody else labelled
    return Counted(people, labelled, int((stratum & seen & held.events).sum()))


def _told(turns: list[tuple[float, Estimate, Estimate]]) -> Told:
    truth = np.array([one[0] for one in turns])

    def mean(place: int) -> float:
        held = [one[place].value for one in turns]  # type: ignore[union-attr]
        known = [value for value in held if value is not None]
        return float(np.mean(known)) if known else float("nan")

    return Told(
        float(truth.mean()),
        mean(1),
        mean(2),
        float(np.mean([one[1].covers(one[0]) for one in turns])),
        float(np.mean([one[2].covers(one[0]) for one in turns])),
        float(np.mean([(one[2].high or 0) - (one[2].low or 0) for one in turns])),
    )
