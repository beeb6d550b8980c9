"""Clocks that count working time: nights, weekends, holidays, 调休 and the lunch break stand still."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import catalogue
from models.working_time import Clock, ClockKind, WorkingCalendar
from tests.risk.times import SHANGHAI, at

CALENDAR = WorkingCalendar.from_table(catalogue.table("calendar"), SHANGHAI)
HALF_HOUR = timedelta(minutes=30)
_OFF = {
    date.fromisoformat(first) + timedelta(days=more)
    for first, last in catalogue.table("calendar")["days_off"]
    for more in range((date.fromisoformat(last) - date.fromisoformat(first)).days + 1)
}
_SHIFTED = {date.fromisoformat(day) for day in catalogue.table("calendar")["working_days"]}
moments = st.integers(0, 2 * 24 * 360).map(lambda steps: at("2026-01-01", "00:00") + steps * HALF_HOUR)


def works_on(day: date) -> bool:
    return day in _SHIFTED or (day.weekday() < 5 and day not in _OFF)


def works_at(instant: datetime) -> bool:
    """Whether the half hour that begins at ``instant`` is worked."""
    inside = time(8, 30) <= instant.time() < time(12) or time(14) <= instant.time() < time(17, 30)
    return works_on(instant.date()) and inside


def due(start: datetime, kind: ClockKind, amount: int) -> datetime:
    return CALENDAR.due(start, Clock(kind, amount)).astimezone(SHANGHAI)


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        pytest.param(at("2026-11-16", "09:00"), 2, at("2026-11-16", "11:00"), id="inside one morning"),
        pytest.param(at("2026-11-16", "11:30"), 1, at("2026-11-16", "14:30"), id="over the lunch break"),
        pytest.param(at("2026-11-16", "13:00"), 1, at("2026-11-16", "15:00"), id="begun at lunch"),
        pytest.param(at("2026-11-16", "11:00"), 1, at("2026-11-16", "12:00"), id="until the last minute before lunch"),
        pytest.param(at("2026-11-16", "16:30"), 1, at("2026-11-16", "17:30"), id="until closing time"),
        pytest.param(at("2026-11-16", "22:00"), 2, at("2026-11-17", "10:30"), id="begun at night"),
        pytest.param(at("2026-11-16", "05:00"), 2, at("2026-11-16", "10:30"), id="begun before opening"),
        pytest.param(at("2026-11-16", "08:30"), 7, at("2026-11-16", "17:30"), id="a whole day"),
        pytest.param(at("2026-11-16", "08:30"), 8, at("2026-11-17", "09:30"), id="a day and an hour"),
        pytest.param(at("2026-11-20", "17:00"), 2, at("2026-11-23", "10:00"), id="over a weekend"),
        pytest.param(at("2026-11-21", "12:00"), 1, at("2026-11-23", "09:30"), id="begun on a Saturday"),
        pytest.param(at("2026-09-30", "17:00"), 2, at("2026-10-08", "10:00"), id="over the National Day holiday"),
        pytest.param(at("2026-10-09", "17:00"), 2, at("2026-10-10", "10:00"), id="into a working Saturday"),
        pytest.param(at("2026-09-19", "12:00"), 1, at("2026-09-20", "09:30"), id="into a working Sunday"),
        pytest.param(at("2026-12-31", "17:00"), 1, at("2027-01-04", "09:00"), id="over the end of the calendar"),
    ],
)
def test_working_hours_run_only_while_people_work(start: datetime, hours: int, expected: datetime) -> None:
    assert due(start, ClockKind.WORKING, hours) == expected


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        pytest.param(at("2026-11-16", "09:00"), 3, "2026-11-19", id="from a Monday"),
        pytest.param(at("2026-11-16", "23:59"), 1, "2026-11-17", id="from late at night"),
        pytest.param(at("2026-11-20", "09:00"), 1, "2026-11-23", id="over a weekend"),
        pytest.param(at("2026-11-21", "09:00"), 1, "2026-11-23", id="from a Saturday"),
        pytest.param(at("2026-09-30", "09:00"), 1, "2026-10-08", id="over the National Day holiday"),
        pytest.param(at("2026-10-09", "09:00"), 2, "2026-10-12", id="a working Saturday counts"),
        pytest.param(at("2026-02-13", "09:00"), 2, "2026-02-24", id="over the Spring Festival, 14 February worked"),
    ],
)
def test_working_days_end_at_closing_time_of_the_last_one(start: datetime, days: int, expected: str) -> None:
    assert due(start, ClockKind.DAYS, days) == at(expected, "17:30")


@pytest.mark.parametrize("start", [at("2026-10-03", "03:00"), at("2026-11-16", "23:50"), at("2026-11-22", "12:30")])
def test_a_round_clock_knows_no_night_and_no_holiday(start: datetime) -> None:
    assert due(start, ClockKind.ROUND, 30) == start + HALF_HOUR


@given(start=moments, hours=st.integers(1, 40))
def test_exactly_the_promised_working_time_lies_before_the_due_time(start: datetime, hours: int) -> None:
    ends = due(start, ClockKind.WORKING, hours)

    steps = round((ends - start) / HALF_HOUR)
    assert sum(works_at(start + step * HALF_HOUR) for step in range(steps)) == 2 * hours
    assert works_at(ends - HALF_HOUR)


@given(start=moments, days=st.integers(1, 20))
def test_exactly_the_promised_working_days_lie_before_the_due_day(start: datetime, days: int) -> None:
    ends = due(start, ClockKind.DAYS, days)

    span = (ends.date() - start.date()).days
    assert sum(works_on(start.date() + timedelta(days=step)) for step in range(1, span + 1)) == days
    assert works_on(ends.date())
    assert ends.time() == time(17, 30)


@given(start=moments, later=st.integers(0, 400), kind=st.sampled_from(ClockKind), amount=st.integers(1, 60))
def test_more_time_and_a_later_start_never_end_earlier(
    start: datetime, later: int, kind: ClockKind, amount: int
) -> None:
    ends = due(start, kind, amount)

    assert ends > start
    assert due(start, kind, amount + 1) > ends
    assert due(start + timedelta(minutes=later), kind, amount) >= ends


@given(start=moments, kind=st.sampled_from(ClockKind), amount=st.integers(1, 30))
def test_a_due_time_does_not_depend_on_the_zone_the_start_is_written_in(
    start: datetime, kind: ClockKind, amount: int
) -> None:
    assert CALENDAR.due(start.astimezone(UTC), Clock(kind, amount)) == CALENDAR.due(start, Clock(kind, amount))


def test_what_is_due_is_stored_in_utc() -> None:
    assert CALENDAR.due(at("2026-11-16"), Clock(ClockKind.WORKING, 1)).tzinfo is UTC


def test_the_calendar_names_every_working_weekend_outside_its_holidays() -> None:
    assert {day.weekday() for day in _SHIFTED} <= {5, 6}
    assert not _SHIFTED & _OFF
