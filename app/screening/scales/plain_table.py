"""A plain table of items, scored by itself: no students, no database, nothing kept.

For whoever wants to try a scale file, or to compare our sums with others'.
Columns are items by number, by name or by prefix and number; what a cell
holds is never repeated, only where it stands and what was expected there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import numpy as np

from app.intake.headers import normal
from app.intake.sheet import Cell, Table, text_of
from app.screening.scales.scale_parts import CHOICE, CLOCK, HOURS, Item
from app.screening.scales.scale_whole import Scale
from app.screening.scales.scoring import ENGINE, MISSING, Answers, Scores, codings_that_fit, recode, score
from models.refusal import Refusal

_NUMBER = re.compile(r"^(?:q|第|item|t)?(\d{1,4})(?:题)?$")
_CLOCK = re.compile(r"^(\d{1,2})[:：点时](\d{1,2})?")
_BLANK = frozenset({"", "-", "/", "na", "n/a", "nan", "none", "null", "(空)", "(跳过)"})
_NEAR = 1e-6
_TOO_MUCH = 2**15
_OUT = -2
"""A cell that holds something, but no answer."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of a plain table and what could not be read in it."""

    scale: Scale
    answers: Answers
    scores: Scores
    coding: str
    coding_reason: str
    row_numbers: list[int]
    problems: list[dict[str, Any]]


def knows(scale: Scale, word: str) -> bool:
    """Whether a header cell names an item: used to find the header row."""
    return item_of(scale, word) is not None


def item_of(scale: Scale, word: str) -> int | None:
    """The item that a header names, or none."""
    text = normal(word)
    for item in scale.items:
        names = {normal(item.name), normal(item.text), normal(item.key), *item.aliases} - {""}
        if text in names:
            return item.number
    for prefix in ("", *scale.prefixes):
        found = _NUMBER.match(text.removeprefix(prefix)) if text.startswith(prefix) else None
        if found and 1 <= int(found[1]) <= scale.size:
            return int(found[1])
    return None


def score_table(scale: Scale, table: Table, *, coding: str | None = None) -> Scored:
    """Score every row. Refuses a table that lacks an item."""
    places: dict[int, int] = {}
    for place, word in enumerate(table.header):
        number = item_of(scale, word)
        if number is not None:
            places.setdefault(number, place)
    lacking = [item.label for item in scale.items if item.number not in places]
    if lacking or not scale.items:
        shown = "、".join(lacking[:5]) or "全部题目"
        raise Refusal(f"表头里找不到 {scale.name} 的：{shown}{' 等' if len(lacking) > 5 else ''}。列名用题号即可。")
    given, said = _given(scale, table, places)
    fitting = codings_that_fit(scale, np.where(given == _OUT, MISSING, given))
    chosen = coding or (fitting[0].key if fitting else scale.codings[0].key)
    if chosen not in {held.key for held in scale.codings}:
        raise Refusal(f"{scale.name} 没有计分方式 {chosen}；可用：{'、'.join(held.key for held in scale.codings)}。")
    answers = np.where(said != MISSING, said, recode(scale, given, chosen))
    wrong = (answers == MISSING) & (given != MISSING)
    problems = [_problem(scale, table, places, row, place) for row, place in np.argwhere(wrong).tolist()]
    reason = next((held.reason for held in fitting if held.key == chosen), "由命令指定")
    return Scored(scale, answers, score(scale, answers), chosen, reason, list(table.row_numbers), problems)


def _given(scale: Scale, table: Table, places: dict[int, int]) -> tuple[Answers, Answers]:
    """The numbers of the cells, in the file's coding, and what words say, which is in the scale's own."""
    given = np.full((len(table.rows), scale.size), MISSING, dtype=np.int16)
    said = given.copy()
    for item in scale.items:
        words = item.answer_words or scale.answer_words
        for row, cells in enumerate(table.rows):
            text = text_of(cells[places[item.number]]).strip().lower()
            if item.kind == CHOICE and normal(text) in words and not text.isdecimal():
                said[row, item.number - 1] = words[normal(text)]
            elif text not in _BLANK:
                given[row, item.number - 1] = _value(item, cells[places[item.number]], text)
    return given, said


