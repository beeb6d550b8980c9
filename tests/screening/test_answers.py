"""Cells of real spreadsheets as answers: what counts, what is missing, what is a problem of its cell."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake.problem import Problem
from app.intake.sheet import Cell, Table
from app.screening.scales.scale import Scale, all_scales
from app.screening.scales.scoring import MISSING
from app.screening.tables import reading
from app.screening.tables.plan import Plan, ScalePlan

PHQ9 = all_scales()["phq9"]


def read(
    *rows: list[Any], scale: Scale = PHQ9, coding: str | None = None
) -> tuple[list[list[int]], list[bool], list[Problem]]:
    """The answers of some rows, whether each is empty, and the problems."""
    header = ["学号", *(f"{scale.name}-{item.number}" for item in scale.items)]
    table = Table("", ("",), 1, header, [["1", *row] for row in rows], range(2, len(rows) + 2))
    places = list(range(1, scale.size + 1))
    plan = Plan(columns={"student_number": 0}, scales={scale.key: ScalePlan(places, coding=coding)})
    found = reading.read([table], [plan])
    held = found.scales[scale.key]
    return held.answers.tolist(), (~held.present).tolist(), found.problems


@pytest.mark.parametrize(
    "cell",
    [
        2,
        2.0,
        "2",
        " 2 ",
        "2.0",
        "２",
        "'2",
        pytest.param(2 + 4e-9, id="nearly 2"),
        "一半以上的天数",
        "2(一半以上的天数)",
    ],
)
def test_an_answer_counts_however_it_is_stored(cell: Cell) -> None:
    [found], _, problems = read([cell] + [0] * 8)

    assert found[0] == 2
    assert problems == []


@pytest.mark.parametrize("cell", ["B.好几天", "b、好几天", "B. 好几天", "1 好几天", "1：好几天", "好几天"])
def test_the_words_of_an_option_count_and_not_its_letter(cell: Cell) -> None:
    [found], _, problems = read([cell] + [0] * 8)

    assert found[0] == 1
    assert problems == []


def test_words_count_also_where_the_file_numbers_its_options_from_one() -> None:
    found, _, problems = read(*[["4(几乎每天)", *["1(完全不会)"] * 8]] * 3)

    assert found == [[3, *[0] * 8]] * 3
    assert problems == []


@pytest.mark.parametrize("cell", [5.4e-79, -1e-12, "0.0", "5.4e-79", 0])
def test_a_spreadsheets_almost_zero_is_zero(cell: Cell) -> None:
    [found], _, problems = read([cell] + [1] * 8)

    assert found[0] == 0
    assert problems == []


@pytest.mark.parametrize(
    "cell",
    ["", "  ", "-", "--", "/", "NA", "n/a", "NULL", "None", "nan", "(空)", "（跳过）", "拒答", -3, "-2", 99, 998],
)
def test_a_blank_or_a_code_for_refused_is_missing_and_no_problem_of_its_cell(cell: Cell) -> None:
    [found], [empty], problems = read([cell] + [1] * 8)

    assert found == [MISSING] + [1] * 8
    assert not empty
    assert problems == []


@pytest.mark.parametrize(
    "cell", [4, 1.5, "1.5", 10, "4", "总是这样", "inf", "-inf", 1e300, True, "2分", "1 2", "1_0", "0x1", "３４"]
)
def test_anything_else_is_missing_and_a_problem_that_names_row_and_column_but_no_value(cell: Cell) -> None:
    [found], [empty], problems = read([1, 1, 1, 0, cell, 1, 1, 1, 2])

    assert found == [1, 1, 1, 0, MISSING, 1, 1, 1, 2]
    assert not empty
    [problem] = problems
    assert (problem.row, problem.column, problem.code) == (2, "PHQ-9-5", "out_of_range")
    assert str(cell) not in problem.message.replace("0–3", "").replace("PHQ-9", "").replace("第 5 题", "")


def test_a_code_between_the_answers_is_never_taken_for_missing() -> None:
    [found], _, problems = read([3, *[0] * 8])

    assert found[0] == 3
    assert problems == []


def test_a_row_without_any_answer_is_told_from_one_with_unusable_answers() -> None:
    _, empty, _ = read([""] * 9, ["x"] * 9, [""] * 8 + [0])

    assert empty == [True, False, False]


def test_numbers_and_texts_in_one_column_are_read_alike() -> None:
    found, _, _ = read([1] * 9, ["1"] * 9, [1.0] * 9)

    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("cells", "minutes"),
    [
        (("23:00", 20, "07:00", 7), [1380, 20, 420, 420]),
        ((time(23, 0), "20分钟", "7点", "7小时"), [1380, 20, 420, 420]),
        ((23, timedelta(minutes=20), 7, 7.5), [1380, 20, 420, 450]),
        ((23 / 24, "1小时", "晚上11点30分", "6小时30分"), [1380, 60, 1410, 390]),
    ],
)
def test_times_of_a_sleep_questionnaire_are_read_as_people_write_them(
    cells: tuple[Cell, ...], minutes: list[int]
) -> None:
    scale = all_scales()["psqi"]

    [found], _, problems = read([*cells, *[0] * (scale.size - 4)], scale=scale)

    assert found[:4] == minutes
    assert problems == []


any_cell = st.one_of(
    st.text(max_size=6),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.timedeltas(),
)


@given(rows=st.lists(st.lists(any_cell, min_size=9, max_size=9), min_size=1, max_size=5))
def test_no_cell_of_any_kind_breaks_the_reading(rows: list[list[Cell]]) -> None:
    found, empty, problems = read(*rows)

    assert all(value in {MISSING, 0, 1, 2, 3} for row in found for value in row)
    assert all(all(value == MISSING for value in row) for row, is_empty in zip(found, empty, strict=True) if is_empty)
    assert len(problems) <= sum(value == MISSING for row in found for value in row)
