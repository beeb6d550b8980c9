"""What came of hints: counts that add up, shares only of enough talks, the unflagged by weighted lot, no names."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import update

from app.risk.hints import yields
from app.security.policy import Permission
from models.identity import Role
from models.interview import EntryOrigin, InterviewEntry, InterviewStage
from models.screening import ScreeningRound
from tests.house import House
from tests.risk.hints.listed import CALM, Listed, listed, says

RULES = 8


@pytest.fixture
def held(house: House, tmp_path: Path) -> Listed:
    """Eight by the rules, one hint, twelve calm ones who may be drawn."""
    found = listed(house, tmp_path, [*range(10, 10 + RULES), *[CALM] * 13])
    found.arrange({person.row.id: says(person, 1.0, "近期缺勤较多") for person in found.people[: RULES + 1]})
    return found


def talk(held: Listed, place: int, result: str) -> None:
    entry, person = held.entry(held.people[place]), held.staff.psychologist
    person.post(f"/interviews/{entry.id}/take")
    version = str(held.house.again(entry).version)
    person.post(f"/interviews/{entry.id}", stage="done", result=result, text="谈过", version=version)


def found(held: Listed) -> yields.Yield:
    with held.staff.head.under(Permission.HINT_YIELD, writing=False) as access:
        return yields.of_rounds(access, [held.round().id])


def test_counts_add_up_by_origin_and_reason(held: Listed) -> None:
    for place, result in enumerate(["A", "B", "C", "C", "B", "C"]):
        talk(held, place, result)
    hint = held.entry(held.people[RULES])
    held.staff.head.post(f"/interviews/{hint.id}/dismiss", basis="data_wrong", text="考勤有误", version="1")

    counted = found(held)

    rules, model = counted.by_origin[EntryOrigin.RULES], counted.by_origin[EntryOrigin.MODEL]
    assert (rules.listed, rules.talked, rules.helped, rules.waiting) == (RULES, 6, 3, 2)
    assert dict(rules.results) == {"A": 1, "B": 2, "C": 3}
    assert rules.needed.value == pytest.approx(0.5)
    assert rules.needed.low is not None
    assert (model.listed, model.stages[InterviewStage.DISMISSED], dict(model.bases)) == (1, 1, {"data_wrong": 1})
    assert model.overruled.value is None
    assert any(line.hint and line.words == "近期缺勤较多" for line in counted.by_reason)


def test_a_share_of_few_talks_is_not_shown(held: Listed) -> None:
    talk(held, 0, "A")

    page = held.staff.head.get("/hints")

    assert found(held).by_origin[EntryOrigin.RULES].needed.value is None
    assert "100%" not in page.text
    assert "--" in page


def test_the_lot_tells_of_those_nothing_spoke_of(held: Listed) -> None:
    with held.house.door.database.writing() as session:
        session.execute(update(ScreeningRound).values(audit_share=1.0))
    held.arrange()
    drawn = [place for place, person in enumerate(held.people) if person.row.id in held.of(EntryOrigin.AUDIT)]
    assert len(drawn) == 12
    for place in drawn[:6]:
        talk(held, place, "B" if place == drawn[0] else "C")

    counted = found(held).unspoken

    assert counted is not None
    assert (counted.people, counted.drawn, counted.talked, counted.helped) == (12, 12, 6, 1)
    assert counted.low is not None
    assert counted.high is not None
    assert 0 <= counted.low <= 2 <= counted.high <= 12


def test_whoever_was_drawn_with_a_smaller_chance_speaks_for_more(held: Listed) -> None:
    many = yields._weighted([(0.02, True), *[(0.1, False)] * 9])
    alike = yields._weighted([(0.1, True), *[(0.1, False)] * 9])

    assert many.value is not None
    assert alike.value == pytest.approx(0.1)
    assert many.value == pytest.approx(50 / 140)


def test_the_page_names_nobody_and_is_the_heads_alone(held: Listed) -> None:
    talk(held, 0, "A")

    page = held.staff.head.get(f"/hints?round={held.round().id}")

    assert page.status == 200
    assert not any(person.name in page for person in held.people)
    opened = held.house.log(act="hint_yield")[-1]
    assert "interview_entry.outcome" in opened["fields"]
    for role in (Role.PSYCHOLOGIST, Role.ADVISOR, Role.COLLEGE_LEAD):
        assert held.house.make.person(role).get("/hints").status == 403


def test_every_origin_is_there_before_anything_happened(sqlite_house: House) -> None:
    head = sqlite_house.make.head()

    page = head.get("/hints")

    assert "还没有可以统计的约谈" in page
    assert head.get(f"/hints?round={UUID(int=1)}").status == 200
    assert sqlite_house.count(InterviewEntry) == 0
