"""Any table as ``risk evaluate`` reads it: named columns of cells, with the row numbers of the file.

Text with commas, semicolons or tabs, in UTF-8 or GB18030, and workbooks.
Nothing is guessed about a cell here; only which columns there are, and which
of them a person meant.
"""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.intake import sheet, text
from app.intake.cells import Cell, text_of
from app.intake.foreign import OLE, ZIP, refuse
from models.refusal import Refusal

_MOST_NAMED = 8


@dataclass(frozen=True)
class Columns:
    """The columns of one table; ``numbers[i]`` is the row of the file in which the i-th cells stand."""

    cells: dict[str, list[Cell]]
    numbers: list[int]
    notes: list[str] = field(default_factory=list)

    def one(self, name: str) -> list[Cell]:
        return self.cells[self.named([name])[0]]

    def named(self, asked: Iterable[str]) -> list[str]:
        """The columns a person named: each word is one name, or several parted by commas, or a pattern with ``*``.

        A name may hold commas itself: of several ways to part a word the one with the longest names is taken.
        """
        found: list[str] = []
        for word in asked:
            found += [name for name in self._parted(word) if name not in found]
        return found

    def _parted(self, word: str) -> list[str]:
        pieces, found = word.split(","), []
        while pieces:
            length = next((n for n in range(len(pieces), 0, -1) if self._match(",".join(pieces[:n]))), 0)
            if not length:
                self._refuse(pieces[0].strip())
            found += self._match(",".join(pieces[:length]))
            pieces = pieces[length:]
        return found

    def _match(self, word: str) -> list[str]:
        name = word.strip()
        if name in self.cells:
            return [name]
        return [one for one in self.cells if fnmatch.fnmatchcase(one, name)] if "*" in name else []

    def _refuse(self, name: str) -> None:
        if not name:
            raise Refusal("列名之间多了一个逗号，请检查选项。")
        lower = {one.lower(): one for one in self.cells}
        near = difflib.get_close_matches(name.lower(), lower, n=5, cutoff=0.4)
        held = [lower[one] for one in near] or list(self.cells)[:_MOST_NAMED]
        raise Refusal(f"表里没有列“{name}”；{'相近的列名' if near else '表里的列名有'}：{'、'.join(held)}。")


def read(path: Path, *, knows: Sequence[str] = ()) -> Columns:
    """The columns of a file. ``knows`` are words expected in the header, by which a sheet of several is chosen."""
    raw = path.read_bytes()
    if not raw.strip():
        raise Refusal("文件是空的，请检查后重新导出。")
    expected = {part.strip() for word in knows for part in (word, *word.split(","))}
    if raw.startswith((ZIP, OLE)):
        held = sheet.read(raw, knows=lambda word: word in expected)
        return _columns(held.header, held.rows, list(held.row_numbers), list(held.notes))
    refuse(raw)
    grid = text.grid(text.decode(raw), lambda word: word in expected)
    filled = [
        (number, row)
        for number, row in enumerate(grid.cells, start=grid.first_row)
        if any(text_of(cell) for cell in row)
    ]
    if not filled:
        raise Refusal("文件是空的，请检查后重新导出。")
    header = [text_of(cell) for cell in filled[0][1]]
    return _columns(header, [row for _, row in filled[1:]], [number for number, _ in filled[1:]], [])


def _columns(header: list[str], rows: list[list[Cell]], numbers: list[int], notes: list[str]) -> Columns:
    if not rows:
        raise Refusal("表头下面没有数据，请检查后重新导出。")
    names = _named(header, rows)
    for number, row in zip(numbers, rows, strict=True):
        if any(text_of(cell) for cell in row[len(names) :]):
            raise Refusal(f"第 {number} 行有 {len(row)} 格，表头只有 {len(names)} 列，请检查分隔符或引号。")
    cells: dict[str, list[Cell]] = {}
    for place, name in enumerate(names):
        column: list[Cell] = [row[place] if place < len(row) else "" for row in rows]
        if not name:
            if any(text_of(cell) for cell in column):
                notes.append(f"第 {place + 1} 列没有列名，未使用。")
            continue
        if name in cells:
            raise Refusal(f"列名“{name}”出现了两次，请改成不同的名称。")
        cells[name] = column
    return Columns(cells, numbers, notes)


def _named(header: list[str], rows: list[list[Cell]]) -> list[str]:
    """The header; where every row has one cell more, the first column is of row names without a title."""
    names = [name.strip() for name in header]
    while names and not names[-1] and not any(text_of(row[len(names) - 1]) for row in rows if len(row) >= len(names)):
        names.pop()
    if names and all(len(row) == len(names) + 1 for row in rows):
        return ["", *names]
    return names
