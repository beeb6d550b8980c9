"""Old workbooks (BIFF8 in a container), written record by record as [MS-XLS] has it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from tests.intake.files import compound


def old_book(
    rows: Sequence[Sequence[Any]],
    *,
    merged: Sequence[tuple[int, int, int, int]] = (),
    hidden_row: int | None = None,
    hidden_column: int | None = None,
    is_filtered: bool = False,
) -> bytes:
    """One sheet; ``None`` is an empty cell and ``...`` one with the error #N/A. Places count from 0."""
    body = [_record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))]
    if hidden_column is not None:
        body.append(_record(0x007D, struct.pack("<6H", hidden_column, hidden_column, 2000, 0, 1, 0)))
    if is_filtered:
        body.append(_record(0x009B, b""))
    body.append(_record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, max(map(len, rows)), 0)))
    for place, row in enumerate(rows):
        flags = 0x120 if place == hidden_row else 0x100
        body.append(_record(0x0208, struct.pack("<HHHHHHI", place, 0, len(row), 255, 0, 0, flags)))
        body += [_cell(place, column, cell) for column, cell in enumerate(row) if cell is not None]
    if merged:
        areas = b"".join(struct.pack("<4H", top, bottom, left, right) for top, left, bottom, right in merged)
        body.append(_record(0x00E5, struct.pack("<H", len(merged)) + areas))
    body.append(_record(0x000A, b""))
    return compound(Workbook=_globals() + b"".join(body))


def _globals() -> bytes:
    name = struct.pack("<BB", 6, 0) + b"Sheet1"
    first = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
    start = len(first) + 4 + 6 + len(name) + 4
    return first + _record(0x0085, struct.pack("<IH", start, 0) + name) + _record(0x000A, b"")


def _cell(row: int, column: int, cell: Any) -> bytes:
    place = struct.pack("<HHH", row, column, 0)
    if cell is ...:
        return _record(0x0205, place + b"\x2a\x01")
    if isinstance(cell, str):
        letters = cell.encode("utf-16-le")
        return _record(0x0204, place + struct.pack("<HB", len(letters) // 2, 1) + letters)
    return _record(0x0203, place + struct.pack("<d", cell))


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body
