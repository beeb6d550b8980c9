"""Platt's two numbers: how far to trust a ranking, and where its middle lies.

``log_odds = slope * said + intercept`` by weighted maximum likelihood on rows that were held out when ``said`` was
learned. The slope is never below 0: a ranking that pointed the wrong way is set aside (slope 0, everybody at the base
rate), not turned round, for turning it would turn every declared direction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ml.shape import Floats

ROUNDS = 100


@dataclass(frozen=True)
class Calibration:
    """The line from what was said to calibrated log-odds."""

    slope: float
    intercept: float

    def __call__(self, said: Floats) -> Floats:
        return self.slope * said + self.intercept


def base_rate(labels: Floats, weights: Floats) -> float:
    """The weighted share of positives as log-odds."""
    rate = float(np.clip(np.sum(labels * weights) / np.sum(weights), 1e-6, 1 - 1e-6))
    return float(np.log(rate / (1 - rate)))


def calibrate(said: Floats, labels: Floats, weights: Floats, *, doubt: float = 0.0) -> Calibration:
    """Fit the two numbers by damped Newton steps.

    ``doubt`` pulls the slope toward 0 as if that many rows at the base rate had shown nothing at one standard deviation
    (of a rare outcome a row says little, and so does a row that showed nothing).
    """
    middle = float(np.sum(said * weights) / np.sum(weights))
    spread = float(np.sqrt(np.sum(weights * (said - middle) ** 2) / np.sum(weights)))
    base = base_rate(labels, weights)
    if spread < 1e-9:
        return Calibration(0.0, base)
    rate = float(expit(base))
    ridge = doubt * rate * (1 - rate) + 1e-3
    slope, intercept = _newton((said - middle) / spread, labels, weights, base, ridge)
    if slope <= 0:
        return Calibration(0.0, base)
    return Calibration(slope / spread, intercept - slope * middle / spread)


def _newton(said: Floats, labels: Floats, weights: Floats, base: float, ridge: float) -> tuple[float, float]:
    slope, intercept = 0.0, base

    def loss(slope: float, intercept: float) -> float:
        odds = slope * said + intercept
        return float(np.sum(weights * (np.logaddexp(0.0, odds) - labels * odds)) + ridge * slope**2 / 2)

    here = loss(slope, intercept)
    for _ in range(ROUNDS):
        chance = expit(slope * said + intercept)
        pull = weights * (chance - labels)
        heavy = weights * chance * (1 - chance)
        down = np.array([np.sum(pull * said) + ridge * slope, np.sum(pull)])
        bend = np.array([np.sum(heavy * said**2) + ridge, np.sum(heavy * said), np.sum(heavy) + 1e-9])
        solved = np.array([bend[2] * down[0] - bend[1] * down[1], bend[0] * down[1] - bend[1] * down[0]])
        move = solved / (bend[0] * bend[2] - bend[1] ** 2)
        stride = 1.0
        while (there := loss(slope - stride * move[0], intercept - stride * move[1])) > here and stride > 1e-6:
            stride /= 2
        slope, intercept = slope - stride * move[0], intercept - stride * move[1]
        if here - there < 1e-12 * abs(here):
            break
        here = there
    return float(slope), float(intercept)
