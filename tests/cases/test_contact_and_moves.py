"""One talk ends what is owed about a student; a student who moves takes everything with him."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from models.case import CareTalk, Case
from models.identity import Role, RoleGrant
from models.notice import Notice
from models.risk import Duty, Level
from tests.cases.work import advise
from tests.house import Client, House
from tests.risk.people import run_out, staffed, talk

HEADER = ["学号", "姓名", "学院", "班级"]
NUMBER, NAME = "20260001", "林晓"


def test_a_contact_ends_every_contact_owed_about_the_student(house: House) -> None:
    people = staffed(house)
    first = house.make.alert(people.student)
    house.make.case(people.psychologist, people.student, level=Level.ORANGE)
    second = house.make.alert(people.student, rule="report.urgent")
    owed = [house.make.duties(row)["contact"] for row in (first, second)]

    talk(people.advisor, f"/duties/{owed[1].id}")

    assert [house.again(duty).stage.value for duty in owed] == ["done", "done"]
    [(written,)] = house.all(select(CareTalk.duty_id))
    assert written == owed[1].id


@pytest.fixture
def moved(house: House) -> Any:
    """Two classes with their advisors, a student in the first, and the way to the second."""
    _, psychologist, _ = house.make.team()
    college = house.make.college("甲学院")
    old, new = house.make.class_group(college, "一班"), house.make.class_group(college, "二班")
    before, after = house.make.advisor(old), house.make.advisor(new)
    student = house.make.student(old, number=NUMBER, name=NAME)

    def go() -> None:
        house.make.roster(HEADER, [[NUMBER, NAME, "甲学院", "二班"]])

    return psychologist, before, after, student, go


def test_advice_reaches_the_advisor_of_the_class_where_the_student_is_now(house: House, moved: Any) -> None:
    psychologist, _, after, student, go = moved
    case = house.make.case(psychologist, student)
    go()

    advise(house, psychologist, case, "每天联系")

    told = {row.recipient_id for (row,) in house.all(select(Notice).where(Notice.kind == "advice_given"))}
    assert told == {after.id}
    assert house.again(case).class_id == house.again(student).class_id


def test_a_former_advisor_no_longer_reads_a_student_who_moved(house: House, moved: Any) -> None:
    _, before, after, student, go = moved
    duty = house.make.duties(house.make.alert(student))["contact"]
    assert before.get(f"/duties/{duty.id}").status == 200

    go()

    assert before.get(f"/duties/{duty.id}").status == 404
    assert NAME not in before.get("/worklist").html
    assert after.get(f"/duties/{duty.id}").status == 200


def test_whoever_missed_a_clock_stays_informed_until_it_is_done(house: House) -> None:
    people = staffed(house)
    duty = house.make.duties(house.make.alert(people.student))["contact"]

    run_out(house, duty)
    assert people.advisor.get(f"/duties/{duty.id}").status == 200
    assert house.again(duty).owner_id == people.lead.id

    talk(people.lead, f"/duties/{duty.id}")
    assert people.lead.get("/worklist").status == 200
    assert house.again(duty).stage.value == "done"


def _grant_of(house: House, person: Client) -> Any:
    [(grant,)] = house.all(select(RoleGrant).where(RoleGrant.staff_id == person.id))
    return grant


def test_a_role_is_not_taken_from_somebody_with_whom_duties_lie(house: House) -> None:
    people = staffed(house)
    sysadmin = house.make.person(Role.SYSADMIN)
    duty = house.make.duties(house.make.alert(people.student))["assessment"]
    run_out(house, duty)
    assert house.again(duty).owner_id == people.affairs.id

    page = sysadmin.post(f"/accounts/{people.affairs.id}/grants/{_grant_of(house, people.affairs).id}/end")

    assert page.status == 409
    assert _grant_of(house, people.affairs).until is None


def test_a_class_whose_advisor_lost_the_role_has_no_advisor(house: House) -> None:
    people = staffed(house)
    sysadmin = house.make.person(Role.SYSADMIN)
    page = sysadmin.post(f"/accounts/{people.advisor.id}/grants/{_grant_of(house, people.advisor).id}/end")
    assert page.status == 200

    duty = house.make.duties(house.make.alert(people.student))["contact"]

    assert house.again(duty).owner_id == people.lead.id


def test_whoever_is_slower_to_take_a_yellow_alert_is_told(house: House) -> None:
    people = staffed(house)
    other = house.make.psychologist("赵老师")
    raised = house.make.alert(people.student, rule="report.watch")

    first = people.psychologist.post(f"/alerts/{raised.id}/take", version="1")
    second = other.post(f"/alerts/{raised.id}/take", version="1")

    assert (first.status, second.status) == (200, 409)
    assert "周老师" in second
    assert house.again(raised).owner_id == people.psychologist.id


@pytest.mark.parametrize(("act", "more"), [("disprove", {}), ("watch", {"until": "2026-11-20"})])
def test_a_reason_of_blanks_is_no_reason(sqlite_house: House, act: str, more: dict[str, str]) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student)

    page = people.head.post(f"/alerts/{raised.id}/{act}", basis=" " * 8, version="1", **more)

    assert page.status == 422
    assert sqlite_house.again(raised).stage.value == "raised"


def test_blanks_are_no_note_no_summary_and_no_talk(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    assert people.psychologist.post(f"/students/{people.student.id}/case", level="yellow", text="  ").status == 422
    assert talk(people.advisor, f"/students/{people.student.id}", text="   ").status == 422
    assert sqlite_house.count(Case) == sqlite_house.count(CareTalk) == sqlite_house.count(Duty) == 0


def test_somebody_who_may_not_decide_is_told_why(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student)

    page = people.psychologist.post(f"/alerts/{raised.id}/disprove", basis="核实过，没有问题", version="1")

    assert page.status == 422
    assert "另一位老师负责" in page
