"""Duties: acknowledged by their owner, taken by one of two, handed on, done by whoever did it."""

from __future__ import annotations

import threading
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from models.base import new_id
from models.identity import Role
from models.moment import now
from models.risk import Alert, Duty, DutyHolder, HoldReason
from tests.house import Client, House, Page
from tests.risk.people import rung, staffed, talk, told


def together(*acts: tuple[Client, str]) -> list[Page]:
    """Everybody presses the button at the same moment."""
    barrier, pages = threading.Barrier(len(acts)), {}

    def press(place: int, client: Client, path: str) -> None:
        barrier.wait(timeout=10)
        pages[place] = client.post(path)

    for client, _ in acts:
        client.post("/notices/read")
    threads = [threading.Thread(target=press, args=(place, *act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    return [pages[place] for place in range(len(acts))]


@pytest.mark.parametrize("again", range(2))
def test_two_take_one_assessment_at_the_same_moment_and_one_is_told_who_has_it(house: House, again: int) -> None:
    people = staffed(house)
    other = house.make.psychologist("孙老师")
    duty = house.make.duties(house.make.alert(people.student))["assessment"]
    path = f"/duties/{duty.id}/take"

    pages = together((people.psychologist, path), (other, path))

    assert sorted(page.status for page in pages) == [200, 409]
    winner, loser = (0, 1) if pages[0].status == 200 else (1, 0)
    names = ["周老师", "孙老师"]
    assert f"{names[winner]}已经在跟进" in pages[loser]
    assert house.again(duty).owner_id == (people.psychologist, other)[winner].id
    assert len(house.log(act="duty_taken")) == 1
    assert house.count(DutyHolder, DutyHolder.duty_id == duty.id, DutyHolder.how == HoldReason.TAKEN) == 1
    assert house.proof().bad is None


def test_six_press_at_once_and_exactly_one_has_the_contact(house: House) -> None:
    people = staffed(house)
    duty = house.make.duties(house.make.alert(people.student))["contact"]
    crowd = [house.make.psychologist() for _ in range(4)] + [people.psychologist, people.lead]

    pages = together(*((client, f"/duties/{duty.id}/take") for client in crowd))

    assert sorted(page.status for page in pages) == [200, 409, 409, 409, 409, 409]
    assert house.again(duty).owner_id == crowd[[page.status for page in pages].index(200)].id


def test_the_owners_signature_and_a_colleagues_tap_do_not_both_hold(house: House) -> None:
    people = staffed(house)
    duty = house.make.duties(house.make.alert(people.student))["contact"]

    signed, taken = together(
        (people.advisor, f"/duties/{duty.id}/acknowledge"), (people.lead, f"/duties/{duty.id}/take")
    )

    assert sorted((signed.status, taken.status)) == [200, 409]
    assert house.again(duty).owner_id == (people.advisor if signed.status == 200 else people.lead).id
    assert house.again(duty).acknowledged_at is not None


def test_two_psychologists_open_one_case_at_the_same_moment(house: House) -> None:
    people = staffed(house)
    other = house.make.psychologist()
    barrier, pages = threading.Barrier(2), []

    def opens(client: Client) -> None:
        barrier.wait(timeout=10)
        pages.append(client.post(f"/students/{people.student.id}/case", level="yellow", text="评估"))

    threads = [threading.Thread(target=opens, args=(client,)) for client in (people.psychologist, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert sorted(page.status for page in pages) == [200, 422]
    assert any("已有在管个案" in page for page in pages)
    assert len(house.log(act="case_opened")) == 1


def test_signing_says_that_it_was_seen_and_stops_no_clock(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    duty = sqlite_house.make.duties(sqlite_house.make.alert(people.student))["contact"]

    page = people.advisor.post(f"/duties/{duty.id}/acknowledge")

    seen = sqlite_house.again(duty)
    assert "已签收" in page
    assert (seen.stage, seen.due_at) == ("open", duty.due_at)
    assert seen.acknowledged_at is not None


def test_signing_twice_keeps_the_first_time_and_one_entry(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    duty = sqlite_house.make.duties(sqlite_house.make.alert(people.student))["contact"]
    people.advisor.post(f"/duties/{duty.id}/acknowledge")
    first = sqlite_house.again(duty).acknowledged_at

    people.advisor.post(f"/duties/{duty.id}/acknowledge")

    assert sqlite_house.again(duty).acknowledged_at == first
    assert len(sqlite_house.log(act="duty_acknowledged")) == 1


def test_nobody_signs_for_another(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    duty = sqlite_house.make.duties(sqlite_house.make.alert(people.student))["contact"]

    page = people.lead.post(f"/duties/{duty.id}/acknowledge")

    assert page.status == 409
    assert "现在由另一位老师负责" in page
    assert sqlite_house.again(duty).acknowledged_at is None


def test_whoever_takes_the_assessment_owes_the_decision(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student)

    people.psychologist.post(f"/duties/{sqlite_house.make.duties(raised)['assessment'].id}/take")

    assert sqlite_house.again(raised).owner_id == people.psychologist.id


def test_a_contact_recorded_by_a_colleague_ends_the_duty_and_tells_its_owner(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student)

    talk(people.psychologist, f"/students/{people.student.id}")

    assert set(sqlite_house.make.duties(raised)) == {"assessment"}
    assert told(sqlite_house, "duty_done_by_other") == {people.advisor.id}


def test_not_reached_keeps_the_duty_open_and_its_clock_running(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    duty = sqlite_house.make.duties(sqlite_house.make.alert(people.student))["contact"]

    page = talk(people.advisor, f"/duties/{duty.id}", reached="no", text="电话无人接听")

    kept = sqlite_house.again(duty)
    assert page.status == 200
    assert (kept.stage, kept.due_at) == ("open", duty.due_at)
    assert kept.acknowledged_at is not None


def test_the_contact_never_ends_the_assessment_nor_the_alert(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student, rule="report.urgent")

    talk(people.advisor, f"/duties/{sqlite_house.make.duties(raised)['contact'].id}")

    now = sqlite_house.again(raised)
    assert now.ended_at is None
    assert set(sqlite_house.make.duties(raised)) == {"assessment"}
    assert now.due_at == sqlite_house.make.duties(raised)["assessment"].due_at


def test_when_the_contact_is_done_the_centre_owes_a_decision_by_a_time(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student, rule="report.watch")

    talk(people.advisor, f"/duties/{sqlite_house.make.duties(raised)['contact'].id}")

    assert sqlite_house.make.duties(raised) == {}
    assert sqlite_house.again(raised).due_at > now()
    assert sqlite_house.again(raised).owner_id == people.head.id


def test_a_lead_hands_a_duty_to_somebody_who_must_sign_anew(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    stand_in = sqlite_house.make.advisor(name="代班老师")
    duty = sqlite_house.make.duties(sqlite_house.make.alert(people.student))["contact"]
    people.advisor.post(f"/duties/{duty.id}/acknowledge")
    version = str(sqlite_house.again(duty).version)

    people.lead.post(f"/duties/{duty.id}/assign", to=f"advisor:{stand_in.id}", version=version)

    assert rung(sqlite_house, duty) == (stand_in.id, Role.ADVISOR)
    assert sqlite_house.again(duty).acknowledged_at is None
    assert told(sqlite_house, "duty_reassigned") == {stand_in.id}
    assert stand_in.get(f"/duties/{duty.id}").status == 200


@pytest.mark.parametrize("to", ["advisor:{aid}", "aid_officer:{aid}", "nobody", "advisor:", "college_lead:{foreign}"])
def test_a_duty_goes_to_nobody_who_does_not_hold_the_role(sqlite_house: House, to: str) -> None:
    people = staffed(sqlite_house)
    aid = sqlite_house.make.person(Role.AID_OFFICER)
    foreign = sqlite_house.make.person(Role.COLLEGE_LEAD, college=sqlite_house.make.college())
    duty = sqlite_house.make.duties(sqlite_house.make.alert(people.student))["contact"]

    page = people.lead.post(
        f"/duties/{duty.id}/assign", to=to.format(aid=aid.id, foreign=foreign.id), version=str(duty.version)
    )

    assert page.status == 422
    assert sqlite_house.again(duty).owner_id == people.advisor.id


def test_when_a_student_moves_his_contact_goes_to_the_new_advisor(house: House) -> None:
    people = staffed(house)
    college = house.make.college("乙学院")
    group = house.make.class_group(college, "新班")
    after = house.make.advisor(group)
    student = house.make.student(people.group, number="20268001", name="安然")
    raised = house.make.alert(student)

    house.make.roster(["学号", "姓名", "学院", "班级"], [["20268001", "安然", "乙学院", "新班"]])

    assert house.make.duties(raised)["contact"].owner_id == after.id
    assert house.again(raised).class_id == group.id
    assert after.id in told(house, "duties_assigned")


def test_a_duty_that_is_over_takes_nobody_on(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student)
    contact = sqlite_house.make.duties(raised)["contact"]
    people.head.post(f"/alerts/{raised.id}/disprove", basis="与本人核实无误", version="1")

    taken = people.lead.post(f"/duties/{contact.id}/take")
    signed = people.advisor.post(f"/duties/{contact.id}/acknowledge")

    assert (taken.status, signed.status) == (409, 409)
    assert sqlite_house.again(contact).stage == "cancelled"
    assert told(sqlite_house, "duty_cancelled") == {people.advisor.id}


def test_a_foreign_duty_and_a_missing_one_answer_alike(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    foreign = sqlite_house.make.person(Role.COLLEGE_LEAD, college=sqlite_house.make.college())
    duty = sqlite_house.make.duties(sqlite_house.make.alert(people.student))["contact"]

    for path in ("", "/take", "/acknowledge", "/talk", "/assign"):
        ask = foreign.get if path in {"", "/assign"} else foreign.post
        there, nowhere = ask(f"/duties/{duty.id}{path}"), ask(f"/duties/{uuid4()}{path}")
        assert (there.status, nowhere.status) == (404, 404)
        assert there.text == nowhere.text
    assert sqlite_house.again(duty).version == duty.version


def test_every_duty_remembers_everybody_it_was_with(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    duty = sqlite_house.make.duties(sqlite_house.make.alert(people.student))["contact"]
    people.lead.post(f"/duties/{duty.id}/take")

    held = sqlite_house.all(
        select(DutyHolder.staff_id, DutyHolder.how).where(DutyHolder.duty_id == duty.id).order_by(DutyHolder.id)
    )

    assert [tuple(row) for row in held] == [
        (people.advisor.id, HoldReason.ASSIGNED),
        (people.lead.id, HoldReason.TAKEN),
    ]


def test_the_database_itself_allows_one_open_alert_per_student(house: House) -> None:
    people = staffed(house)
    raised = house.make.alert(people.student)
    named = {c.name: getattr(raised, c.name) for c in Alert.__table__.c if c.name not in {"id", "basis", "due_at"}}

    with pytest.raises(Exception, match=r"(?i)unique"), house.door.database.writing() as session:
        session.add(Alert(id=new_id(), due_at=now(), **named))
        session.flush()

    assert house.count(Alert) == 1


def test_a_taker_is_never_told_he_has_it_when_the_row_changed_under_him(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    duty = sqlite_house.make.duties(sqlite_house.make.alert(people.student))["contact"]
    with sqlite_house.door.database.writing() as session:
        session.execute(update(Duty).where(Duty.id == duty.id).values(acknowledged_at=now()))

    page = people.lead.post(f"/duties/{duty.id}/take")

    assert page.status == 409
    assert "方老师已经在跟进这一项" in page
