"""Files as colleagues send them, and as attackers would."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

from openpyxl import Workbook

HEADER = ["学号", "姓名", "班级"]
ROW = ["20260101001", "王小涵", "软件2301"]
SHEET_PART = "xl/worksheets/sheet1.xml"
_SECTOR, _FREE, _END = 512, 0xFFFFFFFF, 0xFFFFFFFE


def knows(word: str) -> bool:
    return word in HEADER


def book(**sheets: Sequence[Sequence[Any]]) -> bytes:
    """A workbook of named sheets with these rows; no sheet means one empty sheet."""
    made = Workbook()
    if sheets:
        made.remove(made.worksheets[0])
    for name, rows in sheets.items():
        page = made.create_sheet(name)
        for row in rows:
            page.append(list(row))
    return saved(made)


def saved(made: Workbook) -> bytes:
    out = BytesIO()
    made.save(out)
    return out.getvalue()


def changed(raw: bytes, part: str, change: Callable[[bytes], bytes | None]) -> bytes:
    """The same package with one part changed, added (from nothing) or left out."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(raw)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in dict.fromkeys([*old.namelist(), part]):
            body = old.read(name) if name in old.namelist() else b""
            kept = change(body) if name == part else body
            if kept is not None:
                new.writestr(name, kept)
    return out.getvalue()


def package(**parts: bytes) -> bytes:
    """A zip that is no workbook; ``__`` stands for a slash."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in parts.items():
            packed.writestr(name.replace("__", "/") + ".xml", body)
    return out.getvalue()


def claiming(raw: bytes, part: str, size: int) -> bytes:
    """The same package, whose directory lies about how large ``part`` unpacks."""
    lying, place = bytearray(raw), raw.find(b"PK\x01\x02")
    while place >= 0:
        length, header = struct.unpack_from("<H", raw, place + 28)[0], struct.unpack_from("<I", raw, place + 42)[0]
        if raw[place + 46 : place + 46 + length] == part.encode():
            struct.pack_into("<I", lying, place + 24, size)
            struct.pack_into("<I", lying, header + 22, size)
        place = raw.find(b"PK\x01\x02", place + 4)
    return bytes(lying)


def compound(**streams: bytes) -> bytes:
    """An OLE file (old Office, or a new one under a password) with up to three streams, none of them small."""
    table, entries, body = [0xFFFFFFFD, _END], [], b""
    for name, content in streams.items():
        padded = content.ljust(-(-max(len(content), 4096) // _SECTOR) * _SECTOR, b"\0")
        first, count = len(table), len(padded) // _SECTOR
        table += [*range(first + 1, first + count), _END]
        entries.append((name, first, len(padded)))
        body += padded
    directory = _entry("Root Entry", 5, child=1, first=_END, size=0)
    for place, (name, first, size) in enumerate(entries, start=1):
        right = place + 1 if place < len(entries) else _FREE
        directory += _entry(name, 2, right=right, first=first, size=size)
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<10I", 0, 1, 1, 0, 4096, _END, 0, _END, 0, 0)
    sectors = [head, struct.pack(f"<{len(table)}I", *table), directory]
    return b"".join(part.ljust(_SECTOR, b"\xff" if part is not directory else b"\0") for part in sectors) + body


def _entry(name: str, kind: int, *, first: int, size: int, right: int = _FREE, child: int = _FREE) -> bytes:
    letters = name.encode("utf-16-le") + b"\0\0"
    links = struct.pack("<HBBIII", len(letters), kind, 1, _FREE, right, child)
    return letters.ljust(64, b"\0") + links + bytes(16) + struct.pack("<IQQIQ", 0, 0, 0, first, size)