def _value(item: Item, cell: Cell, text: str) -> int:
    if item.kind == CLOCK:
        return _clock(cell, text)
    number = _number(cell, text)
    if number is None:
        return _OUT
    number *= 60 if item.kind == HOURS else 1
    if not 0 <= number < _TOO_MUCH or (item.kind == CHOICE and abs(number - round(number)) > _NEAR):
        return _OUT
    return round(number)


def _number(cell: Cell, text: str) -> float | None:
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return float(cell)
    try:
        return float(text)
    except ValueError:
        return None


def _clock(cell: Cell, text: str) -> int:
    """A time of day in minutes after midnight. A bare hour counts as that hour."""
    if isinstance(cell, time | datetime):
        return cell.hour * 60 + cell.minute
    if isinstance(cell, timedelta):
        return int(cell.total_seconds() // 60) % (24 * 60)
    found = _CLOCK.match(text)
    number = _number(cell, text)
    if found is None and number is not None and number.is_integer():
        hours, minutes = int(number), 0
    elif found is not None:
        hours, minutes = int(found[1]), int(found[2] or 0)
    else:
        return _OUT
    return hours % 24 * 60 + minutes if 0 <= hours <= 24 and 0 <= minutes < 60 else _OUT


def _problem(scale: Scale, table: Table, places: dict[int, int], row: int, place: int) -> dict[str, Any]:
    item = scale.items[place]
    expected = "24 小时制的时间，如 23:30" if item.kind == CLOCK else f"{item.minimum}–{item.maximum} 的整数或答案文字"
    return {"row": table.row_numbers[row], "column": table.header[places[item.number]], "expected": expected}


def as_table(held: Scored) -> dict[str, Any]:
    """Everything as plain numbers and words, row by row."""
    return {
        "scale": held.scale.key,
        "scale_version": held.scale.version,
        "engine_version": ENGINE,
        "coding": held.coding,
        "coding_reason": held.coding_reason,
        "norm": held.scale.norm.key if held.scale.norm else None,
        "rows": len(held.row_numbers),
        "scored": int(held.scores.complete.sum()),
        "positive": int(held.scores.positive.sum()),
        "flagged": int(held.scores.flagged.sum()),
        "problems": held.problems,
        "results": [_row(held, place) for place in range(len(held.row_numbers))],
    }


def _row(held: Scored, place: int) -> dict[str, Any]:
    scale, scores, answers = held.scale, held.scores, held.answers[place]
    complete, band = bool(scores.complete[place]), int(scores.bands[place])
    given = bool((answers >= 0).any())
    raised = [flag for flag in scale.red_flags if flag.is_critical and flag.meets(int(answers[flag.item - 1]))]
    return {
        "row": held.row_numbers[place],
        "status": ("scored" if complete else "incomplete") if given else "empty",
        "total": _plain(scores.totals[place]),
        "at_least": _plain(scores.at_least[place]) if scale.has_total else None,
        "band": scale.bands[band].key if band >= 0 else None,
        "band_label": scale.bands[band].label if band >= 0 else None,
        "positive": bool(scores.positive[place]) if complete else None,
        "flags": sorted({flag.item for flag in raised}),
        "subscales": {sub.key: _plain(scores.subscales[place, at]) for at, sub in enumerate(scale.subscales)},
        "subscale_bands": {
            sub.key: sub.bands[scores.subscale_bands[place, at]].key if scores.subscale_bands[place, at] >= 0 else None
            for at, sub in enumerate(scale.subscales)
            if sub.bands
        },
        "counts": {count.key: _plain(scores.counts[count.key][place]) for count in scale.counts},
    }


def _plain(value: Any) -> int | float | None:
    """``nan`` is no value; a whole number is shown as one."""
    number = float(value)
    if np.isnan(number):
        return None
    return int(number) if number.is_integer() else round(number, 6)
