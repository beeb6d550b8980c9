"""建立个案: from an alert or without one; keeper, level and next date from the first moment."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.case import Case, CaseNote
from models.identity import Role
from models.moment import now
from models.risk import Level
from tests.cases.work import closed
from tests.house import House
from tests.risk.people import staffed, talk


def test_opening_from_an_alert_ends_it_and_leaves_the_contact_owed(house: House) -> None:
    people = staffed(house)
    raised = house.make.alert(people.student)

    people.psychologist.post(f"/students/{people.student.id}/case", level="orange", text="初次评估")

    ended = house.again(raised)
    assert (ended.stage, ended.ended_at is not None) == ("case_opened", True)
    assert set(house.make.duties(raised)) == {"contact"}
    assert house.make.duties(raised)["contact"].owner_id == people.advisor.id


def test_a_case_has_keeper_level_number_and_next_date_at_once(sqlite_house: House) -> None:
    people = staffed(sqlite_house)

    page = people.psychologist.post(f"/students/{people.student.id}/case", level="red", text="初次评估")

    [(case,)] = sqlite_house.all(select(Case))
    assert (case.keeper_id, case.level, case.stage) == (people.psychologist.id, Level.RED, "assessing")
    assert (case.due_at - case.opened_at).days == 1
    assert f"已建立个案 {case.number}" in page
    assert case.number == "2026-0001"


def test_numbers_run_on_without_a_gap(sqlite_house: House) -> None:
    people = staffed(sqlite_house)

    made = [sqlite_house.make.case(people.psychologist, sqlite_house.make.student()) for _ in range(3)]

    assert [case.serial for case in made] == [1, 2, 3]


def test_a_case_is_never_below_the_alert_it_comes_from(house: House) -> None:
    people = staffed(house)
    raised = house.make.alert(people.student, rule="report.urgent")

    page = people.psychologist.post(f"/students/{people.student.id}/case", level="orange", text="初次评估")

    assert page.status == 422
    assert "个案等级不能低于预警等级" in page
    assert house.count(Case) == house.count(CaseNote) == 0
    assert house.again(raised).version == raised.version
    assert set(house.make.duties(raised)) == {"contact", "assessment"}
    assert house.log(act="duty_done") == []


def test_one_student_has_one_case_in_care(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    sqlite_house.make.case(people.psychologist, people.student)

    page = people.head.post(f"/students/{people.student.id}/case", level="yellow", text="再开一个")

    assert page.status == 422
    assert sqlite_house.count(Case) == 1


def test_after_closing_another_case_can_be_opened(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    first = sqlite_house.make.case(people.psychologist, people.student)
    closed(sqlite_house, people.psychologist, people.head, first)

    people.head.post(f"/students/{people.student.id}/case", level="yellow", text="新的情况")

    assert sqlite_house.count(Case) == 2
    assert sqlite_house.count(Case, Case.closed_at.is_(None)) == 1


def test_the_contact_owed_from_the_alert_is_done_after_the_case_was_opened(house: House) -> None:
    people = staffed(house)
    raised = house.make.alert(people.student)
    contact = house.make.duties(raised)["contact"]
    people.psychologist.post(f"/students/{people.student.id}/case", level="orange", text="初次评估")

    page = talk(people.advisor, f"/duties/{contact.id}")

    assert page.status == 200
    assert house.again(contact).stage == "done"
    assert house.again(raised).stage == "case_opened"


def test_a_form_that_does_not_fit_opens_nothing(sqlite_house: House) -> None:
    people = staffed(sqlite_house)

    for level, text in (("", "评估"), ("green", "评估"), ("purple", "评估"), ("red", ""), ("red", "字" * 8001)):
        page = people.psychologist.post(f"/students/{people.student.id}/case", level=level, text=text)
        assert page.status == 422

    assert sqlite_house.count(Case) == 0


@pytest.mark.parametrize("role", [Role.ADVISOR, Role.COLLEGE_LEAD, Role.AFFAIRS_HEAD])
def test_outside_the_centre_nobody_opens_a_case(sqlite_house: House, role: Role) -> None:
    people = staffed(sqlite_house)
    outsider = sqlite_house.make.person(
        role, classes=[people.group] if role in {Role.ADVISOR, Role.CLASS_TEACHER} else []
    )

    page = outsider.post(f"/students/{people.student.id}/case", level="yellow", text="评估")

    assert page.status == 403
    assert sqlite_house.count(Case) == 0


def test_a_case_in_care_always_has_a_next_date(sqlite_house: House) -> None:
    people = staffed(sqlite_house)

    for level in (Level.RED, Level.ORANGE, Level.YELLOW):
        case = sqlite_house.make.case(people.psychologist, sqlite_house.make.student(), level=level)
        assert case.due_at > now()
