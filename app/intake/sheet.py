"""Reads a table out of whatever file a colleague sends: xlsx, xls, text, or a web page that calls itself xls.

Works on bytes in memory, decides by content and not by extension, refuses in
words what it cannot read, and keeps the row numbers of the spreadsheet, so
that a message can say where.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Protocol

from app.intake import foreign, header, markup, table, text
from app.intake.cells import Cell, text_of
from app.intake.grid import Grid
from app.intake.table import Table
from app.intake.workbook import Workbook
from models.refusal import Refusal

__all__ = ["Cell", "Table", "read", "read_all", "sheet_names", "text_of"]

_JSON = re.compile(r"\s*(?:\{\s*\"|\[\s*[\[{])")

Knows = Callable[[str], bool]


def read(raw: bytes, *, sheet: str | None = None, knows: Knows | None = None) -> Table:
    """The table in ``raw``. Raises ``Refusal`` saying what the file is and what to do.

    ``knows(header_cell)`` tells which header words the reader expects: of
    several sheets the one with the most of them is read, and in it the row
    near the top with the most of them is the header.
    """
    known = _remembering(knows)
    source = _open(raw, known)
    if sheet is not None:
        _must_have(source, sheet)
        return table.of(source.grid(sheet), tuple(source.names), known)
    found = source.choose(known)
    best = max(found, key=lambda held: held[1])[0]
    return table.of(source.grid(best), tuple(name for name, _known in found), known)


def read_all(raw: bytes, *, sheets: Sequence[str] | None = None, knows: Knows | None = None) -> list[Table]:
    """Every sheet asked for or, of all, each with a known column name; sheets without rows are passed over.

    A file in which no sheet qualifies gives the one that ``read`` would give, or its refusal.
    """
    known = _remembering(knows)
    source = _open(raw, known)
    for name in sheets or ():
        _must_have(source, name)
    found = source.choose(known, sheets)
    wanted = [name for name, count in found if count or knows is None or sheets]
    if not wanted:
        wanted = [max(found, key=lambda held: held[1])[0]]
    names, tables, refused = tuple(name for name, _count in found), [], []
    for name in wanted:
        try:
            tables.append(table.of(source.grid(name), names, known))
        except Refusal as refusal:
            refused.append((name, refusal))
    if not tables:
        raise refused[0][1]
    tables[0].notes += [f"工作表“{name}”未读入：{refusal.sentence}" for name, refusal in refused]
    return tables


def sheet_names(raw: bytes) -> list[str]:
    """The sheets of a workbook that hold anything; one nameless sheet for text."""
    known = _remembering(None)
    return [name for name, _known in _open(raw, known).choose(known)]


class _Source(Protocol):
    """An open file: the names of its sheets, which of them fit, and the cells of one."""

    names: list[str]

    def choose(self, knows: Knows, among: Sequence[str] | None = None) -> list[tuple[str, int]]: ...

    def grid(self, name: str) -> Grid: ...


class _Text:
    """A text file: one nameless sheet, or the tables of a web page."""

    def __init__(self, raw: bytes, knows: Knows) -> None:
        words = text.decode(raw)
        if _JSON.match(words):
            raise Refusal("文件内容是 JSON 数据，不是表格。请在来源系统里改为导出 Excel 或 CSV。")
        grids = markup.grids(words) if markup.is_markup(words) else [text.grid(words, knows)]
        self._grids = {grid.name: grid for grid in grids}
        self.names = list(self._grids)

    def choose(self, knows: Knows, among: Sequence[str] | None = None) -> list[tuple[str, int]]:
        return [(name, header.place_of(self._grids[name].cells, knows)[1]) for name in among or self.names]

    def grid(self, name: str) -> Grid:
        return self._grids[name]


def _open(raw: bytes, knows: Knows) -> _Source:
    if not raw.strip():
        raise Refusal("文件是空的，请检查后重新导出。")
    if raw.startswith((foreign.ZIP, foreign.OLE)):
        return Workbook(raw)
    foreign.refuse(raw)
    return _Text(raw, knows)


def _must_have(source: _Source, sheet: str) -> None:
    if sheet in source.names:
        return
    if source.names == [""]:
        raise Refusal(f"这是文本文件，没有名为“{sheet}”的工作表。", field="sheet")
    raise Refusal(f"没有名为“{sheet}”的工作表；文件里有：{'、'.join(source.names)}。", field="sheet")


def _remembering(knows: Knows | None) -> Knows:
    """The caller's question, asked once per word."""
    return cache(knows) if knows else lambda _word: False
