"""Workbooks, new and old: the values of a sheet, its merged areas, and what a reader should be told of it."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import python_calamine

from app.intake import biff, extent, foreign, header, package
from app.intake.grid import DAMAGED, HEADER_SEARCH, SAVE_AGAIN, Fault, Grid, Merge, check_extent, letters, numbers
from models.refusal import Refusal

_MOST_HELD = 10_000_000
"""Cells of sheets kept from choosing one to laying it out."""
_COLOURED_ROWS = 20_000
"""Rows from the top in which colours are looked for."""
_ROW = re.compile(rb"<(?:\w{1,40}:)?row\s[^<>]{0,2000}>")
_HIDDEN = re.compile(rb"\bhidden=\"(?:1|true)\"")
_NUMBER = re.compile(rb"\br=\"([0-9]{1,7})\"")
_COLUMNS = re.compile(rb"<(?:\w{1,40}:)?col\s[^<>]{0,400}>")
_SPAN = re.compile(rb"\b(min|max)=\"([0-9]{1,5})\"")
_STYLE = re.compile(rb"<(?:\w{1,40}:)?c\s[^<>]{0,400}?\bs=\"([0-9]{1,5})\"")
_ERROR = re.compile(rb"<(?:\w{1,40}:)?c\s+(?=[^<>]{0,400}\bt=\"e\")[^<>]{0,400}?\br=\"([A-Z]{1,3})([0-9]{1,7})\"")
_UNVALUED = re.compile(
    rb"<(?:\w{1,40}:)?c\s+(?![^<>]{0,400}\bt=\"str\")[^<>]{0,400}?\br=\"([A-Z]{1,3})([0-9]{1,7})\"[^<>]{0,400}>"
    rb"<(?:\w{1,40}:)?f\b(?:[^<>]{0,400}/>|[^<>]{0,400}>[^<>]{0,400}</(?:\w{1,40}:)?f>)(?:<(?:\w{1,40}:)?v\s*/>|<(?:\w{1,40}:)?v>\s*</(?:\w{1,40}:)?v>)?"
    rb"</(?:\w{1,40}:)?c>"
)
"""A formula that was never worked out: no value beside it. One that gave an empty text is a value."""


class Workbook:
    """An open workbook; sheets are laid out one at a time."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._package = package.check(raw) if raw.startswith(foreign.ZIP) else None
        if self._package is None:
            foreign.refuse_compound(raw)
            biff.check(raw)
        with _reading():
            self._book = python_calamine.load_workbook(io.BytesIO(raw))
            self.names: list[str] = self._book.sheet_names
            hidden = python_calamine.SheetVisibleEnum.Visible
            self._hidden = {held.name for held in self._book.sheets_metadata if held.visible != hidden}
        self._held: dict[str, python_calamine.CalamineSheet] = {}
        if not self.names:
            raise Refusal(f"文件里读不到工作表（可能是“严格 Open XML”格式）。{SAVE_AGAIN}")

    def choose(self, knows: Callable[[str], bool], among: Sequence[str] | None = None) -> list[tuple[str, int]]:
        """The sheets that hold anything, with how many known column names each has at best."""
        found = []
        for name in among or self.names:
            with _reading():
                sheet = self._sheet(name)
                top = sheet.to_python(nrows=HEADER_SEARCH) if sheet.height else []
            if sheet.height:
                found.append((name, header.place_of(top, knows)[1]))
        if not found:
            raise Refusal("工作表是空的，请检查后重新导出。")
        return found

    def _sheet(self, name: str) -> python_calamine.CalamineSheet:
        """A sheet, parsed once where it is not too large to keep until it is laid out."""
        sheet = self._held.get(name) or self._book.get_sheet_by_name(name)
        check_extent(sheet.height, sheet.width, name)
        if sum(held.height * held.width for held in self._held.values()) + sheet.height * sheet.width < _MOST_HELD:
            self._held[name] = sheet
        return sheet

    def grid(self, name: str) -> Grid:
        """The cells of one sheet, with its notes."""
        with _reading():
            sheet = self._sheet(name)
            self._held.pop(name, None)
            if not sheet.height:
                raise Refusal(f"工作表“{name}”是空的，请检查后重新导出。")
            row, column = sheet.start or (0, 0)
            grid = Grid(name, sheet.to_python(), row + 1, column + 1)
            marks = self._package.sheets.get(name) if self._package else None
            if self._package is None or (marks and marks.merged):
                grid.merges = _within(sheet.merged_cell_ranges or [], row, column, sheet.height, sheet.width)
        if name in self._hidden:
            grid.notes.append(f"工作表“{name}”在文件里是隐藏的，已照常读取。")
        if self._package and self._package.is_strict:
            grid.notes.append(f"文件是“严格 Open XML”格式，已照常读取；如与原表对不上，{SAVE_AGAIN}")
        if self._package is None:
            _tell(biff.said_of(self._raw, self.names.index(name), len(self.names)), grid)
        elif marks:
            _look_closely(self._package, marks, grid)
        return grid


