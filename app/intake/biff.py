"""What an old workbook (``.xls``) says beside its values: hidden rows and columns, filters, cells with an error.

The reader of values leaves all of that out. Records and streams as in
[MS-XLS] 2.4 and [MS-CFB] 2; whatever does not fit is passed over, because
this only adds sentences to a table that is read anyway.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.intake.grid import DAMAGED, Fault
from models.refusal import Refusal

_FORMULA, _EOF, _COLUMN, _BOUNDSHEET, _FILTERMODE, _BOOLERR, _ROW = 0x06, 0x0A, 0x7D, 0x85, 0x9B, 0x205, 0x208
_DIMENSIONS, _MOST_SHEETS = 0x200, 1_000
_CELLS = frozenset({0x06, 0xBD, 0xBE, 0xD6, 0xFD, 0x201, 0x203, 0x204, 0x205, 0x207, 0x27E})
"""Records that begin with a row and a column; no old sheet has more than 256 columns."""
_TOLD = frozenset({_FORMULA, _COLUMN, _FILTERMODE, _BOOLERR, _ROW})
_LAST_COLUMN = 255
_HIDDEN_ROW = 0x20
_NO_SECTOR = 0xFFFFFFFA


@dataclass(slots=True)
class Said:
    """What one sheet says beside its values; rows and columns counted from 1."""

    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)
    is_filtered: bool = False
    errors: list[Fault] = field(default_factory=list)


def said_of(raw: bytes, place: int, count: int) -> Said:
    """What the sheet at ``place`` of ``count`` says; nothing if the file is built in a way that we do not follow."""
    said = Said()
    try:
        stream = _stream(raw)
        starts = list(_sheets(stream))
        if len(starts) != count:
            return said
        for kind, at, length in _records(stream, starts[place]):
            if kind in _TOLD:
                _hear(said, kind, stream[at : at + length])
    except (struct.error, IndexError):
        return said
    return said


def check(raw: bytes) -> None:
    """Refuse a workbook with a cell where no old sheet has one: the reader would lay out everything up to it."""
    try:
        stream = _stream(raw)
        for start in list(_sheets(stream))[:_MOST_SHEETS] if stream else ():
            for kind, at, length in _records(stream, start, deep=True):
                if kind in _CELLS and length >= 4 and stream[at + 3] != 0:
                    raise Refusal(DAMAGED)
                if kind == _DIMENSIONS and not _is_possible(stream, at, length):
                    raise Refusal(DAMAGED)
    except (struct.error, IndexError) as problem:
        raise Refusal(DAMAGED) from problem
    if not stream:
        raise Refusal(DAMAGED)


def _is_possible(stream: bytes, at: int, length: int) -> bool:
    """Whether a sheet says that it ends after it begins, and within 65,536 rows and 256 columns."""
    top, bottom, left, right = struct.unpack_from("<IIHH" if length >= 12 else "<HHHH", stream, at)
    return top <= bottom <= 65_536 and left <= right <= _LAST_COLUMN + 1


def _hear(said: Said, kind: int, body: bytes) -> None:
    first, second = struct.unpack_from("<HH", body) if len(body) >= 4 else (0, 0)
    if kind == _ROW and body[12] & _HIDDEN_ROW:
        said.hidden_rows.append(first + 1)
    elif kind == _COLUMN and body[8] & 1 and first <= second < _LAST_COLUMN:
        said.hidden_columns += range(first + 1, second + 2)
    elif kind == _FILTERMODE:
        said.is_filtered = True
    elif (kind == _BOOLERR and body[7] == 1) or (kind == _FORMULA and body[6] == 2 and body[12:14] == b"\xff\xff"):
        said.errors.append(Fault(first + 1, second + 1, "cell_error"))


def _records(stream: bytes, at: int, *, deep: bool = False) -> Iterator[tuple[int, int, int]]:
    """Kind, place of the body and length of each record, up to the end of the sheet; charts inside are passed over."""
    depth = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        if kind == 0x0809:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                return
        elif deep or depth == 1:
            yield kind, at + 4, length
        at += 4 + length


def _sheets(stream: bytes) -> Iterator[int]:
    """Where each sheet begins, in the order of the workbook."""
    for kind, at, _length in _records(stream, 0):
        if kind == _BOUNDSHEET:
            yield struct.unpack_from("<I", stream, at)[0]


def _stream(raw: bytes) -> bytes:
    """The stream of the workbook inside its container; nothing if it is not found."""
    size = 1 << min(struct.unpack_from("<H", raw, 30)[0], 12)
    if size not in (512, 4096):
        return b""
    table = _table(raw, size)
    directory = _chain(raw, table, struct.unpack_from("<I", raw, 48)[0], size, offset=size)
    held = b""
    for at in range(0, len(directory) - 127, 128):
        length = struct.unpack_from("<H", directory, at + 64)[0]
        name = directory[at : at + min(64, max(0, length - 2))].decode("utf-16-le", errors="replace").lower()
        first, count = struct.unpack_from("<II", directory, at + 116)
        if at == 0:
            held = _chain(raw, table, first, size, offset=size)[:count]
        elif name in ("workbook", "book"):
            if count >= struct.unpack_from("<I", raw, 56)[0]:
                return _chain(raw, table, first, size, offset=size)[:count]
            small = _chain(raw, table, struct.unpack_from("<I", raw, 60)[0], size, offset=size)
            following = list(struct.unpack(f"<{len(small) // 4}I", small[: len(small) // 4 * 4]))
            return _chain(held, following, first, 64, offset=0)[:count]
    return b""


def _table(raw: bytes, size: int) -> list[int]:
    """Which sector follows which. Its own sectors are listed in the head and, of a large file, in a chain after it."""
    places = list(struct.unpack_from("<109I", raw, 76))
    following, left = struct.unpack_from("<II", raw, 68)
    while following < _NO_SECTOR and 0 < left <= len(raw) // size:
        listed = struct.unpack_from(f"<{size // 4}I", raw, (following + 1) * size)
        places += listed[:-1]
        following, left = listed[-1], left - 1
    table: list[int] = []
    for place in places:
        if place < _NO_SECTOR and (place + 2) * size <= len(raw) + size:
            table += struct.unpack_from(f"<{size // 4}I", raw, (place + 1) * size)
    return table


def _chain(raw: bytes, table: list[int], sector: int, size: int, *, offset: int) -> bytes:
    """The sectors that follow each other from ``sector`` on; a chain that bites its tail ends somewhere."""
    parts: list[bytes] = []
    while sector < len(table) and len(parts) <= len(raw) // size:
        parts.append(raw[offset + sector * size : offset + (sector + 1) * size])
        sector = table[sector]
    return b"".join(parts)
