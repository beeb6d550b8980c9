"""Drift is told when there is one, and as rarely as stated when there is none; all features together."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from ml import drift
from tests.ml.tables import college, made


def test_without_drift_anything_is_told_as_rarely_as_stated() -> None:
    alarms = []
    for seed in range(100):
        before, _ = college(150, 2 * seed)
        after, _ = college(150, 2 * seed + 1)
        found = drift.between(before, after, draws=99, seed=seed)
        alarms.append(len(found.findings) > 0)

    assert np.mean(alarms) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 100)


def test_the_rate_is_used_up_where_small_shifts_count() -> None:
    """Not a test that never rings: without the least distance it rings about as often as stated."""
    alarms = []
    for seed in range(100):
        before, _ = college(150, 5000 + 2 * seed)
        after, _ = college(150, 5000 + 2 * seed + 1)
        alarms.append(bool(drift.population(before, after, draws=99, seed=seed, rate=0.2, least=0).findings))

    assert 0.1 <= np.mean(alarms) <= 0.32


def test_the_same_people_a_year_later_are_not_news() -> None:
    before, _ = college(400, 1)
    after = made(
        {key: before.column(key) for key in before.keys},
        rising=("score", "second"),
        nominal=("code",),
        day=365,
        people=before.people,
    )

    assert drift.between(before, after, draws=99).findings == ()


def test_a_shift_is_told_in_words_with_its_feature() -> None:
    before, _ = college(800, 1)
    after, _ = college(800, 2, shift=3)

    found = drift.population(before, after)

    assert {one.key for one in found.findings} == {"score", "second"}
    words = found.words
    assert "“score 的意思”的分布与以前不同（中位数由 8 变为 11）" in words[0]
    assert "约为 5%" in words[-1]


def test_codes_without_an_order_drift_too() -> None:
    rng = np.random.default_rng(1)
    before = made({"code": rng.integers(0, 4, 500).astype(float)}, nominal=("code",))
    after = made({"code": rng.choice(4, 500, p=[0.5, 0.2, 0.2, 0.1]).astype(float)}, nominal=("code",))

    (found,) = drift.population(before, after).findings

    assert found.before is None
    assert "分布与以前不同，请检查" in found.words


def test_values_that_stop_coming_are_told() -> None:
    before, _ = college(500, 1)
    later, _ = college(500, 2)
    gone = np.where(np.arange(500) < 200, np.nan, later.column("second"))
    after = made(
        {key: gone if key == "second" else later.column(key) for key in later.keys},
        rising=("score", "second"),
        nominal=("code",),
    )

    found = drift.missing(before, after)

    assert [one.key for one in found.findings] == ["second"]
    assert "缺失的比例由 0% 变为 40%" in found.words[0]


def test_expected_and_observed_are_compared_at_the_stated_rate() -> None:
    alarms, seen = [], []
    for seed in range(400):
        rng = np.random.default_rng(seed)
        odds = rng.normal(size=150) - 1.5
        labels = (rng.random(150) < expit(odds)).astype(float)
        more = (rng.random(150) < expit(odds + 1)).astype(float)
        alarms.append(bool(drift.calibration(labels, odds).findings))
        seen.append(bool(drift.calibration(more, odds).findings))

    assert 0.02 <= np.mean(alarms) <= 0.09
    assert np.mean(seen) > 0.9


def test_a_calibration_finding_says_which_way_and_how_far() -> None:
    odds = np.full(400, -2.0)
    labels = np.r_[np.ones(120), np.zeros(280)]

    (found,) = drift.calibration(labels, odds).findings

    assert (found.before, found.after) == (pytest.approx(400 * expit(-2)), 120)
    assert "比提示预期的多（实际与预期之比 2.52" in found.words


def test_the_audit_share_is_weighed_in() -> None:
    rng = np.random.default_rng(3)
    flagged = np.arange(6000) < 1000
    labels = (rng.random(6000) < np.where(flagged, 0.4, 0.05)).astype(float)
    seen = flagged | (rng.random(6000) < 0.1)
    odds = np.full(6000, np.log(labels.mean() / (1 - labels.mean())))
    weights = np.where(flagged, 1.0, 10.0)

    assert drift.calibration(labels[seen], odds[seen]).findings != ()
    assert drift.calibration(labels[seen], odds[seen], weights=weights[seen]).findings == ()


def test_too_few_people_tell_nothing_and_say_so() -> None:
    small, _ = college(20, 1)
    big, labels = college(100, 2)

    assert drift.population(small, big).words == ["有一轮不足 30 人，尚不能比较。"]
    assert "尚不能判断" in drift.calibration(labels[:10], np.zeros(10)).words[0]
    assert drift.calibration(np.zeros(0), np.zeros(0)).findings == ()


def test_everything_at_once_keeps_one_rate() -> None:
    before, _ = college(300, 1)
    after, labels = college(300, 2)

    found = drift.between(before, after, labels=labels, log_odds=np.full(300, 2.0), rate=0.04, draws=99)

    assert found.false_alarm_rate == 0.04
    assert {one.kind for one in found.checks} == {"population", "missing", "calibration"}
    assert [one.kind for one in found.findings] == ["calibration"]
    assert found.as_json()["words"][0].startswith("实际需要关注的人数比提示预期的少")


def test_rounds_of_different_features_are_not_compared() -> None:
    before, _ = college(100, 1)
    with pytest.raises(ValueError, match="different features"):
        drift.population(before, before.without(["noise"]))


def test_constant_empty_and_new_columns_are_borne() -> None:
    nan = np.full(60, np.nan)
    before = made({"empty": nan, "constant": np.ones(60), "late": nan})
    after = made(
        {"empty": nan, "constant": np.ones(60), "late": np.arange(60.0)}, people=np.arange(60, 120).astype(str)
    )

    found = drift.between(before, after)

    assert [(one.kind, one.key) for one in found.findings] == [("missing", "late")]
