"""``.xls`` that is a web page inside: the table with known names, spans, entities, and pages that mean harm."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake import sheet
from models.refusal import Refusal
from tests.intake.files import HEADER, ROW, knows

TAGS = ["<table>", "</table>", "<tr>", "<td>", "<th colspan=3>", "<td rowspan='2'>", "</td>", "<!--", "-->", "<style>"]


def page(*rows: list[str], head: str = "", tail: str = "") -> str:
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<html><head>{head}</head><body><table border='1'>{body}</table>{tail}</body></html>"


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [("gb2312", "gb18030"), ("GBK", "gbk"), ("utf-8", "utf-8"), ("", "gb18030"), ("", "utf-8")],
)
def test_a_page_reads_in_the_encoding_it_declares_or_has(declared: str, encoding: str) -> None:
    head = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}">' if declared else ""

    table = sheet.read(page(HEADER, ROW, head=head).encode(encoding), knows=knows)

    assert (table.header, table.rows) == (HEADER, [ROW])


def test_of_several_tables_the_one_with_known_names_is_read() -> None:
    raw = (page(["首页", "退出"], ["a", "b"]) + page(HEADER, ROW) + page(["共 1 页"], ["x"])).encode()

    assert sheet.read(raw, knows=knows).rows == [ROW]
    assert sheet.sheet_names(raw) == ["表 1", "表 2", "表 3"]
    assert sheet.read(raw, sheet="表 2", knows=knows).rows == [ROW]


def test_a_table_inside_the_cell_of_another_is_a_table_of_its_own() -> None:
    inner = page(HEADER, ROW).removeprefix("<html><head></head><body>").removesuffix("</body></html>")

    table = sheet.read(page(["菜单", inner], ["页脚", ""]).encode(), knows=knows)

    assert (table.header, table.rows) == (HEADER, [ROW])


def test_entities_breaks_comments_and_styles_read_as_a_browser_shows_them() -> None:
    row = ["20260101001", "A&amp;B&nbsp;&#29579;", "一<br/>二<!-- 三 --><style>td{x:1}</style>"]

    table = sheet.read(page(HEADER, row).encode(), knows=knows)

    assert table.rows == [["20260101001", "A&B 王", "一\n二"]]


def test_ends_that_are_left_out_are_understood() -> None:
    raw = "<table><tr><th>学号<th>姓名<th>班级<tr><td>1<td>甲<td>x<tr><td>2<td>乙<td>y"

    assert sheet.read(raw.encode(), knows=knows).rows == [["1", "甲", "x"], ["2", "乙", "y"]]


def test_long_numbers_and_zeros_in_front_stay_as_they_are() -> None:
    row = ["0012", "440301200501011234", "1e5"]

    assert sheet.read(page(HEADER, row).encode(), knows=knows).rows == [row]


def test_a_cell_that_spans_rows_of_students_holds_for_each() -> None:
    rows = ["学号<td>姓名<td>班级", "1<td>甲<td rowspan=2>软件2301", "2<td>乙", "3<td>丙<td>x"]
    raw = "<table>" + "".join(f"<tr><td>{row}" for row in rows)

    assert [row[2] for row in sheet.read(raw.encode(), knows=knows).rows] == ["软件2301", "软件2301", "x"]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("<html><body><form>登录</form></body></html>", "内容是网页，里面没有表格"),
        ("<table>" * 60 + "</table>" * 60, "层层嵌套"),
        ("<table><tr><td>a</td></tr></table>" * 300, "过多"),
        ("<table><tr><td colspan=9999>a", "行或列过多"),
        ("<table>" + "<tr><td rowspan=65000 colspan=1900>a" * 3, "行或列过多"),
        ("<table><tr>" + "<td rowspan=400000>a" * 1900 + "<tr>" * 9000, "行或列过多"),
    ],
)
def test_a_page_that_is_no_table_or_means_harm_is_refused_in_words(raw: str, words: str) -> None:
    with pytest.raises(Refusal) as refused:
        sheet.read(raw.encode(), knows=knows)

    assert words in refused.value.sentence


@pytest.mark.parametrize(
    "again", ["<!--", "<", "<a ", "<td ", "<script>", "</", "<![CDATA[", "&", "<td rowspan=", "<tr"]
)
def test_no_page_takes_longer_than_its_size_deserves(again: str) -> None:
    raw = ("<table><tr><td>" + again * (2_000_000 // len(again))).encode()

    began = time.process_time()
    with pytest.raises(Refusal):
        sheet.read(raw)

    assert time.process_time() - began < 10


@given(st.lists(st.one_of(st.sampled_from(TAGS), st.text(max_size=5)), max_size=40))
def test_any_soup_of_tags_becomes_a_table_or_a_refusal(parts: list[str]) -> None:
    try:
        found = sheet.read(("<table>" + "".join(parts)).encode(errors="ignore"), knows=knows)
    except Refusal:
        return

    assert all(len(row) == len(found.header) for row in found.rows)
