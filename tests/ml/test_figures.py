"""The figures of one order: intervals over people, weights, repetitions, lead time, and calm where nothing is known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.figures import evaluate
from ml.intervals import Estimate, Floats, estimate, resamples, wilson
from tests.ml.test_measures import world

POINTS = ("prevalence", "auc", "ap", "brier", "slope", "intercept", "in_the_large")


def points(labels: Floats, odds: Floats, **more: object) -> list[float | None]:
    held = evaluate(labels, odds, draws=0, **more)  # type: ignore[arg-type]
    lists = [value for one in held.at_capacity for value in (one.recall.value, one.precision.value)]
    bins = [value for one in held.calibration for value in (one.predicted, one.observed.value)]
    return [getattr(held, name).value for name in POINTS] + lists + bins + [one.model.value for one in held.net_benefit]


@given(st.integers(0, 10_000))
def test_weights_of_one_change_nothing_and_twice_the_rows_give_the_same_figures(seed: int) -> None:
    labels, odds, _weights = world(seed, rows=60)

    plain = points(labels, odds)

    assert points(labels, odds, weights=np.ones(60)) == plain
    assert points(np.tile(labels, 2), np.tile(odds, 2)) == pytest.approx(plain, nan_ok=True)
    assert points(labels, odds, weights=np.full(60, 7.0)) == pytest.approx(plain, nan_ok=True)
    assert points(labels, np.tile(odds, (3, 1))) == pytest.approx(plain, nan_ok=True)


@given(st.integers(0, 10_000))
def test_a_whole_weight_is_as_many_rows(seed: int) -> None:
    labels, odds, weights = world(seed, rows=60)
    times = weights.astype(int)

    assert points(labels, odds, weights=weights) == pytest.approx(
        points(np.repeat(labels, times), np.repeat(odds, times)), nan_ok=True
    )


def test_the_same_seed_gives_the_same_interval_and_another_a_near_one() -> None:
    labels, odds, _weights = world(3)

    one, again, other = (evaluate(labels, odds, seed=seed) for seed in (5, 5, 6))

    assert one == again
    assert one.auc != other.auc
    assert one.auc.low == pytest.approx(other.auc.low, abs=0.03)
    assert one.auc.low is not None
    assert one.auc.high is not None
    assert one.auc.low < (one.auc.value or 0) < one.auc.high


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    covered = []
    for seed in range(60):
        labels, odds, _weights = world(seed, rows=250, steps=400)
        held = evaluate(labels, odds, draws=100, seed=seed, capacity=(), thresholds=())
        covered.append((held.auc.covers(0.704), held.slope.covers(0.8)))

    assert 0.88 <= np.mean([one for one, _ in covered]) <= 1
    assert 0.88 <= np.mean([other for _, other in covered]) <= 1


def test_rows_of_one_person_are_one_witness() -> None:
    labels, odds, _weights = world(4, rows=80)
    people = np.tile(np.arange(80), 4)

    alone = evaluate(np.tile(labels, 4), np.tile(odds, 4))
    together = evaluate(np.tile(labels, 4), np.tile(odds, 4), people=people)

    assert together.people == 80
    assert width(together.auc) > 1.6 * width(alone.auc)


def width(held: Estimate) -> float:
    return (held.high or 0) - (held.low or 0)


def test_people_are_drawn_whole_and_inside_their_stratum() -> None:
    people = np.array(["a", "a", "b", "c", "d", "d"])
    strata = np.array([1, 1, 1, 0, 0, 0])

    for count in resamples(6, draws=50, seed=1, people=people, strata=strata):
        assert count[0] == count[1]
        assert count[4] == count[5]
        assert count[0] + count[2] == 2
        assert count[3] + count[4] == 2


def test_who_was_not_scored_or_has_no_label_is_counted_and_takes_no_part() -> None:
    labels, odds, _weights = world(5, rows=100)
    more_labels = np.r_[labels, [1.0, np.nan, np.nan]]
    more_odds = np.r_[odds, [np.nan, 1.0, np.nan]]

    held = evaluate(more_labels, more_odds)

    assert (held.rows, held.abstained, held.unlabelled) == (100, 2, 1)
    assert held.auc == evaluate(labels, odds).auc


@pytest.mark.parametrize(
    ("labels", "odds"),
    [([], []), ([0, 0, 0], [1, 2, 3]), ([1, 1], [0, 0]), ([np.nan], [1.0]), ([1], [np.nan]), ([0, 1], [0, 5])],
    ids=["empty", "no event", "only events", "no label", "abstained", "parted"],
)
def test_too_little_gives_unknown_figures_and_no_warning(labels: list[float], odds: list[float]) -> None:
    held = evaluate(np.array(labels, float), np.array(odds, float), event_days=np.full(len(labels), 3.0))

    assert held.slope.value is None
    assert json.loads(json.dumps(held.as_json()))["slope"] == {"value": None, "low": None, "high": None}


def test_days_of_warning_are_of_the_events_on_the_list() -> None:
    labels = np.r_[np.ones(10), np.zeros(90)]
    odds = np.linspace(3, -3, 100)
    days = np.r_[np.arange(10, 110, 10), np.full(90, np.nan)]

    held = evaluate(labels, odds, event_days=days, capacity=(0.04, 0.08))

    assert held.lead is not None
    assert (held.lead.capacity, held.lead.rows, held.lead.median.value) == (0.08, 8, 45)
    assert held.lead.quartiles == (25, 65)


def test_a_list_may_be_a_number_of_talks() -> None:
    labels, odds, _weights = world(6, rows=200, steps=400)

    held = evaluate(labels, odds, capacity=(0.1, 20))

    assert held.at(20).recall == held.at(0.1).recall
    assert held.at(20).talks == pytest.approx(20)


def test_the_calibration_table_holds_everybody_once_with_equals_together() -> None:
    labels, odds, _weights = world(7, rows=300, steps=4)

    bins = evaluate(labels, odds, draws=0).calibration

    assert sum(one.rows for one in bins) == 300
    assert len({one.predicted for one in bins}) == len(bins)
    assert all((one.observed.low or 0) <= (one.observed.value or 0) <= (one.observed.high or 0) for one in bins)


def test_another_order_than_the_log_odds_may_rank() -> None:
    labels, odds, _weights = world(8)

    held = evaluate(labels, np.zeros_like(odds), ranks=odds)

    assert held.auc == evaluate(labels, odds).auc
    assert held.slope.value is None


def test_what_is_no_label_or_no_weight_is_refused() -> None:
    odds = np.zeros(3)
    for labels, weights in (([0, 1, 2], [1, 1, 1]), ([0, 1, 1], [1, -1, 1]), ([0, 1, 1], [1, np.nan, 1])):
        with pytest.raises(ValueError, match=r"labels are|weights are"):
            evaluate(np.array(labels), odds, weights=np.array(weights, float))
    with pytest.raises(ValueError, match="different rows"):
        evaluate(np.zeros(2), odds)


def test_an_interval_is_not_given_where_most_draws_know_nothing() -> None:
    drawn = np.r_[np.full(60, np.nan), np.ones(40)]

    assert estimate(1.0, drawn) == Estimate(1.0)
    assert estimate(np.nan, np.ones(100)) == Estimate(None)


def test_wilson_is_open_at_the_ends() -> None:
    assert wilson(0.0, 20).high == pytest.approx(0.1611, abs=1e-3)
    assert wilson(1.0, 20).low == pytest.approx(0.8389, abs=1e-3)
    assert wilson(0.5, 0) == Estimate(None)
