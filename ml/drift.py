"""Whether this round still looks like the rounds the model learned from, with a false-alarm rate that is kept.

``population``: the distribution of each feature among rows where it is known
(Kolmogorov distance; for codes without an order half the sum of differences).
``missing``: the share not known. ``calibration``: observed against expected
events among the labelled. ``between`` asks all three and shares the rate out.

The rate holds for all features together, not for each: the threshold is the
quantile of the *largest* standardised distance over features, when people are
dealt to the two rounds at random (a person who stands in both keeps one row in
each, so that a panel does not look like news). A distance below ``least`` is
not told even when it is certain: with 5,000 students everything is certain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from ml.features import Feature, FeatureTable
from ml.intervals import Floats, as_json
from ml.rows import SEED

RATE = 0.05
_DRAWS = 399
_LEAST_SHIFT, _LEAST_GAP = 0.05, 0.02
_FEWEST = 30
"""People in a round below which nothing can be told."""

Distance = Callable[[NDArray[np.bool_]], float]


@dataclass(frozen=True, slots=True)
class Check:
    """One number that was looked at. ``before`` and ``after``: medians, shares not known, or expected and observed."""

    kind: str
    key: str
    distance: float
    threshold: float
    before: float | None
    after: float | None
    found: bool
    words: str = ""


@dataclass(frozen=True)
class Drift:
    """What was looked at, what was found, and how often nothing at all would have been found by chance."""

    checks: tuple[Check, ...]
    false_alarm_rate: float
    rows_before: int
    rows_after: int
    notes: tuple[str, ...] = ()

    @property
    def findings(self) -> tuple[Check, ...]:
        return tuple(one for one in self.checks if one.found)

    @property
    def words(self) -> list[str]:
        """Sentences for the page; one sentence when nothing was found."""
        told = [one.words for one in self.findings]
        rate = f"在没有变化时，出现任一提示的可能约为 {self.false_alarm_rate:.0%}。"
        looked = f"共查看 {len(self.checks)} 项，未见超出偶然波动的变化。" if self.checks and not told else ""
        return [*self.notes, *told, *([looked] if looked else []), *([rate] if self.checks else [])]

    def as_json(self) -> dict[str, Any]:
        return {**as_json(self), "words": self.words}


def population(
    before: FeatureTable,
    after: FeatureTable,
    *,
    rate: float = RATE,
    least: float = _LEAST_SHIFT,
    draws: int = _DRAWS,
    seed: int = SEED,
) -> Drift:
    """Distribution of each feature between two rounds."""
    return _looked(before, after, rate, draws, seed, [_shifts(before, after, least)])


def missing(
    before: FeatureTable,
    after: FeatureTable,
    *,
    rate: float = RATE,
    least: float = _LEAST_GAP,
    draws: int = _DRAWS,
    seed: int = SEED,
) -> Drift:
    """Share of rows in which each feature is not known."""
    return _looked(before, after, rate, draws, seed, [_gaps(before, after, least)])


def calibration(
    labels: NDArray[Any],
    log_odds: NDArray[np.float64],
    *,
    weights: NDArray[np.float64] | None = None,
    people: NDArray[Any] | None = None,
    rate: float = RATE,
) -> Drift:
    """Observed against expected events among the labelled rows; give the weights of the audit share.

    The interval of the difference is robust to rows of one person going
    together; events that the model expects but cannot see are its variance.
    """
    y, odds = np.asarray(labels, dtype=np.float64), np.asarray(log_odds, dtype=np.float64)
    keep = np.isfinite(y) & np.isfinite(odds)
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    keep &= w > 0
    p, w, y = expit(odds[keep]), w[keep], y[keep]
    who = np.arange(len(y)) if people is None else np.unique(np.asarray(people)[keep], return_inverse=True)[1]
    expected, observed = float((w * p).sum()), float((w * y).sum())
    spread = float(np.sqrt(max(_variance(w * (y - p), who), (w**2 * p * (1 - p)).sum()))) if len(y) else 0.0
    if len(np.unique(who)) < _FEWEST or spread <= 0:
        return Drift((), rate, 0, len(y), ("有结果的约谈较少，尚不能判断提示与实际是否相符。",))
    limit = float(-ndtri(rate / 2)) * spread
    found = abs(observed - expected) > limit
    more = "多" if observed > expected else "少"
    low, high = ((observed + side * limit) / expected for side in (-1, 1))
    words = (
        f"实际需要关注的人数比提示预期的{more}（实际与预期之比 {observed / expected:.2f}，"
        f"区间 {max(low, 0):.2f}–{high:.2f}），建议用本校新结果重新校准。"
    )
    check = Check("calibration", "", abs(observed - expected), limit, expected, observed, found, words if found else "")
    return Drift((check,), rate, 0, len(y))


def _variance(residuals: Floats, who: NDArray[Any]) -> float:
    return float((np.bincount(who, weights=residuals) ** 2).sum())


def between(
    before: FeatureTable,
    after: FeatureTable,
    *,
    labels: NDArray[Any] | None = None,
    log_odds: NDArray[np.float64] | None = None,
    weights: NDArray[np.float64] | None = None,
    rate: float = RATE,
    draws: int = _DRAWS,
    seed: int = SEED,
) -> Drift:
    """Everything at once at one rate; ``labels`` and ``log_odds`` are of the rows of ``after``."""
    asks = labels is not None and log_odds is not None
    share = rate / 2 if asks else rate
    found = _looked(
        before, after, share, draws, seed, [_shifts(before, after, _LEAST_SHIFT), _gaps(before, after, _LEAST_GAP)]
    )
    if labels is None or log_odds is None:
        return found
    line = calibration(labels, log_odds, weights=weights, people=after.people, rate=share)
    return Drift(found.checks + line.checks, rate, len(before), len(after), found.notes + line.notes)


@dataclass(frozen=True)
class _Question:
    """One feature in one respect: its distance under any dealing of the rows, and what is said when it is found."""

    kind: str
    feature: Feature
    distance: Distance
    least: float
    before: float | None
    after: float | None

    def words(self) -> str:
        name = self.feature.meaning or self.feature.key
        if self.kind == "missing":
            return f"“{name}”缺失的比例由 {self.before:.0%} 变为 {self.after:.0%}，请检查数据来源。"
        if self.before is None or self.after is None or self.before == self.after:
            return f"“{name}”的分布与以前不同，请检查数据来源或口径。"
        return f"“{name}”的分布与以前不同（中位数由 {self.before:g} 变为 {self.after:g}），请检查数据来源或口径。"


def _looked(
    before: FeatureTable, after: FeatureTable, rate: float, draws: int, seed: int, asked: list[list[_Question]]
) -> Drift:
    fewest = min(len(np.unique(before.people)), len(np.unique(after.people)))
    if fewest < _FEWEST:
        return Drift((), rate, len(before), len(after), (f"有一轮不足 {_FEWEST} 人，尚不能比较。",))
    questions = [one for group in asked for one in group]
    seen = np.array([one.distance(_sides(before, after)) for one in questions])
    dealt = np.array([[one.distance(side) for one in questions] for side in _dealings(before, after, draws, seed)])
    middle, spread = dealt.mean(axis=0), dealt.std(axis=0)
    standard = np.where(spread > 0, (dealt - middle) / np.where(spread > 0, spread, 1), -np.inf)
    limit = _quantile_above(standard.max(axis=1, initial=-np.inf), rate)
    checks = []
    for one, distance, m, s in zip(questions, seen, middle, spread, strict=True):
        threshold = max(one.least, float(m + limit * s)) if s > 0 else one.least
        found = bool(s > 0 and distance > threshold)
        words = one.words() if found else ""
        checks.append(Check(one.kind, one.feature.key, float(distance), threshold, one.before, one.after, found, words))
    return Drift(tuple(checks), rate, len(before), len(after))


def _quantile_above(largest: Floats, rate: float) -> float:
    """The value that, with the observed one counted among them, at most ``rate`` of the dealings pass."""
    held = np.sort(largest)
    place = int(np.ceil((1 - rate) * (len(held) + 1))) - 1
    return float(held[place]) if place < len(held) else np.inf


def _sides(before: FeatureTable, after: FeatureTable) -> NDArray[np.bool_]:
    """Of all rows, those of the round before first: whether it belongs to the round after."""
    return np.arange(len(before) + len(after)) >= len(before)


def _dealings(before: FeatureTable, after: FeatureTable, draws: int, seed: int) -> list[NDArray[np.bool_]]:
    """Rounds as they would be if nothing had changed: who stands in one is dealt anew, who stands in both may swap."""
    rng = np.random.default_rng(seed)
    sides = _sides(before, after)
    who = np.unique(np.concatenate([before.people, after.people]), return_inverse=True)[1]
    present = [np.bincount(who[sides == side], minlength=who.max() + 1) > 0 for side in (False, True)]
    both = present[0] & present[1]
    single = np.flatnonzero(~both)
    found = []
    for _ in range(draws):
        swap = rng.random(len(both)) < 0.5
        mine = present[1].copy()
        mine[single] = rng.permutation(mine[single])
        found.append(np.where(both[who], sides ^ swap[who], mine[who]))
    return found


def _columns(before: FeatureTable, after: FeatureTable) -> list[tuple[Feature, Floats, Floats]]:
    """Each feature with its values in both rounds."""
    if before.keys != after.keys:
        raise ValueError("the two rounds have different features")
    return [(one, before.values[:, at], after.values[:, at]) for at, one in enumerate(before.features)]


def _shifts(before: FeatureTable, after: FeatureTable, least: float) -> list[_Question]:
    found = []
    for feature, old, new in _columns(before, after):
        distance = _of_values(np.concatenate([old, new]), feature.nominal)
        middle = (None, None) if feature.nominal else (_median(old), _median(new))
        found.append(_Question("population", feature, distance, least, *middle))
    return found


def _gaps(before: FeatureTable, after: FeatureTable, least: float) -> list[_Question]:
    found = []
    for feature, old, new in _columns(before, after):
        gone = np.isnan(np.concatenate([old, new])).astype(np.float64)
        shares = float(gone[: len(before)].mean()), float(gone[len(before) :].mean())
        found.append(_Question("missing", feature, _of_shares(gone), least, *shares))
    return found


def _median(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None


def _of_values(values: Floats, nominal: bool) -> Distance:
    """Distance of two distributions, of the same rows dealt one way or another; sorted once."""
    known = np.flatnonzero(np.isfinite(values))
    names, codes = np.unique(values[known], return_inverse=True)

    def distance(after: NDArray[np.bool_]) -> float:
        side = after[known]
        new, old = side.sum(), (~side).sum()
        if min(new, old) == 0:
            return 0.0
        step = np.bincount(codes, weights=np.where(side, 1 / new, -1 / old), minlength=len(names))
        return float(np.abs(step).sum() / 2 if nominal else np.abs(np.cumsum(step)).max())

    return distance


def _of_shares(gone: Floats) -> Distance:
    def distance(after: NDArray[np.bool_]) -> float:
        return float(abs(gone[after].mean() - gone[~after].mean()))

    return distance
