"""Tables as an xlsx file: text stays text, whatever sign it begins with, so that no name becomes a formula."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from flask import Response, send_file
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

Row = Sequence[str | int | float | None]
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDEST = 40


def written(sheets: Sequence[tuple[str, Sequence[str], Sequence[Row]]]) -> bytes:
    """A workbook: for each sheet its name, the lines above the table, and the table with its heading first."""
    book = Workbook()
    book.remove(book.active)
    for title, lines, rows in sheets:
        page = book.create_sheet(title)
        for line in lines:
            page.append([line])
        first = len(lines) + 1
        for row in rows:
            page.append(list(row))
        for cells in page.iter_rows():
            for cell in cells:
                if isinstance(cell.value, str):
                    cell.data_type = "s"
        for cell in page[first]:
            cell.font, cell.alignment = Font(bold=True), Alignment(horizontal="center")
        if lines:
            page["A1"].font = Font(bold=True, size=14)
        page.freeze_panes = page.cell(first + 1, 1)
        for place in range(1, (len(rows[0]) if rows else 1) + 1):
            widest = max((_width(row[place - 1]) for row in rows if len(row) >= place), default=8)
            page.column_dimensions[get_column_letter(place)].width = min(widest + 3, WIDEST)
    held = BytesIO()
    book.save(held)
    return held.getvalue()


def _width(value: object) -> int:
    return sum(2 if ord(sign) > 255 else 1 for sign in str("" if value is None else value))


def download(raw: bytes, name: str) -> Response:
    """A workbook to be kept by the reader."""
    return send_file(BytesIO(raw), mimetype=TYPE, as_attachment=True, download_name=f"{name}.xlsx")
