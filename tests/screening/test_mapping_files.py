"""A saved mapping (TOML): applied to the header by name, refused in words when it does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.cli.screening import import_results
from app.screening.tables import mapping
from app.screening.tables.plan import Plan, refuse_unfit
from models.refusal import Refusal
from tests.house import House

ITEMS = [f"D{number}" for number in range(1, 10)]
HEADER = ["编号", "姓名", *ITEMS]


def table(**changes: Any) -> dict[str, Any]:
    return {"columns": {"student_number": "编号"}, "scales": {"phq9": {"items": ITEMS}}} | changes


def fitted(held: dict[str, Any], header: list[str], wanted: list[str]) -> Plan:
    plan = mapping.apply(held, header)
    refuse_unfit(plan, wanted)
    return plan


def test_a_mapping_names_columns_that_nobody_could_guess() -> None:
    plan = fitted(table(), HEADER, ["phq9"])

    assert plan.columns == {"student_number": 0, "name": 1}
    assert plan.items == {"phq9": list(range(2, 11))}


def test_the_order_of_items_is_the_mappings_and_not_the_files() -> None:
    turned = {"phq9": {"items": ITEMS[::-1]}}

    plan = fitted(table(scales=turned), HEADER, ["phq9"])

    assert plan.items["phq9"] == list(range(10, 1, -1))


def test_headers_are_compared_without_blanks_case_and_width() -> None:
    plan = fitted(table(columns={"student_number": " 编 号 "}), ["编号", *headers_lower()], ["phq9"])

    assert plan.columns["student_number"] == 0


def headers_lower() -> list[str]:
    return [word.lower() for word in ITEMS]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"columns": {"student_number": "学籍"}}, "“学籍”在表头中找不到", id="a header that is not there"),
        pytest.param({"columns": {"number": "编号"}}, "“number”不认识", id="an unknown field"),
        pytest.param({"columns": {}}, "没有找到学号列", id="no number column"),
        pytest.param({"scales": {"phq9": {"items": ITEMS[:8]}}}, "应有 9 题，指定了 8 列", id="an item short"),
        pytest.param({"scales": {"phq9": {"items": [*ITEMS, "姓名"]}}}, "指定了 10 列", id="an item too many"),
        pytest.param({"scales": {"phq9": {"items": [*ITEMS[:8], "D8"]}}}, "两种含义", id="a column given twice"),
        pytest.param({"scales": {}}, "没有找到 PHQ-9", id="the scale is missing"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_saying_what(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(Refusal, match=words):
        fitted(table(**changes), HEADER, ["phq9"])


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"scales": {"phq9": {}}}, id="no items"),
        pytest.param({"scales": {"phq9": {"items": 9}}}, id="items are a number"),
        pytest.param({"scales": {"phq9": ITEMS}}, id="items stand one level too high"),
        pytest.param({"scales": "phq9"}, id="scales are a word"),
        pytest.param({"columns": "编号"}, id="columns are a word"),
        pytest.param({"columns": ["编号"]}, id="columns are a list"),
    ],
)
def test_a_mapping_of_the_wrong_shape_is_refused_in_words(changes: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        fitted(table(**changes), HEADER, ["phq9"])


@pytest.mark.parametrize("content", [b"[columns", b"\xff\xfe\x00x", "学号 = 编号".encode("gb18030")])
def test_a_file_that_is_no_toml_is_refused_naming_the_file(sqlite_house: House, tmp_path: Path, content: bytes) -> None:
    results, saved = tmp_path / "results.csv", tmp_path / "mapping.toml"
    results.write_text("编号,姓名\n1,2\n", encoding="utf-8")
    saved.write_bytes(content)

    with pytest.raises(Refusal, match=r"mapping\.toml 不是有效的 TOML"):
        import_results(sqlite_house.door, results, round_name="秋季普查", scales=("phq9",), mapping_file=saved)
