"""What is measured of an order and of a probability, each with a weight per row.

A table is sorted once (``Ranked``); every measure then takes weights, which
carry inclusion shares and bootstrap draws alike. Rows that share a value share
their place: the boundary of a top list that falls among equals counts each of
them by the part that fits, so that no figure depends on the order of the file.
A measure that the rows do not determine is nan.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from ml.intervals import Floats

_STEPS = 60
_CLOSE = 1e-9
_SATURATED = 3.0
"""Log-odds within a few of these are a start for Newton's steps; a raw score of 40 points is not."""
_FAR = 40.0
"""Log-odds beyond which nothing is uncertain."""
_STEEPEST = 1e3
"""Standard deviations of log-odds per unit: beyond it the rows are parted without overlap and no slope exists."""


@dataclass(frozen=True)
class Ranked:
    """Labels and log-odds, and the order of the rows from the first to be talked to; ``ranks`` may order otherwise."""

    labels: Floats
    log_odds: Floats
    ranks: Floats

    @cached_property
    def order(self) -> NDArray[np.intp]:
        return np.argsort(-self.ranks, kind="stable")

    @cached_property
    def starts(self) -> NDArray[np.intp]:
        """Where, in the order, each group of equal rows begins."""
        held = self.ranks[self.order]
        return np.flatnonzero(np.r_[True, held[1:] != held[:-1]]) if len(held) else np.zeros(0, np.intp)

    @cached_property
    def probabilities(self) -> Floats:
        return np.asarray(expit(self.log_odds), dtype=np.float64)

    @cached_property
    def levels(self) -> tuple[Floats, NDArray[np.intp]]:
        """The different log-odds, ascending, and which of them each row has."""
        odds, place = np.unique(self.log_odds, return_inverse=True)
        return odds, place

    def by_level(self, weights: Floats) -> tuple[Floats, Floats, Floats]:
        """The different log-odds with the weight of events, and of all rows, at each."""
        odds, place = self.levels
        hits = np.bincount(place, weights=weights * self.labels, minlength=len(odds))
        all_ = np.bincount(place, weights=weights, minlength=len(odds))
        return odds, np.asarray(hits, dtype=np.float64), np.asarray(all_, dtype=np.float64)

    def grouped(self, values: Floats) -> Floats:
        """Sums over groups of equal rows, first group first."""
        return np.add.reduceat(values[self.order], self.starts) if len(values) else np.zeros(0)


def auc(held: Ranked, weights: Floats) -> float:
    """The chance that a row with the event stands above one without; equals count half (Mann and Whitney 1947)."""
    hits, misses = held.grouped(weights * held.labels), held.grouped(weights * (1 - held.labels))
    if hits.sum() <= 0 or misses.sum() <= 0:
        return np.nan
    return float((misses * (np.cumsum(hits) - hits / 2)).sum() / (hits.sum() * misses.sum()))


def average_precision(held: Ranked, weights: Floats) -> float:
    """The precision at every event, averaged over events: steps without interpolation, equals taken together."""
    hits, all_ = held.grouped(weights * held.labels), held.grouped(weights)
    if hits.sum() <= 0:
        return np.nan
    seen = np.cumsum(all_)
    precision = np.divide(np.cumsum(hits), seen, out=np.zeros_like(seen), where=seen > 0)
    return float((hits * precision).sum() / hits.sum())


def taken(held: Ranked, weights: Floats, capacity: float) -> Floats:
    """The part of each row that fits into the capacity: a share of everyone below 1, a number of talks from 1 on."""
    groups = held.grouped(weights)
    total = groups.sum()
    room = capacity * total if capacity < 1 else min(float(capacity), total)
    before = np.cumsum(groups) - groups
    part = np.clip(np.divide(room - before, groups, out=np.zeros_like(groups), where=groups > 0), 0, 1)
    out = np.empty(len(held.labels))
    out[held.order] = np.repeat(part, np.diff(np.r_[held.starts, len(held.labels)]))
    return out


def recall(held: Ranked, weights: Floats, part: Floats) -> float:
    """The share of all events that is on the list; ``part`` is what ``taken`` gave."""
    return ratio((weights * part * held.labels).sum(), (weights * held.labels).sum())


def precision(held: Ranked, weights: Floats, part: Floats) -> float:
    """The share of the list that has the event; ``part`` is what ``taken`` gave."""
    return ratio((weights * part * held.labels).sum(), (weights * part).sum())


def brier(held: Ranked, weights: Floats) -> float:
    """The mean squared distance of probability and outcome (Brier 1950): 0 is perfect, less is better."""
    return ratio((weights * (held.probabilities - held.labels) ** 2).sum(), weights.sum())


def net_benefit(held: Ranked, weights: Floats, threshold: float) -> float:
    """True positives less false ones at the exchange rate of the threshold, per person (Vickers and Elkin 2006)."""
    chosen = weights * (held.probabilities >= threshold)
    gain = (chosen * held.labels).sum() - (chosen * (1 - held.labels)).sum() * threshold / (1 - threshold)
    return ratio(gain, weights.sum())


