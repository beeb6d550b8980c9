"""Whatever bytes come in, the reader answers with a table or with words."""

from __future__ import annotations

import csv
import io
import random
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from app.intake import footer, sheet
from app.intake.sheet import text_of
from models.refusal import Refusal
from tests.intake.files import HEADER, ROW, SHEET_PART, book, changed, compound, knows

STARTS = [
    b"",
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
    "学号,姓名\r\n".encode("gbk"),
]
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), max_codepoint=0xFFFF), max_size=12)
PLAIN = book(名册=[HEADER, ROW, ROW])
OLD = compound(Workbook=bytes.fromhex("0908100000060500000000000000000000000000") + bytes(range(256)) * 20)


def answer(raw: bytes) -> sheet.Table | Refusal:
    """What a colleague gets; anything but these two is a failure."""
    try:
        return sheet.read(raw, knows=knows)
    except Refusal as refusal:
        return refusal


@given(st.sampled_from(STARTS), st.binary(max_size=400))
def test_any_bytes_become_a_table_or_a_refusal(start: bytes, rest: bytes) -> None:
    found = answer(start + rest)

    assert isinstance(found, Refusal) or len(found.rows) == len(found.row_numbers) > 0


@given(st.text(max_size=300), st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]))
def test_any_text_becomes_a_table_or_a_refusal(text: str, encoding: str) -> None:
    found = answer(text.encode(encoding, errors="ignore"))

    assert isinstance(found, Refusal) or all(len(row) == len(found.header) for row in found.rows)


@given(st.integers(0, 2**32), st.sampled_from([PLAIN, OLD]))
def test_a_workbook_with_some_bytes_turned_becomes_a_table_or_a_refusal(seed: int, raw: bytes) -> None:
    chance, turned = random.Random(seed), bytearray(raw)
    for _ in range(chance.choice([1, 4, 20])):
        turned[chance.randrange(len(turned))] = chance.randrange(256)

    assert isinstance(answer(bytes(turned)), Refusal | sheet.Table)


@given(st.integers(0, 2**32))
def test_a_sheet_with_one_sign_turned_becomes_a_table_or_a_refusal(seed: int) -> None:
    chance = random.Random(seed)

    def turn(body: bytes) -> bytes:
        place = chance.randrange(len(body))
        return body[:place] + bytes([chance.randrange(32, 127)]) + body[place + 1 :]

    assert isinstance(answer(changed(PLAIN, SHEET_PART, turn)), Refusal | sheet.Table)


@given(
    st.lists(st.lists(WORDS, min_size=3, max_size=3), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
)
def test_what_was_written_as_text_is_read_back_cell_by_cell(
    rows: list[list[str]], separator: str, encoding: str
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator).writerows([HEADER, ["1", "x", "y"], *rows])
    assume(not footer.leave_out(list(rows), HEADER))
    assume(not any(cell.startswith(('="', "#")) for row in rows for cell in row))

    found = answer(out.getvalue().encode(encoding))

    assert isinstance(found, sheet.Table)
    kept = [(place, row) for place, row in enumerate(rows, start=3) if any(cell.strip() for cell in row)]
    assert list(zip(found.row_numbers, found.rows, strict=True))[1:] == kept


@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_a_whole_number_reads_without_a_decimal_point(number: int) -> None:
    assert text_of(float(number)) == text_of(number) == str(number)


@given(
    st.one_of(st.none(), st.text(), st.floats(), st.integers(), st.booleans(), st.datetimes(), st.dates(), st.times())
)
def test_every_cell_has_a_text_without_blanks_around_it(cell: Any) -> None:
    assert text_of(cell) == text_of(cell).strip()
