"""Cells to answers: whole columns at once, every unusable cell named with its row and column."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from functools import cache

import numpy as np
from numpy.typing import NDArray

from app.intake import cells
from app.intake.headers import normal
from app.intake.problem import Problem
from app.intake.sheet import Cell, Table, text_of
from app.screening.scales.scale import Item, Scale
from app.screening.scales.scoring import MISSING, Answers
from app.screening.tables.plan import ABSENT
from config import catalogue

NEAR = 1e-6
"""Spreadsheets store a zero as 5.4e-79 now and then; this near to a whole number is that number."""
DAY = 24 * 60
UNUSABLE = -32_000
"""An answer that cannot be read: a problem of its cell. Becomes missing."""
MOST_CELLS = 20_000
"""Bad cells of one scale that are named one by one; a wrong coding makes millions."""
_UNREAD = "这是关键题，读不出就无法检查，请尽快核对原始作答。该量表记为不完整。"
_OPTION = re.compile(r"^(?:选项)?[a-z][.、:：)）]\s*")
_NUMBER_AND_WORDS = re.compile(r"^(-?\d{1,3})\s*[(（:：.、\s]\s*(.+?)[)）]?$")


@dataclass(slots=True)
class Raw:
    """The answers of one scale as the file codes them, before a coding is chosen."""

    values: Answers
    """Rows x items; ``MISSING`` where blank, ``UNUSABLE`` where the cell is no answer."""
    worded: NDArray[np.bool_]
    """Where a word of the scale was read: it is in the scale's own coding already."""
    blank: NDArray[np.bool_]


def read(table: Table, scale: Scale, places: Sequence[int], missing_codes: Sequence[int] = ()) -> Raw:
    """The answers of every row to one scale."""
    shape = (len(table), len(places))
    raw = Raw(np.full(shape, MISSING, dtype=np.int16), np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool))
    codes = {*usual_codes(), *missing_codes} - _possible(scale)
    for place, item in zip(places, scale.items, strict=True):
        at = item.number - 1
        if place == ABSENT:
            raw.blank[:, at] = True
            continue
        column = [row[place] for row in table.rows]
        if item.kind != "choice":
            raw.values[:, at], raw.blank[:, at] = _measured(column, item)
        elif set(map(type, column)) <= {float, int}:
            _take_numbers(raw, at, np.array(column, dtype=np.float64), codes)
        else:
            _take_texts(raw, at, column, scale, codes)
    return raw


def _take_numbers(raw: Raw, at: int, numbers: NDArray[np.float64], codes: set[int]) -> None:
    whole = np.rint(numbers)
    with np.errstate(invalid="ignore"):
        usable = (np.abs(numbers - whole) < NEAR) & (np.abs(whole) < -UNUSABLE)
    values = np.where(usable, whole, UNUSABLE)
    if codes:
        coded = np.isin(values, list(codes))
        raw.blank[:, at] = coded
        values[coded] = MISSING
    values[values == MISSING] = np.where(raw.blank[:, at][values == MISSING], MISSING, UNUSABLE)
    raw.values[:, at] = values


def _take_texts(raw: Raw, at: int, column: Sequence[Cell], scale: Scale, codes: set[int]) -> None:
    blank_words, words = missing_words(), scale.answer_words
    known: dict[Cell, tuple[int, bool, bool]] = {}
    for position, cell in enumerate(column):
        found = known.get(cell)
        if found is None:
            found = known[cell] = _one(cell, words, blank_words, codes)
        raw.values[position, at], raw.worded[position, at], raw.blank[position, at] = found


def _one(cell: Cell, words: Mapping[str, int], blank_words: frozenset[str], codes: set[int]) -> tuple[int, bool, bool]:
    """One cell: value, whether it was a word, whether it is blank."""
    text = text_of(cell).lstrip("'").strip()
    if text.lower() in blank_words or (normal(text) in blank_words and not any(sign.isdigit() for sign in text)):
        return MISSING, False, True
    number = _number(text)
    if number is not None:
        if number in codes:
            return MISSING, False, True
        return (number, False, False) if number != MISSING else (UNUSABLE, False, False)
    return _words(text, words)


