"""From the cells of a sheet to a table: header, rows, and everything the reader did that a person should know."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.intake import footer, header
from app.intake.cells import Cell, text_of
from app.intake.grid import HEADER_SEARCH, MOST_CELLS, Grid, letters, numbers
from app.intake.problem import MOST_SHOWN, Problem
from models.refusal import Refusal

_FAULTS = {
    "formula_without_value": (
        "此格是公式，文件里没有算好的值，已留空。请用 WPS 或 Excel 打开，保存一次后再导入。",
        "有 {} 格是公式而没有算好的值，已留空。请用 WPS 或 Excel 打开，保存一次后再导入。",
    ),
    "cell_error": (
        "此格是错误值（如 #REF!、#N/A），已留空。请改正后再导入。",
        "有 {} 格是错误值（如 #REF!、#N/A），已留空。请改正后再导入。",
    ),
}
_LEVEL_WORDS = ("等级", "级别", "预警", "结果", "结论", "level")
_SIGNS = ",;\t|"


@dataclass(slots=True)
class Table:
    """One sheet: its header and the rows below it. ``rows[i]`` stands in row ``row_numbers[i]`` of the file."""

    sheet: str
    sheets: tuple[str, ...]
    header_row: int
    header: list[str]
    rows: list[list[Cell]]
    row_numbers: Sequence[int]
    notes: list[str] = field(default_factory=list)
    """What was done beyond reading cell by cell, as sentences for a person."""
    file: str = ""
    """The name inside a delivery of several files."""
    filled: list[Problem] = field(default_factory=list)
    """Cells that could not be read and were left empty."""

    def __len__(self) -> int:
        return len(self.rows)


def of(grid: Grid, sheets: tuple[str, ...], knows: Callable[[str], bool]) -> Table:
    """The table in a grid. Refuses one without header or rows."""
    _spread(grid)
    head = header.find(grid, knows)
    if head is None:
        raise Refusal("表格里没有可用的表头，请在第一行写上列名。")
    _fill_down(grid, head.place + 1)
    titles, notes = head.titles, grid.notes
    rows, row_numbers = _filled_rows(grid, head.place + 1)
    if any(len(row) != len(titles) for row in rows):
        rows = [(row + [""] * len(titles))[: len(titles)] for row in rows]
    rows, row_numbers = _without_footers(rows, row_numbers, titles, notes)
    if not rows:
        raise Refusal("表头下面没有数据，请检查后重新导出。")
    last = grid.first_row + head.place
    if head.rows > 1:
        notes.append(f"表头占第 {last - 1}、{last} 两行，已合成一行列名。")
    table = Table(grid.name, sheets, last, titles, rows, row_numbers, notes)
    if grid.faults:
        _report(table, grid)
    if grid.coloured:
        _mention_colours(table, grid)
    return table


def _spread(grid: Grid) -> None:
    """Take apart a sheet in which every line of a CSV stands whole in the first column."""
    top = [row for row in grid.cells[:HEADER_SEARCH] if any(map(text_of, row))]
    if len(top) < 2 or any(any(map(text_of, row[1:])) for row in top):
        return
    sign = max(_SIGNS, key=lambda sign: text_of(top[0][0]).count(sign))
    width = text_of(top[0][0]).count(sign) + 1
    lines = [text_of(row[0]) if row else "" for row in grid.cells]
    if width < 3 or any("\n" in line or "\r" in line for line in lines) or any(any(row[1:]) for row in grid.cells):
        return
    try:
        cells: list[list[Any]] = [next(csv.reader([line], delimiter=sign), [""]) for line in lines]
    except csv.Error:
        return
    if sum(len(row) == width for row in cells) * 10 < len(cells) * 9 or len(cells) * width > MOST_CELLS:
        return
    grid.cells, grid.merges = cells, []
    grid.notes.append("整行内容都写在第一列里，已按分隔符分列；请核对列名与内容是否对齐。")


def _fill_down(grid: Grid, start: int) -> None:
    """Give a cell merged over several rows of data its value in each of them."""
    columns: set[int] = set()
    laid = 0
    for merge in grid.merges:
        if merge.left == merge.right and merge.bottom > merge.top >= start and merge.top < len(grid.cells):
            bottom = min(merge.bottom, len(grid.cells) - 1)
            laid += bottom - merge.top
            if laid > MOST_CELLS or len(grid.cells[merge.top]) <= merge.left:
                continue
            value = grid.cells[merge.top][merge.left]
            for row in grid.cells[merge.top + 1 : bottom + 1]:
                row.extend([""] * (merge.left + 1 - len(row)))
                if row[merge.left] in ("", None) and any(text_of(cell) for cell in row):
                    row[merge.left] = value
                    columns.add(grid.first_column + merge.left)
    if columns:
        named = "、".join(letters(column) for column in sorted(columns)[:8])
        grid.notes.append(f"{named} 列有合并的单元格，已把值填到它盖住的每一行。")


def _filled_rows(grid: Grid, start: int) -> tuple[list[list[Any]], Sequence[int]]:
    rows: list[list[Any]] = grid.cells[start:]
    row_numbers: Sequence[int] = range(grid.first_row + start, grid.first_row + len(grid.cells))
    if all(map(_is_filled, rows)):
        return rows, row_numbers
    kept = [(number, row) for number, row in zip(row_numbers, rows, strict=True) if _is_filled(row)]
    return [row for _, row in kept], [number for number, _ in kept]


def _is_filled(row: list[Any]) -> bool:
    """Whether there is anything but blanks; the first cell nearly always answers it."""
    if row and row[0] not in ("", None) and not (isinstance(row[0], str) and row[0].isspace()):
        return True
    return any(cell not in ("", None) and not (isinstance(cell, str) and cell.isspace()) for cell in row)


def _without_footers(
    rows: list[list[Any]], row_numbers: Sequence[int], titles: list[str], notes: list[str]
) -> tuple[list[list[Any]], Sequence[int]]:
    out = footer.leave_out(rows, titles)
    if not out:
        return rows, row_numbers
    notes.append(f"{numbers(row_numbers[place] for place in out)}是合计、签字、备注或重复的表头，不是人员，未读入。")
    gone = set(out)
    kept = [place for place in range(len(rows)) if place not in gone]
    return [rows[place] for place in kept], [row_numbers[place] for place in kept]


def _report(table: Table, grid: Grid) -> None:
    held = {*table.row_numbers, table.header_row}
    faults = sorted({fault for fault in grid.faults if fault.row in held})
    for code, (sentence, counted) in _FAULTS.items():
        found = [fault for fault in faults if fault.code == code]
        if found:
            table.notes.append(counted.format(len(found)))
        for fault in found[:MOST_SHOWN]:
            place = fault.column - grid.first_column
            title = table.header[place] if 0 <= place < len(table.header) else ""
            table.filled.append(Problem(fault.row, title or f"{letters(fault.column)} 列", code, sentence))


def _mention_colours(table: Table, grid: Grid) -> None:
    """Say that colours are not read, where some rows stand out and no column names a level."""
    fills = [grid.coloured[number] for number in table.row_numbers if number in grid.coloured]
    if len(set(fills)) < 2 or any(word in title.lower() for title in table.header for word in _LEVEL_WORDS):
        return
    changes = sum(one != other for one, other in itertools.pairwise(fills))
    if len(fills) > 5 and changes > (len(fills) - 1) * 0.9:  # striped to be read easily
        return
    table.notes.append("有些行带底色。颜色无法识别，如果颜色表示等级，请增加一列写明等级。")
