"""Answers in, totals and bands out, for a whole batch at once.

Pure arithmetic over arrays: no names, no database. Missing is -1. A sheet
with a missing or impossible answer has no total (``nan``), unless its scale
says else; what it holds is kept, because a critical answer counts on an
incomplete sheet too (decisions 15).

Most sheets have no gaps. They take the short way, a plain sum and a look-up
of the band; only the sheets with gaps are worked out with their bounds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.screening.scales.coding import codings_that_fit, recode
from app.screening.scales.components import Turned, count_of, subscales_of
from app.screening.scales.measured import Bools, Floats, Measured, compare, holds
from app.screening.scales.scale_parts import Band, Pattern
from app.screening.scales.scale_range import EXACT
from app.screening.scales.scale_whole import Scale

__all__ = ["ENGINE", "MISSING", "Answers", "Scores", "codings_that_fit", "recode", "score", "score_stated"]

ENGINE = "1"
"""Version of the arithmetic; stored with every score."""
MISSING = -1

Answers = NDArray[np.int16]
"""Sheets x items, canonical coding; ``MISSING`` where there is no usable answer. Times are in minutes."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Results of one scale for many sheets, in the order of the sheets."""

    totals: Floats
    """Total, ``nan`` where the sheet is incomplete or the scale has none."""
    at_least: NDArray[Any]
    """What the total is at least, whatever the missing answers are. Whole numbers where every total is one."""
    at_most: NDArray[Any]
    bands: NDArray[np.int64]
    """Position of the band, -1 where the sheet is incomplete."""
    positive: Bools
    flagged: Bools
    """A red-flag item was answered critically."""
    subscales: Floats
    """Sheets x subscales, ``nan`` where a subscale lacks an answer."""
    subscale_bands: NDArray[np.int64]
    counts: dict[str, Floats] = field(default_factory=dict)
    complete: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))
    """Every answer that the scale needs is there, whether or not it has a total."""


def score(scale: Scale, answers: NDArray[Any]) -> Scores:
    """Score sheets x items of one scale. Values are ``MISSING`` or within the range of their item."""
    gaps = _with_gaps(answers)
    turned = _turned(scale, answers)
    subscales = subscales_of(scale, turned, len(answers))
    complete = np.ones(len(answers), dtype=bool)
    complete[gaps] = _counts_with_gaps(scale, answers[gaps])
    at_least, at_most = _bounds(scale, turned, subscales, gaps)
    if scale.missing.rule == "mean" and len(gaps):
        filled = gaps[complete[gaps]]
        at_least[filled] = at_most[filled] = _by_mean(scale, turned[filled])
    if scale.total.of == "subscales":
        complete = np.logical_and(complete, np.isfinite(subscales).all(axis=1))
    incomplete = np.flatnonzero(~complete)
    totals = at_least.astype(np.float64) if scale.has_total else np.full(len(answers), np.nan)
    totals[incomplete] = np.nan
    counts = {held.key: count_of(held, answers) for held in scale.counts}
    measured = Measured(scale, answers, totals, subscales, counts)
    bands = _banded(scale, measured, at_least)
    bands[incomplete] = -1
    return Scores(
        totals=totals,
        at_least=at_least,
        at_most=at_most,
        bands=bands,
        positive=holds(scale.positive, measured) & complete,
        flagged=_flagged(scale, answers),
        subscales=subscales,
        subscale_bands=_subscale_bands(scale, subscales),
        counts=counts,
        complete=complete,
    )


def score_stated(
    scale: Scale,
    totals: Floats | None,
    subscales: Floats | None,
    counts: dict[str, Floats] | None = None,
) -> Scores:
    """What totals, factors and counts that a source states mean, as far as it can be known without answers."""
    first = totals if totals is not None else subscales
    rows = len(first) if first is not None else 0
    known = np.full(rows, np.nan) if totals is None else totals.astype(np.float64)
    factors = np.full((rows, len(scale.subscales)), np.nan) if subscales is None else subscales.astype(np.float64)
    nothing = np.full((rows, scale.size), MISSING, dtype=np.int16)
    measured = Measured(scale, nothing, known, factors, _stated_counts(scale, rows, counts or {}))
    has_total = np.isfinite(known)
    if any(band.when for band in scale.bands):
        worst = len(scale.bands) - 1
        bands = np.where(holds(scale.bands[worst].when or Pattern(), measured), worst, -1)
    else:
        bands = np.where(has_total, _in_ranges(scale.bands, known), -1)
    return Scores(
        totals=known,
        at_least=np.where(has_total, known, scale.lowest),
        at_most=np.where(has_total, known, scale.highest),
        bands=bands,
        positive=holds(scale.positive, measured),
        flagged=np.zeros(rows, dtype=bool),
        subscales=factors,
        subscale_bands=_subscale_bands(scale, factors),
        counts=dict(measured.counts),
        complete=has_total,
    )


def _stated_counts(scale: Scale, rows: int, counts: dict[str, Floats]) -> dict[str, Floats]:
    unknown = np.full(rows, np.nan)
    return {held.key: counts.get(held.key, unknown).astype(np.float64) for held in scale.counts}


# --- gaps and totals ----------------------------------------------------------------------------


def _with_gaps(answers: NDArray[Any]) -> NDArray[np.int64]:
    """The sheets that lack an answer. One pass over all cells: asking row by row costs as much as the sums."""
    if not answers.size or int(answers.min()) >= 0:
        return np.zeros(0, dtype=np.int64)
    rows: NDArray[np.int64] = np.flatnonzero(answers.ravel() < 0) // answers.shape[1]
    return rows[np.flatnonzero(np.diff(rows, prepend=-1))]


