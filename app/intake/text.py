"""Tables that come as text: encodings, separators, and cells that only Excel could love."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from itertools import islice

from app.intake.grid import HEADER_SEARCH, MOST_COLUMNS, MOST_ROWS, SAVE_AGAIN, Fault, Grid
from models.refusal import Refusal

_SIGNS = ",;\t|"
_SEARCHED = 64 * 1024
"""Signs from the start in which the separator is looked for."""
_DECLARED = re.compile(
    rb"charset\s*=\s*[\"']?\s*([\w-]{1,20})|<\?xml[^>]{0,200}encoding\s*=\s*[\"']([\w-]{1,20})", re.I
)
_CHINESE = frozenset({"gb2312", "gbk", "gb18030", "gb_2312-80", "cp936", "x-gbk", "ms936"})
_HINT = re.compile(r"sep=([,;\t|])\r?\n", re.IGNORECASE)
_QUOTED = re.compile(r'="([^"]*)"')
ERRORS = frozenset({"#REF!", "#N/A", "#DIV/0!", "#VALUE!", "#NAME?", "#NULL!", "#NUM!"})


def decode(raw: bytes) -> str:
    """BOM first, then what a page says of itself, UTF-8, GB18030, all strict: never a guess that loses a sign."""
    for encoding in _encodings(raw):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError as problem:
            if encoding == "utf-8" and _is_cut(raw, problem.start):
                raise Refusal(f"文件不完整，末尾的字缺了一半，可能没有传完。{SAVE_AGAIN}") from problem
    raise Refusal(f"无法识别文件的文字编码。{SAVE_AGAIN}")


def _is_cut(raw: bytes, end: int) -> bool:
    """Whether UTF-8 holds up to within the last sign: then the file was cut there, and no other encoding is meant."""
    return len(raw) - end < 4 and not raw[:end].isascii()


def _encodings(raw: bytes) -> list[str]:
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if raw.startswith(mark):
            return [encoding]
    head = raw[:_SEARCHED]
    if b"\0" in head:
        little, big = head[1::2].count(0), head[0::2].count(0)
        if max(little, big) * 40 < len(head) or 10 * min(little, big) >= max(little, big):
            return []  # a few strays; in UTF-16 every digit and separator has one, all on the same side
        return ["utf-16-le" if little > big else "utf-16-be"]
    head = head[:4096]
    said = _DECLARED.search(head) if b"<" in head else None
    name = (said[1] or said[2]).decode().lower() if said else ""
    return ["gb18030", "utf-8"] if name in _CHINESE else ["utf-8", "gb18030"]


def grid(text: str, knows: Callable[[str], bool]) -> Grid:
    """The rows of a text whose columns are parted by commas, semicolons, tabs or bars."""
    if "\0" in text:
        raise Refusal(f"无法识别这个文件。{SAVE_AGAIN}")
    first_row = 1
    if hint := _HINT.match(text):
        text, first_row = text[hint.end() :], 2
    separator = hint[1] if hint else _separator(text[:_SEARCHED], knows)
    try:
        rows = list(islice(_rows(text, separator), MOST_ROWS + 1))
    except csv.Error as problem:
        raise Refusal(f"文本表格的格式有误，无法按列读取。{SAVE_AGAIN}") from problem
    if max(map(len, rows), default=0) > MOST_COLUMNS or len(rows) > MOST_ROWS:
        raise Refusal("表格的行或列过多，请按学院拆分后再导入。")
    found = Grid("", rows, first_row)
    if '="' in text:
        _unwrap(rows)
    if "#" in text:
        found.faults = errors_in(rows, first_row)
    return found


def _rows(text: str, separator: str) -> Iterator[list[str]]:
    return csv.reader(_lines(text, separator), delimiter=separator)


def _lines(text: str, separator: str) -> Iterator[str]:
    """The lines as they are; one of a million columns is refused before it becomes a million cells."""
    for line in io.StringIO(text, newline=""):
        if len(line) > _SEARCHED and line.count(separator) > 10 * MOST_COLUMNS:
            raise Refusal("表格的行或列过多，请按学院拆分后再导入。")
        yield line


def _separator(text: str, knows: Callable[[str], bool]) -> str:
    """The sign that makes most sense of the top: known names first, then rows of one width, then many columns."""
    best, best_worth = ",", (-1, -1.0, -1)
    for sign in _SIGNS:
        if sign not in text:
            continue
        try:
            rows = [row for row in islice(_rows(text, sign), HEADER_SEARCH) if any(map(str.strip, row))]
        except csv.Error:
            continue
        widths = [len(row) for row in rows if len(row) > 1]
        if not widths or max(widths) > 10 * MOST_COLUMNS:
            continue
        usual = max(set(widths), key=lambda width: (widths.count(width), width))
        known = max(sum(knows(cell.strip()) for cell in row[:MOST_COLUMNS]) for row in rows)
        worth = (known, widths.count(usual) / len(rows), usual)
        if worth > best_worth:
            best, best_worth = sign, worth
    return best


def _unwrap(rows: list[list[str]]) -> None:
    """``="0012"`` is how some systems keep Excel from eating zeros: the text inside is meant."""
    for row in rows:
        for place, cell in enumerate(row):
            if cell.startswith('="') and (held := _QUOTED.fullmatch(cell.strip())):
                row[place] = held[1]


def errors_in(rows: list[list[str]], first_row: int) -> list[Fault]:
    """Cells that only hold an error of a spreadsheet; they are emptied and reported."""
    found = []
    for number, row in enumerate(rows, start=first_row):
        for place, cell in enumerate(row):
            if cell[:1] == "#" and cell.strip().upper() in ERRORS:
                row[place] = ""
                found.append(Fault(number, place + 1, "cell_error"))
    return found
