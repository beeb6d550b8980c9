"""The round's interview list: listed with an owner and a deadline, talked to, handed on, ended with a result."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from models.identity import Role
from models.interview import InterviewEntry, InterviewStage
from models.risk import Alert
from tests.house import House
from tests.risk.people import Staffed, staffed, told
from tests.screening.files import bring_in, enrol, gad, line, phq, written

CANARY = "约谈金丝雀"


@pytest.fixture
def people(sqlite_house: House) -> Staffed:
    return staffed(sqlite_house)


@pytest.fixture
def entry(sqlite_house: House, people: Staffed, tmp_path: Path) -> InterviewEntry:
    """One student of the advisor's class on the list, at PHQ-9 14."""
    [person] = enrol(sqlite_house, 1, people.group)
    bring_in(sqlite_house, written(tmp_path, line(person, phq(14))))
    [(row,)] = sqlite_house.all(select(InterviewEntry))
    return row


def test_an_entry_has_owner_deadline_and_reason_from_its_first_moment(
    sqlite_house: House, people: Staffed, entry: InterviewEntry
) -> None:
    page = people.psychologist.get("/interviews")

    assert (entry.owner_id, entry.stage) == (people.head.id, InterviewStage.LISTED)
    assert entry.due_at > entry.listed_at
    assert "PHQ-9 总分 10–19 分" in page
    assert sqlite_house.count(Alert) == 0


@pytest.mark.parametrize(
    ("stage", "result", "ends"),
    [
        ("done", "A", True),
        ("done", "B", True),
        ("done", "C", True),
        ("second_talk", "", False),
        ("declined", "", True),
        ("not_reached", "", True),
    ],
)
def test_each_outcome_is_kept_and_the_final_ones_end_it(
    sqlite_house: House, people: Staffed, entry: InterviewEntry, stage: str, result: str, ends: bool
) -> None:
    answers = {"stage": stage, "text": CANARY, "version": "1"} | ({"result": result} if result else {})

    page = people.psychologist.post(f"/interviews/{entry.id}", **answers)

    kept = sqlite_house.again(entry)
    assert page.status == 200
    assert CANARY in page
    assert (kept.stage, kept.ended_at is not None) == (stage, ends)
    assert CANARY.encode() not in Path(sqlite_house.door.database.url.database or "").read_bytes()


BAD = (
    {"stage": "done"},
    {"stage": "declined", "result": "A"},
    {"stage": "second_talk", "result": "C"},
    {"stage": "void"},
    {"stage": "listed"},
    {"stage": ""},
    {"stage": "done", "result": "D"},
    {"stage": "done", "result": "A", "text": ""},
    {"stage": "done", "result": "A", "text": "字" * 2001},
)


def test_an_outcome_that_says_nothing_or_contradicts_itself_is_refused(
    sqlite_house: House, people: Staffed, entry: InterviewEntry
) -> None:
    for answers in BAD:
        page = people.psychologist.post(f"/interviews/{entry.id}", **({"text": "谈过", "version": "1"} | answers))
        assert page.status == 422, answers

    assert sqlite_house.again(entry).version == 1
    assert sqlite_house.log(act="interview_recorded") == []


def test_a_finished_interview_is_not_recorded_a_second_time(
    sqlite_house: House, people: Staffed, entry: InterviewEntry
) -> None:
    people.psychologist.post(f"/interviews/{entry.id}", stage="done", result="C", text="无异常", version="1")

    page = people.head.post(f"/interviews/{entry.id}", stage="done", result="A", text="改掉", version="2")

    assert page.status == 422
    assert len(sqlite_house.log(act="interview_recorded")) == 1


def test_whoever_takes_an_interview_keeps_it(sqlite_house: House, people: Staffed, entry: InterviewEntry) -> None:
    people.psychologist.post(f"/interviews/{entry.id}/take")

    page = people.head.post(f"/interviews/{entry.id}/take")

    assert page.status == 409
    assert "周老师已经在约谈这名学生" in page
    assert sqlite_house.again(entry).owner_id == people.psychologist.id


def test_an_old_page_does_not_write_over_a_newer_entry(
    sqlite_house: House, people: Staffed, entry: InterviewEntry
) -> None:
    people.psychologist.post(f"/interviews/{entry.id}/take")

    page = people.head.post(f"/interviews/{entry.id}", stage="declined", text="不来", version="1")

    assert page.status == 409
    assert "周老师刚刚更新了这条记录" in page
    assert sqlite_house.again(entry).stage == "invited"


def test_an_entry_is_handed_to_a_colleague_of_the_centre_only(
    sqlite_house: House, people: Staffed, entry: InterviewEntry
) -> None:
    refused = people.head.post(f"/interviews/{entry.id}/hand-over", to=f"advisor:{people.advisor.id}", version="1")
    given = people.head.post(
        f"/interviews/{entry.id}/hand-over", to=f"psychologist:{people.psychologist.id}", version="1"
    )

    assert (refused.status, given.status) == (422, 200)
    assert sqlite_house.again(entry).owner_id == people.psychologist.id
    assert told(sqlite_house, "duty_reassigned") == {people.psychologist.id}


def test_somebody_with_an_open_alert_is_not_listed_beside_it(
    sqlite_house: House, people: Staffed, tmp_path: Path
) -> None:
    alerted, calm = enrol(sqlite_house, 2, people.group)
    sqlite_house.make.alert(alerted.row)

    bring_in(sqlite_house, written(tmp_path, line(alerted, phq(14)), line(calm, gad=gad(12))))

    rows = sqlite_house.all(select(InterviewEntry.student_id))
    assert [row.student_id for row in rows] == [calm.row.id]


def test_the_list_orders_the_worst_first_and_says_what_it_costs(
    sqlite_house: House, people: Staffed, tmp_path: Path
) -> None:
    mild, heavy = enrol(sqlite_house, 2, people.group)
    bring_in(sqlite_house, written(tmp_path, line(mild, phq(10)), line(heavy, phq(19), gad(21))))

    page = people.psychologist.get("/interviews").html

    [first, second] = sqlite_house.all(select(InterviewEntry).order_by(InterviewEntry.weight.desc()))
    assert first[0].student_id == heavy.row.id
    assert page.index(str(first[0].id)) < page.index(str(second[0].id))


@pytest.mark.parametrize("role", [Role.ADVISOR, Role.AFFAIRS_HEAD])
def test_outside_the_centre_nobody_comes_near_the_list(
    sqlite_house: House, people: Staffed, entry: InterviewEntry, role: Role
) -> None:
    outsider = sqlite_house.make.person(role)

    for path in ("/interviews", f"/interviews/{entry.id}", f"/interviews/{uuid4()}"):
        assert outsider.get(path).status == 403


def test_an_entry_that_does_not_exist_is_not_found(sqlite_house: House, people: Staffed, entry: InterviewEntry) -> None:
    for path in ("", "/take", "/hand-over"):
        assert people.psychologist.post(f"/interviews/{uuid4()}{path}").status == 404
    assert sqlite_house.again(entry).version == 1


def test_reading_an_entry_is_in_the_log_with_what_was_opened(
    sqlite_house: House, people: Staffed, entry: InterviewEntry
) -> None:
    people.psychologist.get(f"/interviews/{entry.id}")

    read = [row for row in sqlite_house.log(act="interview_work") if row["object"] == entry.id.hex]
    assert len(read) == 1
    assert "interview_entry.body" in read[0]["fields"]
