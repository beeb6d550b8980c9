"""Subscales, named components and counts: from the answers of many sheets, after reversal."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.screening.scales.measured import Floats, compare
from app.screening.scales.scale_parts import Count, Cut, Efficiency, Subscale
from app.screening.scales.scale_range import EXACT
from app.screening.scales.scale_whole import Scale

Turned = NDArray[Any]
"""Sheets x items after reversal; negative where there is no answer."""
_DAY = 24 * 60


def subscales_of(scale: Scale, turned: Turned, rows: int) -> Floats:
    """Sheets x subscales; ``nan`` where a subscale lacks an answer."""
    found = np.empty((rows, len(scale.subscales)), dtype=np.float64)
    for place, held in enumerate(scale.subscales):
        found[:, place] = _subscale(held, turned)
    return found


def _subscale(held: Subscale, turned: Turned) -> Floats:
    if held.efficiency is not None:
        return _cut(_efficiency(held.efficiency, turned), held.cuts)
    if held.parts:
        added: Floats = np.sum([_cut(_column(turned, part.item), part.cuts) for part in held.parts], axis=0)
        return _cut(added, held.cuts)
    used = turned[:, [number - 1 for number in held.items]]
    value = used.sum(axis=1, dtype=np.int64).astype(np.float64)
    if held.method == "mean":
        value /= len(held.items)
    value *= held.multiplier
    if held.rounding != "none":
        value = np.floor(value + EXACT + (0.5 if held.rounding == "half_up" else 0))
    if used.size and int(used.min()) < 0:
        value[(used < 0).any(axis=1)] = np.nan
    return _cut(value, held.cuts)


def _column(turned: Turned, number: int) -> Floats:
    column = turned[:, number - 1].astype(np.float64)
    column[column < 0] = np.nan
    return column


def _cut(values: Floats, cuts: tuple[Cut, ...]) -> Floats:
    """The score of the last cut that a value meets, 0 if it meets none; the value itself where there are no cuts."""
    if not cuts:
        return values
    found: Floats = np.where(np.isnan(values), np.nan, 0.0)
    for cut in cuts:
        found[compare(cut.op, values, cut.value)] = cut.score
    return found


def _efficiency(held: Efficiency, turned: Turned) -> Floats:
    """Percent of the time in bed that was slept. Getting up before going to bed is the next morning."""
    slept = _column(turned, held.slept)
    in_bed = (_column(turned, held.up) - _column(turned, held.to_bed)) % _DAY
    in_bed[in_bed == 0] = np.nan
    percent: Floats = slept / in_bed * 100
    return percent


def count_of(held: Count, answers: NDArray[Any]) -> Floats:
    """How many items meet the comparison, or their mean answer; ``nan`` with gaps, and for a mean of none."""
    used = answers[:, [number - 1 for number in held.items]]
    met = compare(held.op, used, held.value)
    found: Floats = met.sum(axis=1).astype(np.float64)
    if held.method == "mean":
        sums = np.where(met, used, 0).sum(axis=1, dtype=np.int64)
        found = np.divide(sums, found, out=np.full(len(found), np.nan), where=found > 0)
    if used.size and int(used.min()) < 0:
        found[(used < 0).any(axis=1)] = np.nan
    return found
