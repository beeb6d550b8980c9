"""What a list is expected to bring: whole people with a range, of many, never of a few."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.risk.hints.expected import expected
from app.risk.scores.said import Band, Said
from config import catalogue
from tests.house import House
from tests.risk.hints.listed import listed
from tests.risk.scores.trained import score_round, shelve

LEAST = catalogue.table("risk_model")["expected_least"]


def spoken(log_odds: list[float | None]) -> dict[UUID, Said]:
    return {UUID(int=n): Said(UUID(int=n), Band.USUAL, "", value, ()) for n, value in enumerate(log_odds)}


@given(st.lists(st.one_of(st.none(), st.floats(-700, 700)), max_size=60))
def test_the_range_lies_among_the_people_and_is_silent_of_few(log_odds: list[float | None]) -> None:
    said = spoken(log_odds)
    known = sum(value is not None for value in log_odds)

    found = expected(said, said)

    assert (found is None) is (known < LEAST)
    if found is not None:
        assert 0 <= found.low <= found.high <= found.people == known
        assert found.unknown == len(log_odds) - known


def test_an_even_chance_for_a_hundred_is_about_fifty() -> None:
    said = spoken([0.0] * 100)

    found = expected(said, said)

    assert found is not None
    assert found.low < 50 < found.high
    assert found.high - found.low < 60


def test_the_page_tells_people_and_ranges_and_never_a_bare_number_of_a_person(
    sqlite_house: House, tmp_path: Path
) -> None:
    held = listed(sqlite_house, tmp_path, [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 10, 12])
    shelve(sqlite_house)
    score_round(sqlite_house, held.round())

    page = held.staff.psychologist.get(f"/interviews?round={held.round().id}")
    one = held.staff.psychologist.get(f"/interviews/{held.entries()[0].id}")

    assert re.search(r"预计 \d+(–\d+)? 人需要继续帮助", page.text)
    for text in (page.text, one.text):
        assert "供参考" in text
        assert not re.search(r"\b0\.\d+|风险评分|模型评分|\d+(\.\d+)?%", text)
    assert any(word in page for word in ("建议优先面谈", "建议面谈", "按常规安排"))


def test_with_a_model_nobody_loses_a_place_and_a_broken_one_is_said(sqlite_house: House, tmp_path: Path) -> None:
    held = listed(sqlite_house, tmp_path, [10, 14, 19])
    shelve(sqlite_house, raw=b"torn")
    before = [(row.student_id, row.owner_id, row.due_at) for row in held.entries()]

    score_round(sqlite_house, held.round())

    page = held.staff.psychologist.get("/interviews")
    assert "名单最迟明天改按筛查规则排列" in page
    assert sorted((row.student_id, row.owner_id, row.due_at) for row in held.entries()) == sorted(before)
    assert held.order()[0] == held.people[2].row.id
