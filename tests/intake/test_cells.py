"""One cell: numbers, days, moments and durations as people and programs write them, and nothing guessed."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake.cells import date_of, is_damaged, moment_of, number_of, seconds_of
from models import moment

SHANGHAI = ZoneInfo("Asia/Shanghai")
TEN_PAST = datetime(2026, 9, 5, 10, 3, tzinfo=SHANGHAI)
ANYTHING = st.one_of(
    st.none(),
    st.text(max_size=30),
    st.floats(),
    st.integers(),
    st.booleans(),
    st.datetimes(),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.from_regex(
        r"[0-9]{1,4}[-/.年:][0-9]{1,2}[-/.月: 日][0-9]{0,4}( ?(上午|下午|晚上|T)? ?[0-9:.+]{0,12})?", fullmatch=True
    ),
)


@pytest.fixture(autouse=True)
def _in_shanghai() -> Any:
    before = moment.zone()
    moment.use_zone(SHANGHAI)
    yield
    moment.use_zone(before)


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        (3, 3.0),
        ("３", 3.0),
        (" 3 ", 3.0),
        ("'3", 3.0),
        (".5", 0.5),
        ("-.5", -0.5),
        ("0,5", 0.5),
        ("12,75", 12.75),
        ("0,234", 0.234),
        ("1,234.5", 1234.5),
        ("1,234,567", 1234567.0),
        (5.4e-79, 5.4e-79),
        ("5.4E-79", 5.4e-79),
        ("\u22121", -1.0),
        ("\u200b7", 7.0),
        ("1,234", None),
        ("3²", None),
        ("½", None),
        ("50%", None),
        ("1_000", None),
        ("٣", None),
        ("nan", None),
        ("1e999", None),
        (float("nan"), None),
        (float("inf"), None),
        (True, None),
        (date(2026, 9, 5), None),
        ("", None),
        (None, None),
    ],
)
def test_a_number_is_read_however_it_is_stored_and_never_guessed(cell: Any, number: float | None) -> None:
    assert number_of(cell) == number


@pytest.mark.parametrize(
    "cell",
    [
        date(2026, 9, 5),
        datetime(2026, 9, 5, 10, 3),  # noqa: DTZ001 - cells know no zone
        "2026-09-05",
        "2026/9/5",
        "2026.9.5",
        "2026年9月5日",
        "2026 年 9 月 5 日",
        "２０２６年９月５日",
        "2026年9月5日 星期六",
        "2026-09-05 10:03",
        "2026-09-04T20:03:00Z",
        "20260905",
        20260905,
        20260905.0,
        46270,
        46270.42,
        "46270",
    ],
)
def test_a_day_is_read_in_every_usual_form(cell: Any) -> None:
    assert date_of(cell) == date(2026, 9, 5)


@pytest.mark.parametrize(
    "cell",
    [
        "5/9/2026",
        "26/9/5",
        "2026-13-01",
        "2026-02-30",
        "2026/9-5",
        "2026年9月",
        "2026-09-051",
        "9月5日",
        "0026-09-05",
        3,
        1e300,
        True,
        time(10, 3),
        "",
        None,
    ],
)
def test_a_day_that_is_unclear_or_impossible_is_none(cell: Any) -> None:
    assert date_of(cell) is None


@pytest.mark.parametrize(
    "cell",
    [
        datetime(2026, 9, 5, 10, 3),  # noqa: DTZ001 - cells know no zone
        "2026-09-05 10:03",
        "2026/9/5 上午 10:03",
        "2026/9/5 上午10:03:00",
        "2026年9月5日10时03分",
        "2026年9月5日 10点3分0秒",
        "2026-09-05T10:03:00+08:00",
        "2026-09-05T10:03:00.000+0800",
        "2026-09-05T02:03:00Z",
        "2026-09-05 10:03 AM",
        "2026/9/5 星期六 10:03",
        "20260905100300",
        202609051003,
        46270.41875,
    ],
)
def test_a_moment_is_read_in_every_usual_form(cell: Any) -> None:
    found = moment_of(cell)

    assert found == TEN_PAST
    assert found is not None
    assert found.tzinfo is not None


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("下午 3:05", 15),
        ("下午 15:05", 15),
        ("上午 12:05", 0),
        ("中午 12:05", 12),
        ("中午1:05", 13),
        ("晚上 8:05", 20),
        ("3:05 PM", 15),
    ],
)
def test_the_halves_of_the_day_are_understood(text: str, hour: int) -> None:
    assert moment_of(f"2026/9/5 {text}") == datetime(2026, 9, 5, hour, 5, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    "cell",
    [
        "2026-09-05 25:00",
        "2026-09-05 10:61",
        "2026-09-05 晚上 12:30",
        "2026-09-05 上午 15:00",
        "2026-09-05 10:03+25:00",
        "10:03",
        "2026-09-05 差不多",
        "1991-04-14 02:30",
        "1991-09-15 01:30",
    ],
)
def test_a_moment_that_is_unclear_or_impossible_is_none(cell: str) -> None:
    assert moment_of(cell) is None


def test_a_day_alone_is_its_first_minute() -> None:
    assert moment_of(date(2026, 9, 5)) == moment_of("2026年9月5日") == datetime(2026, 9, 5, tzinfo=SHANGHAI)


@pytest.mark.parametrize("cell", [4.403e17, 440301200501011234.0, "4.40301E+17", "4.40301e+17"])
def test_a_long_number_that_the_spreadsheet_rounded_is_damaged(cell: Any) -> None:
    assert is_damaged(cell)


@given(ANYTHING)
def test_no_cell_brings_a_reading_down(cell: Any) -> None:
    number_of(cell), date_of(cell), seconds_of(cell)
    found = moment_of(cell)

    assert found is None or found.tzinfo is not None


@given(st.dates(date(1950, 1, 1), date(2099, 12, 31)))
def test_a_day_reads_the_same_in_every_form(day: date) -> None:
    serial = (day - date(1899, 12, 30)).days

    forms: list[Any] = [
        day.isoformat(),
        f"{day.year}/{day.month}/{day.day}",
        f"{day.year}年{day.month}月{day.day}日",
        serial,
        float(serial),
    ]

    assert {date_of(form) for form in forms} == {day}
