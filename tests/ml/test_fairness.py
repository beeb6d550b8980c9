"""Figures by group: small ones withheld so that nothing gives them away, gaps told only with their interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from ml.fairness import COMPARED, by_group, withheld
from ml.figures import evaluate


def test_a_group_with_few_people_or_few_of_either_outcome_is_withheld() -> None:
    sizes = {"a": (500, 60, 440), "b": (400, 50, 350), "few": (20, 12, 8), "calm": (300, 4, 296), "all": (90, 85, 5)}

    assert withheld(sizes, 30, 10) == {"few", "calm", "all"}
    assert withheld({"a": (500, 60, 440), "b": (400, 50, 350)}, 30, 10) == frozenset()


def test_what_is_left_over_does_not_give_one_group_away() -> None:
    sizes = {"a": (500, 60, 440), "b": (400, 50, 350), "c": (90, 20, 70), "few": (20, 3, 17)}

    assert withheld(sizes, 30, 10) == {"few", "c"}
    assert withheld({"a": (500, 60, 440), "few": (20, 3, 17)}, 30, 10) == {"a", "few"}
    assert withheld({"a": (500, 60, 440), "b": (90, 20, 70), "x": (5, 1, 4), "y": (6, 1, 5)}, 30, 10) == {"x", "y", "b"}


@given(st.dictionaries(st.text("abcdef", min_size=1), st.tuples(st.integers(1, 200), st.integers(0, 60)), max_size=7))
def test_nobody_can_take_the_shown_from_the_whole_and_find_a_group(held: dict[str, tuple[int, int]]) -> None:
    sizes = {name: (people, hits, max(0, people - hits)) for name, (people, hits) in held.items()}

    hidden = withheld(sizes, 30, 10)

    assert len(hidden) != 1 or len(sizes) == 1
    left_over = sum(sizes[name][0] for name in hidden)
    assert not hidden or left_over >= 30 or hidden == set(sizes)
    assert all(sizes[name][0] >= 30 and min(sizes[name][1:]) >= 10 for name in set(sizes) - hidden)


def groups(seed: int = 1, rows: int = 3000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, log-odds that work less well in group "b", and the groups."""
    rng = np.random.default_rng(seed)
    names = rng.choice(["a", "b", "c"], rows, p=[0.5, 0.3, 0.2])
    odds = rng.normal(size=rows) * 1.5 - 1.5
    true = np.where(names == "b", 0.2 * odds - 1.2, odds)
    return (rng.random(rows) < expit(true)).astype(float), odds, names


def test_the_whole_of_one_group_is_the_whole() -> None:
    labels, odds, _names = groups()

    (only,) = by_group(labels, odds, {"college": np.full(len(labels), "x")}, capacity=0.1)

    whole = evaluate(labels, odds, draws=0)
    assert only.figures is not None
    assert only.differences is not None
    assert only.figures["auc"].value == pytest.approx(whole.auc.value)
    assert only.figures["recall"].value == pytest.approx(whole.at(0.1).recall.value)
    assert all(only.differences[name].value == pytest.approx(0) for name in COMPARED)


def test_missed_students_of_one_group_are_told_and_the_remedy_is_ours() -> None:
    labels, odds, names = groups()

    held = {one.group: one for one in by_group(labels, odds, {"college": names})}

    b = held["b"]
    assert b.differences is not None
    assert b.differences["recall"].high is not None
    assert b.differences["recall"].high < 0
    assert "漏掉的较多" in b.words
    assert "抽查" in b.words


def test_recall_in_a_group_is_that_of_the_one_list_of_all() -> None:
    labels, odds, names = groups(rows=600)
    top = odds >= np.sort(odds)[-60]

    for one in by_group(labels, odds, {"college": names}, capacity=0.1):
        mine = names == one.group
        assert one.figures is not None
        assert one.figures["recall"].value == pytest.approx(top[mine & (labels > 0)].mean())
        assert one.figures["listed"].value == pytest.approx(top[mine].mean())
        assert one.figures["precision"].value == pytest.approx(labels[mine & top].mean())


def test_a_withheld_group_shows_no_figure_and_no_count() -> None:
    labels, odds, names = groups(rows=900)
    names = np.where(np.arange(900) < 6, "tiny", names)

    held = {one.group: one for one in by_group(labels, odds, {"college": names})}

    for name in ("tiny", "c"):
        one = held[name]
        assert (one.withheld, one.people, one.positives, one.figures, one.differences) == (True, None, None, None, None)
        assert one.words == "人数较少，不显示"
    assert not held["a"].withheld


def test_without_a_difference_hardly_any_gap_is_told() -> None:
    told = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        odds = rng.normal(size=900) - 1
        labels = (rng.random(900) < expit(odds)).astype(float)
        names = rng.choice(list("abcdef"), 900)
        gaps = by_group(labels, odds, {"college": names}, draws=40, seed=seed)
        told += any("判断" not in one.words for one in gaps)

    assert told <= 3


def test_people_count_once_and_unknown_scores_take_no_part() -> None:
    labels, odds, names = groups(rows=600)
    people = np.repeat(np.arange(200), 3)
    odds[:3] = np.nan

    held = by_group(labels, odds, {"college": names[people]}, people=people, smallest_positives=1)

    assert sum(one.people or 0 for one in held if not one.withheld) == 199
