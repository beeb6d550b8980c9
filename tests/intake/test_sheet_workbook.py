"""Workbooks: which sheet is read, which row is the header, and every kind of file that only looks like one."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from openpyxl import Workbook

from app.intake import sheet
from app.intake.sheet import text_of
from models.refusal import Refusal
from tests.intake.files import HEADER, ROW, SHEET_PART, book, changed, claiming, compound, knows, package, saved

PLAIN = book(名册=[HEADER, ROW])


def test_title_lines_and_empty_rows_keep_the_row_numbers_of_the_sheet() -> None:
    raw = book(名册=[["2026级名册"], [], HEADER, ROW, [None, " ", None], [], ROW])

    table = sheet.read(raw, knows=knows)

    assert (table.header, table.header_row, list(table.row_numbers)) == (HEADER, 3, [4, 7])


def test_a_table_that_begins_far_down_keeps_its_row_numbers() -> None:
    made = Workbook()
    for place, (title, cell) in enumerate(zip(HEADER, ROW, strict=True), start=3):
        made.active.cell(row=8, column=place, value=title)
        made.active.cell(row=9, column=place, value=cell)

    table = sheet.read(saved(made), knows=knows)

    assert (table.header_row, list(table.row_numbers)) == (8, [9])
    assert [word for word in table.header if word] == HEADER


def test_of_several_sheets_the_one_that_fits_is_read() -> None:
    raw = book(
        说明=[["填表说明"], ["请勿改动列名"]], 名册=[HEADER, ROW], 辅导员=[["班级", "辅导员"], ["软件2301", "李"]]
    )

    table = sheet.read(raw, knows=knows)

    assert (table.sheet, table.rows) == ("名册", [ROW])
    assert sheet.sheet_names(raw) == ["说明", "名册", "辅导员"]


def test_a_named_sheet_is_read_even_where_another_fits_better() -> None:
    raw = book(名册=[HEADER, ROW], 第二批=[["学号", "备注"], ["1", "x"]])

    table = sheet.read(raw, sheet="第二批", knows=knows)

    assert (table.sheet, table.rows) == ("第二批", [["1", "x"]])


def test_a_missing_sheet_is_refused_naming_those_there_are() -> None:
    with pytest.raises(Refusal) as refused:
        sheet.read(book(名册=[HEADER, ROW], 附件=[["x"], ["y"]]), sheet="第三批")

    assert all(name in refused.value.sentence for name in ("第三批", "名册", "附件"))


def test_a_chart_beside_the_table_does_not_disturb() -> None:
    made = Workbook()
    made.active.append(HEADER)
    made.active.append(ROW)
    made.create_chartsheet("图表")

    assert sheet.read(saved(made), knows=knows).rows == [ROW]


def test_numbers_and_dates_read_as_a_person_sees_them() -> None:
    taken = datetime(2026, 9, 5, 10, 3)  # noqa: DTZ001 - cells know no zone
    raw = book(名册=[["学号", "出生日期", "时间", "是否"], [20260101001, date(2005, 9, 1), taken, True]])

    [row] = sheet.read(raw).rows

    assert [text_of(cell) for cell in row] == ["20260101001", "2005-09-01", "2026-09-05 10:03:00", "是"]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (book(), "工作表是空的"),
        (book(名册=[HEADER]), "没有数据"),
        (PLAIN[: len(PLAIN) // 2], "文件不完整"),
        (b"PK\x03\x04", "文件不完整"),
        (package(word__document=b"<w/>"), "这是 Word 文档"),
        (changed(PLAIN, "xl/vbaProject.bin", lambda _: b"macro"), "带有宏"),
        (changed(PLAIN, "xl/media/picture.bin", lambda _: bytes(24 << 20)), "展开后过大"),
        (compound(WordDocument=b"x" * 5000), "可作为附件保存"),
        (book(名册=[["列"] * 16_384, ["1"]]), "超出可读范围"),
    ],
    ids=["empty", "header", "half", "stub", "word", "macro", "bomb", "doc", "wide"],
)
def test_a_file_that_is_no_workbook_is_refused_with_words_that_help(raw: bytes, words: str) -> None:
    with pytest.raises(Refusal) as refused:
        sheet.read(raw, knows=knows)

    assert words in refused.value.sentence


@pytest.mark.parametrize(
    "raw",
    [
        compound(EncryptionInfo=b"\x04\0\x04\0", EncryptedPackage=bytes(5000)),
        compound(Workbook=bytes.fromhex("0908100000060500000000000000000000000000 2f000600010001000100 0a000000")),
    ],
    ids=["xlsx", "xls"],
)
def test_a_workbook_under_a_password_is_refused_saying_so(raw: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        sheet.read(raw, knows=knows)

    assert "密码" in refused.value.sentence


@pytest.mark.parametrize(
    "raw",
    [
        changed(PLAIN, SHEET_PART, lambda body: body[: len(body) // 2]),
        changed(PLAIN, SHEET_PART, lambda _: b"\0\xff no xml"),
        changed(PLAIN, SHEET_PART, lambda _: None),
        claiming(changed(PLAIN, SHEET_PART, lambda body: body.replace(ROW[1].encode(), b"x" * 90_000)), SHEET_PART, 9),
    ],
    ids=["cut", "rubbish", "missing", "lying"],
)
def test_a_workbook_whose_sheet_is_damaged_is_refused_in_words(raw: bytes) -> None:
    with pytest.raises(Refusal):
        sheet.read(raw, knows=knows)


def test_an_impossible_cell_address_is_refused_and_does_not_kill_the_reader() -> None:
    raw = changed(PLAIN, SHEET_PART, lambda body: body.replace(b'r="A2"', b'r="ZZZZZZ99999999999"'))

    with pytest.raises(Refusal):
        sheet.read(raw, knows=knows)
