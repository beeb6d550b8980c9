"""Folds that never part a person: dealt by a seed, even in rows and in positives.

scikit-learn's ``StratifiedGroupKFold`` does the same, but warns (and so stops a strict program) where a class has fewer
members than folds, and takes seconds on 20,000 people. Here people are shuffled and dealt greedily: those with a
positive row first, each to the fold with the fewest positives; the others to the fold with the fewest rows.
"""

from __future__ import annotations

import heapq
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int_]
Scalar = TypeVar("Scalar", bound=np.generic)


def deal(people: NDArray[np.str_], labels: NDArray[np.int8], *, folds: int, seed: int) -> Index:
    """The fold of each row. Every fold gets rows as long as there are as many people as folds."""
    _, person = np.unique(people, return_inverse=True)
    rows = np.bincount(person)
    positives = np.bincount(person, weights=labels)
    mixed = np.random.default_rng(seed).permutation(len(rows))
    order = mixed[np.lexsort((-rows[mixed], -positives[mixed]))]
    hands = [(0.0, 0, fold) for fold in range(folds)]
    place = np.zeros(len(rows), dtype=np.int_)
    for one in order[positives[order] > 0]:
        yes, count, fold = heapq.heappop(hands)
        place[one] = fold
        heapq.heappush(hands, (yes + positives[one], count + int(rows[one]), fold))
    by_rows = [(count, fold) for _, count, fold in hands]
    heapq.heapify(by_rows)
    for one in order[positives[order] == 0]:
        count, fold = heapq.heappop(by_rows)
        place[one] = fold
        heapq.heappush(by_rows, (count + int(rows[one]), fold))
    return place[person]


def taken(values: NDArray[Scalar] | None, rows: Index) -> NDArray[Scalar] | None:
    """The values of some rows, of a column that may not be there."""
    return None if values is None else values[rows]


def sides(fold_of: Index, fold: int) -> tuple[Index, Index]:
    """The rows to learn from and the rows held out."""
    return np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
