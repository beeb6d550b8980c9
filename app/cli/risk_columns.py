"""What the cells of a column are: numbers, codes without an order, an outcome; said where it was decided for you."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.intake.cells import Cell, date_of, number_of, text_of
from ml.features import LARGEST
from ml.intervals import Floats
from models.refusal import Refusal

_MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", ".", "-", "--", "?", "缺失"})
_YES = {"1": 1.0, "true": 1.0, "yes": 1.0, "y": 1.0, "t": 1.0, "是": 1.0, "有": 1.0}
_NO = {"0": 0.0, "false": 0.0, "no": 0.0, "n": 0.0, "f": 0.0, "否": 0.0, "无": 0.0}
_TRUTH = _YES | _NO
_PAIRS = ({"true", "false"}, {"yes", "no"}, {"y", "n"}, {"是", "否"}, {"有", "无"})
MOST_CODES = 50
"""Different texts above which a column is free text or an id, and no group of people shares a value."""
_MOSTLY = 0.9
"""Share of numbers from which a text among them is a slip of the pen and not a code."""
_ID = re.compile(
    r"(?:.*[_\s.-])?(?:id|uuid|index|rownames?|nr|no)\.?|unnamed.*|.*(?:编号|序号|学号|工号|证件号).*", re.I
)


@dataclass(frozen=True)
class Column:
    """One column that can be used: numbers, or codes of texts (``codes`` names them)."""

    name: str
    values: Floats
    codes: tuple[str, ...] = ()

    @property
    def nominal(self) -> bool:
        return bool(self.codes)


@dataclass(frozen=True)
class Outcome:
    """0, 1 or nan per row, and in words what counted as 1."""

    values: Floats
    words: str


def texts(cells: list[Cell]) -> list[str]:
    """What stands in each cell; "" where nothing is known."""
    known: dict[Cell, str] = {}
    out = []
    for cell in cells:
        key = cell if isinstance(cell, str) else text_of(cell)
        if key not in known:
            word = text_of(key)
            known[key] = "" if word.lower() in _MISSING else word
        out.append(known[key])
    return out


def numbers(name: str, cells: list[Cell], rows: list[int], *, whole: bool = False) -> Floats:
    """The numbers of a column that has to be one. Refuses by row and column; ``whole``: none may be missing."""
    words = texts(cells)
    parsed = _parsed(words)
    for word, row in zip(words, rows, strict=True):
        if word and parsed[word] is None:
            raise Refusal(f"第 {row} 行“{name}”列：应为数字。")
        if whole and not word:
            raise Refusal(f"第 {row} 行“{name}”列：不能为空，应为数字。")
    return _values(words, parsed)


def _parsed(words: list[str]) -> dict[str, float | None]:
    """The number in each word; one that is too large to reckon with is none."""
    found = {word: number_of(word) for word in set(words) if word}
    return {word: None if value is None or abs(value) > LARGEST else value for word, value in found.items()}


def _values(words: list[str], parsed: dict[str, float | None]) -> Floats:
    return np.array([np.nan if (value := parsed.get(word)) is None else value for word in words], dtype=np.float64)


def column(name: str, cells: list[Cell], rows: list[int]) -> Column | str:
    """The column as a feature, or why it is left out."""
    words = texts(cells)
    known = [word for word in words if word]
    if not known:
        return "全部为空"
    distinct = set(known)
    if len(distinct) == 1:
        return "只有一个值"
    if any({word.lower() for word in distinct} == pair for pair in _PAIRS):
        return Column(name, np.array([_TRUTH.get(word.lower(), np.nan) for word in words]))
    parsed = _parsed(words)
    numeric = sum(parsed[word] is not None for word in known)
    if numeric == len(known):
        return _numeric(name, _values(words, parsed))
    if numeric >= _MOSTLY * len(known):
        row = next(row for word, row in zip(words, rows, strict=True) if word and parsed[word] is None)
        raise Refusal(f"第 {row} 行“{name}”列：应为数字（这一列其余多为数字）；若不需要此列，请用 --exclude 排除。")
    if len(distinct) > MOST_CODES or len(distinct) == len(known):
        return f"是文字，且有 {len(distinct)} 种取值"
    return coded(name, words)


def _numeric(name: str, values: Floats) -> Column | str:
    known = values[np.isfinite(values)]
    different = len(np.unique(known)) == len(known) and bool((known == np.round(known)).all())
    if different and (_ID.fullmatch(name) or bool((np.diff(known) > 0).all())):
        return "像是编号（整数，各不相同）"
    return Column(name, values)


def coded(name: str, words: list[str]) -> Column:
    codes = tuple(sorted({word for word in words if word}))
    place = {word: float(at) for at, word in enumerate(codes)}
    return Column(name, np.array([place.get(word, np.nan) for word in words]), codes)


def outcome(name: str, cells: list[Cell], positive: str | None) -> Outcome:
    """The outcome of each row. Without ``positive``: 1, true, yes, 是; of two other values the rarer (it says so)."""
    words = texts(cells)
    distinct = {word for word in words if word}
    if not distinct:
        raise Refusal(f"“{name}”列全部为空，没有可用的结局。")
    if positive is not None:
        return _chosen(name, words, positive)
    keys = {word: _key(word) for word in distinct}
    if all(key in _TRUTH for key in keys.values()):
        values = np.array([_TRUTH[keys[word]] if word else np.nan for word in words])
        return Outcome(values, f"“{name}”为 1、true、yes 或 是 的行算作有结局。")
    if len(distinct) > 2:
        raise Refusal(f"“{name}”列有 {len(distinct)} 种取值，应为两种；请用 --positive 写明哪一个值算作有结局。")
    counts = Counter(word for word in words if word)
    rarer = min(sorted(counts), key=lambda word: counts[word])
    if len(distinct) == 1:
        return Outcome(np.array([0.0 if word else np.nan for word in words]), f"“{name}”只有一个值，算作没有结局。")
    return Outcome(_equal(words, {rarer}), f"“{name}”有两种取值，较少的“{rarer}”算作有结局；可用 --positive 改变。")


def _key(word: str) -> str:
    """1.0 and １ are 1; yes and YES are yes."""
    number = number_of(word)
    return word.lower() if number is None else f"{number:g}"


def _chosen(name: str, words: list[str], positive: str) -> Outcome:
    asked = _key(positive.strip())
    meant = {word for word in set(words) if word and _key(word) == asked}
    if not meant:
        raise Refusal(f"“{name}”列里没有值“{positive}”，请检查 --positive。")
    return Outcome(_equal(words, meant), f"“{name}”为“{positive.strip()}”的行算作有结局，其余有值的行算作没有。")


def _equal(words: list[str], meant: set[str]) -> Floats:
    return np.array([float(word in meant) if word else np.nan for word in words])


def rounds(name: str, cells: list[Cell], rows: list[int]) -> NDArray[np.int_]:
    """The place of each row in time: by number or by day. Refuses by row and column what is neither."""
    places: dict[Cell, float] = {}
    found = []
    for cell, row in zip(cells, rows, strict=True):
        if cell not in places:
            number = number_of(cell)
            day = date_of(cell) if number is None else None
            if number is None and day is None:
                raise Refusal(f"第 {row} 行“{name}”列：应为数字或日期（如 2026-09-05）。")
            places[cell] = number if number is not None else float(day.toordinal() if day else 0)
        found.append(places[cell])
    return np.asarray(np.unique(np.array(found), return_inverse=True)[1], dtype=np.int_)
