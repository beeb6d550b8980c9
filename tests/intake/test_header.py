"""Headers in two rows, merged or merely sparse: joined where they can be nothing else, never with a student."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from app.intake import sheet
from tests.intake.files import HEADER, book, saved

SCALES = ("PHQ-9 ", "GAD-7 ")
UPPER = [*HEADER, "PHQ-9", "", "", "GAD-7", "", "备注"]
LOWER: list[Any] = ["", "", "", 1, 2, 3, 1, 2, ""]
JOINED = [*HEADER, "PHQ-9 1", "PHQ-9 2", "PHQ-9 3", "GAD-7 1", "GAD-7 2", "备注"]
WANG: list[Any] = ["20260101001", "王小涵", "软件2301", 0, 1, 2, 3, 0, ""]


def knows(word: str) -> bool:
    return word in HEADER or word.startswith(SCALES)


def merged(rows: Sequence[Sequence[Any]], *areas: str) -> bytes:
    made = Workbook()
    for row in rows:
        made.active.append([cell if cell != "" else None for cell in row])
    for area in areas:
        made.active.merge_cells(area)
    return saved(made)


def test_a_scale_merged_over_its_items_names_each_of_them() -> None:
    raw = merged([UPPER, LOWER, WANG], "A1:A2", "B1:B2", "C1:C2", "D1:F1", "G1:H1", "I1:I2")

    table = sheet.read(raw, knows=knows)

    assert (table.header, table.header_row, list(table.row_numbers)) == (JOINED, 2, [3])
    assert table.notes == ["表头占第 1、2 两行，已合成一行列名。"]


def test_blanks_beside_a_title_join_like_merged_cells() -> None:
    table = sheet.read(merged([["2026级普查"], [], UPPER, LOWER, WANG]), knows=knows)

    assert (table.header, table.header_row, list(table.row_numbers)) == (JOINED, 4, [5])


def test_the_same_holds_for_text_and_for_a_web_page() -> None:
    lines = "\r\n".join(",".join(map(str, row)) for row in [UPPER, LOWER, WANG])
    head = "".join(f"<th rowspan=2>{word}</th>" for word in HEADER)
    rest = "<th colspan=2>PHQ-9</th></tr><tr><td>1</td><td>2</td></tr><tr><td>1<td>甲<td>x<td>0<td>1</tr></table>"
    page = f"<table><tr>{head}{rest}"

    assert sheet.read(lines.encode(), knows=knows).header == JOINED
    assert sheet.read(page.encode(), knows=knows).header == JOINED[:5]


def test_a_group_that_adds_nothing_is_left_out_of_the_name() -> None:
    upper = ["基本信息", "", "", "PHQ-9", "", "家长", ""]
    lower = [*HEADER, 1, 2, "姓名", "电话"]

    table = sheet.read(merged([upper, lower, ["1", "甲", "x", 0, 1, "乙", "3"]]), knows=knows)

    assert table.header == [*HEADER, "PHQ-9 1", "PHQ-9 2", "家长 姓名", "家长 电话"]


@pytest.mark.parametrize(
    "line",
    [
        ["2026级新生心理普查汇总表", "", "", ""],
        ["学院：信息学院", "", "", "日期：2026-9-5"],
        ["信息学院", "", "", "2026年9月"],
    ],
)
def test_a_title_line_above_the_header_is_no_part_of_it(line: list[str]) -> None:
    header = [*HEADER, "PHQ-9 1"]

    table = sheet.read(merged([line, header, WANG[:4]], "A1:C1"), knows=knows)

    assert (table.header, len(table)) == (header, 1)


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ([*HEADER, "", ""], ["20260101001", "王小涵", "软件2301", 1, 2]),
        (["学号", "", "", "备注"], ["20260101001", 1, 2, ""]),
        ([*HEADER, "结果", ""], ["", "", "", "关注", "关注"]),
        ([*HEADER, "分数", ""], ["", "", "", 3, 1]),
        ([*HEADER, "电话", ""], ["", "", "", "13800000001", "13800000002"]),
    ],
)
def test_a_row_that_could_be_a_student_is_never_part_of_the_header(header: list[str], row: list[Any]) -> None:
    table = sheet.read(merged([header, row, row]), knows=knows)

    assert (table.header_row, len(table)) == (1, 2)


@given(
    st.lists(st.sampled_from(["", "备注", "PHQ-9", "得分", "PHQ-9 1"]), max_size=6),
    st.lists(st.one_of(st.integers(0, 9), st.sampled_from(["", "没有", "关注"])), min_size=6, max_size=6),
)
def test_no_numbered_row_is_ever_swallowed(more: list[str], cells: list[Any]) -> None:
    row = ["20260101001", "王小涵", "软件2301", *cells[: len(more)]]

    table = sheet.read(merged([[*HEADER, *more], row, row]), knows=knows)

    assert len(table) == 2


def test_a_whole_sentence_is_a_name_like_any_other() -> None:
    sentence = "1、在过去的两周里，您有多少时候感到情绪低落、沮丧或绝望？（请按实际情况选择）"

    table = sheet.read(book(结果=[["学号", sentence], ["1", 2]]), knows=knows)

    assert table.header == ["学号", sentence]


def test_lines_of_a_csv_in_the_first_column_are_taken_apart() -> None:
    table = sheet.read(book(粘贴=[["学号,姓名,班级"], ["1,甲,x"], ["2,乙,y"]]), knows=knows)

    assert (table.header, table.rows) == (HEADER, [["1", "甲", "x"], ["2", "乙", "y"]])
    assert "分隔符" in table.notes[0]
