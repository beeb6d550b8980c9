"""Columns are found by the names that they bear in real files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake import headers
from config import catalogue

TABLES = ["roster", "class_posts", "staff", "screening"]


@pytest.mark.parametrize(
    "title",
    [
        "学号",
        " 学 号 ",
        "学号（必填）",
        "学号\n(11位)",
        "*学号",
        "学号：",
        "【必填】学号",
        "Student_No",
        "STUDENT NO",
        "Ｓｔｕｄｅｎｔ－Ｎｏ",
        "student_number",
    ],
)
def test_a_column_is_known_however_its_title_is_decorated(title: str) -> None:
    assert headers.columns("roster", ["备注", title]) == {"student_number": 1}


@pytest.mark.parametrize("title", ["", "备注", "学号姓名", "家长姓名", "学院代码"])
def test_a_title_that_means_something_else_is_not_taken(title: str) -> None:
    assert headers.columns("roster", [title]) == {}


def test_of_two_columns_with_one_meaning_the_first_counts() -> None:
    assert headers.columns("roster", ["学号", "联系电话", "手机"]) == {"student_number": 0, "phone": 1}


@pytest.mark.parametrize("table", TABLES)
def test_no_title_is_promised_to_two_columns(table: str) -> None:
    words = [(name, word) for name, held in catalogue.table("headers")[table].items() for word in held]

    misled = [word for name, word in words if headers.columns(table, [word]) != {name: 0}]

    assert misled == []


@given(st.text(max_size=40))
def test_a_title_has_one_normal_form(title: str) -> None:
    once = headers.normal(title)

    assert headers.normal(once) == once
