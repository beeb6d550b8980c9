"""One procedure for every table: repeatable, honest about few labels, blind to the rows it is judged on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ml.features import Feature, plain_table
from ml.ranking import rank_by_rules
from ml.store import dump
from ml.train import OutOfFold, Settings, TooFew, out_of_fold, share_of_model, train
from tests.ml.made import KEYS, college, model

SMALL, SMALL_LABELS = college(220, seed=12)
RULES = SMALL.column("phq9") // 5
NAN = float("nan")


def test_the_same_rows_give_the_same_bytes() -> None:
    assert dump(train(*college(900))) == dump(model())


def test_another_seed_deals_other_folds() -> None:
    table, labels = college(300)

    assert dump(train(table, labels)) != dump(train(table, labels, settings=Settings(seed=1)))


def test_it_says_what_it_was_made_of() -> None:
    own = model()

    assert (own.procedure, own.labels, own.weighted, own.trained_until) == (
        "additive-1", 900, False, "2026-03-01T00:00:00.000000",
    )  # fmt: skip
    assert own.positives == college(900)[1].sum()
    assert own.cohorts == {"2024", "2025"}
    assert set(own.versions) == {"numpy", "scipy", "scikit-learn"}
    assert own.importance[KEYS.index("phq9")] == own.importance.max()
    assert own.importance[KEYS.index("constant")] == 0


def test_too_few_outcomes_are_refused_with_the_numbers_it_takes() -> None:
    table, labels = college(300)

    with pytest.raises(TooFew, match=r"90 people with an outcome.*takes 100 people and 20 of either"):
        train(table.rows(slice(90)), labels[:90])
    with pytest.raises(TooFew, match="0 with and 300 without"):
        out_of_fold(table, np.zeros(300, dtype=np.int8))
    one_person = replace(table, people=np.where(labels == 1, "p00000", table.people))
    with pytest.raises(TooFew, match="1 with and"):
        train(one_person, labels)


def test_a_label_is_0_or_1() -> None:
    table, labels = college(300)

    with pytest.raises(ValueError, match="0 or 1"):
        train(table, labels * 2)


def test_between_few_and_enough_it_leans_on_the_rules_by_a_share_that_falls() -> None:
    shares = [share_of_model(people, people // 4, Settings()) for people in (100, 200, 300, 400, 4000)]
    assert shares == [0.25, 0.5, 0.75, 1, 1]
    assert share_of_model(4000, 30, Settings()) == 0.5

    small = train(SMALL, SMALL_LABELS, rules=RULES)

    assert small.needs_rules
    assert small.features[-1].key == "rules_order"
    assert small.parts.rules_share == 1 - share_of_model(220, int(SMALL_LABELS.sum()), Settings())
    scored = small.score(SMALL, rules=RULES)
    assert np.array_equal(small.total(scored.contributions), scored.would_say)
    assert (small.score(SMALL, rules=RULES + 1).would_say >= scored.would_say).all()
    assert (small.score(SMALL, rules=np.full(220, NAN)).contributions[:, -1] == 0).all()
    with pytest.raises(ValueError, match="no column rules_order"):
        small.score(SMALL)


def test_with_enough_labels_the_rules_are_no_longer_asked() -> None:
    table, labels = college(900)

    own = train(table, labels, rules=table.column("phq9"))

    assert not own.needs_rules
    assert np.array_equal(own.score(table, rules=table.column("phq9")).log_odds, model().score(table).log_odds)


def test_few_labels_without_rules_pull_toward_the_base_rate() -> None:
    trusting = Settings(full_labels=200, full_positives=20)

    slopes = [train(SMALL, SMALL_LABELS, settings=own).parts.slope for own in (Settings(), trusting)]

    assert slopes[0] < slopes[1]


def test_rules_alone_rank_most_first_unknown_last_ties_as_they_stand() -> None:
    assert rank_by_rules(np.array([1.0, NAN, 3.0, 1.0, 3.0])).tolist() == [2, 4, 0, 3, 1]


def test_weights_are_respected() -> None:
    """Rows thinned by a known chance and weighted back give the whole table's base rate; unweighted they do not."""
    table, labels = college(4000, seed=5)
    chance = np.where((labels == 1) | (table.column("phq9") > 12), 1.0, 0.25)
    kept = np.random.default_rng(0).random(4000) < chance
    thinned = table.rows(kept)

    naive = train(thinned, labels[kept])
    weighted = train(thinned, labels[kept], weights=1 / chance[kept])

    said = [own.score(table).probability.mean() for own in (naive, weighted)]
    assert weighted.weighted
    assert abs(said[1] - labels.mean()) < 0.02 < said[0] - labels.mean()
    for wrong in (np.zeros(kept.sum()), np.full(kept.sum(), NAN), np.ones(3)):
        with pytest.raises(ValueError, match="weight above 0"):
            train(thinned, labels[kept], weights=wrong)


def judged(found: OutOfFold, labels: np.ndarray) -> float:
    return float(roc_auc_score(labels, found.would_say[0]))


def test_out_of_fold_never_sees_its_own_rows() -> None:
    """A person is repeated six times and their outcome is chance: only a look at their other rows could tell it."""
    chance = np.random.default_rng(3)
    people = np.repeat(np.arange(50).astype(str), 6)
    labels = np.repeat((np.arange(50) < 25).astype(np.int8), 6)
    values = np.repeat(chance.normal(size=(50, 4)), 6, axis=0)
    features = [Feature(key=key, meaning="") for key in "abcd"]
    few = Settings(folds=2, least_labels=10, least_positives=10)

    grouped = out_of_fold(plain_table(features, values, people=people), labels, settings=few, folds=3)
    leaking = out_of_fold(plain_table(features, values), labels, settings=few, folds=3)

    assert judged(leaking, labels) > 0.95
    assert judged(grouped, labels) < 0.65
    for person in range(50):
        assert len(set(grouped.folds[0, person * 6 : person * 6 + 6])) == 1


def test_shuffled_outcomes_show_nothing() -> None:
    table, labels = college(600, seed=8)

    found = out_of_fold(table, np.random.default_rng(1).permutation(labels))

    assert abs(judged(found, np.random.default_rng(1).permutation(labels)) - 0.5) < 0.07


def test_the_whole_procedure_out_of_fold_is_calibrated_and_shows_its_parts() -> None:
    table, labels = college(900)
    beats: list[tuple[int, int]] = []

    found = out_of_fold(table, labels, repeats=2, beat=lambda done, of: beats.append((done, of)))

    assert found.log_odds.shape == found.folds.shape == found.ramps.shape == found.trees.shape == (2, 900)
    assert not np.array_equal(found.folds[0], found.folds[1])
    assert beats == [(done, 10) for done in range(1, 11)]
    assert np.array_equal(np.isnan(found.log_odds), found.abstains != "")
    assert abs((1 / (1 + np.exp(-found.would_say))).mean() - labels.mean()) < 0.02


def test_people_with_several_rows_gaps_and_odd_columns_are_met() -> None:
    table, labels = college(400, seed=2, gaps=0.4)
    values = table.values.copy()
    values[:, 2] = NAN
    values[1:, 3] = NAN
    people = np.array([f"p{row % 150}" for row in range(400)])
    features = tuple(replace(feature, core=False) for feature in table.features)

    found = out_of_fold(plain_table(features, values, people=people), labels)

    assert np.isfinite(found.would_say).all()
