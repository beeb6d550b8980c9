"""A student objects to automated hints: written down alike for everybody, reviewed by a person, told, and in force."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.risk.hints import objection
from app.security.actor import WORKER
from app.security.policy import Permission
from models.identity import Role
from models.interview import EntryOrigin, InterviewEntry
from models.moment import today, travel
from models.risk_model import ModelObjection, ObjectionStage
from tests.house import Client, House, Page
from tests.risk.hints.listed import CALM, Listed, listed, says
from tests.risk.people import told
from tests.risk.times import again

CANARY = "异议金丝雀"


@pytest.fixture
def held(sqlite_house: House, tmp_path: Path) -> Listed:
    return listed(sqlite_house, tmp_path, [CALM, 10, 12, 14])


def object_to(held: Listed, by: Client, place: int = 1, text: str = CANARY) -> Page:
    return by.post(f"/students/{held.people[place].row.id}/objection", text=text)


def the_objection(house: House) -> ModelObjection:
    [(row,)] = house.all(select(ModelObjection))
    return row  # type: ignore[no-any-return]


def review(held: Listed, stage: str, /, **other: str) -> Page:
    row = the_objection(held.house)
    answers = {
        "stage": stage,
        "found": "核对了依据",
        "told": "已当面说明",
        "told_on": today().isoformat(),
        "told_how": "face",
        "version": str(row.version),
    }
    return held.staff.head.post(f"/objections/{row.id}", **(answers | other))


def test_an_objection_has_an_owner_and_a_time_from_its_first_moment(held: Listed) -> None:
    page = object_to(held, held.staff.advisor)

    row = the_objection(held.house)
    assert page.status == 200
    assert (row.stage, row.owner_id, row.raised_by) == (
        ObjectionStage.OPEN,
        held.staff.head.id,
        held.staff.advisor.id,
    )
    assert row.due_at > row.raised_at + timedelta(days=15)
    assert told(held.house, "objection_raised") == {held.staff.head.id}
    assert CANARY in held.staff.head.get(f"/objections/{row.id}")
    assert CANARY.encode() not in Path(held.house.door.database.url.database or "").read_bytes()


def test_the_advisor_is_answered_alike_whether_the_model_spoke_of_the_student_or_not(held: Listed) -> None:
    silent, spoken = held.people[0], held.people[1]
    held.arrange({spoken.row.id: says(spoken, 3.0, "近期缺勤较多")})
    pages = [held.staff.advisor.get(f"/students/{person.row.id}/objection") for person in (silent, spoken)]

    texts = [
        page.text.replace(person.name, "").replace(person.number, "")
        for page, person in zip(pages, (silent, spoken), strict=True)
    ]

    assert len({text[text.index("登记对自动提示的异议") :].split("学生可以不同意")[1] for text in texts}) == 1
    assert held.staff.advisor.get("/objections").status == 403


def test_an_advisor_writes_down_only_what_students_of_his_own_classes_say(held: Listed) -> None:
    stranger = held.house.make.student()

    assert held.staff.advisor.post(f"/students/{stranger.id}/objection", text="x").status == 404
    for role in (Role.CLASS_TEACHER, Role.SYSADMIN, Role.AID_OFFICER):
        outsider = held.house.make.person(role)
        assert outsider.post(f"/students/{stranger.id}/objection", text="x").status == 403
    assert held.house.count(ModelObjection) == 0


def test_an_objection_is_written_down_reviewed_and_in_force(house: House, tmp_path: Path) -> None:
    held = listed(house, tmp_path, [10])
    object_to(held, held.staff.advisor, place=0)

    page = review(held, "upheld")

    assert "已停用提示" in page
    assert the_objection(house).stage is ObjectionStage.UPHELD
    with house.session() as session:
        assert objection.objected(session) == {held.people[0].row.id}


def test_whoever_writes_an_objection_down_again_is_answered_as_if_it_were_the_first(held: Listed) -> None:
    first = object_to(held, held.staff.advisor)

    again = object_to(held, held.staff.psychologist)

    assert (again.status, first.status) == (200, 200)
    assert "正在复核" not in again
    assert held.house.count(ModelObjection) == 2


@pytest.mark.parametrize(("stage", "used"), [("upheld", False), ("explained", True), ("withdrawn", True)])
def test_from_the_objection_on_the_rules_order_the_student_and_after_the_review_what_it_came_to(
    held: Listed, stage: str, used: bool
) -> None:
    person = held.people[1]
    object_to(held, held.staff.advisor)
    with held.house.session() as session:
        assert objection.objected(session) == {person.row.id}

    assert review(held, stage).status == 200

    with held.house.session() as session:
        assert (person.row.id not in objection.objected(session)) is used
    row = the_objection(held.house)
    assert (row.stage, row.ended_at is not None, row.decided_by) == (stage, True, held.staff.head.id)


def test_a_hint_that_was_added_stays_for_a_person_to_decide(held: Listed) -> None:
    held.arrange({person.row.id: says(person, 1.0) for person in held.people})
    object_to(held, held.staff.advisor, place=0)

    review(held, "upheld")

    [hint] = held.entries(InterviewEntry.origin == EntryOrigin.MODEL)
    assert hint.ended_at is None
    assert "对自动提示有异议" in held.staff.psychologist.get(f"/interviews/{hint.id}")


@pytest.mark.parametrize(
    "missing", [{"told": ""}, {"told_on": ""}, {"told_how": ""}, {"found": ""}, {"stage": ""}, {"stage": "open"}]
)
def test_a_review_without_telling_the_student_is_no_review(held: Listed, missing: dict[str, str]) -> None:
    object_to(held, held.staff.advisor)

    page = review(held, "upheld", **missing)

    assert page.status == 422
    assert the_objection(held.house).stage is ObjectionStage.OPEN


def test_nobody_is_told_in_the_future(held: Listed) -> None:
    object_to(held, held.staff.advisor)

    page = review(held, "upheld", told_on=(today() + timedelta(days=1)).isoformat())

    assert page.status == 422
    assert "请先告知，再登记复核结果" in page


def test_an_upheld_objection_may_be_withdrawn_by_the_student(held: Listed) -> None:
    object_to(held, held.staff.advisor)
    review(held, "upheld")

    page = review(held, "withdrawn", found="学生改变了主意")

    assert page.status == 200
    assert the_objection(held.house).stage is ObjectionStage.WITHDRAWN


def test_a_review_that_is_overdue_is_said_to_its_owner_and_the_head(held: Listed) -> None:
    object_to(held, held.staff.advisor)
    row = the_objection(held.house)
    held.staff.psychologist.post(f"/objections/{row.id}/take")

    with travel(row.due_at + timedelta(minutes=1)), held.house.door.enter(WORKER, Permission.CLOCKS_RUN) as access:
        objection.chase(access)

    assert told(held.house, "objections_overdue") == {held.staff.psychologist.id, held.staff.head.id}


def test_whoever_takes_a_review_owes_it_and_sees_its_clock(held: Listed) -> None:
    object_to(held, held.staff.advisor)
    row = the_objection(held.house)

    held.staff.psychologist.post(f"/objections/{row.id}/take")

    assert the_objection(held.house).owner_id == held.staff.psychologist.id
    with travel(row.due_at + timedelta(minutes=1)):
        assert "超时" in again(held.staff.psychologist).get("/objections")
