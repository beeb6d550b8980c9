"""How a feature is reckoned from facts: the last value, a change, the highest, a count … as of each row's own moment.

Point in time: a row sees a fact if it was known by the row's moment
(``known_at <= at``), was not yet known to be void (``until > at``) and speaks
of a time within the window. Nothing else in the house makes this choice.

A value knows when it became known: with the last of the facts it rests on.
Where there is no fact, a last value, a change, a highest or a share is not
known; that something happened zero times is known since the student came.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from app.risk.gathering.facts import NEVER, Facts, Moments, Places, Values, chosen, filled


class Reckoning(StrEnum):
    """How one value is made of many facts."""

    LAST = "last"
    CHANGE = "change"
    """The last value less the one before it, where the two can be compared."""
    HIGHEST = "highest"
    COUNT = "count"
    DAYS_SINCE = "days_since"
    EVER = "ever"
    """1 if there is any fact that is not zero, else 0."""
    SHARE = "share"
    """Which share of the facts is not zero."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a table: whose, as of which moment, and since when the student is here."""

    places: Places
    at: Moments
    since: Moments

    def __len__(self) -> int:
        return len(self.places)


@dataclass(frozen=True, slots=True)
class Seen:
    """Facts as rows see them: one pair of row and fact each, in the order of rows, and of time within a row."""

    row: NDArray[np.int64]
    values: Values
    known_at: Moments
    of_time: Moments
    alike: Places
    first: NDArray[np.int64]
    """Where the pairs of each row begin …"""
    end: NDArray[np.int64]
    """… and where they end."""


def reckon(how: Reckoning, facts: Facts, rows: Rows, *, window_days: int | None) -> tuple[Values, Moments]:
    """One value per row, and since when it is known (NaN and NaT where there is none)."""
    if how not in _OF_THE_LAST:
        facts = chosen(facts, np.isfinite(facts.values))
    seen = see(facts, rows, window_days=window_days)
    any_fact = seen.end > seen.first
    values, known = np.full(len(rows), np.nan), np.full(len(rows), NEVER)
    some = np.flatnonzero(any_fact)
    if len(some):
        values[some] = _HOW[how](seen, rows, some)
        known[some] = _known(how, seen, some)
    if how in _ZERO_IS_KNOWN:
        none = ~any_fact & (rows.since <= rows.at)
        values[none], known[none] = 0.0, rows.since[none]
    known[np.isnan(values)] = NEVER
    return values, known


def see(facts: Facts, rows: Rows, *, window_days: int | None) -> Seen:
    """Which facts each row may see."""
    held = filled(facts)
    order = np.lexsort((held["known_at"], held["of_time"], held["places"]))
    held = {name: column[order] for name, column in held.items()}
    first = np.searchsorted(held["places"], rows.places, side="left")
    many = np.searchsorted(held["places"], rows.places, side="right") - first
    row = np.repeat(np.arange(len(rows)), many)
    fact = np.arange(len(row)) + np.repeat(first - (np.cumsum(many) - many), many)
    at = rows.at[row]
    visible = (held["known_at"][fact] <= at) & ~(held["until"][fact] <= at)
    if window_days is not None:
        visible &= held["of_time"][fact] > at - np.timedelta64(window_days, "D")
    row, fact = row[visible], fact[visible]
    places = np.arange(len(rows))
    return Seen(
        row=row,
        values=held["values"][fact],
        known_at=held["known_at"][fact],
        of_time=held["of_time"][fact],
        alike=held["alike"][fact],
        first=np.searchsorted(row, places, side="left"),
        end=np.searchsorted(row, places, side="right"),
    )


# --- the ways, for rows that see something ---------------------------------------------------

Way = Callable[[Seen, Rows, NDArray[np.int64]], Values]


def _last(seen: Seen, _rows: Rows, some: NDArray[np.int64]) -> Values:
    return seen.values[seen.end[some] - 1]


def _change(seen: Seen, _rows: Rows, some: NDArray[np.int64]) -> Values:
    last = seen.end[some] - 1
    before = np.maximum(last - 1, seen.first[some])
    comparable = (before < last) & (seen.alike[before] == seen.alike[last])
    return np.where(comparable, seen.values[last] - seen.values[before], np.nan)


def _highest(seen: Seen, _rows: Rows, some: NDArray[np.int64]) -> Values:
    return np.maximum.reduceat(seen.values, seen.first[some])


def _count(seen: Seen, _rows: Rows, some: NDArray[np.int64]) -> Values:
    return (seen.end[some] - seen.first[some]).astype(np.float64)


def _days_since(seen: Seen, rows: Rows, some: NDArray[np.int64]) -> Values:
    gone = rows.at[some] - seen.of_time[seen.end[some] - 1]
    return np.floor(gone / np.timedelta64(1, "D"))


def _ever(seen: Seen, _rows: Rows, some: NDArray[np.int64]) -> Values:
    return np.maximum.reduceat((seen.values != 0).astype(np.float64), seen.first[some])


def _share(seen: Seen, rows: Rows, some: NDArray[np.int64]) -> Values:
    met = np.add.reduceat((seen.values != 0).astype(np.float64), seen.first[some])
    return met / _count(seen, rows, some)


def _known(how: Reckoning, seen: Seen, some: NDArray[np.int64]) -> Moments:
    """With the last of the facts it rests on: one, two, or all that the row sees."""
    last = seen.end[some] - 1
    if how in {Reckoning.LAST, Reckoning.DAYS_SINCE}:
        return seen.known_at[last]
    if how is Reckoning.CHANGE:
        return np.maximum(seen.known_at[last], seen.known_at[np.maximum(last - 1, seen.first[some])])
    return np.maximum.reduceat(seen.known_at, seen.first[some])


_HOW: dict[Reckoning, Way] = {
    Reckoning.LAST: _last,
    Reckoning.CHANGE: _change,
    Reckoning.HIGHEST: _highest,
    Reckoning.COUNT: _count,
    Reckoning.DAYS_SINCE: _days_since,
    Reckoning.EVER: _ever,
    Reckoning.SHARE: _share,
}
_ZERO_IS_KNOWN = frozenset({Reckoning.COUNT, Reckoning.EVER})
_OF_THE_LAST = frozenset({Reckoning.LAST, Reckoning.CHANGE})
"""A last fact whose value is not known leaves nothing known: what stood before it is not the present."""
