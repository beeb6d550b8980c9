"""Files that mean harm, read in a process that is killed if it takes too much memory or time."""

from __future__ import annotations

import random
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook

from tests.intake.files import HEADER, ROW, SHEET_PART, book, changed, saved
from tests.intake.oldbook import old_book

ROOT = Path(__file__).parents[2]
MEMORY, SECONDS = 2 << 30, 60
PLAIN = changed(book(名册=[HEADER, ROW]), "xl/media/image1.png", lambda _: random.Random(1).randbytes(2 << 20))
"""With a picture that cannot be packed, so that the ratio of sizes alone gives nothing away."""
READING = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
resource.setrlimit(resource.RLIMIT_CPU, ({SECONDS}, {SECONDS}))
from app.intake import delivery
from models.refusal import Refusal
try:
    tables = delivery.tables(open(sys.argv[1], "rb").read(), "名册.xlsx", all_sheets=True)
    print("read", sum(map(len, tables)))
except Refusal as refusal:
    print("refused", refusal.sentence)
"""


def corners() -> bytes:
    made = Workbook()
    made.active["A1"], made.active["XFD1048576"] = "学号", " "
    return saved(made)


def bomb() -> bytes:
    return changed(PLAIN, SHEET_PART, lambda body: body + bytes(900 << 20))


def smaller_bomb() -> bytes:
    return changed(PLAIN, SHEET_PART, lambda body: body + bytes(300 << 20))


def wide() -> bytes:
    cells = b"".join(b"<c><v>1</v></c>" for _ in range(1_000_000))
    return changed(PLAIN, SHEET_PART, lambda body: body.replace(b'<row r="2">', b'<row r="2">' + cells, 1))


def far_apart() -> bytes:
    cells = b'<row r="3"><c r="AAB3"><v>1</v></c></row><row r="400000"><c r="A400000"><v>1</v></c></row>'
    return changed(PLAIN, SHEET_PART, lambda body: body.replace(b"</sheetData>", cells + b"</sheetData>"))


def unplaced() -> bytes:
    cells = b'<row r="90000">' + b"<c><v>1</v></c>" * 1_900 + b"</row>"
    return changed(PLAIN, SHEET_PART, lambda body: body.replace(b"</sheetData>", cells + b"</sheetData>"))


def unplaced_rows() -> bytes:
    cells = b"<x:row><x:c/></x:row>" * 600_000
    return changed(PLAIN, SHEET_PART, lambda body: body.replace(b"</sheetData>", cells + b"</sheetData>"))


def old_that_ends_before_it_begins() -> bytes:
    raw = old_book([HEADER, ROW])
    at = raw.find(struct.pack("<HHII", 0x0200, 14, 0, 2))
    return raw[: at + 4] + b"\x2e" + raw[at + 5 :]


def old_with_a_far_cell() -> bytes:
    raw = old_book([HEADER, ROW])
    at = raw.find(struct.pack("<HHHH", 0x0204, 31, 1, 0))
    return raw[: at + 4] + b"\xff\xff\xff\xff" + raw[at + 8 :]


def shared_strings() -> bytes:
    words = b"<sst>" + b"<si><t>" + b"x" * 32_000 + b"</t></si>"
    return changed(PLAIN, "xl/sharedStrings.xml", lambda _: words + b"<si><t>y</t></si>" * 3_000_000 + b"</sst>")


def laughs() -> bytes:
    names = [f"<!ENTITY l{step + 1} '{f'&l{step};' * 10}'>" for step in range(12)]
    doctype = f"<!DOCTYPE worksheet [<!ENTITY l0 'ha'>{''.join(names)}]>".encode()
    return changed(PLAIN, SHEET_PART, lambda body: doctype + body.replace("王小涵".encode(), b"&l12;"))


def one_long_tag() -> bytes:
    tag = b"<c " + b' r="A1"' * 3_000_000 + b' t="e"><f>1</f></c>'
    return changed(PLAIN, SHEET_PART, lambda body: body.replace(b"</sheetData>", tag + b"</sheetData>"))


def no_rows_end() -> bytes:
    cells = b'<c r="A9" t="e"><f>1</f></c>' * 2_000_000
    return changed(PLAIN, SHEET_PART, lambda body: body.replace(b"</row></sheetData>", cells + b"</sheetData>"))


def styles() -> bytes:
    return changed(PLAIN, "xl/styles.xml", lambda _: b"<fill>" * 700_000 + b"<xf " + b"a" * 3_000_000)


def merged_everywhere() -> bytes:
    areas = "".join(f'<mergeCell ref="A{row}:B1000000"/>' for row in range(1, 20_000)).encode()
    end = b"</sheetData><mergeCells>" + areas + b"</mergeCells>"
    return changed(PLAIN, SHEET_PART, lambda body: body.replace(b"</sheetData>", end))


def many_sheets() -> bytes:
    return book(**{f"s{number}": [HEADER, ROW] for number in range(400)})


def overlapping_bundle() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(250):
            packed.writestr(f"{number}.csv", bytes(2 << 20))
    return out.getvalue()


FILES: list[Callable[[], bytes]] = [
    corners,
    bomb,
    smaller_bomb,
    wide,
    far_apart,
    unplaced,
    unplaced_rows,
    old_that_ends_before_it_begins,
    old_with_a_far_cell,
    shared_strings,
    laughs,
    one_long_tag,
    no_rows_end,
    styles,
    merged_everywhere,
    many_sheets,
    overlapping_bundle,
    lambda: b"x" * (50 << 20),
    lambda: b"a,b\n" + b"," * (50 << 20),
    lambda: b'a,b\n"' + b"x\n" * (25 << 20),
    lambda: b"\n" * (50 << 20) + b"a",
    lambda: b"a,b\n" + b"1,2\n" * (10 << 20),
    lambda: b"<table>" * 3_000_000,
    lambda: b"<table><tr><td>" + b"<div>" * 8_000_000,
    lambda: b"<table><tr>" + b"<td rowspan=60000 colspan=40>x" * 40 + b"<tr>" * 2_000_000,
]


@pytest.mark.parametrize("made", FILES, ids=lambda made: made.__name__)
def test_a_file_that_means_harm_is_read_or_refused_within_bounds(made: Callable[[], bytes], tmp_path: Path) -> None:
    path = tmp_path / "名册.xlsx"
    path.write_bytes(made())

    ended = subprocess.run(
        [sys.executable, "-c", READING, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, f"ended with {ended.returncode}: {ended.stderr[-300:]}"
    assert ended.stdout.startswith(("read", "refused"))
