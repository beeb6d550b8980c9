"""What waits for a decision, a name or a signature climbs as well: alerts, watches, unplaced answers, requests."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select, update

from models.approval import Approval
from models.identity import Role
from models.moment import now, travel
from models.screening import UnplacedAnswer
from tests.house import House, later
from tests.risk.people import climb, run_out, staffed, talk, told
from tests.risk.times import again, at, near
from tests.screening.files import bring_in, gad, phq, written


def test_an_undecided_alert_climbs_once_its_duties_are_done(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student, rule="report.watch")
    talk(people.advisor, f"/duties/{sqlite_house.make.duties(raised)['contact'].id}")
    people.psychologist.post(f"/alerts/{raised.id}/take", version=str(sqlite_house.again(raised).version))

    run_out(sqlite_house, raised)

    climbed = sqlite_house.again(raised)
    assert climbed.owner_id == people.head.id
    assert climbed.due_at > now()
    assert people.head.id in told(sqlite_house, "duty_escalated")


def test_a_watch_that_has_run_out_is_asked_about_again(house: House) -> None:
    people = staffed(house)
    raised = house.make.alert(people.student, rule="report.watch")
    talk(people.advisor, f"/duties/{house.make.duties(raised)['contact'].id}")
    version = str(house.again(raised).version)
    people.head.post(f"/alerts/{raised.id}/watch", until="2026-11-30", basis="两周后再看", version=version)

    with travel(at("2026-11-30", "17:00")):
        climb(house)
    assert house.again(raised).stage == "watching"
    with travel(at("2026-11-30", "17:31")):
        climb(house)

    again_raised = house.again(raised)
    assert (again_raised.stage, again_raised.owner_id) == ("raised", people.head.id)
    assert again_raised.due_at == at("2026-12-07", "17:30")
    assert told(house, "watch_ended") == {people.head.id}


def test_an_answer_nobody_placed_goes_to_the_head_of_student_affairs(house: House, tmp_path: Path) -> None:
    people = staffed(house)
    bring_in(house, written(tmp_path, ["777", "路人", *phq(2, 2), *gad(0)]))
    [(row,)] = house.all(select(UnplacedAnswer))
    assert row.owner_id == people.head.id
    assert near(row.due_at, at("2026-11-16", "11:00"))

    with travel(at("2026-11-16", "11:01")):
        climb(house)
        page = again(people.affairs).get("/unplaced")

    assert house.again(row).owner_id == people.affairs.id
    assert house.again(row).due_at > at("2026-11-16", "11:01")
    assert page.status == 200


def test_a_signature_that_does_not_come_goes_to_somebody_else_never_to_the_asker(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    people.head.post("/rules/change", name="clock:orange.contact", value="3", reason="更快一些")
    [(request,)] = sqlite_house.all(select(Approval))
    other = sqlite_house.make.person(Role.AFFAIRS_HEAD)
    with sqlite_house.door.database.writing() as session:
        session.execute(update(Approval).values(due_at=later(hours=-1)))

    climb(sqlite_house)

    moved = sqlite_house.again(request)
    assert moved.owner_id == other.id
    assert moved.asked_by == people.head.id
    assert moved.due_at > now()
