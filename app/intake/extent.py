"""How far a sheet reaches, told from its raw form before the reader lays out everything in between and dies of it.

The cheap look is enough for nearly every file: each cell says its address and
none is far. Whatever is unclear is measured cell by cell, as the reader counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.intake.grid import MOST_CELLS, MOST_COLUMNS, MOST_ROWS
from models.refusal import Refusal

_FAR = re.compile(rb"r=[\"'](?:([A-Z]{3,}[0-9]*|[A-Z]*[0-9]{6,})|[K-Z][A-Z][0-9])")
_VERY_FAR = re.compile(rb"r=[\"']([A-Z]{3,}[0-9]*|[A-Z]*[0-9]{6,})")
"""Begin with fixed signs, which is three times as fast as to begin with a blank; the blank is looked at afterwards."""
_UNPLACED = re.compile(rb"<c(?: (?!r=[\"']|r?=?\Z)|[>/\t\r\n])")
_NEAR_COLUMNS, _NEAR_ROWS = 286, 99_999
"""What an address that is not far cannot pass: column JZ, five digits."""
_CELL = re.compile(rb"<(?:\w{1,40}:)?(row|c)(?=[\s/>])([^<>]{0,2000})")
_ADDRESS = re.compile(rb"\sr\s*=\s*[\"']([A-Z]{0,8})([0-9]{0,12})[\"']")


class Reach:
    """The cheap look at a sheet, piece by piece."""

    def __init__(self) -> None:
        self._row = self._column = 0
        self._is_wide = self._is_unplaced = False

    def see(self, text: bytes) -> None:
        for found in (_VERY_FAR if self._is_wide else _FAR).finditer(text):
            if not text[max(0, found.start() - 1) : found.start()].isspace():
                continue
            if not found[1]:
                self._is_wide = True
                continue
            name = found[1].rstrip(b"0123456789")
            self._row = max(self._row, int(found[1][len(name) :][:12] or 0))
            self._column = max(self._column, column_number(name))
        if self._row > MOST_ROWS or self._column > MOST_COLUMNS:
            _refuse(self._row, self._column)
        self._is_unplaced = self._is_unplaced or bool(_UNPLACED.search(text)) or b":c" in text

    @property
    def is_unclear(self) -> bool:
        """Whether only counting can tell that the sheet is small enough."""
        columns = max(self._column, 702 if self._is_wide else _NEAR_COLUMNS)
        return self._is_unplaced or columns * max(self._row, _NEAR_ROWS) > MOST_CELLS


def measure(pieces: Iterator[bytes]) -> None:
    """Count rows and columns as the reader does: a cell without an address stands right of the one before it."""
    row = column = most_row = most_column = 0
    tail = b""
    for piece in pieces:
        text = tail + piece
        end = text.rfind(b"<", 0, len(text)) if len(text) > 4096 else -1
        text, tail = (text[:end], text[end:][-4096:]) if end > 0 else (text, b"")
        for kind, attributes in _CELL.findall(text):
            placed = _ADDRESS.search(attributes)
            if kind == b"row":
                row, column = int(placed[2] or 0) if placed else row + 1, 0
            elif placed:
                row, column = int(placed[2] or 0), column_number(placed[1])
            else:
                column += 1
            if row > most_row or column > most_column:
                most_row, most_column = max(row, most_row), max(column, most_column)
                if most_row > MOST_ROWS or most_column > MOST_COLUMNS or most_row * most_column > MOST_CELLS:
                    _refuse(most_row, most_column)


def _refuse(row: int, column: int) -> None:
    raise Refusal(f"表格里有单元格远在第 {row} 行、第 {column} 列，超出可读范围，请只保留数据区域。")


def column_number(letters: bytes) -> int:
    number = 0
    for letter in letters[:8]:
        number = number * 26 + letter - 64
    return number
