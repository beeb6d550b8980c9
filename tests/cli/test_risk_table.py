"""How ``risk evaluate`` reads any table: names, kinds of columns, outcomes; and what it says it decided."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from app.cli import risk_columns, risk_table
from app.cli.risk_columns import Column
from models.refusal import Refusal
from tests.cli.program import table


def test_names_may_hold_commas_and_a_pattern_stands_for_many(tmp_path: Path) -> None:
    held = risk_table.read(table(tmp_path / "x.csv", ["a", "b, c", "b", "q1", "q2"], [1, 2, 3, 4, 5]))

    assert held.named(["a,b, c"]) == ["a", "b, c"]
    assert held.named(["b,a"]) == ["b", "a"]
    assert held.named(["q*", "a"]) == ["q1", "q2", "a"]
    assert held.named([" a , q2 "]) == ["a", "q2"]


def test_row_names_without_a_title_and_nameless_columns_are_left_aside(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("a;b\n1;2;3\n4;5;6\n", encoding="utf-8")

    held = risk_table.read(file)

    assert held.cells == {"a": ["2", "5"], "b": ["3", "6"]}
    assert "没有列名" in held.notes[0]


def column(*cells: object, name: str = "x") -> Column | str:
    return risk_columns.column(name, [str(cell) for cell in cells], list(range(2, 2 + len(cells))))


def test_a_column_is_numbers_codes_or_left_out_with_the_reason() -> None:
    numbers, truth, codes = column(".5", "-3", "NA", "1e3", "."), column("yes", "No", "-"), column("b", "a", "", "a")

    assert isinstance(numbers, Column)
    assert isinstance(truth, Column)
    assert isinstance(codes, Column)
    assert np.array_equal(numbers.values, [0.5, -3, np.nan, 1000, np.nan], equal_nan=True)
    assert np.array_equal(truth.values, [1, 0, np.nan], equal_nan=True)
    assert (codes.codes, codes.values[:2].tolist()) == (("a", "b"), [1, 0])
    assert column("", "NaN", "-") == "全部为空"
    assert column("7", "7", "") == "只有一个值"
    assert column("a", "b", "c") == "是文字，且有 3 种取值"
    assert column("5", "9", "2", name="学号") == column("5", "6", "8") == "像是编号（整数，各不相同）"
    assert isinstance(column("5", "9", "2"), Column)


@pytest.mark.parametrize(
    ("cells", "positive", "values", "words"),
    [
        ("1 0 1.0 NA", None, [1, 0, 1, np.nan], "为 1、true"),
        ("TRUE false True -", None, [1, 0, 1, np.nan], "为 1、true"),
        ("是 否 否 .", None, [1, 0, 0, np.nan], "为 1、true"),
        ("in out in in", None, [0, 1, 0, 0], "较少的“out”算作有结局"),
        ("in out in in", "in", [1, 0, 1, 1], "“in”的行算作有结局"),
        ("a b c a", "c", [0, 0, 1, 0], "其余有值的行算作没有"),
        ("2 1 2 2", "2.0", [1, 0, 1, 1], "算作有结局"),
        ("same same", None, [0, 0], "只有一个值"),
    ],
)
def test_what_counts_as_the_outcome_is_decided_and_said(
    cells: str, positive: str | None, values: list[float], words: str
) -> None:
    held = risk_columns.outcome("y", list(cells.split()), positive)

    assert np.array_equal(held.values, values, equal_nan=True)
    assert words in held.words


def test_rounds_are_put_in_order_by_number_or_by_day() -> None:
    assert risk_columns.rounds("t", ["2026-09-01", "2025/3/2", "2026年9月1日"], [2, 3, 4]).tolist() == [1, 0, 1]
    assert risk_columns.rounds("t", ["10", "9", "10"], [2, 3, 4]).tolist() == [1, 0, 1]
    with pytest.raises(Refusal, match="第 3 行“t”列"):
        risk_columns.rounds("t", ["1", "later"], [2, 3])


@pytest.mark.skipif("XINYU_REFERENCE_DATA" not in os.environ, reason="XINYU_REFERENCE_DATA names no folder")
def test_public_tables_are_read_as_they_are(tmp_path: Path) -> None:
    folder = Path(os.environ["XINYU_REFERENCE_DATA"])
    forms = [
        folder / "carrard" / name for name in ("carrard_2022.csv", "carrard_legacy.xls", "carrard_strict_ooxml.xlsx")
    ]

    read = [risk_table.read(form, knows=["psyt"]) for form in forms]

    assert [len(one.numbers) for one in read] == [886, 886, 886]
    assert len({tuple(one.cells) for one in read}) == 1
