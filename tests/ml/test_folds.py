"""People are dealt to folds whole, evenly, and the same way every time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ml.folds import deal, sides

ROWS = st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=12, max_size=120)


@given(ROWS, st.integers(2, 6), st.integers(0, 99))
def test_nobody_stands_on_both_sides_of_a_fold(rows: list[tuple[int, bool]], folds: int, seed: int) -> None:
    people = np.array([f"p{who}" for who, _ in rows])
    labels = np.array([yes for _, yes in rows], dtype=np.int8)

    fold_of = deal(people, labels, folds=folds, seed=seed)

    for fold in range(folds):
        learn, held = sides(fold_of, fold)
        assert not set(people[learn]) & set(people[held])
        assert sorted([*learn, *held]) == list(range(len(rows)))
    assert np.array_equal(fold_of, deal(people, labels, folds=folds, seed=seed))


def test_positives_and_rows_are_dealt_evenly() -> None:
    people = np.arange(1003).astype(str)
    labels = (np.arange(1003) < 23).astype(np.int8)

    fold_of = deal(people, labels, folds=5, seed=1)

    assert sorted(np.bincount(fold_of, weights=labels)) == [4, 4, 5, 5, 5]
    assert sorted(np.bincount(fold_of)) == [200, 200, 201, 201, 201]
    assert not np.array_equal(fold_of, deal(people, labels, folds=5, seed=2))


def test_every_fold_has_a_positive_where_as_many_people_have_one() -> None:
    people = np.repeat(np.arange(40), 5).astype(str)
    labels = np.repeat(np.arange(40) < 5, 5).astype(np.int8)

    fold_of = deal(people, labels, folds=5, seed=3)

    assert (np.bincount(fold_of, weights=labels) == 5).all()
