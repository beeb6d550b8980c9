"""Labels come from interviews, and mostly the flagged are interviewed: weights that speak for everybody.

Every flagged student is meant to be interviewed (share 1) and a random share of
the others (the audit share, 2 %). A labelled student stands for ``1 / share``
students like him. Where part of a stratum was not reached, the realised share
is used (``by_stratum``): it supposes that who was reached is, inside the
stratum, no different from who was not; a supposition, to be stated wherever
such a figure is shown. Without an audit share nothing can be said of the
unflagged, and no weight repairs that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.figures import Figures, evaluate
from ml.intervals import LEVEL, Estimate, Floats
from ml.rows import CAPACITY, DRAWS, SEED

FLAGGED_SHARE, AUDIT_SHARE = 1.0, 0.02
_SAMPLES = 4000


class NoShare(ValueError):
    """A labelled row whose chance to be interviewed is unknown or zero."""


def inverse(shares: NDArray[np.float64]) -> Floats:
    """1 / share. Refuses shares outside (0, 1]: such a row cannot stand for anybody."""
    held = np.asarray(shares, dtype=np.float64)
    bad = ~((held > 0) & (held <= 1))
    if bad.any():
        raise NoShare(f"row {int(np.flatnonzero(bad)[0])}: the share has to lie above 0 and not above 1")
    return np.asarray(1 / held, dtype=np.float64)


def inclusion(
    flagged: NDArray[np.bool_], *, flagged_share: float = FLAGGED_SHARE, audit_share: float = AUDIT_SHARE
) -> Floats:
    """Weights by design: of the flagged ``1 / flagged_share``, of the audited ``1 / audit_share``."""
    return inverse(np.where(np.asarray(flagged, dtype=bool), flagged_share, audit_share))


def by_stratum(strata: NDArray[Any], labelled: NDArray[np.bool_]) -> Floats:
    """Weights by what came in: people of the stratum for each labelled one; 0 for rows without a label.

    Refuses a stratum without any label: it would be left out in silence.
    """
    held = np.asarray(labelled, dtype=bool)
    names, codes = np.unique(np.asarray(strata), return_inverse=True)
    everyone = np.bincount(codes, minlength=len(names))
    seen = np.bincount(codes[held], minlength=len(names))
    if (seen == 0).any():
        raise NoShare(f"stratum {names[int(np.flatnonzero(seen == 0)[0])]}: nobody in it has a label")
    return np.asarray(np.where(held, (everyone / seen)[codes], 0.0), dtype=np.float64)


def effective_size(weights: NDArray[np.float64]) -> float:
    """Kish: how many equally weighted rows would know as much."""
    held = np.asarray(weights, dtype=np.float64)
    square = float((held**2).sum())
    return float(held.sum()) ** 2 / square if square > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Counted:
    """One stratum: everybody in it, how many have a label, and how many of those the event."""

    people: int
    labelled: int
    positives: int


@dataclass(frozen=True, slots=True)
class Share:
    """Share of everybody with the event, and share of those that the flags reach."""

    prevalence: Estimate
    reached_by_flags: Estimate


def of_strata(flagged: Counted, others: Counted, *, seed: int = SEED, level: float = LEVEL) -> Share:
    """Prevalence and recall of the flags with intervals that hold for a handful of audited events, or none.

    Draws the share of each stratum from its Jeffreys posterior, and the events
    among those not interviewed from that share: with three events among 290
    audited students a bootstrap of the events themselves is too sure of itself.
    """
    rng = np.random.default_rng(seed)
    found = [_events(stratum, rng) for stratum in (flagged, others)]
    expected = [_expected(stratum) for stratum in (flagged, others)]
    everybody = flagged.people + others.people
    total = found[0] + found[1]
    recall = np.divide(found[0], total, out=np.full(_SAMPLES, np.nan), where=total > 0)
    return Share(
        _estimate(sum(expected) / everybody if everybody else np.nan, total / max(everybody, 1), level),
        _estimate(expected[0] / sum(expected) if sum(expected) > 0 else np.nan, recall, level),
    )


def _expected(stratum: Counted) -> float:
    return stratum.people * stratum.positives / stratum.labelled if stratum.labelled else float("nan")


def _events(stratum: Counted, rng: np.random.Generator) -> Floats:
    if not 0 <= stratum.positives <= stratum.labelled <= stratum.people:
        raise ValueError("of a stratum, events are among the labelled and the labelled among its people")
    share = rng.beta(stratum.positives + 0.5, stratum.labelled - stratum.positives + 0.5, _SAMPLES)
    return np.asarray(stratum.positives + rng.binomial(stratum.people - stratum.labelled, share), dtype=np.float64)


def _estimate(value: float, drawn: Floats, level: float) -> Estimate:
    if not np.isfinite(value):
        return Estimate(None)
    low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(value), float(low), float(high))


@dataclass(frozen=True, slots=True)
class Weighted:
    """Figures for everybody from the labels of some, beside what the labels alone would say."""

    weighted: Figures
    naive: Figures
    effective_size: float


def both(
    labels: NDArray[Any],
    log_odds: NDArray[np.float64],
    flagged: NDArray[np.bool_],
    *,
    weights: NDArray[np.float64] | None = None,
    people: NDArray[Any] | None = None,
    capacity: Sequence[float] = CAPACITY,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Weighted:
    """The weighted and the naive figures of one round; ``labels`` nan where nobody was interviewed.

    Without ``weights`` those of ``by_stratum`` are used, flagged against others.
    """
    y = np.asarray(labels, dtype=np.float64)
    known = np.isfinite(y)
    strata = np.asarray(flagged, dtype=bool)
    held = by_stratum(strata, known) if weights is None else np.where(known, weights, 0.0)
    weighted = evaluate(
        y, log_odds, weights=held, people=people, strata=strata, capacity=capacity, draws=draws, seed=seed
    )
    naive = evaluate(y, log_odds, people=people, capacity=capacity, draws=draws, seed=seed)
    return Weighted(weighted, naive, effective_size(held[known]))
