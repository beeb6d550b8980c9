"""Equal sheets of different people, where chance does not explain them.

The batch itself is the model: how often each answer is given to each item by
people with a similar total. It needs no parameters, fits every scale, and
asks only for enough sheets. (The same likelihood as a person-fit index, l_z,
was tried for random answers and found hardly any of them: they crowd the
middle totals and become the pattern there.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.screening.scales.scoring import MISSING
from config import catalogue

MOST_BANDS, LEAST_IN_BAND = 20, 25
"""Totals are parted into bands of people who answer alike."""


class Habits:
    """How the people of a batch answer; ``chosen`` is items x sheets, ``turned`` the rows of reversed items."""

    def __init__(self, chosen: NDArray[Any], turned: list[int]) -> None:
        self.chosen = chosen
        self.sheets = chosen.shape[1]
        sums = chosen.sum(axis=0, dtype=np.int32)
        sums -= 2 * chosen[turned].sum(axis=0, dtype=np.int32)
        many = int(np.clip(self.sheets // LEAST_IN_BAND, 1, MOST_BANDS))
        edges = np.unique(np.quantile(sums, np.arange(1, many) / many)) if many > 1 else np.empty(0)
        self.bands = np.searchsorted(edges, sums, side="left")
        self.sizes = np.bincount(self.bands, minlength=len(edges) + 1).astype(np.float64)
        self.span = int(chosen.max()) + 2
        self.shares = [self._shares(row) for row in chosen]

    def _shares(self, row: NDArray[Any]) -> NDArray[np.float64]:
        """Bands x answers (the first is silence): logarithm of how often it is given, never quite never."""
        count = len(self.sizes)
        held = np.bincount(self.bands * self.span + row + 1, minlength=count * self.span).reshape(count, self.span)
        return np.log((held + 0.5) / (self.sizes[:, None] + 0.5 * self.span))

    def likely(self, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """Logarithm of the likelihood of the answers of some sheets, given their totals."""
        start = self.bands[places] * self.span + 1
        found = np.zeros(len(start))
        for row, share in zip(self.chosen, self.shares, strict=True):
            found += share.ravel()[start + row[places]]
        return found

    def expected(self, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """How many sheets like each of these are to be expected in the batch."""
        return np.asarray(np.exp(self.likely(places)) * self.sizes[self.bands[places]])


def copied(chosen: NDArray[Any], turned: list[int]) -> NDArray[np.bool_]:
    """Which sheets equal another one, improbably: one phone passed round, one answer key.

    Equal sheets are common where few answers are likely (everybody well).
    """
    told = catalogue.table("validity")["copied"]
    found = np.zeros(chosen.shape[1], dtype=bool)
    if len(chosen) < told["items"] or chosen.shape[1] < told["sheets"]:
        return found
    places, group = _equal(chosen)
    if len(places):
        first = places[np.unique(group, return_index=True)[1]]
        habits = Habits(chosen, turned)
        improbable = (habits.expected(first) < told["expected"]) & (chosen[:, first] != MISSING).all(axis=0)
        found[places[improbable[group]]] = True
    return found


def _equal(chosen: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of sheets that equal another sheet, and for each the number of its pattern."""
    keys = _keys(chosen)
    order = np.argsort(keys, kind="stable")
    same = keys[order][1:] == keys[order][:-1]
    near = np.flatnonzero(same)
    same[near] = (chosen[:, order[near + 1]] == chosen[:, order[near]]).all(axis=0)
    member = np.zeros(len(order), dtype=bool)
    member[1:] |= same
    member[:-1] |= same
    group = np.cumsum(np.concatenate(([True], ~same)))[member]
    return order[member], np.unique(group, return_inverse=True)[1]


def _keys(chosen: NDArray[Any]) -> NDArray[np.uint64]:
    """One number for each pattern; equal numbers are compared item by item afterwards."""
    keys = np.zeros(chosen.shape[1], dtype=np.uint64)
    factor = np.uint64(0x9E3779B97F4A7C15)
    for row in chosen:
        keys = (keys ^ (row.astype(np.int64) + 7).view(np.uint64)) * factor
        keys ^= keys >> np.uint64(29)
    return keys