def _counts_with_gaps(scale: Scale, answers: NDArray[Any]) -> Bools:
    """Which of these sheets, each with a gap, count as complete all the same."""
    missing, rule = answers < 0, scale.missing
    if rule.rule == "mean":
        few: Bools = missing.sum(axis=1) <= rule.at_most
        return few
    if rule.rule == "refuse" and not rule.required:
        return np.zeros(len(answers), dtype=bool)
    needed: Bools = np.all(~missing[:, [number - 1 for number in rule.required]], axis=1)
    return needed


def _turned(scale: Scale, answers: NDArray[Any]) -> Turned:
    """The answers after reversal; gaps stay gaps."""
    if not scale.reversed:
        return answers
    turned = answers.copy()
    for number in sorted(scale.reversed):
        item, column = scale.items[number - 1], answers[:, number - 1]
        turned[:, number - 1] = np.where(column < 0, MISSING, item.minimum + item.maximum - column)
    return turned


def _bounds(
    scale: Scale, turned: Turned, subscales: Floats, gaps: NDArray[np.int64]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The total at least and at most; the same array where no sheet has a gap."""
    if scale.total.of == "subscales":
        low = np.array([held.lowest for held in scale.subscales])
        high = np.array([held.highest for held in scale.subscales])
        unknown = ~np.isfinite(subscales)
        least = _finish(scale, np.where(unknown, low, subscales).sum(axis=1))
        return least, _finish(scale, np.where(unknown, high, subscales).sum(axis=1)) if unknown.any() else least
    if scale.total.of != "items":
        nothing = np.zeros(len(turned), dtype=np.int64)
        return nothing, nothing
    numbers = [number - 1 for number in scale.total.items]
    used = turned if len(numbers) == scale.size else turned[:, numbers]
    raw = used.sum(axis=1, dtype=np.int64)
    if not len(gaps):
        least = _finish(scale, raw)
        return least, least
    lacking = used[gaps]
    missing = (lacking < 0).astype(np.float64)
    given = raw[gaps] - np.where(lacking < 0, lacking, 0).sum(axis=1, dtype=np.int64)
    least, most = raw, raw.copy()
    least[gaps] = given + (missing @ [float(scale.items[number].minimum) for number in numbers]).astype(np.int64)
    most[gaps] = given + (missing @ [float(scale.items[number].maximum) for number in numbers]).astype(np.int64)
    return _finish(scale, least), _finish(scale, most)


def _finish(scale: Scale, raw: NDArray[Any]) -> NDArray[Any]:
    """Raw sum to total: mean, multiplier, rounding. Whole numbers stay whole numbers."""
    total = scale.total
    if total.of == "items" and total.method == "mean":
        raw = raw / len(total.items)
    if total.multiplier != 1:
        raw = raw * (int(total.multiplier) if float(total.multiplier).is_integer() else total.multiplier)
    if total.rounding == "floor":
        return np.floor(raw + EXACT).astype(np.int64)
    if total.rounding == "half_up":
        return np.floor(raw + 0.5 + EXACT).astype(np.int64)
    is_whole = raw.dtype.kind == "f" and np.array_equal(raw, np.rint(raw)) and total.of == "subscales"
    return raw.astype(np.int64) if is_whole else raw


def _by_mean(scale: Scale, turned: Turned) -> NDArray[Any]:
    """The total with each gap filled by the mean of the sheet's own answers."""
    used = turned[:, [number - 1 for number in scale.total.items]]
    given = used >= 0
    sums = np.where(given, used, 0).sum(axis=1, dtype=np.int64)
    return _finish(scale, np.floor(sums / given.sum(axis=1) * used.shape[1] + 0.5 + EXACT).astype(np.int64))


# --- bands and flags ----------------------------------------------------------------------------


def _banded(scale: Scale, measured: Measured, at_least: NDArray[Any]) -> NDArray[np.int64]:
    """The position of each sheet's band, by its total or by what the bands say; -1 without bands."""
    if any(band.when for band in scale.bands):
        found = np.zeros(len(at_least), dtype=np.int64)
        for place, band in enumerate(scale.bands):
            if band.when is not None:
                found[holds(band.when, measured)] = place
        return found
    if at_least.dtype.kind != "i" or not scale.bands:
        return _in_ranges(scale.bands, measured.totals)
    lowest = int(scale.lowest)
    return _by_table(scale).take(at_least - lowest if lowest else at_least, mode="clip")


@cache
def _by_table(scale: Scale) -> NDArray[np.int64]:
    """The band of every possible total: a look-up costs a tenth of a search."""
    return _in_ranges(scale.bands, np.arange(scale.lowest, scale.highest + 1, dtype=np.float64))


def _in_ranges(bands: tuple[Band, ...], values: Floats) -> NDArray[np.int64]:
    found = np.full(len(values), -1, dtype=np.int64)
    for place, band in enumerate(bands):
        found[compare(band.op, values, band.start)] = place
    return found


def _subscale_bands(scale: Scale, subscales: Floats) -> NDArray[np.int64]:
    found = np.full(subscales.shape, -1, dtype=np.int64)
    for place, held in enumerate(scale.subscales):
        found[:, place] = _in_ranges(held.bands, subscales[:, place])
    return found


def _flagged(scale: Scale, answers: NDArray[Any]) -> Bools:
    flagged = np.zeros(len(answers), dtype=bool)
    for flag in scale.red_flags:
        if flag.is_critical:
            column = answers[:, flag.item - 1]
            flagged |= compare(flag.op, column, flag.value) & (column >= 0)
    return flagged
