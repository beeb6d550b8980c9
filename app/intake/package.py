"""The zip around a workbook: whether it is safe to unpack, and what its sheets say beside their values.

The reader of values says nothing of hidden rows, formulas without a value or
colours. A pass over the raw sheet, made anyway to see how far it reaches,
tells cheaply whether there is any of that; only then is it looked at closely.
"""

from __future__ import annotations

import html
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.intake import extent, foreign
from app.intake.grid import SAVE_AGAIN
from models.refusal import Refusal

MOST_UNPACKED = 768 * 1024 * 1024
"""Bytes that a workbook may unpack to."""
MOST_RATIO = 200
"""Unpacked to packed; a real workbook stays near ten."""
MOST_PARTS = 5_000
_PIECE = 1 << 20
_LONGEST_ROW = 16 << 20
_MOST_INDEX = 4 << 20
"""Bytes of the parts that only list sheets and styles."""
_SHEET, _RELATION, _FORMAT = (
    re.compile(rb"<(?:\w{1,40}:)?" + name + rb"\s[^<>]{0,2000}>") for name in (b"sheet", b"Relationship", b"xf")
)
_FILL = re.compile(rb"<(?:\w{1,40}:)?fill>")
_ATTRIBUTE = re.compile(rb"([\w:]+)\s*=\s*[\"']([^\"']*)[\"']")
_SOLID = re.compile(rb"patternType=\"(?!none|gray125)")
_WHITE = re.compile(rb"<(?:\w+:)?fgColor[^<>]*(?:rgb=\"(?:FF|00)?F{6}\"|theme=\"0\"|indexed=\"(?:9|64|65)\")")
_STRICT = b"http://purl.oclc.org/ooxml/spreadsheetml/main"


@dataclass(slots=True)
class Marks:
    """What one sheet may hold beside plain values."""

    part: str
    formulas: bool = False
    hidden: bool = False
    filtered: bool = False
    merged: bool = False
    errors: bool = False


@dataclass(slots=True)
class Package:
    """A workbook that is safe to read: the marks of each sheet by its name, and fills by cell format."""

    raw: bytes
    sheets: dict[str, Marks]
    fills: dict[int, int]
    """Cell format → its fill, only those with a colour."""
    is_strict: bool


@contextmanager
def unzipping() -> Iterator[None]:
    """What a torn or lying zip raises, in words."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        OSError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ) as problem:
        raise Refusal(f"文件不完整，可能没有传完。{SAVE_AGAIN}") from problem


def check(raw: bytes) -> Package:
    """Refuse what is not a workbook or would burst; say what its sheets hold."""
    with unzipping(), zipfile.ZipFile(io.BytesIO(raw)) as packed:
        _check_parts(packed, len(raw))
        marks = {name: _marks(packed, name) for name in packed.namelist() if name.lower().startswith("xl/worksheets/")}
        book = _index(packed, "xl/workbook.xml")
        sheets = {title: marks[part] for title, part in _titles(packed, book).items() if part in marks}
        return Package(raw, sheets, _fills(_index(packed, "xl/styles.xml")), _STRICT in book[:4096])


def _check_parts(packed: zipfile.ZipFile, packed_size: int) -> None:
    entries = packed.infolist()
    size = sum(entry.file_size for entry in entries)
    if size > MOST_UNPACKED or size > MOST_RATIO * max(packed_size, 100_000) or len(entries) > MOST_PARTS:
        raise Refusal("文件展开后过大，不像正常的表格。请按学院拆分后再导入。")
    foreign.refuse_package({entry.filename.lower() for entry in entries})


def _marks(packed: zipfile.ZipFile, name: str) -> Marks:
    """What a sheet may hold. Refuses one that reaches far: the reader would lay out everything in between."""
    marks, reach, tail = Marks(name), extent.Reach(), b""
    with packed.open(name) as part:
        while piece := part.read(_PIECE):
            text = tail + piece
            reach.see(text)
            marks.formulas = marks.formulas or b"f>" in text
            marks.hidden = marks.hidden or b'hidden="1"' in text or b'hidden="true"' in text
            marks.errors = marks.errors or b't="e"' in text
            marks.filtered = marks.filtered or b"filterColumn" in text
            marks.merged = marks.merged or b"mergeCell " in text
            tail = piece[-64:]
    if reach.is_unclear:
        with packed.open(name) as part:
            extent.measure(iter(lambda: part.read(_PIECE), b""))
    return marks


def rows_of(packed: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """The raw sheet in pieces that end where a row ends; ends early where one row is beyond reason."""
    held = b""
    with packed.open(part) as stream:
        while piece := stream.read(_PIECE):
            end = piece.rfind(b"row>")
            if end < 0:
                held += piece
                if len(held) > _LONGEST_ROW:
                    return
                continue
            yield held + piece[: end + 4]
            held = piece[end + 4 :]
    yield held


def _index(packed: zipfile.ZipFile, name: str) -> bytes:
    """A small part, or nothing if the package has none."""
    for entry in packed.infolist():
        if entry.filename.lower() == name.lower():
            with packed.open(entry) as part:
                return part.read(_MOST_INDEX)
    return b""


def _titles(packed: zipfile.ZipFile, book: bytes) -> dict[str, str]:
    """The name of each sheet → the part that holds it."""
    targets = {}
    for relation in _RELATION.findall(_index(packed, "xl/_rels/workbook.xml.rels")):
        held = dict(_ATTRIBUTE.findall(relation))
        target = held.get(b"Target", b"").decode(errors="replace")
        targets[held.get(b"Id", b"")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    titles = {}
    for sheet in _SHEET.findall(book):
        held = dict(_ATTRIBUTE.findall(sheet))
        place = next((held[name] for name in held if name.endswith(b":id")), b"")
        titles[html.unescape(held.get(b"name", b"").decode(errors="replace"))] = targets.get(place, "")
    return titles


def _fills(styles: bytes) -> dict[int, int]:
    fills = [
        place if _SOLID.search(fill[:2000]) and not _WHITE.search(fill[:2000]) else 0
        for place, fill in enumerate(_FILL.split(styles)[1:])
    ]
    formats = _FORMAT.findall(styles.partition(b"cellXfs")[2].partition(b"cellXfs")[0])
    found = {}
    for place, format_ in enumerate(formats):
        fill = int(held) if (held := dict(_ATTRIBUTE.findall(format_)).get(b"fillId", b"0"))[:9].isdigit() else 0
        if fill < len(fills) and fills[fill]:
            found[place] = fill
    return found
