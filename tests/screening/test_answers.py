"""Cells of real spreadsheets as answers: what counts, what is missing, what is a problem of its cell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake.problem import Problem
from app.intake.sheet import Cell, Table
from app.screening import answers
from app.screening.scale import all_scales
from app.screening.scoring import MISSING

PHQ9 = all_scales()["phq9"]
HEADER = [f"PHQ9-{number}" for number in range(1, 10)]


def read(*rows: list[Cell]) -> tuple[list[list[int]], list[bool], list[Problem]]:
    problems: list[Problem] = []
    table = Table("", ("",), 1, HEADER, [list(row) for row in rows], range(2, len(rows) + 2))
    found, empty = answers.read(table, PHQ9, range(9), problems)
    return found.tolist(), empty.tolist(), problems


@pytest.mark.parametrize(
    "cell",
    [
        2,
        2.0,
        "2",
        " 2 ",
        "2.0",
        "２",
        pytest.param(2 + 4e-9, id="nearly 2"),
    ],
)
def test_a_whole_number_is_an_answer_however_it_is_stored(cell: Cell) -> None:
    [found], _, problems = read([cell] + [0] * 8)

    assert found[0] == 2
    assert problems == []


@pytest.mark.parametrize("cell", [5.4e-79, -1e-12, "0.0", "5.4e-79", 0])
def test_a_spreadsheets_almost_zero_is_zero(cell: Cell) -> None:
    [found], _, problems = read([cell] + [1] * 8)

    assert found[0] == 0
    assert problems == []


@pytest.mark.parametrize("cell", ["", "  ", "-", "--", "/", "NA", "n/a", "NULL", "None", "nan", "(空)", "（跳过）"])
def test_a_blank_is_missing_and_no_problem_of_its_cell(cell: Cell) -> None:
    [found], [empty], problems = read([cell] + [1] * 8)

    assert found == [MISSING] + [1] * 8
    assert not empty
    assert problems == []


@pytest.mark.parametrize(
    "cell",
    [4, -1, 1.5, "1.5", 10, 99, "4", "-1", "好几天", "inf", "-inf", 1e300, True, "2分", "1 2", "1_0", "0x1", "３４"],
)
def test_anything_else_is_missing_and_a_problem_that_names_row_and_column_but_no_value(cell: Cell) -> None:
    [found], [empty], problems = read([1, 1, 1, 1, cell, 1, 1, 1, 2])

    assert found == [1, 1, 1, 1, MISSING, 1, 1, 1, 2]
    assert not empty
    [problem] = problems
    assert (problem.row, problem.column, problem.code) == (2, "PHQ9-5", "out_of_range")
    assert str(cell) not in problem.message.replace("0–3", "").replace("PHQ-9", "").replace("第 5 题", "")


def test_an_underscore_does_not_make_a_number() -> None:
    [found], _, problems = read(["0_1"] + [0] * 8)

    assert found[0] == MISSING
    assert [problem.code for problem in problems] == ["out_of_range"]


def test_a_row_without_any_answer_is_told_from_one_with_unusable_answers() -> None:
    _, empty, _ = read([""] * 9, ["x"] * 9, [""] * 8 + [0])

    assert empty == [True, False, False]


def test_numbers_and_texts_in_one_column_are_read_alike() -> None:
    found, _, _ = read([1] * 9, ["1"] * 9, [1.0] * 9)

    assert found[0] == found[1] == found[2]


def test_missing_answers_are_counted_for_the_row_they_are_missing_from() -> None:
    table = Table("", ("",), 1, HEADER, [[0] * 9, [0] * 7 + ["", ""]], [5, 9])
    held, _ = answers.read(table, PHQ9, range(9), [])

    [problem] = answers.missing_items(table, PHQ9, held, [1])

    assert (problem.row, problem.column, problem.code) == (9, None, "items_missing")
    assert "缺 2 题" in problem.message


cells = st.one_of(
    st.text(max_size=6),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.timedeltas(),
)


@given(rows=st.lists(st.lists(cells, min_size=9, max_size=9), min_size=1, max_size=5))
def test_no_cell_of_any_kind_breaks_the_reading(rows: list[list[Cell]]) -> None:
    found, empty, problems = read(*rows)

    assert all(value in {MISSING, 0, 1, 2, 3} for row in found for value in row)
    assert all(all(value == MISSING for value in row) for row, is_empty in zip(found, empty, strict=True) if is_empty)
    assert len(problems) <= sum(value == MISSING for row in found for value in row)
