"""Tables as offices make them: totals and signatures below, hidden rows, formulas, colours; nothing lost unsaid."""

from __future__ import annotations

from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.styles import PatternFill

from app.intake import sheet
from tests.intake.files import HEADER, ROW, SHEET_PART, book, changed, knows, saved

RED = PatternFill("solid", fgColor="FFFF0000")


def made_of(*rows: list[Any]) -> Workbook:
    made = Workbook()
    for row in rows:
        made.active.append(row)
    return made


def read(made: Workbook) -> sheet.Table:
    return sheet.read(saved(made), knows=knows)


@pytest.mark.parametrize(
    "foot",
    [
        ["合计", None, 35],
        [None, "平均", 1.5],
        ["小 计：", None, 12],
        ["填表人：张三", None, "审核人：李四"],
        ["负责人签字："],
        [None, None, "2026年9月5日"],
        ["日期：2026-9-5"],
        ["备注：本表一式两份，缺考者未列。"],
        ["注：1. 红色为重点；2. 黄色为关注"],
        ["第 1 页，共 3 页"],
        ["共 35 人"],
        HEADER,
    ],
)
def test_a_row_that_is_no_student_is_left_out_and_reported(foot: list[Any]) -> None:
    table = read(made_of(HEADER, ROW, ROW, foot))

    assert table.rows == [ROW, ROW]
    assert table.notes == ["第 4 行是合计、签字、备注或重复的表头，不是人员，未读入。"]


@pytest.mark.parametrize(
    "row",
    [
        ["20260101003", "合计", "软件2301"],
        ["20260101003", "注：", None],
        ["备注", "20260101003", None],
        ["日期：", "王小涵", "软件2301"],
        ["x", None, None],
        [None, "单雪", None],
    ],
)
def test_a_row_that_may_be_a_student_is_kept(row: list[Any]) -> None:
    table = read(made_of(HEADER, ROW, row))

    assert (len(table), table.notes) == (2, [])


def test_totals_in_the_middle_and_a_header_printed_again_are_left_out_too() -> None:
    table = read(made_of(HEADER, ROW, ["小计", None, 1], HEADER, ROW, ["合计", None, 2], [], ["制表：李"]))

    assert list(table.row_numbers) == [2, 5]
    assert "第 3、4、6、8 行" in table.notes[0]


def test_hidden_rows_and_columns_and_a_filter_are_read_and_said() -> None:
    made = made_of(HEADER, ROW, ROW, ROW)
    made.active.row_dimensions[3].hidden = True
    made.active.column_dimensions["B"].hidden = True
    made.active.auto_filter.ref = "A1:C4"
    made.active.auto_filter.add_filter_column(0, ["x"])

    table = read(made)

    assert len(table) == 3
    assert table.notes == [
        "表格设有筛选，被筛掉的行也已读取。",
        "第 3 行是隐藏的，已照常读取。",
        "B 列是隐藏的，已照常读取。",
    ]


def test_a_hidden_sheet_is_read_and_said() -> None:
    made = made_of(["说明"], ["x"])
    hidden = made.create_sheet("名册")
    hidden.append(HEADER)
    hidden.append(ROW)
    hidden.sheet_state = "hidden"

    assert read(made).notes == ["工作表“名册”在文件里是隐藏的，已照常读取。"]


def test_a_formula_without_a_value_is_explained_with_its_place() -> None:
    table = read(made_of(HEADER, ["1", "甲", "=A1&B1"], ["2", "乙", "x"]))

    assert table.rows[0] == ["1", "甲", ""]
    assert [(held.row, held.column, held.code) for held in table.filled] == [(2, "班级", "formula_without_value")]
    assert "保存一次后再导入" in table.filled[0].message
    assert "有 1 格是公式" in table.notes[0]


@pytest.mark.parametrize("value", [b"<v>3</v>", b'<v xml:space="preserve">3</v>'])
def test_a_formula_with_its_value_is_just_the_value(value: bytes) -> None:
    raw = saved(made_of(["学号", "总分"], ["1", "=1+2"]))
    raw = changed(raw, SHEET_PART, lambda body: body.replace(b"<v />", value).replace(b"<v></v>", value))

    table = sheet.read(raw, knows=knows)

    assert (table.rows, table.filled) == ([["1", 3.0]], [])


def test_a_formula_of_a_total_that_is_left_out_is_no_problem() -> None:
    assert read(made_of(HEADER, ROW, ["合计", None, "=COUNTA(A2:A2)"])).filled == []


def test_an_error_cell_is_reported_with_its_place() -> None:
    table = read(made_of(HEADER, ["1", "甲", "#REF!"]))

    assert table.rows == [["1", "甲", ""]]
    assert [(held.row, held.column, held.code) for held in table.filled] == [(2, "班级", "cell_error")]


def test_problems_never_show_what_stands_in_a_cell() -> None:
    table = read(made_of(HEADER, ["1", "甲乙丙", "=1"], ["备注：甲乙丙"]))

    assert "甲乙丙" not in "".join(table.notes) + "".join(held.message for held in table.filled)


def test_rows_that_stand_out_by_colour_are_asked_for_in_words() -> None:
    made = made_of(HEADER, ROW, ROW, ROW, ROW)
    for cell in made.active[3]:
        cell.fill = RED

    assert "颜色无法识别，如果颜色表示等级，请增加一列写明等级" in read(made).notes[0]


def test_a_coloured_header_stripes_or_a_level_column_need_no_words() -> None:
    header, striped, levelled = (
        made_of(HEADER, ROW, ROW),
        made_of(HEADER, *[ROW] * 8),
        made_of([*HEADER, "等级"], ROW, ROW),
    )
    for cell in [*header.active[1], *striped.active[2], *striped.active[4], *striped.active[6], *striped.active[8]]:
        cell.fill = RED
    levelled.active["A2"].fill = RED

    assert [read(made).notes for made in (header, striped, levelled)] == [[], [], []]


def test_a_cell_merged_over_students_holds_for_each_of_them() -> None:
    made = made_of(HEADER, ["1", "甲", "软件2301"], ["2", "乙", None], ["3", "丙", None], ["4", "丁", None])
    made.active.merge_cells("C2:C4")

    table = read(made)

    assert [row[2] for row in table.rows] == ["软件2301", "软件2301", "软件2301", ""]
    assert table.notes == ["C 列有合并的单元格，已把值填到它盖住的每一行。"]


def test_a_plain_table_has_nothing_to_say() -> None:
    table = sheet.read(book(名册=[HEADER, ROW, ROW]), knows=knows)

    assert (table.notes, table.filled, table.file) == ([], [], "")
