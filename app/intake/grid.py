"""The cells of one sheet before anybody has found its header, and what was noticed while reading them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from models.refusal import Refusal

MOST_COLUMNS = 2_000
MOST_ROWS = 500_000
MOST_CELLS = 30_000_000
"""Rows by columns of one sheet; a reader lays out empty cells too."""
HEADER_SEARCH = 20
"""Rows from the top in which the header is looked for."""
SAVE_AGAIN = "请用 WPS 或 Excel 打开，另存为“Excel 工作簿（*.xlsx）”后再导入。"
DAMAGED = f"无法读取这个文件，可能已损坏或不是表格。{SAVE_AGAIN}"
_MOST_NAMED = 8
"""Row numbers that a note lists before it only counts."""


class Merge(NamedTuple):
    """A merged area, by places in ``Grid.cells``, both ends included; its value stands in the first cell."""

    top: int
    left: int
    bottom: int
    right: int


class Fault(NamedTuple):
    """A cell that cannot be read: its row and column as the spreadsheet counts them, from 1."""

    row: int
    column: int
    code: str


@dataclass(slots=True)
class Grid:
    """The cells of one sheet; ``cells[0][0]`` stands in ``first_row`` and ``first_column`` of the file."""

    name: str
    cells: list[list[Any]]
    first_row: int = 1
    first_column: int = 1
    merges: list[Merge] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    coloured: dict[int, int] = field(default_factory=dict)
    """Row number → its fill, 0 for none; empty where nothing is coloured or colours were not looked at."""


def check_extent(rows: int, columns: int, name: str = "") -> None:
    if rows > MOST_ROWS or columns > MOST_COLUMNS or rows * columns > MOST_CELLS:
        sheet = f"工作表“{name}”" if name else "表格"
        raise Refusal(f"{sheet}有 {rows} 行 {columns} 列，超出可读范围，请只保留数据区域。")


def numbers(rows: Iterable[int]) -> str:
    """“3、5、8” or, of many, “3、5、8 等 40”: row numbers for a sentence that goes on with 行."""
    held = sorted(set(rows))
    named = "、".join(map(str, held[:_MOST_NAMED]))
    return f"第 {named} 行" if len(held) <= _MOST_NAMED else f"第 {named} 等共 {len(held)} 行"


def letters(column: int) -> str:
    """The name of a column that has no title: 1 → A, 28 → AB."""
    name = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name
