"""The ladder: each missed clock hands on once, to the next person there is, and nobody is forgotten."""

from __future__ import annotations

import threading
from datetime import timedelta

from models.identity import Role
from models.moment import travel
from models.risk import Duty, DutyHolder, HoldReason
from tests.house import House
from tests.risk.people import climb, run_out, rung, staffed, talk, told
from tests.risk.times import MONDAY, at, near


def test_a_missed_contact_climbs_rung_by_rung_to_the_top(house: House) -> None:
    people = staffed(house)
    contact = house.make.duties(house.make.alert(people.student))["contact"]
    stations = []

    for _ in range(4):
        run_out(house, contact)
        stations.append(rung(house, contact))

    assert stations == [
        (people.lead.id, Role.COLLEGE_LEAD),
        (people.head.id, Role.CENTRE_HEAD),
        (people.affairs.id, Role.AFFAIRS_HEAD),
        (people.affairs.id, Role.AFFAIRS_HEAD),
    ]
    assert house.again(contact).times_escalated == 4
    assert len(house.log(act="duty_escalated")) == 4
    assert house.proof().bad is None


def test_before_its_time_nothing_climbs(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    contact = sqlite_house.make.duties(sqlite_house.make.alert(people.student))["contact"]

    with travel(at("2026-11-16", "14:29")):
        climb(sqlite_house)

    assert rung(sqlite_house, contact) == (people.advisor.id, Role.ADVISOR)


def test_a_late_worker_takes_one_step_not_all_at_once(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    contact = sqlite_house.make.duties(sqlite_house.make.alert(people.student))["contact"]

    with travel(at("2026-11-18", "09:00")):
        for _ in range(3):
            climb(sqlite_house)

    assert rung(sqlite_house, contact) == (people.lead.id, Role.COLLEGE_LEAD)
    assert near(sqlite_house.again(contact).due_at, at("2026-11-18", "11:00"))


def test_two_workers_at_the_same_moment_take_one_step(house: House) -> None:
    people = staffed(house)
    contact = house.make.duties(house.make.alert(people.student))["contact"]
    barrier = threading.Barrier(2)

    def look() -> None:
        barrier.wait(timeout=10)
        climb(house)

    with travel(at("2026-11-16", "16:00")):
        threads = [threading.Thread(target=look) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)

    assert house.again(contact).times_escalated == 1
    assert len(house.log(act="duty_escalated")) == 1
    assert house.proof().bad is None


def test_a_signature_does_not_stop_the_clock(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    contact = sqlite_house.make.duties(sqlite_house.make.alert(people.student))["contact"]
    people.advisor.post(f"/duties/{contact.id}/acknowledge")

    run_out(sqlite_house, contact)

    climbed = sqlite_house.again(contact)
    assert climbed.owner_id == people.lead.id
    assert climbed.acknowledged_at is None


def test_whoever_missed_a_clock_is_told_and_stays_informed(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    contact = sqlite_house.make.duties(sqlite_house.make.alert(people.student))["contact"]

    run_out(sqlite_house, contact)

    assert told(sqlite_house, "duty_passed_on") == {people.advisor.id}
    assert told(sqlite_house, "duty_escalated") == {people.lead.id}
    page = people.advisor.get("/worklist")
    assert page.status == 200
    assert "林晓" in page
    assert people.advisor.get(f"/duties/{contact.id}").status == 200


def test_whoever_missed_it_may_still_make_the_contact(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    contact = sqlite_house.make.duties(sqlite_house.make.alert(people.student))["contact"]
    run_out(sqlite_house, contact)

    talk(people.advisor, f"/duties/{contact.id}")

    assert sqlite_house.again(contact).stage == "done"
    assert told(sqlite_house, "duty_done_by_other") == {people.lead.id}


def test_a_red_contact_climbs_every_quarter_of_an_hour_in_the_night(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    with travel(at("2026-11-21", "23:00")):
        contact = sqlite_house.make.duties(sqlite_house.make.alert(people.student, rule="report.urgent"))["contact"]
    steps = [("23:29", people.advisor), ("23:31", people.lead), ("23:45", people.lead), ("23:47", people.head)]

    for clock, owner in steps:
        with travel(at("2026-11-21", clock)):
            climb(sqlite_house)
        assert sqlite_house.again(contact).owner_id == owner.id, clock


def test_an_orange_contact_waits_for_the_working_day(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    with travel(at("2026-11-20", "16:30")):
        contact = sqlite_house.make.duties(sqlite_house.make.alert(people.student))["contact"]

    with travel(at("2026-11-22", "20:00")):
        climb(sqlite_house)
    assert sqlite_house.again(contact).owner_id == people.advisor.id
    with travel(at("2026-11-23", "11:31")):
        climb(sqlite_house)

    climbed = sqlite_house.again(contact)
    assert climbed.owner_id == people.lead.id
    assert near(climbed.due_at, at("2026-11-23", "15:31"))


def test_a_rung_without_anybody_is_stepped_over(sqlite_house: House) -> None:
    head, _, _ = sqlite_house.make.team()
    group = sqlite_house.make.class_group()
    sqlite_house.make.advisor(group)
    contact = sqlite_house.make.duties(sqlite_house.make.alert(sqlite_house.make.student(group)))["contact"]

    run_out(sqlite_house, contact)

    assert rung(sqlite_house, contact) == (head.id, Role.CENTRE_HEAD)


def test_the_lead_of_another_college_is_no_rung(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    foreign = sqlite_house.make.person(Role.COLLEGE_LEAD, college=sqlite_house.make.college())
    contact = sqlite_house.make.duties(sqlite_house.make.alert(people.student))["contact"]

    run_out(sqlite_house, contact)

    assert rung(sqlite_house, contact) == (people.lead.id, Role.COLLEGE_LEAD)
    assert foreign.get(f"/duties/{contact.id}").status == 404


def test_one_person_on_two_rungs_is_not_handed_his_own_duty(sqlite_house: House) -> None:
    make = sqlite_house.make
    head, _, affairs = make.team()
    group = make.class_group()
    college = make._college
    both = make.person(Role.COLLEGE_LEAD, college=college, more=[Role.ADVISOR], classes=[group])
    contact = make.duties(make.alert(make.student(group)))["contact"]
    assert contact.owner_id == both.id

    run_out(sqlite_house, contact)

    assert sqlite_house.again(contact).owner_id in {head.id, affairs.id}


def test_a_missed_assessment_goes_up_and_stays_the_centres_business(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student)
    duty = sqlite_house.make.duties(raised)["assessment"]
    people.psychologist.post(f"/duties/{duty.id}/take")

    run_out(sqlite_house, duty)

    assert rung(sqlite_house, duty) == (people.head.id, Role.CENTRE_HEAD)
    assert sqlite_house.again(raised).due_at <= sqlite_house.again(duty).due_at


def test_an_alert_is_never_later_than_its_earliest_duty(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student)

    for _ in range(3):
        run_out(sqlite_house, *sqlite_house.make.duties(raised).values())
        earliest = min(duty.due_at for duty in sqlite_house.make.duties(raised).values())
        assert sqlite_house.again(raised).due_at == earliest


def test_what_is_done_or_cancelled_never_climbs(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student)
    duties = sqlite_house.make.duties(raised)
    people.head.post(f"/alerts/{raised.id}/disprove", basis="与本人核实无误", version="1")

    run_out(sqlite_house, *duties.values(), raised)

    assert {sqlite_house.again(duty).times_escalated for duty in duties.values()} == {0}
    assert sqlite_house.log(act="duty_escalated") == []


def test_with_the_contents_sealed_the_clocks_still_run(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    contact = sqlite_house.make.duties(sqlite_house.make.alert(people.student))["contact"]
    sqlite_house.door.keyring = None

    run_out(sqlite_house, contact)

    assert sqlite_house.again(contact).owner_id == people.lead.id


def test_climbing_ten_times_leaves_ten_holders_and_a_log_that_holds(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    contact = sqlite_house.make.duties(sqlite_house.make.alert(people.student, rule="report.urgent"))["contact"]

    for step in range(10):
        with travel(MONDAY + timedelta(hours=1 + step)):
            climb(sqlite_house)

    held = sqlite_house.count(DutyHolder, DutyHolder.duty_id == contact.id, DutyHolder.how == HoldReason.ESCALATED)
    assert held == sqlite_house.again(contact).times_escalated == 10
    assert sqlite_house.count(Duty, Duty.stage == "open") == 2
    assert sqlite_house.proof().bad is None
