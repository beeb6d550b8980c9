"""Finding the header of a sheet: the row with the most known names, alone or together with a row of group titles.

Two rows are joined only where they can be nothing else: ``PHQ-9`` above
1 to 9 becomes ``PHQ-9 1``. A row that could be a student is never taken for
a part of the header.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.intake.cells import text_of
from app.intake.grid import HEADER_SEARCH, Grid

_LONGEST_GROUP = 40
_NO_GROUP = re.compile(r"[:：]|[0-9]{4}\s*[-/年.]\s*[0-9]{1,2}|^[0-9.]+$")
"""学院：信息学院, 日期 2026-9-5: a line above the header that titles no columns."""
_BARE = re.compile(r"(?:第|[a-zA-Z]{1,4})?\s*[0-9]{1,3}\s*[题项]?[.、．]?")
"""The number of an item; without its group it names nothing."""
_LONG_NUMBER = re.compile(r"[0-9]{6,}")


@dataclass(frozen=True, slots=True)
class Head:
    """The header of a grid: the place of its lowest row, the names, and how many rows it takes."""

    place: int
    titles: list[str]
    rows: int = 1


def place_of(cells: list[list[Any]], knows: Callable[[str], bool]) -> tuple[int, int]:
    """The row near the top with the most known words, and how many; (-1, 0) in an empty grid."""
    best, most = -1, 0
    for place, row in enumerate(cells[:HEADER_SEARCH]):
        filled = [text_of(cell) for cell in row if cell not in ("", None)]
        known = sum(knows(word) for word in filled)
        if filled and (best < 0 or known > most):
            best, most = place, known
    return best, most


def find(grid: Grid, knows: Callable[[str], bool]) -> Head | None:
    """The header; nothing in a grid without a filled row near the top."""
    place, known = place_of(grid.cells, knows)
    if place < 0:
        return None
    texts = [[text_of(cell) for cell in row] for row in grid.cells[max(0, place - 1) : place + 2]]
    at = min(place, 1)
    if at and (groups := _groups_above(grid, place - 1, texts[0], texts[1])):
        return Head(place, _joined(texts[0], texts[1], groups, knows), 2)
    if at + 1 < len(texts) and (groups := _groups_here(grid, place, texts[at], texts[at + 1], knows, known)):
        return Head(place + 1, _joined(texts[at], texts[at + 1], groups, knows), 2)
    return Head(place, texts[at])


def _groups_above(grid: Grid, place: int, upper: list[str], lower: list[str]) -> dict[int, str]:
    """Group titles in the row above the best one: column → title; nothing if that row is a title line or blank."""
    filled = [word for word in upper if word]
    if not filled or any(len(word) > _LONGEST_GROUP or _NO_GROUP.search(word) for word in filled):
        return {}
    groups, is_merged = _groups(grid, place, upper, lower)
    outside = [column for column, word in enumerate(lower) if word and column not in groups]
    is_lone_title = len(filled) == 1 and (not is_merged or not outside)
    return {} if is_lone_title else groups


def _groups_here(
    grid: Grid, place: int, upper: list[str], lower: list[str], knows: Callable[[str], bool], known: int
) -> dict[int, str]:
    """Group titles in the best row itself, if the row below can only be their second row."""
    groups, is_merged = _groups(grid, place, upper, lower)
    if not groups or (not known and not is_merged):
        return {}
    single = [column for column, word in enumerate(upper) if word and column not in groups]
    if any(lower[column] for column in single if column < len(lower)) or not (single or is_merged):
        return {}
    if known and not any(knows(upper[column]) for column in single):
        return {}
    for title in set(groups.values()):
        below = [lower[column] for column in groups if groups[column] == title and lower[column]]
        if not _are_labels(below):
            return {}
    return groups


def _groups(grid: Grid, place: int, upper: list[str], lower: list[str]) -> tuple[dict[int, str], bool]:
    """Column → title of the group over it, from merged cells, or else from blanks beside a title with names under."""
    groups: dict[int, str] = {}
    merged = [merge for merge in grid.merges if merge.top == merge.bottom == place and merge.right > merge.left]
    for merge in merged:
        for column in range(merge.left, min(merge.right + 1, len(lower))):
            if upper[merge.left] and lower[column]:
                groups[column] = upper[merge.left]
    if merged:
        return groups, bool(groups)
    current, start = "", 0
    for column, word in enumerate(upper):
        if word:
            current, start = word, column
        elif current and column < len(lower) and lower[column] and lower[start]:
            groups[start] = groups[column] = current
    return groups, False


def _are_labels(words: list[str]) -> bool:
    """Whether the words under one title name columns: all different, and numbers only if they count up by one."""
    if len(words) < 2 or len(set(words)) < len(words) or any(_LONG_NUMBER.search(word) for word in words):
        return False
    counted = [int(word) for word in words if word.isdecimal()]
    return not counted or counted == list(range(counted[0], counted[0] + len(counted)))


def _joined(upper: list[str], lower: list[str], groups: dict[int, str], knows: Callable[[str], bool]) -> list[str]:
    """One name per column; the lower word alone where it is known and free, because ``基本信息 学号`` is just 学号."""
    width = max(len(upper), len(lower))
    upper, lower = upper + [""] * (width - len(upper)), lower + [""] * (width - len(lower))
    tops = [groups.get(column, upper[column]) for column in range(width)]
    taken = {top for top, low in zip(tops, lower, strict=True) if not low}
    titles = []
    for top, low in zip(tops, lower, strict=True):
        title = f"{top} {low}"
        if not top or not low:
            title = top or low
        elif not _BARE.fullmatch(low) and not knows(title) and knows(low) and low not in taken:
            title = low
        taken.add(title)
        titles.append(title)
    return titles
