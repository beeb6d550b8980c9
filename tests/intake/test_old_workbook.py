"""Old workbooks (``.xls``): merged headers, hidden rows and errors are seen there too."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from app.intake import sheet
from models.refusal import Refusal
from tests.intake.files import HEADER, ROW, knows
from tests.intake.oldbook import old_book

FULL = old_book(
    [["学号", "姓名", "PHQ-9", None], [None, None, 1, 2], ["1", "甲", 3, ...]],
    merged=[(0, 2, 0, 3), (0, 0, 1, 0), (0, 1, 1, 1)],
    hidden_row=2,
    hidden_column=1,
    is_filtered=True,
)


def test_a_plain_old_workbook_has_nothing_to_say() -> None:
    table = sheet.read(old_book([HEADER, ROW]), knows=knows)

    assert (table.header, table.rows, table.notes, table.filled) == (HEADER, [ROW], [], [])


def test_everything_beside_the_values_is_seen_and_said() -> None:
    table = sheet.read(FULL, knows=knows)

    assert (table.header, table.rows) == (["学号", "姓名", "PHQ-9 1", "PHQ-9 2"], [["1", "甲", 3.0, ""]])
    assert [(held.row, held.column, held.code) for held in table.filled] == [(3, "PHQ-9 2", "cell_error")]
    assert table.notes[:3] == [
        "表格设有筛选，被筛掉的行也已读取。",
        "第 3 行是隐藏的，已照常读取。",
        "B 列是隐藏的，已照常读取。",
    ]


@given(st.integers(0, 2**32))
def test_an_old_workbook_with_bytes_turned_becomes_a_table_or_a_refusal(seed: int) -> None:
    chance, turned = random.Random(seed), bytearray(FULL)
    for _ in range(chance.choice([1, 4, 20])):
        turned[chance.randrange(len(turned))] = chance.choice([0, 1, 255, chance.randrange(256)])

    try:
        found = sheet.read(bytes(turned), knows=knows)
    except Refusal:
        return

    assert all(len(row) == len(found.header) for row in found.rows)
