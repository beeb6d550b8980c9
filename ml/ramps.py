"""The smooth part: the mean of two penalised logistic regressions, one on straight and one on bent lines.

Straight lines are hard to beat where an outcome follows a score evenly; bent ones find where it does not. Their mean
was above each of them on most public tables. Per column a few knots and a small matrix that says which heights at the
knots one parameter moves:

- two values, and every ordered column of the straight regression: one standardised line;
- codes without an order, and undirected columns of few values: one parameter per value, shrunk toward the mean;
- else: one standardised line plus a ramp between neighbouring values, or quantiles where there are many.

A direction is a bound on parameters (all at least, or all at most, 0), so the fitted curve cannot turn. The loss
is the weighted log-loss times ``BENT`` or ``STRAIGHT`` plus half the squared parameters, minimised by L-BFGS-B.

A row meets a column only at its two neighbouring knots, so the design is sparse, and SciPy's sparse products add in
one thread: unlike BLAS they give the same bits whatever the number of threads. A missing value enters as 0 relative
to the average of those known, exactly as the finished model treats it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit

from ml.calibrate import base_rate
from ml.features import Feature
from ml.shape import Additive, Floats, Shape, centred, flat, per_code, polyline, total

BENT, STRAIGHT = 0.1, 1.0  # weight of the log-loss against the penalty
PIECES = 6
FEW = 40
CLOSE = 1e-9  # knots nearer than this share of the range are one knot
TINY = 1e-200  # or nearer than this at all


@dataclass(frozen=True, eq=False)
class Bend:
    """How one column enters: heights at ``knots`` = ``moves`` @ parameters."""

    nominal: bool
    knots: Floats
    moves: Floats
    sign: int

    def shape(self, parameters: Floats) -> Shape:
        if not len(self.knots):
            return flat(self.nominal)
        heights = np.sum(self.moves * parameters, axis=1)
        return per_code(self.knots, heights) if self.nominal else polyline(self.knots, heights)

    def hats(self, values: Floats) -> sparse.csr_array:
        """Rows x (knots and one more that says "known"): how far a row stands at each knot."""
        size = len(self.knots)
        known = np.flatnonzero(np.isin(values, self.knots) if self.nominal else ~np.isnan(values))
        held = np.clip(values[known], self.knots[0], self.knots[-1])
        right = np.clip(np.searchsorted(self.knots, held), 1, size - 1)
        share = (held - self.knots[right - 1]) / (self.knots[right] - self.knots[right - 1])
        entries = np.concatenate([1 - share, share, np.ones(len(known))])
        columns = np.concatenate([right - 1, right, np.full(len(known), size)])
        return sparse.csr_array((entries, (np.tile(known, 3), columns)), shape=(len(values), size + 1))


def bend(feature: Feature, values: Floats, *, straight: bool = False) -> Bend:
    """How a column of such values enters; one with fewer than two known values does not."""
    known, sign = values[~np.isnan(values)], feature.direction.sign
    codes, counts = np.unique(known, return_counts=True)
    if not feature.nominal:
        codes = _apart(codes)
    if len(codes) < 2:
        return Bend(feature.nominal, np.zeros(0), np.zeros((0, 0)), sign)
    if feature.nominal:
        codes = np.sort(codes[np.argsort(-counts, kind="stable")[:FEW]])
        return Bend(True, codes, np.eye(len(codes)), sign)
    if straight:
        codes = codes[[0, -1]]
    if 2 < len(codes) <= FEW and sign == 0:
        return Bend(False, codes, np.eye(len(codes)), sign)
    few = len(codes) <= PIECES + 1
    knots = codes if few else _apart(np.quantile(known, np.linspace(0, 1, PIECES + 1)))
    width = knots[-1] - knots[0]
    line = (knots - knots[0]) / width / max(float(np.std((known - knots[0]) / width)), 1e-6)
    ramps = np.tri(len(knots), len(knots) - 1, -1) if len(knots) > 2 else np.zeros((len(knots), 0))
    return Bend(False, knots, np.column_stack([line, ramps]), sign)


def fit(features: Sequence[Feature], values: Floats, labels: Floats, weights: Floats) -> Additive:
    """The smooth part learned from these rows; ``labels`` are 0 or 1, ``weights`` average 1."""
    bent = _fit(features, values, labels, weights, straight=False)
    even = _fit(features, values, labels, weights, straight=True)
    both = zip(bent.shapes, even.shapes, strict=True)
    return Additive((bent.intercept + even.intercept) / 2, tuple(total(pair).times(0.5) for pair in both))


def _fit(features: Sequence[Feature], values: Floats, labels: Floats, weights: Floats, *, straight: bool) -> Additive:
    bends = [bend(feature, values[:, column], straight=straight) for column, feature in enumerate(features)]
    used = [column for column, one in enumerate(bends) if len(one.knots)]
    found = [flat(feature.nominal) for feature in features]
    intercept = base_rate(labels, weights)
    if used:
        hats, moves = _design([bends[column] for column in used], values[:, used], weights)
        signs = [bends[column].sign for column in used]
        loss = (STRAIGHT if straight else BENT) * weights
        intercept, parameters = _minimum(hats, moves, signs, labels, loss)
        for column, own in zip(used, parameters, strict=True):
            found[column], _ = centred(bends[column].shape(own), values[:, column], weights)
    return Additive(intercept, tuple(found))


def _apart(knots: Floats) -> Floats:
    """Ascending, without those too close to the one before."""
    knots = np.unique(knots)
    if not len(knots):
        return knots
    far = np.diff(knots, prepend=-np.inf) > max(CLOSE * (knots[-1] - knots[0]), TINY)
    return np.asarray(knots[far])


def _design(bends: Sequence[Bend], values: Floats, weights: Floats) -> tuple[sparse.csr_array, list[Floats]]:
    """The hats of all columns side by side and per column heights per parameter, centred where known."""
    hats = [one.hats(values[:, column]) for column, one in enumerate(bends)]
    moves = []
    for one, hat in zip(bends, hats, strict=True):
        at_knots = hat.T @ weights
        middle = np.sum(at_knots[:-1, None] * one.moves, axis=0) / at_knots[-1]
        moves.append(np.vstack([one.moves, -middle]))
    return sparse.hstack(hats, format="csr"), moves


def _minimum(
    hats: sparse.csr_array, moves: Sequence[Floats], signs: Sequence[int], labels: Floats, weights: Floats
) -> tuple[float, list[Floats]]:
    """The intercept and each column's parameters at the least penalised loss."""
    spread = sparse.block_diag(moves, format="csr")
    back, gather = spread.T.tocsr(), hats.T.tocsr()
    sizes = [one.shape[1] for one in moves]
    limits = {0: (None, None), 1: (0.0, None), -1: (None, 0.0)}
    bounds = [(None, None), *(limits[sign] for sign, size in zip(signs, sizes, strict=True) for _ in range(size))]

    def loss(parameters: Floats) -> tuple[float, Floats]:
        log_odds = hats @ (spread @ parameters[1:]) + parameters[0]
        each = np.logaddexp(0.0, log_odds) - labels * log_odds
        pull = weights * (expit(log_odds) - labels)
        slope = back @ (gather @ pull) + parameters[1:]
        height = np.sum(weights * each) + 0.5 * np.sum(parameters[1:] ** 2)
        return float(height), np.concatenate([[np.sum(pull)], slope])

    start = np.concatenate([[base_rate(labels, weights)], np.zeros(sum(sizes))])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500}).x
    return float(found[0]), np.split(found[1:], np.cumsum(sizes)[:-1])
