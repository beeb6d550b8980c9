"""研判: what the centre decides about an alert, with its reason on record, and who may."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from models.identity import Role
from models.risk import Alert
from tests.house import House
from tests.risk.people import staffed, told
from tests.risk.times import at

QUERIES = {
    "": True,
    "?level=red": True,
    "?level=yellow": False,
    "?mine=1": True,
    "?late=1": False,
    "?stage=watching": False,
    "?level=purple&college=x&page=x": True,
    "?page=2": False,
}
BASIS = "依据金丝雀：与本人和室友核实"


def test_disproving_ends_the_alert_both_duties_and_says_why(house: House) -> None:
    people = staffed(house)
    raised = house.make.alert(people.student)

    people.head.post(f"/alerts/{raised.id}/disprove", basis=BASIS, version="1")

    assert house.again(raised).stage == "disproved"
    assert house.make.duties(raised) == {}
    assert told(house, "duty_cancelled") == {people.advisor.id}
    assert BASIS in people.psychologist.get(f"/alerts/{raised.id}")


def test_the_reason_lies_sealed(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student)

    people.head.post(f"/alerts/{raised.id}/disprove", basis=BASIS, version="1")

    folder = Path(sqlite_house.door.database.url.database or "").parent
    assert not any("依据金丝雀".encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("basis", ["", "无事", "字" * 1001])
def test_nothing_is_disproved_without_a_reason(sqlite_house: House, basis: str) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student)

    page = people.head.post(f"/alerts/{raised.id}/disprove", basis=basis, version="1")

    assert page.status == 422
    assert sqlite_house.again(raised).stage == "raised"


@pytest.mark.parametrize("act", ["disprove", "watch"])
def test_nobody_decides_what_a_colleague_has_taken_on(sqlite_house: House, act: str) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student)

    page = people.psychologist.post(f"/alerts/{raised.id}/{act}", basis=BASIS, until="2026-11-30", version="1")

    assert page.status == 422
    assert sqlite_house.again(raised).version == 1
    assert set(sqlite_house.make.duties(raised)) == {"contact", "assessment"}


def test_whoever_takes_it_over_may_decide(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student)
    people.psychologist.post(f"/alerts/{raised.id}/take", version="1")

    version = str(sqlite_house.again(raised).version)
    people.psychologist.post(f"/alerts/{raised.id}/disprove", basis=BASIS, version=version)

    assert sqlite_house.again(raised).stage == "disproved"


def test_watching_keeps_the_alert_open_until_a_day_and_the_contact_owed(house: House) -> None:
    people = staffed(house)
    raised = house.make.alert(people.student)

    people.head.post(f"/alerts/{raised.id}/watch", until="2026-11-30", basis=BASIS, version="1")

    watched = house.again(raised)
    assert (watched.stage, watched.ended_at) == ("watching", None)
    assert watched.due_at == at("2026-11-30", "17:30")
    assert set(house.make.duties(raised)) == {"contact"}


def test_red_is_never_only_watched(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student, rule="report.urgent")

    page = people.head.post(f"/alerts/{raised.id}/watch", until="2026-11-30", basis=BASIS, version="1")

    assert page.status == 422
    assert "紧急（红）不能只是继续观察" in page
    assert sqlite_house.again(raised).stage == "raised"
    assert set(sqlite_house.make.duties(raised)) == {"contact", "assessment"}


def test_a_watch_ends_between_tomorrow_and_ninety_days(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student)

    for until in ("2026-11-16", "2026-11-15", "2027-02-15", "", "明天", "9999-12-31"):
        page = people.head.post(f"/alerts/{raised.id}/watch", until=until, basis=BASIS, version="1")
        assert page.status == 422, until

    assert sqlite_house.again(raised).version == 1


def test_the_centre_raises_a_level_and_never_lowers_it_here(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student)

    for level in ("yellow", "green", "orange", "", "purple"):
        assert people.head.post(f"/alerts/{raised.id}/raise", level=level, version="1").status == 422, level

    assert sqlite_house.again(raised).level == "orange"


@pytest.mark.parametrize("role", [Role.ADVISOR, Role.COLLEGE_LEAD, Role.AFFAIRS_HEAD])
def test_outside_the_centre_nobody_decides_or_even_learns_whether_it_exists(sqlite_house: House, role: Role) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student, rule="report.urgent")
    outsider = sqlite_house.make.person(
        role, classes=[people.group] if role in {Role.ADVISOR, Role.CLASS_TEACHER} else []
    )

    for act in ("take", "disprove", "watch", "raise"):
        there = outsider.post(f"/alerts/{raised.id}/{act}", basis=BASIS, until="2026-11-30", level="red")
        nowhere = outsider.post(f"/alerts/{uuid4()}/{act}", basis=BASIS, until="2026-11-30", level="red")
        assert (there.status, nowhere.status) == (403, 403)
        assert there.text == nowhere.text
    assert sqlite_house.again(raised).version == 1


def test_an_ended_alert_is_decided_once(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student)
    people.head.post(f"/alerts/{raised.id}/disprove", basis=BASIS, version="1")
    version = sqlite_house.again(raised).version

    for act in ("take", "disprove", "watch"):
        page = people.head.post(f"/alerts/{raised.id}/{act}", basis=BASIS, until="2026-11-30", version=str(version))
        assert page.status in {409, 422}, act

    assert sqlite_house.again(raised).version == version
    assert len(sqlite_house.log(act="alert_disproved")) == 1


def test_an_old_page_decides_nothing(house: House) -> None:
    people = staffed(house)
    raised = house.make.alert(people.student, rule="report.watch")
    house.make.alert(people.student, rule="report.urgent")

    page = people.head.post(f"/alerts/{raised.id}/disprove", basis=BASIS, version="1")

    assert page.status == 409
    assert house.again(raised).ended_at is None


def test_the_queue_shows_what_was_asked_for_with_its_reason(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student, rule="report.urgent")

    for query, shown in QUERIES.items():
        page = people.head.get(f"/alerts{query}")
        assert page.status == 200
        assert (str(raised.id) in page.html) is shown, query
        assert ("老师紧急上报" in page) is shown, query


def test_the_queue_masks_the_name_and_ends_with_the_decision(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student)
    before = people.head.get("/alerts")
    people.head.post(f"/alerts/{raised.id}/disprove", basis=BASIS, version="1")

    assert "林晓" not in before
    assert str(raised.id) in before.html
    assert str(raised.id) not in people.head.get("/alerts").html
    assert sqlite_house.count(Alert) == 1
