"""Cells to answers: whole columns at once, every unusable cell named with its row and column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.intake.problem import Problem
from app.intake.sheet import Cell, Table, text_of
from app.screening.scale import Scale
from app.screening.scoring import MISSING, Answers

NEAR = 1e-6
"""Spreadsheets store a zero as 5.4e-79 now and then; this near to a whole number is that number."""
_BLANK = frozenset({"", "-", "--", "/", "na", "n/a", "null", "none", "nan", "(空)", "(跳过)", "（空）", "（跳过）"})


def read(
    table: Table, scale: Scale, places: Sequence[int], problems: list[Problem]
) -> tuple[Answers, NDArray[np.bool_]]:
    """The answers of every row, and which rows hold no answer to this scale at all.

    A blank is missing. Anything else that is not a whole number within the
    scale's range is missing too, and becomes a problem of that cell.
    """
    answers = np.full((len(table), scale.size), MISSING, dtype=np.int16)
    blank = np.zeros((len(table), scale.size), dtype=bool)
    for item, place in enumerate(places):
        column = [row[place] for row in table.rows]
        values, empty = _numbers(column)
        usable = np.isfinite(values)
        whole = np.where(usable, np.rint(np.where(usable, values, 0)), 0)
        fits = usable & (np.abs(values - whole) < NEAR) & (whole >= scale.minimum) & (whole <= scale.maximum)
        answers[fits, item] = whole[fits].astype(np.int16)
        blank[:, item] = empty
        wrong = np.flatnonzero(~fits & ~empty).tolist()
        problems.extend(_out_of_range(table, scale, position, place, item + 1) for position in wrong)
    empty_rows: NDArray[np.bool_] = np.all(blank, axis=1)
    return answers, empty_rows


def _numbers(column: list[Cell]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """A column as floats (``nan`` where it is no number), and where it is blank. Fast when it is all numbers."""
    if set(map(type, column)) <= {float, int}:
        return np.array(column, dtype=np.float64), np.zeros(len(column), dtype=bool)
    texts = [text_of(cell).lower() for cell in column]
    empty = np.array([text in _BLANK for text in texts], dtype=bool)
    return np.array([_number(text) for text in texts], dtype=np.float64), empty


def _number(text: str) -> float:
    try:
        return float(text) if "_" not in text else float("nan")
    except ValueError:
        return float("nan")


def _out_of_range(table: Table, scale: Scale, position: int, place: int, item: int) -> Problem:
    return Problem(
        table.row_numbers[position],
        table.header[place],
        "out_of_range",
        f"{scale.name} 第 {item} 题应为 {scale.minimum}–{scale.maximum} 的整数，此格不是；"
        "该量表记为不完整，关键题照常检查。",
    )


def missing_items(table: Table, scale: Scale, answers: Answers, positions: Sequence[int]) -> list[Problem]:
    """One problem per row that lacks some answers of a scale, naming how many."""
    counts = (answers == MISSING).sum(axis=1)
    return [
        Problem(
            table.row_numbers[position],
            None,
            "items_missing",
            f"{scale.name} 缺 {int(counts[position])} 题，不计总分；关键题照常检查。",
        )
        for position in positions
    ]
