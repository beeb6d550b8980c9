"""An open alert that rises, by hand or by new reasons, is treated as one raised so from the beginning."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from app.risk import alert
from app.security.policy import Permission, Purpose
from models.base import new_id
from models.identity import Role
from models.notice import Notice
from models.risk import Alert, Duty, DutyKind, Level
from models.student import Student
from tests.house import House, later
from tests.risk.people import run_out, staffed, talk, told
from tests.risk.times import at, near


def test_raising_the_level_by_hand_gives_both_duties_with_the_new_clocks(house: House) -> None:
    people = staffed(house)
    raised = house.make.alert(people.student, rule="report.watch")

    page = people.head.post(f"/alerts/{raised.id}/raise", level="red", version="1")

    held = house.make.duties(raised)
    assert page.status == 200
    assert set(held) == {"contact", "assessment"}
    assert {duty.level for duty in held.values()} == {Level.RED}
    assert held["contact"].due_at <= later(minutes=31)
    assert held["assessment"].due_at <= later(minutes=121)
    assert near(house.again(raised).due_at, min(duty.due_at for duty in held.values()))
    assert told(house, "urgent") >= {people.advisor.id, people.lead.id, people.head.id, people.affairs.id}


def test_a_watched_alert_that_is_raised_is_watched_no_longer(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student)
    people.head.post(f"/alerts/{raised.id}/watch", until="2026-12-10", basis="先观察一段时间", version="1")

    version = str(sqlite_house.again(raised).version)
    people.head.post(f"/alerts/{raised.id}/raise", level="red", version=version)

    assert sqlite_house.again(raised).stage.value == "raised"
    assert sqlite_house.again(raised).due_at <= later(minutes=31)


@pytest.mark.parametrize("level", ["yellow", "orange"])
def test_a_level_is_never_lowered_by_hand(sqlite_house: House, level: str) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student)

    page = people.head.post(f"/alerts/{raised.id}/raise", level=level, version="1")

    assert page.status == 422
    assert sqlite_house.again(raised).level is Level.ORANGE


def test_a_watch_ends_on_its_date_whatever_happens_to_the_contact(house: House) -> None:
    people = staffed(house)
    raised = house.make.alert(people.student)
    people.head.post(f"/alerts/{raised.id}/watch", until="2026-12-10", basis="先观察一段时间", version="1")

    talk(people.advisor, f"/duties/{house.make.duties(raised)['contact'].id}")

    assert house.again(raised).due_at == at("2026-12-10", "17:30")


def test_a_second_urgent_report_is_owed_a_contact_again_and_its_psychologist_hears_of_it(house: House) -> None:
    people = staffed(house)
    raised = house.make.alert(people.student, rule="report.urgent")
    talk(people.advisor, f"/duties/{house.make.duties(raised)['contact'].id}")
    people.psychologist.post(f"/alerts/{raised.id}/take")
    before = house.count(Notice, Notice.recipient_id == people.psychologist.id)

    talk(people.advisor, f"/students/{people.student.id}", urgency="urgent")

    assert "contact" in house.make.duties(raised)
    assert house.count(Notice, Notice.recipient_id == people.psychologist.id) > before


def test_two_urgent_matters_at_the_same_moment_make_one_alert(house: House) -> None:
    """A page and an import meet: neither dies, neither opens a second alert (PostgreSQL waits, SQLite queues)."""
    people = staffed(house)
    duty = house.make.duties(house.make.alert(people.student))["contact"]
    house.make.case(people.psychologist, people.student, level=Level.ORANGE)
    go = threading.Event()
    pages = []

    def reported() -> None:
        go.wait(5)
        pages.append(talk(people.advisor, f"/duties/{duty.id}", urgency="urgent"))

    thread = threading.Thread(target=reported)
    thread.start()
    with house.console(Permission.SCREENING_IMPORT, Purpose.CARE) as access:
        student = access.session.get_one(Student, people.student.id)
        alert.raise_one(access, student, rule_id="report.soon", source_kind="test", source_id=new_id())
        access.session.flush()
        go.set()
        thread.join(0.15)
    thread.join()

    assert [page.status for page in pages] == [200]
    [(row,)] = house.all(select(Alert).where(Alert.student_id == people.student.id, Alert.ended_at.is_(None)))
    assert row.level is Level.RED


def test_the_head_who_keeps_the_case_is_told_in_the_role_he_holds(house: House) -> None:
    people = staffed(house)
    house.make.case(people.head, people.student)

    raised = house.make.alert(people.student)

    assert house.make.duties(raised)["assessment"].owner_role is Role.CENTRE_HEAD
    roles = {row.role for row in house.all(select(Notice.role).where(Notice.recipient_id == people.head.id))}
    assert roles == {Role.CENTRE_HEAD}


def test_a_decision_that_does_not_come_stays_with_the_centre_and_student_affairs_is_told(house: House) -> None:
    people = staffed(house)
    raised = house.make.alert(people.student, rule="report.watch")
    talk(people.advisor, f"/duties/{house.make.duties(raised)['contact'].id}")
    assert house.again(raised).owner_id == people.head.id

    run_out(house, raised)

    assert house.again(raised).owner_id == people.head.id
    assert people.affairs.id in told(house, "triage_overdue")
    assert people.head.id in told(house, "duty_escalated")
    assert "1 等心理中心研判" in people.affairs.get("/overview").text


def test_nobody_of_a_college_takes_the_assessment_from_the_centre(house: House) -> None:
    people = staffed(house)
    raised = house.make.alert(people.student)
    duty = house.make.duties(raised)["assessment"]

    pages = [person.post(f"/duties/{duty.id}/take") for person in (people.advisor, people.lead)]

    assert [page.status for page in pages] == [404, 404]
    assert house.again(duty).owner_id == house.again(raised).owner_id == people.head.id


def test_an_assessment_that_climbed_to_student_affairs_is_handed_to_a_psychologist_not_taken(house: House) -> None:
    people = staffed(house)
    raised = house.make.alert(people.student)
    duty = house.make.duties(raised)["assessment"]
    run_out(house, duty)
    assert house.again(duty).owner_id == people.affairs.id

    assert people.affairs.get(f"/duties/{duty.id}/assign").status == 200
    people.affairs.post(
        f"/duties/{duty.id}/assign", to=f"psychologist:{people.psychologist.id}", version=str(house.again(duty).version)
    )

    assert house.again(duty).owner_id == house.again(raised).owner_id == people.psychologist.id
    assert house.count(Duty, Duty.kind == DutyKind.ASSESSMENT) == 1
