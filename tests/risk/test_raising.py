"""Raising: who gets which duty by when, what a second reason does, who is told at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from models.identity import ClassPost, Role
from models.moment import travel
from models.refusal import Refusal
from models.risk import Alert, Duty, Level, Signal
from tests.house import House
from tests.risk.people import staffed, talk, told
from tests.risk.times import MONDAY, again, at, near
from tests.screening.files import bring_in, enrol, line, phq, written


def test_a_red_alert_has_two_duties_that_run_at_any_hour(house: House) -> None:
    people = staffed(house)
    midnight = at("2026-11-21", "23:50")

    with travel(midnight):
        raised = house.make.alert(people.student, rule="report.urgent")

    duties = house.make.duties(raised)
    assert {kind: duty.owner_id for kind, duty in duties.items()} == {
        "contact": people.advisor.id,
        "assessment": people.head.id,
    }
    assert near(duties["contact"].due_at, midnight + timedelta(minutes=30))
    assert near(duties["assessment"].due_at, midnight + timedelta(minutes=120))
    assert near(raised.due_at, midnight + timedelta(minutes=30))


def test_an_orange_alert_raised_at_night_counts_working_hours(sqlite_house: House) -> None:
    people = staffed(sqlite_house)

    with travel(at("2026-11-20", "22:00")):
        raised = sqlite_house.make.alert(people.student)

    duties = sqlite_house.make.duties(raised)
    assert duties["contact"].due_at == at("2026-11-23", "14:30")
    assert duties["assessment"].due_at == at("2026-11-25", "10:30")


def test_a_yellow_alert_has_one_duty_over_three_working_days(sqlite_house: House) -> None:
    people = staffed(sqlite_house)

    raised = sqlite_house.make.alert(people.student, rule="report.watch")

    duties = sqlite_house.make.duties(raised)
    assert set(duties) == {"contact"}
    assert duties["contact"].due_at == at("2026-11-19", "17:30")


def test_red_tells_lead_centre_and_student_affairs_at_once(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    sqlite_house.make.person(Role.COLLEGE_LEAD, college=sqlite_house.make.college())

    sqlite_house.make.alert(people.student, rule="report.urgent")

    assert told(sqlite_house, "urgent") == {people.advisor.id, people.lead.id, people.head.id, people.affairs.id}


def test_without_an_advisor_the_contact_is_the_college_leads_at_once(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    orphans = sqlite_house.make.class_group()

    raised = sqlite_house.make.alert(sqlite_house.make.student(orphans))

    contact = sqlite_house.make.duties(raised)["contact"]
    assert (contact.owner_id, contact.owner_role) == (people.lead.id, Role.COLLEGE_LEAD)


def test_without_advisor_and_lead_the_contact_is_the_centre_heads(sqlite_house: House) -> None:
    head, _, _ = sqlite_house.make.team()

    raised = sqlite_house.make.alert(sqlite_house.make.student())

    contact = sqlite_house.make.duties(raised)["contact"]
    assert (contact.owner_id, contact.owner_role) == (head.id, Role.CENTRE_HEAD)


def test_an_advisor_whose_post_ended_yesterday_gets_nothing_new(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    group = sqlite_house.make.class_group()
    gone = sqlite_house.make.advisor()
    ended = (MONDAY - timedelta(days=1)).date()
    post = ClassPost(class_id=group.id, staff_id=gone.id, role=Role.ADVISOR, since=ended, until=ended)
    with sqlite_house.door.database.writing() as session:
        session.add(post)

    raised = sqlite_house.make.alert(sqlite_house.make.student(group))

    assert sqlite_house.make.duties(raised)["contact"].owner_id == people.lead.id


def test_where_nobody_could_own_it_nothing_is_raised(house: House) -> None:
    student = house.make.student()

    with pytest.raises(Refusal, match="没有人可以负责"):
        house.make.alert(student)

    assert house.count(Alert) == house.count(Duty) == house.count(Signal) == 0


def test_the_keeper_of_the_case_gets_the_assessment(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    sqlite_house.make.case(people.psychologist, people.student)

    raised = sqlite_house.make.alert(people.student)

    assert raised.owner_id == sqlite_house.make.duties(raised)["assessment"].owner_id == people.psychologist.id


def test_a_weaker_reason_joins_without_lowering_anything(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    first = sqlite_house.make.alert(people.student, rule="report.urgent")
    before = {kind: duty.due_at for kind, duty in sqlite_house.make.duties(first).items()}

    sqlite_house.make.alert(people.student, rule="report.watch")

    now = sqlite_house.again(first)
    assert (now.level, sqlite_house.count(Alert), sqlite_house.count(Signal)) == (Level.RED, 1, 2)
    assert {kind: duty.due_at for kind, duty in sqlite_house.make.duties(first).items()} == before


def test_a_stronger_reason_shortens_the_clocks_that_run(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    first = sqlite_house.make.alert(people.student, rule="report.watch")

    sqlite_house.make.alert(people.student, rule="report.urgent")

    duties = sqlite_house.make.duties(first)
    assert near(duties["contact"].due_at, MONDAY + timedelta(minutes=30))
    assert near(duties["assessment"].due_at, MONDAY + timedelta(minutes=120))
    assert {duty.level for duty in duties.values()} == {Level.RED}


def test_a_stronger_reason_never_gives_more_time(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    first = sqlite_house.make.alert(people.student, rule="report.watch")

    with travel(at("2026-11-19", "17:29")):
        sqlite_house.make.alert(people.student, rule="report.soon")

    assert sqlite_house.make.duties(first)["contact"].due_at == at("2026-11-19", "17:30")


def test_a_new_reason_on_a_watched_alert_asks_everybody_again(house: House) -> None:
    people = staffed(house)
    raised = house.make.alert(people.student)
    talk(people.advisor, f"/duties/{house.make.duties(raised)['contact'].id}")
    people.head.post(f"/alerts/{raised.id}/watch", until="2026-12-10", basis="已核实，继续观察", version="2")
    assert house.make.duties(raised) == {}

    house.make.alert(people.student, rule="report.watch")

    now = house.again(raised)
    assert (now.stage, now.level) == ("raised", Level.ORANGE)
    assert set(house.make.duties(raised)) == {"contact", "assessment"}
    assert near(now.due_at, at("2026-11-16", "15:00"))


def test_after_an_alert_has_ended_a_new_reason_raises_another(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    first = sqlite_house.make.alert(people.student)
    people.head.post(f"/alerts/{first.id}/disprove", basis="与本人核实无误", version="1")

    second = sqlite_house.make.alert(people.student, rule="report.watch")

    assert second.id != first.id
    assert second.level is Level.YELLOW
    assert sqlite_house.again(first).stage == "disproved"


def test_screening_and_report_make_one_alert_with_two_reasons(house: House, tmp_path: Path) -> None:
    people = staffed(house)
    [person] = enrol(house, 1, people.group)
    bring_in(house, written(tmp_path, line(person, phq(3, 1))))

    talk(people.advisor, f"/students/{person.row.id}", urgency="urgent", text="有具体计划")

    [(raised,)] = house.all(select(Alert))
    assert raised.level is Level.RED
    assert {row.source_kind for row in house.all(select(Signal.source_kind))} == {"response_set", "care_talk"}
    assert house.proof().bad is None


def test_the_same_sheet_delivered_twice_adds_no_reason(sqlite_house: House, tmp_path: Path) -> None:
    staffed(sqlite_house)
    [person] = enrol(sqlite_house, 1)
    file = written(tmp_path, line(person, phq(3, 2)))
    bring_in(sqlite_house, file)

    bring_in(sqlite_house, file)

    assert (sqlite_house.count(Alert), sqlite_house.count(Signal), sqlite_house.count(Duty)) == (1, 1, 2)


def test_an_urgent_report_at_night_is_answered_on_the_same_page(sqlite_house: House) -> None:
    people = staffed(sqlite_house)

    with travel(at("2026-11-21", "03:10")):
        page = talk(again(people.advisor), f"/students/{people.student.id}", urgency="urgent", reached="no")

    assert page.status == 200
    [(raised,)] = sqlite_house.all(select(Alert))
    assert near(raised.due_at, at("2026-11-21", "03:40"))
