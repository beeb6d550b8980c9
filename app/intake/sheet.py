"""Reads a table out of whatever file a colleague sends: xlsx, xls or text.

Works on bytes in memory, decides by content and not by extension, refuses in
words what it cannot read, and keeps the row numbers of the spreadsheet, so
that a message can say where.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import python_calamine

from app.intake.cells import Cell, text_of
from models.refusal import Refusal

__all__ = ["Cell", "Table", "read", "sheet_names", "text_of"]

MOST_UNPACKED = 768 * 1024 * 1024
"""Bytes that a workbook may unpack to."""
MOST_RATIO = 200
"""Unpacked to packed; a real workbook stays near ten."""
MOST_COLUMNS = 2_000
MOST_ROWS = 500_000
MOST_CELLS = 30_000_000
"""Rows by columns of one sheet; the reader lays out empty cells too."""
HEADER_SEARCH = 20
"""Rows from the top in which the header is looked for."""
SAVE_AGAIN = "请用 WPS 或 Excel 打开，另存为“Excel 工作簿（*.xlsx）”后再导入。"
DAMAGED = f"无法读取这个文件，可能已损坏或不是表格。{SAVE_AGAIN}"
LOCKED = re.compile(rb"\x09\x08\x10\x00.{16}\x2f\x00|" + re.escape("EncryptedPackage".encode("utf-16-le")), re.DOTALL)
"""An old workbook that begins with FILEPASS ([MS-XLS] 2.4.117), or a new one inside an encrypted container."""
FAR_CELL = re.compile(rb"\sr=[\"']([A-Z]{3,}[0-9]*|[A-Z]*[0-9]{6,})[\"']")
"""Addresses beyond column ZZ or row 99,999: few in a real sheet, so that looking at each costs nothing."""


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

    def __len__(self) -> int:
        return len(self.rows)


def read(raw: bytes, *, sheet: str | None = None, knows: Callable[[str], bool] | None = None) -> Table:
    """The table in ``raw``. Raises ``Refusal`` saying what the file is and what to do.

    ``knows(header_cell)`` tells which header words the reader expects: of
    several sheets the one with the most of them is read, and in it the row
    near the top with the most of them is the header.
    """
    known = knows or (lambda _word: False)
    grids = _grids(raw, sheet)
    names = tuple(grid.name for grid in grids)
    if sheet is not None:
        grids = [grid for grid in grids if grid.name == sheet]
    best = max(grids, key=lambda grid: _header_place(grid.cells, known)[1])
    return _table(names, best, known)


def sheet_names(raw: bytes) -> list[str]:
    """The sheets of a workbook that hold anything; one nameless sheet for text."""
    return [grid.name for grid in _grids(raw, None)]


@dataclass(frozen=True, slots=True)
class _Grid:
    """The cells of one sheet and the number of its first row."""

    name: str
    first_row: int
    cells: list[list[Any]]


def _grids(raw: bytes, sheet: str | None) -> list[_Grid]:
    if not raw.strip():
        raise Refusal("文件是空的，请检查后重新导出。")
    if raw.startswith(b"PK\x03\x04"):
        _check_zip(raw)
        return _workbook(raw, sheet)
    if raw.startswith(b"\xd0\xcf\x11\xe0"):
        if LOCKED.search(raw):
            raise Refusal("文件设有打开密码，请先去掉密码再导入。")
        return _workbook(raw, sheet)
    if sheet is not None:
        raise Refusal(f"这是文本文件，没有名为“{sheet}”的工作表。", field="sheet")
    return [_Grid("", 1, _text(raw))]


def _check_zip(raw: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            _check_parts(packed, len(raw))
            for name in packed.namelist():
                if name.lower().startswith("xl/worksheets/"):
                    _check_extent(packed, name)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError) as problem:
        raise Refusal(f"文件不完整，可能没有传完。{SAVE_AGAIN}") from problem


def _check_parts(packed: zipfile.ZipFile, packed_size: int) -> None:
    entries = packed.infolist()
    size = sum(entry.file_size for entry in entries)
    if size > MOST_UNPACKED or size > MOST_RATIO * max(packed_size, 100_000):
        raise Refusal("文件展开后过大，不像正常的表格。请按学院拆分后再导入。")
    names = {entry.filename.lower() for entry in entries}
    if any(name.endswith("vbaproject.bin") for name in names):
        raise Refusal(f"文件里带有宏，为了安全不予读取。{SAVE_AGAIN}")
    if "xl/workbook.bin" in names or not any(name.startswith("xl/") for name in names):
        raise Refusal(f"这不是表格文件（可能是 Word 文档、压缩包或二进制工作簿）。{SAVE_AGAIN}")


def _check_extent(packed: zipfile.ZipFile, name: str) -> None:
    """Refuse a sheet with one cell far away before the reader lays out everything in between and dies of it."""
    most_row = most_column = 0
    tail = b""
    with packed.open(name) as part:
        while piece := part.read(1 << 20):
            for found in FAR_CELL.finditer(tail + piece):
                letters = found[1].rstrip(b"0123456789")
                most_row = max(most_row, int(found[1][len(letters) :] or 0))
                most_column = max(most_column, _column_number(letters))
            tail = piece[-64:]
    if most_row > MOST_ROWS or most_column > MOST_COLUMNS:
        raise Refusal(f"表格里有单元格远在第 {most_row} 行、第 {most_column} 列，超出可读范围，请只保留数据区域。")


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters[:8]:
        number = number * 26 + letter - 64
    return number


def _workbook(raw: bytes, wanted: str | None) -> list[_Grid]:
    try:
        workbook = python_calamine.load_workbook(io.BytesIO(raw))
        names = workbook.sheet_names
        if not names:
            raise Refusal(f"文件里读不到工作表（可能是“严格 Open XML”格式）。{SAVE_AGAIN}")
        if wanted is not None and wanted not in names:
            raise Refusal(f"没有名为“{wanted}”的工作表；文件里有：{'、'.join(names)}。", field="sheet")
        grids = [grid for name in ([wanted] if wanted else names) if (grid := _grid(workbook, name))]
    except (python_calamine.CalamineError, OSError, ValueError) as problem:
        raise Refusal(DAMAGED) from problem
    except BaseException as problem:
        if type(problem).__name__ == "PanicException":  # the reader's own assertion, no class to import
            raise Refusal(DAMAGED) from problem
        raise
    if not grids:
        raise Refusal("工作表是空的，请检查后重新导出。")
    return grids


def _grid(workbook: python_calamine.CalamineWorkbook, name: str) -> _Grid | None:
    """The cells of a sheet; nothing for an empty one or a chart."""
    sheet = workbook.get_sheet_by_name(name)
    if sheet.width > MOST_COLUMNS or sheet.height > MOST_ROWS or sheet.width * sheet.height > MOST_CELLS:
        raise Refusal(f"工作表“{name}”有 {sheet.height} 行 {sheet.width} 列，超出可读范围，请只保留数据区域。")
    if not sheet.height:
        return None
    return _Grid(name, (sheet.start[0] if sheet.start else 0) + 1, sheet.to_python())


def _text(raw: bytes) -> list[list[Any]]:
    text = _decode(raw)
    head = text.lstrip()[:200].lower()
    if head.startswith(("<html", "<!doctype", "<table", "<?xml", "<meta")):
        raise Refusal(f"文件内容是网页，不是表格（有的系统会这样导出）。{SAVE_AGAIN}")
    if "\0" in text:
        raise Refusal(f"无法识别这个文件。{SAVE_AGAIN}")
    top = text.splitlines()[:HEADER_SEARCH]
    delimiter = max(",;\t", key=lambda sign: max((line.count(sign) for line in top), default=0))
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)]
    except csv.Error as problem:
        raise Refusal(f"文本表格的格式有误，无法按列读取。{SAVE_AGAIN}") from problem
    if max(map(len, rows), default=0) > MOST_COLUMNS or len(rows) > MOST_ROWS:
        raise Refusal("表格的行或列过多，请按学院拆分后再导入。")
    return rows


def _decode(raw: bytes) -> str:
    """BOM first, then strict UTF-8, then strict GB18030: never a guess that loses a character."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if raw.startswith(mark):
            encodings = [encoding]
            break
    else:
        encodings = ["utf-8", "gb18030"]
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refusal(f"无法识别文件的文字编码。{SAVE_AGAIN}")


