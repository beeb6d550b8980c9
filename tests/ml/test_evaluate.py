"""A model beside simpler orders on its own folds; shuffled labels, leaks, and splits in time and across groups."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from ml import baselines, card
from ml.baselines import Split
from ml.evaluate import Comparison, Leak, forward, shuffle_between_people, worth
from ml.features import LARGEST, FeatureTable
from ml.forward import across, forward_split, group_splits
from ml.monotone import raised
from ml.train import OutOfFold, TooFew, out_of_fold, out_of_given_folds, train
from tests.ml.tables import DAY, college, made


@cache
def measured() -> tuple[FeatureTable, np.ndarray, OutOfFold]:
    table, labels = college(420, 3)
    return table, labels, out_of_fold(table, labels)


@cache
def compared() -> Comparison:
    table, labels, oof = measured()
    return worth(table, labels, oof, rules=(table.column("score") >= 12).astype(float), draws=60)


def test_every_order_is_measured_on_the_models_own_rows() -> None:
    held = compared()

    assert set(held.baselines) == {"logistic", "mono_additive", "boosted_default", "single", "rules"}
    assert {one.rows for one in (held.model, *held.baselines.values())} == {420}
    assert held.single == ("score",)
    assert not held.leak_suspected


def test_the_single_score_and_the_rules_order_by_themselves() -> None:
    table, labels, _oof = measured()
    held = compared()

    score = table.column("score")
    assert held.baselines["single"].auc.value == pytest.approx(roc_auc_score(labels, score))
    assert held.baselines["rules"].auc.value == pytest.approx(roc_auc_score(labels, score >= 12))
    assert held.baselines["rules"].slope.value == pytest.approx(1, abs=0.2)


def test_a_difference_is_taken_draw_by_draw() -> None:
    held = compared()

    gap = held.differences["boosted_default"]["auc"]
    assert gap.value == pytest.approx((held.model.auc.value or 0) - (held.baselines["boosted_default"].auc.value or 0))
    assert gap.low is not None
    assert gap.high is not None
    assert gap.high - gap.low < (held.model.auc.high or 0) - (held.model.auc.low or 0)


def test_shuffled_labels_show_nothing() -> None:
    held = compared().shuffled

    assert held is not None
    assert held.shows_nothing
    assert abs((held.auc.value or 0) - 0.5) < 0.12


def test_logistic_regression_is_the_textbook_one() -> None:
    table, labels = college(300, 9)
    split = Split(np.arange(200), np.arange(200, 300))
    ones, y = np.ones(300), labels.astype(float)

    ours = baselines.logistic(table, y, ones, split)

    codes = np.eye(4)[table.column("code").astype(int)]
    x = np.column_stack([table.values[:, :2], codes, table.values[:, 3:]])
    mean, spread = np.nanmean(x[:200], axis=0), np.nanstd(x[:200], axis=0)
    plain = np.nan_to_num((x - mean) / spread)
    model = LogisticRegression(max_iter=5000).fit(plain[:200], y[:200])
    assert ours == pytest.approx(model.decision_function(plain[200:]), abs=1e-6)


def test_the_best_score_is_chosen_without_the_rows_it_is_measured_on() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 60).astype(np.int8)
    noise = {f"n{number}": rng.normal(size=60) for number in range(200)}

    held = baselines.out_of_fold(made(noise), labels, np.arange(60) % 3)["single"]

    assert len(held.chosen) > 1
    assert held.ranks is None
    best = max(roc_auc_score(labels, one) for one in noise.values())
    assert roc_auc_score(labels, held.log_odds[0]) < best - 0.1


def test_a_falling_score_may_stand_alone_too() -> None:
    table, labels = college(300, 4)
    turned = made({"well": -table.column("score")})

    held = baselines.out_of_fold(turned, labels, np.arange(300) % 5)["single"]

    assert held.ranks is not None
    assert roc_auc_score(labels, held.ranks[0]) == pytest.approx(roc_auc_score(labels, table.column("score")))


def test_gaps_constants_and_codes_never_seen_are_borne_by_every_simpler_order() -> None:
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 2, 80).astype(np.int8)
    held = made(
        {"empty": np.full(80, np.nan), "same": np.ones(80), "code": np.arange(80.0), "x": rng.normal(size=80)},
        nominal=("code",),
    )

    found = baselines.out_of_fold(held, labels, np.arange(80) % 4, rules=np.full(80, np.nan))

    assert all(np.isfinite(one.log_odds).all() for one in found.values())


def test_an_answer_among_the_questions_stops_the_procedure() -> None:
    table, labels = college(300, 5)
    leaky = made({"score": table.column("score"), "after": labels + 0.1 * np.random.default_rng(1).normal(size=300)})
    odds = np.where(labels > 0, 3.0, -3.0)[None, :]
    oof = OutOfFold(odds, odds, odds, odds, np.full(odds.shape, ""), np.arange(300)[None, :] % 5)

    with pytest.raises(Leak, match="leak"):
        worth(leaky, labels, oof, draws=5)

    held = worth(leaky, labels, oof, draws=5, stop=False, shuffle=False)
    assert held.leak_suspected
    assert "都不能作数" in card.words(held)[0]
    assert not worth(leaky, labels, oof, draws=5, leak_limit=None, shuffle=False).leak_suspected


def test_labels_are_shuffled_between_people_and_never_inside_one() -> None:
    people = np.array(["a", "a", "b", "b", "c", "c", "d"])
    labels = np.array([0, 1, 0, 0, 1, 1, 1])

    seen = {tuple(shuffle_between_people(people, labels, seed=seed).tolist()) for seed in range(30)}

    assert len(seen) == 6
    for one in seen:
        assert sorted([one[0:2], one[2:4], one[4:6]]) == [(0, 0), (0, 1), (1, 1)]
        assert one[6] == 1


def test_the_last_round_is_measured_by_what_came_before_it() -> None:
    (early, y0), (late, y1) = college(300, 6), college(200, 7, day=200)
    table = made(
        {key: np.r_[early.column(key), late.column(key)] for key in early.keys},
        rising=("score", "second"),
        nominal=("code",),
        day=np.r_[np.zeros(300, int), np.full(200, 200)],
    )

    held = forward(table, np.r_[y0, y1], draws=20)

    assert (held.trained_rows, held.tested_rows) == (300, 200)
    own = train(table.rows(np.arange(300)), y0).score(table.rows(np.arange(300, 500))).log_odds
    assert held.figures.auc.value == pytest.approx(roc_auc_score(y1, own))


def test_a_label_that_was_not_known_yet_teaches_nothing() -> None:
    table, _labels = college(10, 1)
    known_by = table.at + np.where(np.arange(10) < 4, 1, 9) * DAY

    early, late = forward_split(table, since=table.at[0] + 5 * DAY, known_by=known_by)

    assert (early.tolist(), late.tolist()) == ([0, 1, 2, 3], [])
    with pytest.raises(TooFew):
        forward(table, np.zeros(10, np.int8))


def test_strangers_only_leaves_out_who_was_learned_from() -> None:
    table = made({"x": np.arange(4.0)}, people=np.array(["a", "b", "a", "c"]), day=np.array([0, 0, 9, 9]))

    _early, late = forward_split(table, since=table.at[2], strangers=True)

    assert late.tolist() == [3]


def test_a_group_is_measured_by_a_model_that_never_saw_it_or_its_people() -> None:
    people = np.array(["a", "b", "c", "c", "d", "e"])
    groups = np.array(["x", "x", "x", "y", "y", "y"])

    held = {name: (early.tolist(), late.tolist()) for name, early, late in group_splits(people, groups, smallest=3)}

    assert held == {"x": ([4, 5], [0, 1, 2]), "y": ([0, 1], [3, 4, 5])}
    table, labels, _oof = measured()
    halves = np.where(np.arange(420) % 2 == 0, "one", "other")
    assert {name: one.rows for name, one in across(table, labels, halves, draws=5).items()} == {
        "one": 210,
        "other": 210,
    }


def test_folds_dealt_elsewhere_are_kept() -> None:
    table, labels, _oof = measured()
    folds = (np.arange(420) // 140)[None, :]

    held = out_of_given_folds(table, labels, folds)

    model = train(table.rows(np.arange(140, 420)), labels[140:])
    assert held.log_odds[0, :140] == pytest.approx(model.score(table.rows(np.arange(140))).log_odds, nan_ok=True)
    assert np.isfinite(held.trees).all()


def test_raising_a_score_is_tried_on_every_row_and_a_fall_is_seen() -> None:
    table, labels, _oof = measured()
    model = train(table, labels)

    assert [(one.key, one.rows, one.violations) for one in raised(model, table)] == [
        ("score", 420, 0),
        ("second", 420, 0),
    ]

    turned = train(made({"score": -table.column("score"), "second": table.column("second")}), labels)
    held = table.only(["score", "second"])
    assert raised(turned, held)[0].violations == 420
    mixed = made({"score": np.where(np.arange(420) < 9, np.nan, table.column("score"))}, rising=("score",))
    alone = train(made({"score": -table.column("score")}), labels)
    assert raised(alone, mixed)[0].violations == 420


def test_raising_is_tried_up_to_the_largest_number_there_is() -> None:
    _table, labels, _oof = measured()
    far = made({"score": np.where(np.arange(420) % 2 > 0, LARGEST, -LARGEST)}, rising=("score",))

    assert [(one.rows, one.steps, one.violations) for one in raised(train(far, labels), far)] == [(420, 4, 0)]


def test_the_figures_are_told_in_a_few_sentences() -> None:
    told = card.words(compared(), names={"score": "PHQ-9 总分"})

    assert 4 <= len(told) <= 6
    assert "名单前 10% 中找到了需要关注的学生的约" in told[0]
    assert "只看最好的单个分数（PHQ-9 总分）" in told[1]
    assert "按现行规则排序" in told[1]
    assert card.words(compared(), few=100)[0] == "名单前 10% 的人数较少，不说明找到多少。"
