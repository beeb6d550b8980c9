"""The rules of the other scales (decisions 12), and those that a scale file brings by itself."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from app.admin import rulebook
from app.admin.floor import CRITICAL_FLOOR
from app.admin.rule import Rulebook
from app.risk.rules import hits_of
from app.screening.scales.scale import all_scales
from app.screening.scales.scoring import MISSING, score_stated
from app.screening.tables.sheets import Fate
from config import catalogue
from models.risk import Level
from tests.house import House
from tests.risk.test_rules import bundle_of, raised, sheets_of
from tests.screening.sheets import lowest_but

YELLOW, ORANGE, RED = Level.YELLOW.severity, Level.ORANGE.severity, Level.RED.severity


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return rulebook._build((), None)


def found(book: Rulebook, key: str, answers: dict[int, int], *, gaps: bool = False) -> set[str]:
    """Ids of the rules that fire on a sheet with these answers and else the lowest, or none."""
    sheet = lowest_but(key, answers)
    if gaps:
        sheet = [answers.get(place, MISSING) for place in range(1, len(sheet) + 1)]
    held = sheets_of(key, np.array([sheet], dtype=np.int16))
    return {hit.rule.id for hit in hits_of(book, bundle_of(held, Fate.ACCEPTED)).get(0, [])}


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize(
    ("key", "answers", "severity"),
    [
        ("scl90", {15: 1}, 0),
        ("scl90", {15: 2}, YELLOW),
        ("scl90", {15: 3}, ORANGE),
        ("scl90", {59: 2}, 0),
        ("scl90", {59: 3}, YELLOW),
        ("scl90", {16: 2}, 0),
        ("scl90", {16: 3}, ORANGE),
        ("scl90", {63: 3}, 0),
        ("scl90", {63: 4}, ORANGE),
        ("upi", {25: 1}, YELLOW),
        ("upi", {8: 1}, 0),
        ("sds", {19: 2}, 0),
        ("sds", {19: 3}, YELLOW),
        ("source_statement", {1: 1}, 0),
        ("source_statement", {1: 3}, ORANGE),
        ("source_statement", {2: 1}, ORANGE),
        ("source_statement", {3: 1}, ORANGE),
        ("source_statement", {4: 1}, 0),
        ("ccsmhs2018", {2: 1}, ORANGE),
        ("ccsmhs2018", {15: 1}, ORANGE),
        ("ccsmhs2018", {23: 1}, ORANGE),
        ("ccsmhs2018", {4: 1}, 0),
        ("cssrs", {1: 1}, YELLOW),
        ("cssrs", {2: 1}, YELLOW),
        ("cssrs", {3: 1}, ORANGE),
        ("cssrs", {6: 1}, ORANGE),
        ("cssrs", {4: 1}, RED),
        ("cssrs", {5: 1}, RED),
        ("cssrs", {6: 2}, RED),
    ],
)
def test_each_critical_answer_raises_its_level_on_whole_and_on_holed_sheets(
    book: Rulebook, key: str, answers: dict[int, int], severity: int, gaps: bool
) -> None:
    sheet = [answers.get(place, MISSING) for place in range(1, all_scales()[key].size + 1)]
    held = sheets_of(key, np.array([sheet if gaps else lowest_but(key, answers)], dtype=np.int16))

    assert raised(book, held)[0] == severity


@pytest.mark.parametrize(
    ("key", "answers", "rules"),
    [
        ("upi", dict.fromkeys((61, 62), 1), {"upi.auxiliary.first"}),
        ("upi", {64: 1}, {"upi.64.wish"}),
        ("upi", {61: 1}, set()),
        ("source_statement", {1: 2}, {"source.level.middle"}),
        ("source_statement", {4: 1}, {"source.list"}),
        ("dass21", dict.fromkeys((3, 5, 10, 13), 3), {"dass21.depression.severe"}),
        ("dass21", {17: 2}, {"dass21.17.soft"}),
        ("dass42", {38: 3}, {"dass42.38.soft"}),
        ("scl90", dict.fromkeys((11, 24, 67, 74, 81), 4), {"scl90.factor.positive"}),
        ("scl90", {15: 3}, {"scl90.15.frequent"}),
        ("cssrs", {1: 1, 2: 1, 3: 1, 4: 1, 5: 1}, {"cssrs.5"}),
    ],
)
def test_the_interview_list_takes_what_is_over_a_cut_off(
    book: Rulebook, key: str, answers: dict[int, int], rules: set[str]
) -> None:
    assert found(book, key, answers) == rules


def test_scl90_lists_by_total_count_and_factor(book: Rulebook) -> None:
    everywhere = dict.fromkeys((place for place in range(1, 91) if place != 15), 2)

    assert found(book, "scl90", everywhere) == {"scl90.total.positive", "scl90.items.positive"}


def test_who5_lists_below_its_cut_off_and_weighs_how_far(book: Rulebook) -> None:
    held = sheets_of("who5", np.array([[0] * 5, [3, 3, 2, 2, 2], [5] * 5], dtype=np.int16))

    hits = hits_of(book, bundle_of(held, Fate.ACCEPTED))

    assert {place: [(hit.rule.id, hit.weight) for hit in at] for place, at in hits.items()} == {
        0: [("who5.positive.1", 51)],
        1: [("who5.positive.1", 3)],
    }


def test_a_total_that_a_source_states_meets_critical_and_list_rules_without_answers(book: Rulebook) -> None:
    held = sheets_of("phq9", np.full((4, 9), MISSING, dtype=np.int16))
    held.scores = score_stated(held.scale, np.array([21.0, 12.0, 3.0, np.nan]), None)
    held.present = held.fresh = held.stated = np.full(4, fill_value=True)

    hits = hits_of(book, bundle_of(held, Fate.ACCEPTED))

    assert {place: [hit.rule.id for hit in at] for place, at in hits.items()} == {
        0: ["phq9.total.severe"],
        1: ["phq9.total.positive"],
    }


def test_every_red_flag_of_a_shipped_file_has_a_rule_of_at_least_its_level(book: Rulebook) -> None:
    for key, scale in all_scales().items():
        for flag in scale.red_flags:
            sheet = np.full((1, scale.size), MISSING, dtype=np.int16)
            sheet[0, flag.item - 1] = flag.value
            hits = hits_of(book, bundle_of(sheets_of(key, sheet), Fate.ACCEPTED))[0]
            level = max(hit.rule.level.severity if hit.rule.level else 0 for hit in hits)
            assert level >= (Level(flag.level).severity if flag.is_critical else 0), (key, flag)


def test_every_shipped_critical_item_stands_in_the_floor() -> None:
    floor = {(scale, pattern) for scale, pattern, _ in CRITICAL_FLOOR}

    for key, scale in all_scales().items():
        for flag in scale.red_flags:
            assert not flag.is_critical or (key, ((f"item {flag.item}", flag.value),)) in floor


# --- a scale that a college adds ------------------------------------------------------------------


OWN: dict[str, Any] = {
    "key": "own",
    "name": "OWN",
    "source": "心理中心",
    "items": [{"number": 1}, {"number": 2, "key": "wish"}],
    "positive": {"all": [{"total": True, "op": ">=", "value": 4}, {"item": "wish", "op": "<", "value": 3}]},
    "red_flags": [
        {"item": "wish", "op": ">=", "value": 2, "level": "yellow"},
        {"item": "wish", "op": ">=", "value": 3, "level": "orange", "reason": "OWN 第 2 题 3 分", "focus": ["safety"]},
        {"item": 1, "op": ">=", "value": 3, "level": "list"},
    ],
}


@pytest.fixture
def own_file(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A file of the college beside the shipped ones."""
    held, table, names = copy.deepcopy(OWN), catalogue.table, catalogue.names
    monkeypatch.setattr(catalogue, "names", lambda folder: [*names(folder), "scales/own"])
    monkeypatch.setattr(catalogue, "table", lambda name: held if name == "scales/own" else table(name))
    rulebook._build.cache_clear()
    yield held
    rulebook._build.cache_clear()


