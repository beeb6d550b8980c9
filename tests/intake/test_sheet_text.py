"""Tables that come as text: encodings, separators, title lines, and what is refused in words."""

from __future__ import annotations

import pytest

from app.intake import sheet
from models.refusal import Refusal
from tests.intake.files import HEADER, ROW, knows

LINES = [HEADER, ROW, ["20260101002", "欧阳雪", "软件2302"]]


def text(rows: list[list[str]], separator: str = ",") -> str:
    return "".join(separator.join(row) + "\r\n" for row in rows)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "gb18030", "gbk"])
def test_a_text_table_reads_the_same_in_every_encoding_that_offices_use(encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""

    table = sheet.read((mark + text(LINES)).encode(encoding), knows=knows)

    assert (table.header, table.rows) == (HEADER, LINES[1:])


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_known_without_a_mark(encoding: str) -> None:
    table = sheet.read(text(LINES, "\t").encode(encoding), knows=knows)

    assert (table.header, table.rows) == (HEADER, LINES[1:])


def test_decimal_commas_do_not_hide_the_semicolons() -> None:
    raw = "id;a;b\r\n" + "1,5;2,5;3,5\r\n" * 5

    table = sheet.read(raw.encode())

    assert (table.header, table.rows[0]) == (["id", "a", "b"], ["1,5", "2,5", "3,5"])


def test_a_line_that_names_the_separator_is_taken_at_its_word() -> None:
    table = sheet.read(("sep=;\r\n" + text(LINES, ";")).encode(), knows=knows)

    assert (table.header, table.header_row, list(table.row_numbers)) == (HEADER, 2, [3, 4])


def test_a_number_kept_as_a_formula_text_is_the_text() -> None:
    table = sheet.read('学号,姓名,班级\r\n="0012",王小涵,软件2301\r\n'.encode(), knows=knows)

    assert table.rows[0][0] == "0012"


def test_a_leading_zero_that_is_lost_is_not_put_back() -> None:
    table = sheet.read("学号,姓名,班级\r\n0012,甲,x\r\n12,乙,x\r\n".encode(), knows=knows)

    assert [row[0] for row in table.rows] == ["0012", "12"]


def test_an_error_of_a_spreadsheet_is_emptied_and_reported() -> None:
    table = sheet.read("学号,姓名,班级\r\n1,甲,#REF!\r\n2,乙,x\r\n".encode(), knows=knows)

    assert table.rows[0] == ["1", "甲", ""]
    assert [(held.row, held.column, held.code) for held in table.filled] == [(2, "班级", "cell_error")]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_commas_semicolons_and_tabs_separate_columns(separator: str) -> None:
    table = sheet.read(text(LINES, separator).encode(), knows=knows)

    assert (table.header, table.rows) == (HEADER, LINES[1:])


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_title_line_above_the_header_is_passed_over(separator: str) -> None:
    raw = "2026级新生名册\r\n制表：教务处\r\n" + text(LINES, separator)

    table = sheet.read(raw.encode(), knows=knows)

    assert (table.header, table.header_row, list(table.row_numbers)) == (HEADER, 3, [4, 5])


def test_empty_lines_keep_the_row_numbers_of_the_file() -> None:
    raw = "\r\n\r\n" + text([LINES[0], LINES[1], ["", " ", ""], ["", "", ""], LINES[2]])

    table = sheet.read(raw.encode(), knows=knows)

    assert (table.header_row, list(table.row_numbers)) == (3, [4, 7])


def test_a_short_row_is_filled_up_with_empty_cells() -> None:
    table = sheet.read(text([HEADER, ROW[:1]]).encode(), knows=knows)

    assert table.rows == [[ROW[0], "", ""]]


def test_a_line_break_within_quotes_belongs_to_its_cell() -> None:
    raw = 'a,b\r\n"父 13800000001\n母 13900000001",x\r\ny,z\r\n'

    table = sheet.read(raw.encode())

    assert table.rows == [["父 13800000001\n母 13900000001", "x"], ["y", "z"]]
    assert list(table.row_numbers) == [2, 3]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "文件是空的"),
        (b" \r\n\t\r\n", "文件是空的"),
        (b"\xef\xbb\xbf\r\n,,\r\n", "没有可用的表头"),
        (text([HEADER]).encode(), "表头下面没有数据"),
        (text([HEADER, ["", "", ""]]).encode(), "表头下面没有数据"),
        ("<html><table><tr><td>学号</td></tr></table></html>".encode(), "表头下面没有数据"),
        ("\r\n<!DOCTYPE html>\r\n<p>登录</p>".encode("gb18030"), "内容是网页"),
        (b'<?xml version="1.0"?><Workbook/>', "内容是 XML"),
        (b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>', "XML 表格 2003"),
        (b'{"resourceType": "Bundle"}', "内容是 JSON"),
        (text(LINES).encode()[:-6] + "班".encode()[:1], "文件不完整"),
        (b"a,b\r\n1," + b"x" * 99 + b"\x00", "无法识别"),
        (b"\xff\xfe\x00", "文字编码"),
        (b"\xef\xbb\xbf\xff\xff", "文字编码"),
        (b"\x81\x20\xff\xff\xff", "文字编码"),
        (b"a,b\r\n" + b"x" * 200_000 + b",y\r\n", "格式有误"),
        (b"a," * 999_999 + b"a\r\n1\r\n", "行或列过多"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_text_that_is_no_table_is_refused_with_words_that_help(raw: bytes, words: str) -> None:
    with pytest.raises(Refusal) as refused:
        sheet.read(raw, knows=knows)

    assert words in refused.value.sentence


def test_asking_a_text_file_for_a_named_sheet_is_refused_in_words() -> None:
    with pytest.raises(Refusal) as refused:
        sheet.read(text(LINES).encode(), sheet="第一批", knows=knows)

    assert "第一批" in refused.value.sentence
