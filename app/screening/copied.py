"""Equal sheets of different people, where chance does not explain them (one phone passed round, one answer key)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.screening.scoring import MISSING
from config import catalogue

GROUPS = 8
"""Bands of totals within which answers are counted."""


def sheets(chosen: NDArray[Any]) -> NDArray[np.bool_]:
    """Which sheets equal another one improbably often; ``chosen`` is items x sheets.

    Equal sheets are common where few answers are likely (everybody well).
    So the batch itself says how likely a pattern is: the product of how often
    each answer is given by people with a similar total. Only patterns of which
    hardly any other sheet is to be expected count.
    """
    told = catalogue.table("validity")["copied"]
    found = np.zeros(chosen.shape[1], dtype=bool)
    if len(chosen) < told["items"] or chosen.shape[1] < told["sheets"]:
        return found
    sums = chosen.sum(axis=0, dtype=np.int32)
    places, group = _equal(chosen)
    if not len(places):
        return found
    first = places[np.unique(group, return_index=True)[1]]
    bands = np.searchsorted(np.quantile(sums, np.arange(1, GROUPS) / GROUPS), sums, side="left")
    expected = _expected(chosen, bands, first)
    improbable = (expected < told["expected"]) & (chosen[:, first] != MISSING).all(axis=0)
    found[places[improbable[group]]] = True
    return found


def _equal(chosen: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of sheets that equal another sheet, in order of their pattern, and the number of the pattern."""
    keys = _keys(chosen)
    order = np.argsort(keys, kind="stable")
    same = keys[order][1:] == keys[order][:-1]
    same &= (chosen[:, order[1:]] == chosen[:, order[:-1]]).all(axis=0) if same.any() else False
    member = np.zeros(len(order), dtype=bool)
    member[1:] |= same
    member[:-1] |= same
    starts = np.concatenate(([True], ~same))
    group = np.cumsum(starts)[member]
    return order[member], np.unique(group, return_inverse=True)[1]


def _keys(chosen: NDArray[Any]) -> NDArray[np.uint64]:
    """One number for each pattern; equal numbers are compared item by item afterwards."""
    keys = np.zeros(chosen.shape[1], dtype=np.uint64)
    factor = np.uint64(0x9E3779B97F4A7C15)
    for row in chosen:
        keys = (keys ^ (row.astype(np.int64) + 7).view(np.uint64)) * factor
        keys ^= keys >> np.uint64(29)
    return keys


def _expected(chosen: NDArray[Any], bands: NDArray[Any], first: NDArray[np.int64]) -> NDArray[np.float64]:
    """How many other sheets with the pattern of each ``first`` are to be expected in the batch."""
    count = chosen.shape[1]
    sizes = np.bincount(bands, minlength=GROUPS).astype(np.float64)
    span = int(chosen.max()) + 2
    mine = bands[first]
    likely = np.log(sizes[mine] / count)
    for row in chosen:
        held = np.bincount(bands * span + row + 1, minlength=GROUPS * span).reshape(GROUPS, span)
        share = (held + 0.5) / (sizes[:, None] + 0.5 * span)
        likely += np.log(share[mine, row[first] + 1])
    return np.asarray(np.exp(likely) * count)
