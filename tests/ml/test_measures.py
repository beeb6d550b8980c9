"""Measures agree with scikit-learn and with sums by hand, and keep still under what must not matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from ml import measures
from ml.intervals import Floats
from ml.measures import Ranked


def ranked(labels: list[float] | Floats, odds: list[float] | Floats) -> Ranked:
    return Ranked(np.asarray(labels, float), np.asarray(odds, float), np.asarray(odds, float))


def world(seed: int, rows: int = 300, steps: int = 12) -> tuple[Floats, Floats, Floats]:
    """Labels, log-odds with many equals, and weights."""
    rng = np.random.default_rng(seed)
    odds = np.round(rng.normal(size=rows) * steps / 4) * 4 / steps
    labels = (rng.random(rows) < expit(0.8 * odds - 1)).astype(float)
    return labels, odds, rng.integers(1, 5, rows).astype(float)


@pytest.mark.parametrize("seed", range(8))
def test_order_and_probability_are_measured_as_scikit_learn_does(seed: int) -> None:
    labels, odds, weights = world(seed)
    held = ranked(labels, odds)

    for w in (np.ones_like(weights), weights):
        assert measures.auc(held, w) == pytest.approx(roc_auc_score(labels, odds, sample_weight=w), abs=1e-12)
        ap = average_precision_score(labels, odds, sample_weight=w)
        assert measures.average_precision(held, w) == pytest.approx(ap, abs=1e-12)
        assert measures.brier(held, w) == pytest.approx(brier_score_loss(labels, expit(odds), sample_weight=w))


@pytest.mark.parametrize("seed", range(4))
def test_slope_and_intercept_are_those_of_an_independent_fit(seed: int) -> None:
    labels, odds, weights = world(seed)
    odds = odds * (1, 0.3, 20, 1)[seed] + (0, 4, 100, -8)[seed]
    held = ranked(labels, odds)

    def loss(at: Floats) -> float:
        z = at[0] + at[1] * odds
        return float((weights * (np.logaddexp(0, z) - labels * z)).sum())

    slope, intercept = measures.calibration_line(held, weights)
    close = {"xatol": 1e-10, "fatol": 1e-12, "maxiter": 8000, "maxfev": 8000}
    fit = minimize(loss, [intercept + 0.3, slope * 1.1], method="Nelder-Mead", options=close).x

    assert (intercept, slope) == pytest.approx(tuple(fit), abs=1e-4)
    shift = measures.in_the_large(held, weights)
    assert (weights * expit(odds + shift)).sum() == pytest.approx((weights * labels).sum())


def test_a_top_list_among_equals_counts_the_part_that_fits() -> None:
    held = ranked([1, 0, 1, 0, 1], [3, 2, 2, 2, 1])
    ones = np.ones(5)

    two = measures.taken(held, ones, 2)

    assert two == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3, 0])
    assert measures.recall(held, ones, two) == pytest.approx((1 + 1 / 3) / 3)
    assert measures.precision(held, ones, two) == pytest.approx((1 + 1 / 3) / 2)
    assert measures.taken(held, ones, 0.4) == pytest.approx(two)
    assert measures.taken(held, ones, 99) == pytest.approx(ones)


def test_a_weighted_row_takes_the_room_of_those_it_stands_for() -> None:
    held = ranked([1, 0, 1], [3, 2, 1])

    assert measures.taken(held, np.array([1.0, 50.0, 50.0]), 26) == pytest.approx([1, 0.5, 0])


def test_net_benefit_is_the_sum_by_hand() -> None:
    held = ranked([1, 0, 1, 0], [2.0, 2.0, -3.0, -3.0])
    ones = np.ones(4)

    assert measures.net_benefit(held, ones, 0.2) == pytest.approx((1 - 1 * 0.25) / 4)
    assert measures.net_benefit_of_all(held, ones, 0.2) == pytest.approx(0.5 - 0.5 * 0.25)
    assert measures.net_benefit(held, ones, 0.99) == 0
    assert measures.net_benefit(held, ones, 0.01) == pytest.approx(measures.net_benefit_of_all(held, ones, 0.01))


def test_what_the_rows_do_not_determine_is_not_known() -> None:
    ones = np.ones(4)
    alone = ranked([0, 0, 0, 0], [1, 2, 3, 4])
    parted = ranked([0, 0, 1, 1], [1, 2, 3, 4])
    level = ranked([0, 1, 0, 1], [1, 1, 1, 1])
    empty = ranked([], [])

    assert np.isnan(measures.auc(alone, ones))
    assert np.isnan(measures.average_precision(alone, ones))
    assert np.isnan(measures.calibration_line(alone, ones)).all()
    assert np.isnan(measures.in_the_large(alone, ones))
    assert np.isnan(measures.calibration_line(parted, ones)).all()
    assert np.isnan(measures.calibration_line(level, ones)).all()
    assert measures.auc(level, ones) == 0.5
    assert np.isnan(measures.auc(empty, np.zeros(0)))
    assert np.isnan(measures.brier(empty, np.zeros(0)))
    assert measures.taken(empty, np.zeros(0), 0.1).size == 0


def test_quantiles_follow_the_weights() -> None:
    values = np.array([5.0, 1.0, 3.0])

    assert measures.quantiles(values, np.ones(3), (0.25, 0.5, 0.75)) == (1, 3, 5)
    assert measures.quantiles(values, np.array([1.0, 1.0, 0.0]), (0.5,)) == (3.0,)
    assert measures.quantiles(values, np.array([1.0, 9.0, 1.0]), (0.5,)) == (1.0,)
    assert np.isnan(measures.quantiles(values, np.zeros(3), (0.5,))).all()


@given(st.integers(0, 10_000))
def test_order_is_all_that_counts_for_the_order(seed: int) -> None:
    labels, odds, weights = world(seed, rows=40)
    held, bent = ranked(labels, odds), ranked(labels, np.arctan(odds) * 3 - 7)

    assert measures.auc(held, weights) == pytest.approx(measures.auc(bent, weights), nan_ok=True)
    assert measures.average_precision(held, weights) == pytest.approx(
        measures.average_precision(bent, weights), nan_ok=True
    )
    assert measures.taken(held, weights, 0.1) == pytest.approx(measures.taken(bent, weights, 0.1))


@given(st.integers(0, 10_000))
def test_the_order_of_the_file_counts_for_nothing(seed: int) -> None:
    labels, odds, weights = world(seed, rows=40)
    mixed = np.random.default_rng(seed).permutation(40)
    one, other = ranked(labels, odds), ranked(labels[mixed], odds[mixed])

    assert measures.taken(one, weights, 0.2)[mixed] == pytest.approx(measures.taken(other, weights[mixed], 0.2))
    assert measures.auc(one, weights) == pytest.approx(measures.auc(other, weights[mixed]), nan_ok=True)


@given(st.integers(0, 10_000))
def test_an_order_and_its_reverse_share_the_whole(seed: int) -> None:
    labels, odds, weights = world(seed, rows=40)
    there, back = ranked(labels, odds), ranked(labels, -odds)

    if 0 < labels.sum() < 40:
        assert measures.auc(there, weights) + measures.auc(back, weights) == pytest.approx(1)
