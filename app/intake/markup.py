"""Web pages that call themselves ``.xls``: the tables in them, read in one pass that no page can make slow.

Tags are found by one pattern in which nothing is looked at twice, so that a
hostile page costs no more than a large one.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from app.intake.grid import MOST_COLUMNS, MOST_ROWS, SAVE_AGAIN, Fault, Grid, Merge
from app.intake.text import ERRORS
from models.refusal import Refusal

_STARTS = (
    "<html",
    "<!doctype",
    "<table",
    "<?xml",
    "<meta",
    "<head",
    "<body",
    "<style",
    "<div",
    "<center",
    "<script",
    "<!--",
)
_TAG = re.compile(r"<(/?)([a-zA-Z]{1,10})\b([^<>]*)>|<!--")
_SPAN = re.compile(r"\b(row|col)span\s*=\s*[\"']?\s*([0-9]{1,6})", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_MOST_TABLES, _DEEPEST, _MOST_CELLS = 200, 40, 5_000_000
_SILENT = {name: re.compile(f"</{name}[^<>]{{0,100}}>?", re.IGNORECASE) for name in ("script", "style")}
_COMMENT_END = re.compile("-->")


def is_markup(text: str) -> bool:
    head = text[:4000].lstrip("\ufeff \t\r\n").lower()
    return head.startswith(_STARTS) or ("<table" in head and "<tr" in head)


def grids(text: str) -> list[Grid]:
    """The tables of a page in the order in which they begin; refuses, in words, a page without any."""
    head = text[:4000].lower()
    if "urn:schemas-microsoft-com:office:spreadsheet" in head or 'progid="excel.sheet"' in head:
        raise Refusal(f"这是“XML 表格 2003”格式，不能直接读取。{SAVE_AGAIN}")
    if head.lstrip("\ufeff \t\r\n").startswith("<?xml") and "<html" not in head:
        raise Refusal(f"文件内容是 XML，不是表格。{SAVE_AGAIN}")
    found = [table for table in _Page(text).tables if table.cells]
    if not found:
        raise Refusal(f"文件内容是网页，里面没有表格（可能登录已过期，导出的是登录页）。{SAVE_AGAIN}")
    if len(found) > 1:
        for number, table in enumerate(found, start=1):
            table.name = f"表 {number}"
    return found


@dataclass(slots=True)
class _Open:
    """A table that has begun and not ended; ``covered`` counts rows that a cell from above still covers, by column."""

    grid: Grid
    covered: dict[int, int] = field(default_factory=dict)
    column: int = 0
    words: list[str] | None = None
    span: tuple[int, int] = (1, 1)


class _Page:
    def __init__(self, text: str) -> None:
        self.tables: list[Grid] = []
        self._open: list[_Open] = []
        self._laid = 0
        self._walk(text)

    def _walk(self, text: str) -> None:
        at = 0
        while found := _TAG.search(text, at):
            self._say(text[at : found.start()])
            name = (found[2] or "").lower()
            at = found.end()
            if found[0] == "<!--":
                at = _after(text, at, _COMMENT_END)
            elif name in _SILENT and not found[1]:
                at = _after(text, at, _SILENT[name])
            else:
                self._tag(name, is_end=bool(found[1]), attributes=found[3])
        self._say(text[at:])
        while self._open:
            self._end_table()

    def _say(self, words: str) -> None:
        if words and self._open and (held := self._open[-1].words) is not None:
            held.append(words)

    def _tag(self, name: str, *, is_end: bool, attributes: str) -> None:
        if name == "table":
            if is_end:
                self._end_table()
            else:
                self._begin_table()
        elif name == "br":
            self._say("&#10;")
        elif self._open and name in ("tr", "td", "th"):
            self._end_cell()
            if is_end:
                return
            if name == "tr":
                self._begin_row()
            else:
                self._begin_cell(attributes)

    def _begin_table(self) -> None:
        if len(self._open) >= _DEEPEST or len(self.tables) >= _MOST_TABLES:
            raise Refusal(f"网页里的表格层层嵌套或过多，无法读取。{SAVE_AGAIN}")
        grid = Grid("", [])
        self.tables.append(grid)
        self._open.append(_Open(grid))

    def _end_table(self) -> None:
        if self._open:
            self._end_cell()
            self._open.pop()

    def _begin_row(self) -> None:
        table = self._open[-1]
        if len(table.grid.cells) >= MOST_ROWS or self._laid > _MOST_CELLS:
            raise Refusal("表格的行或列过多，请按学院拆分后再导入。")
        table.covered = {column: left - 1 for column, left in table.covered.items() if left > 1}
        self._laid += len(table.covered)
        table.grid.cells.append([])
        table.column = 0

    def _begin_cell(self, attributes: str) -> None:
        table = self._open[-1]
        if not table.grid.cells:
            self._begin_row()
        spans = {kind.lower(): max(1, int(count)) for kind, count in _SPAN.findall(attributes[:2000])}
        table.span = (min(spans.get("row", 1), MOST_ROWS), spans.get("col", 1))
        table.words = []

    def _end_cell(self) -> None:
        table = self._open[-1]
        if table.words is None:
            return
        rows, columns = table.span
        row = table.grid.cells[-1]
        while table.covered.get(table.column):
            table.column += 1
        self._laid += table.column + columns - len(row)
        if table.column + columns > MOST_COLUMNS or self._laid > _MOST_CELLS:
            raise Refusal("表格的行或列过多，请按学院拆分后再导入。")
        row += [""] * (table.column + columns - len(row))
        row[table.column] = _shown("".join(table.words))
        place = len(table.grid.cells) - 1
        if row[table.column].upper() in ERRORS:
            row[table.column] = ""
            table.grid.faults.append(Fault(place + 1, table.column + 1, "cell_error"))
        if rows > 1 or columns > 1:
            table.grid.merges.append(Merge(place, table.column, place + rows - 1, table.column + columns - 1))
        if rows > 1:
            table.covered |= dict.fromkeys(range(table.column, table.column + columns), rows)
        table.column += columns
        table.words = None


def _after(text: str, at: int, end: re.Pattern[str]) -> int:
    """The place after the next ``end``; the end of the text if there is none, so that it is looked for once."""
    found = end.search(text, at)
    return found.end() if found else len(text)


def _shown(words: str) -> str:
    """What a browser shows: entities resolved, blanks joined, line breaks kept."""
    return html.unescape(_BLANKS.sub(" ", words)).replace("\xa0", " ").strip()
