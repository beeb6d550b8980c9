"""A scale file that cannot be scored honestly is refused when it is read, with its name and the place."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from app.screening.scales import scale
from app.screening.scales.scale import ScaleFault
from config import catalogue

Table = dict[str, Any]
SHIPPED = [
    "ccsmhs2018",
    "cssrs",
    "dass21",
    "dass42",
    "gad7",
    "isi",
    "k10",
    "k6",
    "mht",
    "phq9",
    "platform_total",
    "psqi",
    "pss10",
    "sas",
    "scl90",
    "sds",
    "source_statement",
    "upi",
    "who5",
]


def phq9() -> Table:
    return copy.deepcopy(catalogue.table("scales/phq9"))


def skip_a_number(table: Table) -> None:
    table["items"][4]["number"] = 6


def number_twice(table: Table) -> None:
    table["items"][4]["number"] = 4


def start_at_zero(table: Table) -> None:
    for item in table["items"]:
        item["number"] -= 1


def swap_items(table: Table) -> None:
    table["items"][0], table["items"][1] = table["items"][1], table["items"][0]


def lose_an_answer(table: Table) -> None:
    table["answers"].pop()


def add_an_answer(table: Table) -> None:
    table["answers"].append({"value": 4, "text": "更多"})


def turn_the_range(table: Table) -> None:
    table["minimum"], table["maximum"] = 3, 0


def start_bands_late(table: Table) -> None:
    table["bands"][0]["from"] = 1


def disorder_bands(table: Table) -> None:
    table["bands"][1], table["bands"][2] = table["bands"][2], table["bands"][1]


def repeat_a_band(table: Table) -> None:
    table["bands"].insert(1, dict(table["bands"][1]))


def band_beyond_reach(table: Table) -> None:
    table["bands"].append({"from": 28, "key": "beyond", "label": "超出"})


def no_bands(table: Table) -> None:
    table["bands"] = []


def no_items(table: Table) -> None:
    table["items"] = []


def unknown_licence(table: Table) -> None:
    table["licence_class"] = "whatever"


def no_licence(table: Table) -> None:
    del table["licence_class"]


def flag_beyond_the_items(table: Table) -> None:
    table["red_flags"][0]["item"] = 10


def flag_on_item_zero(table: Table) -> None:
    table["red_flags"][0]["item"] = 0


def flag_nobody_can_reach(table: Table) -> None:
    table["red_flags"][0]["value"] = 4


def positive_by_no_comparison(table: Table) -> None:
    table["positive"]["op"] = "!="


@pytest.mark.parametrize(
    "spoil",
    [
        skip_a_number,
        number_twice,
        start_at_zero,
        swap_items,
        lose_an_answer,
        add_an_answer,
        turn_the_range,
        start_bands_late,
        disorder_bands,
        repeat_a_band,
        band_beyond_reach,
        no_bands,
        no_items,
        unknown_licence,
        no_licence,
        flag_beyond_the_items,
        flag_on_item_zero,
        flag_nobody_can_reach,
        positive_by_no_comparison,
    ],
)
def test_an_impossible_scale_file_is_refused_by_name(spoil: Callable[[Table], None]) -> None:
    table = phq9()
    spoil(table)

    with pytest.raises(ScaleFault, match=r"^scales/phq9: "):
        scale.read("scales/phq9", table)


@pytest.mark.parametrize(
    "part",
    [
        "key",
        "name",
        "title",
        "version",
        "minimum",
        "maximum",
        "items",
        "answers",
        "bands",
        "positive",
        "red_flags",
        "prefixes",
        "source",
    ],
)
def test_a_scale_file_without_a_part_is_refused_naming_the_part(part: str) -> None:
    table = phq9()
    del table[part]

    with pytest.raises(ScaleFault, match=part):
        scale.read("scales/phq9", table)


def test_every_shipped_scale_file_is_read_under_its_own_key() -> None:
    found = scale.all_scales()

    assert sorted(found) == SHIPPED
    assert all(held.key == key for key, held in found.items())
    assert all(held.prefixes for held in found.values() if held.kind == "questionnaire")