def test_a_college_scale_brings_its_rules_by_itself(own_file: dict[str, Any], sqlite_house: House) -> None:
    with sqlite_house.session() as session:
        book = rulebook.current(session)

    mine = {rule.id: rule for rule in book.rules if rule.scale == "own"}
    assert list(mine) == ["own.2.from2", "own.2.from3", "own.1.from3", "own.positive.1"]
    assert [rule.level for rule in mine.values()] == [Level.YELLOW, Level.ORANGE, None, None]
    assert [rule.critical for rule in mine.values()] == [True, True, False, False]
    assert mine["own.2.from3"].supersedes == ("own.2.from2",)
    assert mine["own.2.from2"].reason == "OWN 第 2 题 2 分及以上"
    assert mine["own.positive.1"].reason == "OWN 总分 4 分及以上，且第 2 题 低于 3 分"
    assert [part.measure for part in mine["own.positive.1"].conditions] == ["total", "item 2"]


def test_another_cut_off_is_another_version_of_the_rules(own_file: dict[str, Any]) -> None:
    before = rulebook._build((), None).version
    own_file["red_flags"][0]["value"] = 1
    rulebook._build.cache_clear()

    assert rulebook._build((), None).version != before


@pytest.mark.parametrize("spoil", ["red_flags", "positive"])
def test_a_broken_file_brings_no_rule_and_stops_no_clock(own_file: dict[str, Any], spoil: str) -> None:
    own_file[spoil] = 7
    rulebook._build.cache_clear()

    book = rulebook._build((), None)

    assert book.clock("red.contact").amount > 0
    assert not any(rule.id.startswith("own.") for rule in book.rules)
