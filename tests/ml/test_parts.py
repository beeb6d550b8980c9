"""Each part alone: the curves read off are the part, and odd columns do it no harm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from ml import boosted, ramps
from ml.features import Direction, Feature
from tests.ml.made import FEATURES, college

TABLE, LABELS = college(900, seed=3)
YES = LABELS.astype(float)
ONES = np.ones(900)
NAN = np.nan
ODD = {
    "constant": [1.0] * 6,
    "empty": [NAN] * 6,
    "one_known": [NAN, NAN, 2.0, NAN, NAN, NAN],
    "one_value_with_gaps": [5.0, NAN, 5.0, NAN, 5.0, 5.0],
    "tiny_beside_zero": [0.0, 5.4e-79, 1.0, 0.0, 2.0, 5.4e-79],
    "huge": [1e300, -1e300, 0.0, 1.0, 2.0, 1e250],
    "denormal": [5e-324, 0.0, 5e-324, 0.0, 0.0, 5e-324],
    "two": [0.0, 1.0, 1.0, 0.0, NAN, 1.0],
    "spread": [0.5, 3.1, 2.2, 9.9, 4.4, 7.5],
}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def test_the_curves_read_off_are_the_trees() -> None:
    trees = boosted.Trees(FEATURES, TABLE.values, YES, ONES)
    trees.grow(120)

    read = trees.read(0, 120)

    theirs = trees.estimator.decision_function(trees.inputs(TABLE.values))
    assert np.abs(read.log_odds(TABLE.values) - theirs).max() < 1e-9
    halves = [trees.read(start, start + 60).log_odds(TABLE.values) for start in (0, 60)]
    assert np.allclose(np.sum(halves, axis=0), theirs, rtol=0, atol=1e-9)


def test_what_the_trees_learned_of_missing_values_is_not_read() -> None:
    values = TABLE.values.copy()
    values[(LABELS == 1) & (np.arange(900) % 2 == 0), 0] = NAN  # only the positive lack a value: a hidden verdict
    trees = boosted.Trees(FEATURES, values, YES, ONES)
    trees.grow(60)

    lacking = np.isnan(values[:, 0])
    theirs = trees.estimator.decision_function(trees.inputs(values))
    mine = trees.read(0, 60).shapes[0](values[:, 0])

    assert theirs[lacking].mean() > theirs[~lacking].mean() + 1
    assert (mine[lacking] == 0).all()


def test_on_two_valued_columns_the_ramps_are_the_mean_of_two_ridge_regressions_on_standardised_columns() -> None:
    chance = np.random.default_rng(1)
    values = (chance.random((600, 3)) < [0.2, 0.5, 0.7]).astype(float)
    labels = (chance.random(600) < 0.2 + 0.4 * values[:, 0] + 0.2 * values[:, 1]).astype(float)
    features = [Feature(key=str(place), meaning="") for place in range(3)]

    mine = ramps.fit(features, values, labels, np.ones(600)).log_odds(values)

    standard = (values - values.mean(axis=0)) / values.std(axis=0)
    theirs = np.mean(
        [
            LogisticRegression(C=stiffness, tol=1e-10).fit(standard, labels).decision_function(standard)
            for stiffness in (ramps.BENT, ramps.STRAIGHT)
        ],
        axis=0,
    )
    assert np.abs(mine - theirs).max() < 1e-3


@pytest.mark.parametrize("direction", [Direction.INCREASING, Direction.DECREASING])
def test_a_direction_against_the_data_comes_out_flat(direction: Direction) -> None:
    chance = np.random.default_rng(2)
    values = chance.normal(size=(500, 1))
    labels = (chance.random(500) < 1 / (1 + np.exp(direction.sign * 2 * values[:, 0]))).astype(float)
    feature = Feature(key="x", meaning="", direction=direction)

    shape = ramps.fit([feature], values, labels, np.ones(500)).shapes[0]

    assert np.abs(shape(values[:, 0])).max() < 1e-9


@pytest.mark.parametrize("nominal", [False, True])
def test_odd_columns_do_no_harm(nominal: bool) -> None:
    chance = np.random.default_rng(4)
    values = np.column_stack([np.array(own)[chance.integers(0, 6, 400)] for own in ODD.values()])
    labels = (chance.random(400) < 0.3).astype(float)
    features = [Feature(key=key, meaning="", nominal=nominal) for key in ODD]
    trees = boosted.Trees(features, values, labels, np.ones(400))
    trees.grow(40)

    for part in (ramps.fit(features, values, labels, np.ones(400)), trees.read(0, 40)):
        assert np.isfinite(part.log_odds(values)).all()
        assert all(part.shapes[list(ODD).index(key)].is_flat for key in ("constant", "empty", "one_value_with_gaps"))


def test_without_a_usable_column_everybody_is_at_the_base_rate() -> None:
    values = np.full((100, 1), 7.0)
    labels = (np.arange(100) < 20).astype(float)
    feature = [Feature(key="x", meaning="")]
    trees = boosted.Trees(feature, values, labels, np.ones(100))
    trees.grow(20)

    for part in (ramps.fit(feature, values, labels, np.ones(100)), trees.read(0, 20)):
        assert part.log_odds(values) == pytest.approx(np.full(100, np.log(0.25)))


def test_codes_without_an_order_get_a_value_each_and_rare_or_new_ones_none() -> None:
    chance = np.random.default_rng(6)
    codes = np.concatenate([chance.integers(0, 5, 500), np.arange(100, 160)]).astype(float)[:, None]
    labels = (chance.random(560) < np.where(codes[:, 0] == 3, 0.8, 0.2)).astype(float)
    feature = [replace(FEATURES[5], key="home")]
    trees = boosted.Trees(feature, codes, labels, np.ones(560))
    trees.grow(40)

    for part in (ramps.fit(feature, codes, labels, np.ones(560)), trees.read(0, 40)):
        effect = part.shapes[0](np.array([0.0, 1.0, 2.0, 3.0, 4.0, 77.0]))
        assert effect.argmax() == 3
        assert effect[5] == 0
    assert len(ramps.bend(feature[0], codes[:, 0]).knots) == ramps.FEW
    assert trees.lines[0].codes.tolist() == [0, 1, 2, 3, 4]  # an order of codes seen once would be the order of chance


def test_columns_of_many_values_are_laid_in_bins_and_read_back_exactly_with_weights_too() -> None:
    """Bins are laid by rows, not by weights, and read back in the column's own values."""
    chance = np.random.default_rng(8)
    values = chance.normal(size=(3000, 2))
    labels = (chance.random(3000) < 1 / (1 + np.exp(-2 * values[:, 0]))).astype(float)
    features = [Feature(key=key, meaning="", direction=Direction.INCREASING) for key in "ab"]
    trees = boosted.Trees(features, values, labels, np.where(chance.random(3000) < 0.5, 0.5, 1.5))
    trees.grow(60)

    read = trees.read(0, 60)

    laid = trees.inputs(values)
    assert [len(np.unique(laid[:, column])) for column in (0, 1)] == [254, 254]
    assert np.abs(read.log_odds(values) - trees.estimator.decision_function(laid)).max() < 1e-9
    assert values.min() < read.shapes[0].breaks.min() < read.shapes[0].breaks.max() < values.max()
