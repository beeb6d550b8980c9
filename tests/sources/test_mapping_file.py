"""Mappings as files: what is written is read back, and what is odd is refused in words."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from app.screening.sources import source as sources
from app.screening.tables import mapping_file
from app.security.policy import Permission
from models.refusal import Refusal
from models.source import ScreeningSource
from tests.screening.files import COLUMNS
from tests.sources.delivering import MAPPING, Delivering

TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=30)
TREES = st.recursive(
    TEXT | st.integers() | st.booleans() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from([*mapping_file.KNOWN, "layout", "x"])


def test_one_layout_is_a_plain_mapping_and_several_are_tables() -> None:
    other = {"columns": {"student_number": "号"}, "scales": {"gad7": {"total": "总分#2"}}}

    assert mapping_file.read(mapping_file.written([MAPPING])) == [MAPPING]
    assert tomllib.loads(mapping_file.written([MAPPING]))["columns"] == MAPPING["columns"]
    assert mapping_file.read(mapping_file.written([MAPPING, other])) == [MAPPING, other]


@given(st.dictionaries(KEYS, TREES, max_size=4))
def test_whatever_stands_in_a_file_it_is_read_or_refused(held: dict[str, Any]) -> None:
    with suppress(Refusal):
        mapping_file.read(tomli_w.dumps(held))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(Refusal):
        mapping_file.read(raw)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "不能是空的"),
        ("student = 1", "student"),
        ("[columns]\nstudent_number = 5", "文字"),
        ("[columns]\nwho = '学号'", "who"),
        ("[scales.nothing]\ntotal = '总分'\n[columns]\nstudent_number = '学号'", "nothing"),
        ("[columns]\nstudent_number = '学号'", "没有找到任何量表"),
        ("sheet = 1", "sheet"),
        ("layout = 1", "layout"),
        ("[[layout]]\nsheet = 'a'\n[columns]\nname = 'b'", "layout"),
        ("a" * 300_000, "太大"),
    ],
)
def test_an_odd_file_is_refused_with_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        mapping_file.read(text)


def test_a_confirmed_layout_replaces_the_one_with_the_same_headers_and_keeps_the_others(centre: Delivering) -> None:
    source = centre.source()
    other = {"columns": {"student_number": "编号"}, "scales": {"gad7": {"total": "总分"}}}
    again = MAPPING | {"missing_codes": [9]}

    with centre.head.under(Permission.SOURCE_MANAGE) as access:
        row = access.find(ScreeningSource, source.id)
        sources.remember(access, row, [other], confirmed_by=centre.head.id)
        sources.remember(access, row, [again], confirmed_by=centre.head.id)

    held = centre.house.again(source)
    assert sources.mappings_of(held) == [again, other]
    assert held.mapping_confirmed_by == centre.head.id
    assert all(word in held.mapping for word in COLUMNS)