@contextmanager
def _reading() -> Iterator[None]:
    """What the reader raises on a damaged file, in words."""
    try:
        yield
    except python_calamine.PasswordError as problem:
        raise Refusal("文件设有打开密码，请先去掉密码再导入。") from problem
    except (python_calamine.CalamineError, OSError, ValueError, OverflowError) as problem:
        raise Refusal(DAMAGED) from problem
    except BaseException as problem:
        if type(problem).__name__ == "PanicException":  # the reader's own assertion, no class to import
            raise Refusal(DAMAGED) from problem
        raise


def _within(
    ranges: Sequence[tuple[tuple[int, int], tuple[int, int]]], row: int, column: int, height: int, width: int
) -> list[Merge]:
    """Merged areas by their places in the grid; what lies outside is left out."""
    found = []
    for (top, left), (bottom, right) in ranges:
        if row <= top < row + height and column <= left < column + width and (bottom, right) > (top, left):
            found.append(Merge(top - row, left - column, min(bottom - row, height - 1), min(right - column, width - 1)))
    return found


def _look_closely(held: package.Package, marks: package.Marks, grid: Grid) -> None:
    """Hidden rows and columns, filters, formulas without a value, errors, colours: only where there may be any."""
    if not (marks.hidden or marks.formulas or marks.errors or marks.filtered or held.fills):
        return
    said = biff.Said(is_filtered=marks.filtered)
    with package.unzipping(), zipfile.ZipFile(io.BytesIO(held.raw)) as packed:
        for place, block in enumerate(package.rows_of(packed, marks.part)):
            if place == 0 and marks.hidden:
                said.hidden_columns = _hidden_columns(block)
            if marks.formulas:
                grid.faults += (_fault(found, "formula_without_value") for found in _UNVALUED.finditer(block))
            if marks.errors:
                said.errors += (_fault(found, "cell_error") for found in _ERROR.finditer(block))
            if marks.hidden:
                said.hidden_rows += _hidden_rows(block)
            if held.fills and len(grid.coloured) < _COLOURED_ROWS:
                _colours(block, held.fills, grid.coloured)
            elif not (marks.hidden or marks.formulas or marks.errors):
                break
    _tell(said, grid)
    if not any(grid.coloured.values()):
        grid.coloured = {}


def _tell(said: biff.Said, grid: Grid) -> None:
    grid.faults += said.errors
    if said.is_filtered:
        grid.notes.append("表格设有筛选，被筛掉的行也已读取。")
    if said.hidden_rows:
        grid.notes.append(f"{numbers(said.hidden_rows)}是隐藏的，已照常读取。")
    if said.hidden_columns:
        named = "、".join(letters(column) for column in said.hidden_columns[:8])
        more = f"等共 {len(said.hidden_columns)} " if len(said.hidden_columns) > 8 else ""
        grid.notes.append(f"{named} {more}列是隐藏的，已照常读取。")


def _fault(found: re.Match[bytes], code: str) -> Fault:
    return Fault(int(found[2]), extent.column_number(found[1]), code)


def _hidden_columns(block: bytes) -> list[int]:
    found: list[int] = []
    for column in _COLUMNS.findall(block.partition(b"sheetData")[0]):
        if _HIDDEN.search(column):
            ends = {key: int(value) for key, value in _SPAN.findall(column)}
            first, last = ends.get(b"min", 0), ends.get(b"max", 0)
            if 0 < first <= last <= 1000:  # a span to the edge of the sheet is how empty columns are hidden
                found += range(first, last + 1)
    return found


def _hidden_rows(block: bytes) -> list[int]:
    heads = (head[0] for head in _ROW.finditer(block))
    return [int(number[1]) for head in heads if _HIDDEN.search(head) and (number := _NUMBER.search(head))]


def _colours(block: bytes, fills: dict[int, int], coloured: dict[int, int]) -> None:
    """The fill of each row, by its first three cells."""
    for head in _ROW.finditer(block):
        if number := _NUMBER.search(head[0]):
            cells = block[head.end() : head.end() + 400].partition(b"<row")[0]
            styles = [int(style) for style in _STYLE.findall(cells)[:3]]
            coloured[int(number[1])] = max((fills.get(style, 0) for style in styles), default=0)