def _table(names: tuple[str, ...], grid: _Grid, knows: Callable[[str], bool]) -> Table:
    place, _known = _header_place(grid.cells, knows)
    if place < 0:
        raise Refusal("表格里没有可用的表头，请在第一行写上列名。")
    header = [text_of(cell) for cell in grid.cells[place]]
    rows = grid.cells[place + 1 :]
    numbers: Sequence[int] = range(grid.first_row + place + 1, grid.first_row + len(grid.cells))
    if not all(map(_is_filled, rows)):
        kept = [(number, row) for number, row in zip(numbers, rows, strict=True) if _is_filled(row)]
        numbers, rows = [number for number, _ in kept], [row for _, row in kept]
    if not rows:
        raise Refusal("表头下面没有数据，请检查后重新导出。")
    width = len(header)
    if any(len(row) != width for row in rows):
        rows = [(row + [""] * width)[:width] for row in rows]
    return Table(grid.name, names, grid.first_row + place, header, rows, numbers)


def _is_filled(row: list[Any]) -> bool:
    """Whether there is anything but blanks; the first cell nearly always answers it."""
    if row and row[0] not in ("", None) and not (isinstance(row[0], str) and row[0].isspace()):
        return True
    return any(cell not in ("", None) and not (isinstance(cell, str) and cell.isspace()) for cell in row)


def _header_place(cells: list[list[Any]], knows: Callable[[str], bool]) -> tuple[int, int]:
    """The row near the top with the most known words, and how many; (-1, 0) in an empty grid."""
    best, most = -1, 0
    for place, row in enumerate(cells[:HEADER_SEARCH]):
        filled = [text_of(cell) for cell in row if cell not in ("", None)]
        known = sum(knows(word) for word in filled)
        if filled and (best < 0 or known > most):
            best, most = place, known
    return best, most