def net_benefit_of_all(held: Ranked, weights: Floats, threshold: float) -> float:
    """The net benefit of talking to everybody."""
    share = ratio((weights * held.labels).sum(), weights.sum())
    return share - (1 - share) * threshold / (1 - threshold)


def ratio(part: float, whole: float) -> float:
    """The share; nan where there is no whole."""
    return float(part / whole) if whole > 0 else np.nan


def calibration_line(held: Ranked, weights: Floats) -> tuple[float, float]:
    """Slope and intercept of an unpenalised logistic regression of the event on the log-odds (Cox 1958).

    1 and 0 are right; a slope below 1 says that the probabilities are too far apart. nan where no slope exists.
    """
    odds, hits, all_ = held.by_level(weights)
    middle = ratio((all_ * odds).sum(), all_.sum())
    spread = np.sqrt(ratio((all_ * (odds - middle) ** 2).sum(), all_.sum()))
    if not spread > _CLOSE or not _overlap(odds, hits, all_ - hits):
        return np.nan, np.nan
    x = (odds - middle) / spread
    near = spread < _SATURATED and abs(middle) < _SATURATED
    found = _newton(np.column_stack([np.ones_like(x), x]), hits, all_, odds if near else np.zeros_like(x))
    if found is None:
        return np.nan, np.nan
    slope = float(found[1] / spread) + near
    return slope, float(found[0] + near * middle - slope * middle)


def _overlap(odds: Floats, hits: Floats, misses: Floats) -> bool:
    """Whether rows with and without the event overlap; if one value parts them, the likeliest slope is infinite."""
    hit, miss = odds[hits > 0], odds[misses > 0]
    if len(hit) == 0 or len(miss) == 0:
        return False
    return bool(miss[-1] > hit[0] and hit[-1] > miss[0])


def in_the_large(held: Ranked, weights: Floats) -> float:
    """The shift of log-odds that would make expected and observed agree; 0 when they do."""
    odds, hits, all_ = held.by_level(weights)
    if not 0 < hits.sum() < all_.sum():
        return np.nan
    found = _newton(np.ones((len(odds), 1)), hits, all_, odds)
    if found is not None:
        return float(found[0])
    ends = -odds[-1] - _FAR, -odds[0] + _FAR
    return float(brentq(lambda shift: (all_ * expit(odds + shift)).sum() - hits.sum(), *ends))


def _newton(design: Floats, hits: Floats, all_: Floats, offset: Floats) -> Floats | None:
    """Maximum likelihood by damped Newton steps; ``None`` where it does not exist (parted without overlap)."""
    at = np.zeros(design.shape[1])
    lowest = _loss(offset, hits, all_)
    total = all_.sum()
    for _ in range(_STEPS):
        p = expit(design @ at + offset)
        slope = design.T @ (hits - all_ * p)
        curve = (design * (all_ * p * (1 - p))[:, None]).T @ design
        if np.abs(slope).max() <= _CLOSE * total:
            return at
        if not _bent(curve, total) or np.abs(at).max() > _STEEPEST:
            return None
        step = np.linalg.solve(curve, slope)
        for _half in range(30):
            loss = _loss(design @ (at + step) + offset, hits, all_)
            if loss <= lowest + 1e-12 * total:
                break
            step = step / 2
        at, lowest = at + step, loss
    return None


def _bent(curve: Floats, total: float) -> bool:
    """Whether the likelihood is curved in every direction, as far as numbers of eight bytes can tell."""
    return bool(np.trace(curve) > _CLOSE * total and np.linalg.det(curve) > 1e-12 * np.trace(curve) ** len(curve))


def _loss(log_odds: Floats, hits: Floats, all_: Floats) -> float:
    return float((all_ * np.logaddexp(0, log_odds) - hits * log_odds).sum())


def quantiles(values: Floats, weights: Floats, at: tuple[float, ...]) -> tuple[float, ...]:
    """Weighted quantiles, averaged where the share falls exactly between two values (so of 1 and 3 the median is 2)."""
    held = weights > 0
    if not held.any():
        return tuple(np.nan for _ in at)
    order = np.argsort(values[held], kind="stable")
    x, reached = values[held][order], np.cumsum(weights[held][order])
    close = _CLOSE * reached[-1]
    found = []
    for share in at:
        first = np.searchsorted(reached, share * reached[-1] - close)
        last = np.searchsorted(reached, share * reached[-1] + close)
        found.append(float((x[first] + x[min(last, len(x) - 1)]) / 2))
    return tuple(found)


def finite(*arrays: NDArray[Any]) -> NDArray[np.bool_]:
    """Rows in which every array has a value."""
    held = np.isfinite(np.asarray(arrays[0], dtype=np.float64))
    for one in arrays[1:]:
        held &= np.isfinite(np.asarray(one, dtype=np.float64))
    return held
