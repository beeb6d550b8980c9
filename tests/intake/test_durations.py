"""How long somebody took, as platforms and spreadsheets write it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake.cells import seconds_of


@pytest.mark.parametrize(
    "cell",
    [
        756,
        756.0,
        "756",
        "756秒",
        "12分36秒",
        "12 分 36 秒",
        "12分钟36秒",
        "12'36\"",
        "12′36″",
        "12.6分钟",
        "0小时12分36秒",
        "00:12:36",
        "0:12:36.0",
        "12m36s",
        time(0, 12, 36),
        timedelta(minutes=12, seconds=36),
        0.00875,
    ],
)
def test_a_duration_is_read_in_every_usual_form(cell: Any) -> None:
    assert seconds_of(cell) == 756


@pytest.mark.parametrize("cell", ["12:36", "半小时", "-5", -5, "1.2.3秒", 1e12, True, date(2026, 9, 5), "", None])
def test_a_duration_that_is_unclear_or_impossible_is_none(cell: Any) -> None:
    assert seconds_of(cell) is None


def test_a_duration_beyond_a_day_is_read_from_what_the_spreadsheet_shows_as_a_date() -> None:
    assert seconds_of(datetime(1899, 12, 31, 12)) == 36 * 3600  # noqa: DTZ001 - cells know no zone


@given(st.integers(0, 359_999))
def test_a_duration_reads_the_same_in_every_form(seconds: int) -> None:
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60

    forms: list[Any] = [
        seconds,
        f"{seconds}秒",
        f"{hours}时{minutes}分{rest}秒",
        f"{hours:02}:{minutes:02}:{rest:02}",
        timedelta(seconds=seconds),
    ]

    assert {seconds_of(form) for form in forms} == {float(seconds)}