def _words(text: str, words: Mapping[str, int]) -> tuple[int, bool, bool]:
    """没有, "B.好几天", "3(偏重)": the word counts, because it does not depend on how a file numbers its options."""
    found = words.get(normal(text), words.get(normal(_OPTION.sub("", text.lower()))))
    if found is not None:
        return found, True, False
    parts = _NUMBER_AND_WORDS.match(text)
    if parts:
        worded = words.get(normal(parts[2]))
        return (worded, True, False) if worded is not None else (UNUSABLE, False, False)
    return UNUSABLE, False, False


def _number(text: str) -> int | None:
    """A whole number, however it is written: 3, ３, 3.0, 5.4e-79. None for words."""
    value = cells.number_of(text)
    if value is None or not abs(value) < -UNUSABLE:
        return None if value is None else UNUSABLE
    whole = round(value)
    return whole if abs(value - whole) < NEAR else UNUSABLE


def _measured(column: Sequence[Cell], item: Item) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """Minutes, hours or times of day (PSQI): whole minutes; ``UNUSABLE`` where the cell is none."""
    values = np.full(len(column), MISSING, dtype=np.int16)
    blank = np.zeros(len(column), dtype=bool)
    for position, cell in enumerate(column):
        if text_of(cell).lower() in missing_words():
            blank[position] = True
            continue
        minutes = _time_of_day(cell) if item.kind == "clock" else _minutes(cell, item)
        values[position] = UNUSABLE if minutes is None else minutes
    return values, blank


def _minutes(cell: Cell, item: Item) -> int | None:
    """A bare number is in the item's own unit; 7小时30分 and 00:07:30 say theirs."""
    number = cells.number_of(cell)
    if number is not None:
        found = number * 60 if item.kind == "hours" else number
    else:
        seconds = cells.seconds_of(cell)
        found = -1 if seconds is None else seconds / 60
    return round(found) if 0 <= found <= DAY else None


def _time_of_day(cell: Cell) -> int | None:
    """23:00, 晚上11点, 23 (the hour), or the part of a day that a spreadsheet keeps: minutes since midnight."""
    if isinstance(cell, datetime | time):
        return cell.hour * 60 + cell.minute
    number = cells.number_of(cell)
    if number is not None:
        found = number * DAY if 0 < number < 1 else number * 60
        return round(found) % DAY if 0 <= found <= DAY else None
    text = text_of(cell)
    moment = cells.moment_of(f"2000-01-01 {text}" + ("00分" if text.endswith(("点", "时")) else ""))
    return None if moment is None else moment.hour * 60 + moment.minute


@cache
def missing_words() -> frozenset[str]:
    """Cells that say that nothing was answered."""
    words = catalogue.table("source_words")["missing"]["words"]
    return frozenset({*(word.lower() for word in words), *(normal(word) for word in words)})


@cache
def usual_codes() -> frozenset[int]:
    """Numbers by which tools say the same."""
    return frozenset(catalogue.table("source_words")["missing"]["codes"])


@cache
def _possible(scale: Scale) -> frozenset[int]:
    """Values that some coding of the scale can have: never a code for missing."""
    spans = [(coding.minimum, coding.maximum) for coding in scale.codings] + [
        (item.minimum, item.maximum) for item in scale.items
    ]
    return frozenset(value for low, high in set(spans) for value in range(low, high + 1))


# --- problems ---------------------------------------------------------------------------------


def critical_items(scale: Scale) -> frozenset[int]:
    return frozenset(flag.item for flag in scale.red_flags if flag.is_critical)


def out_of_range(
    table: Table, scale: Scale, places: Sequence[int], wrong: NDArray[np.bool_], low: int, high: int
) -> list[Problem]:
    """One problem for each cell that is no answer to its item."""
    found = []
    where = np.nonzero(wrong)
    critical = critical_items(scale)
    for position, at in zip(*(place[:MOST_CELLS].tolist() for place in where), strict=True):
        item = scale.items[at]
        expected = f"{low}–{high} 的整数或选项文字" if item.kind == "choice" else "时间或分钟数"
        after = _UNREAD if item.number in critical else "该量表记为不完整，关键题照常检查。"
        words = f"{scale.name} 第 {item.number} 题应为 {expected}，此格不是；{after}"
        column = table.header[places[at]]
        found.append(Problem(table.row_numbers[position], column, "out_of_range", words, table.file))
    if len(where[0]) > MOST_CELLS:
        words = f"{scale.name} 另有 {len(where[0]) - MOST_CELLS} 格不是作答，没有逐格列出；请核对记分方式和列的含义。"
        found.append(Problem(None, None, "out_of_range", words, table.file))
    return found
