"""Calibration finds how far to trust a ranking, and never turns it round."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from ml.calibrate import base_rate, calibrate

CHANCE = np.random.default_rng(5)
SAID = CHANCE.normal(-1, 1.5, 4000)
LABELS = (CHANCE.random(4000) < 1 / (1 + np.exp(-(0.6 * SAID + 0.4)))).astype(float)
ONES = np.ones(4000)


def test_it_finds_slope_and_intercept_as_logistic_regression_does() -> None:
    found = calibrate(SAID, LABELS, ONES)

    theirs = LogisticRegression(C=1e9, tol=1e-10).fit(SAID[:, None], LABELS)
    assert found.slope == pytest.approx(theirs.coef_[0, 0], abs=1e-4)
    assert found.intercept == pytest.approx(theirs.intercept_[0], abs=1e-4)
    assert np.array_equal(found(SAID), found.slope * SAID + found.intercept)


def test_a_weight_of_two_is_two_rows() -> None:
    twice = calibrate(np.tile(SAID[:500], 2), np.tile(LABELS[:500], 2), np.ones(1000))
    heavy = calibrate(SAID[:500], LABELS[:500], np.full(500, 2.0))

    assert heavy.slope == pytest.approx(twice.slope, rel=1e-9)
    assert heavy.intercept == pytest.approx(twice.intercept, rel=1e-9)


def test_a_ranking_that_points_the_wrong_way_is_set_aside_not_turned() -> None:
    found = calibrate(-SAID, LABELS, ONES)

    assert found.slope == 0
    assert found.intercept == base_rate(LABELS, ONES)


def test_doubt_pulls_the_slope_toward_nothing() -> None:
    slopes = [calibrate(SAID, LABELS, ONES, doubt=doubt).slope for doubt in (0, 400, 4000, 1e9)]

    assert slopes == sorted(slopes, reverse=True)
    assert slopes[-1] == pytest.approx(0, abs=1e-3)


def test_doubt_weighs_as_much_where_the_outcome_is_rare() -> None:
    """A tenth as many rows again that showed nothing must not halve the slope of an outcome of one in seventy."""
    chance = np.random.default_rng(8)
    kept = {}
    for middle in (0.0, -4.6):
        said = chance.normal(size=40_000)
        labels = (chance.random(40_000) < 1 / (1 + np.exp(-(said + middle)))).astype(float)
        doubted, sure = (calibrate(said, labels, np.ones(40_000), doubt=doubt).slope for doubt in (4000, 0))
        kept[middle] = doubted / sure

    assert 0.85 < kept[-4.6] < 0.98
    assert kept[-4.6] == pytest.approx(kept[0.0], abs=0.06)


@given(st.lists(st.tuples(st.floats(-50, 50), st.booleans()), min_size=2, max_size=40))
def test_it_ends_with_finite_numbers_whatever_it_is_given(rows: list[tuple[float, bool]]) -> None:
    """Separated classes, one class only, all the same: never an error, a warning or a nan."""
    found = calibrate(
        np.array([said for said, _ in rows]), np.array([float(yes) for _, yes in rows]), np.ones(len(rows))
    )

    assert np.isfinite([found.slope, found.intercept]).all()
    assert found.slope >= 0
