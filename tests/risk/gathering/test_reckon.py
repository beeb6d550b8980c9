"""Reckoning features from facts: column arithmetic says what a loop over single facts would say."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.risk.gathering.facts import NEVER, Facts
from app.risk.gathering.reckon import Reckoning, Rows, reckon

DAY = np.timedelta64(1, "D")
START = np.datetime64("2026-01-01", "us")


@dataclass(frozen=True)
class One:
    """A fact, in days since the start."""

    student: int
    value: float
    known: int
    of: int
    until: int | None
    alike: int


@st.composite
def facts(draw: st.DrawFn) -> One:
    known = draw(st.integers(0, 40))
    return One(
        student=draw(st.integers(0, 3)),
        value=float(draw(st.integers(0, 5))),
        known=known,
        of=known - draw(st.integers(0, 30)),
        until=draw(st.none() | st.integers(0, 60)),
        alike=draw(st.integers(0, 1)),
    )


rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60)), max_size=6)


def _moment(day: int | None) -> np.datetime64:
    return NEVER if day is None else START + day * DAY


def _columns(held: list[One]) -> Facts:
    return Facts(
        kind="x.y",
        places=np.array([one.student for one in held], dtype=np.int64),
        values=np.array([one.value for one in held]),
        known_at=np.array([_moment(one.known) for one in held], dtype="datetime64[us]"),
        of_time=np.array([_moment(one.of) for one in held], dtype="datetime64[us]"),
        until=np.array([_moment(one.until) for one in held], dtype="datetime64[us]"),
        alike=np.array([one.alike for one in held], dtype=np.int64),
    )


def _rows(held: list[tuple[int, int]]) -> Rows:
    at = np.array([_moment(day) for _, day in held], dtype="datetime64[us]")
    since = np.full(len(held), _moment(5))
    return Rows(np.array([student for student, _ in held], dtype=np.int64), at, since)


def _slowly(how: Reckoning, seen: list[One], day: int) -> float:
    if not seen:
        return 0.0 if how in {Reckoning.COUNT, Reckoning.EVER} and day >= 5 else math.nan
    last = seen[-1]
    if how is Reckoning.CHANGE:
        return last.value - seen[-2].value if len(seen) > 1 and seen[-2].alike == last.alike else math.nan
    return {
        Reckoning.LAST: last.value,
        Reckoning.HIGHEST: max(one.value for one in seen),
        Reckoning.COUNT: float(len(seen)),
        Reckoning.DAYS_SINCE: float(day - last.of),
        Reckoning.EVER: float(any(one.value for one in seen)),
        Reckoning.SHARE: sum(one.value != 0 for one in seen) / len(seen),
    }[how]


@pytest.mark.parametrize("how", list(Reckoning))
@given(held=st.lists(facts(), max_size=12), asked=rows, window=st.none() | st.integers(1, 40))
def test_columns_say_what_a_loop_says(
    how: Reckoning, held: list[One], asked: list[tuple[int, int]], window: int | None
) -> None:
    values, known = reckon(how, _columns(held), _rows(asked), window_days=window)

    for place, (student, day) in enumerate(asked):
        seen = [
            one
            for one in held
            if one.student == student
            and one.known <= day
            and (one.until is None or one.until > day)
            and (window is None or one.of > day - window)
        ]
        seen.sort(key=lambda one: (one.of, one.known))
        expected = _slowly(how, seen, day)
        assert math.isnan(values[place]) if math.isnan(expected) else values[place] == pytest.approx(expected)
        assert np.isnat(known[place]) == math.isnan(expected)
        assert np.isnat(known[place]) or known[place] <= _moment(day)


@given(held=st.lists(facts(), max_size=12), asked=rows, later=st.lists(facts(), max_size=6))
def test_whatever_comes_to_light_later_changes_nothing(
    held: list[One], asked: list[tuple[int, int]], later: list[One]
) -> None:
    """Facts known after every row, and marks of voiding set after it, leave every value and moment as it was."""
    after = [replace(one, known=one.known + 100) for one in later]
    voided = [
        one if one.until is not None else One(one.student, one.value, one.known, one.of, 100, one.alike) for one in held
    ]
    for how in Reckoning:
        before = reckon(how, _columns(held), _rows(asked), window_days=30)
        since = reckon(how, _columns(voided + after), _rows(asked), window_days=30)
        assert np.array_equal(before[0], since[0], equal_nan=True)
        assert np.array_equal(before[1].view(np.int64), since[1].view(np.int64))
