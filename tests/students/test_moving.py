"""A student goes to another class: the old advisor no longer sees him, the new one does, and nothing is lost."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from models.identity import ClassGroup, Role
from models.moment import now
from models.student import Student
from tests.house import Client, House
from tests.students.people import HEADER, known

NUMBER, NAME, PHONE = "20260501777", "王小涵", "13800000001"


class Move(NamedTuple):
    """A student between two classes of two colleges, and their advisors."""

    student: Student
    old: Client
    new: Client
    old_lead: Client
    new_lead: Client
    to: ClassGroup

    def go(self, house: House) -> dict[str, object]:
        return house.make.roster(HEADER, [[NUMBER, NAME, "机电学院", "数控1班", ""]])


@pytest.fixture
def move(house: House) -> Move:
    here, there = house.make.college("信息学院"), house.make.college("机电学院")
    group, other = house.make.class_group(here, "软件1班"), house.make.class_group(there, "数控1班")
    house.make.team()
    return Move(
        house.make.student(group, name=NAME, number=NUMBER, phone=PHONE),
        house.make.advisor(group, name="旧老师"),
        house.make.advisor(other, name="新老师"),
        house.make.person(Role.COLLEGE_LEAD, college=here),
        house.make.person(Role.COLLEGE_LEAD, college=there),
        other,
    )


def test_the_receipt_counts_the_move_and_the_student_stays_one(house: House, move: Move) -> None:
    receipt = move.go(house)

    assert (receipt["moved_class"], receipt["changed"], receipt["new"]) == (1, 1, 0)
    moved = house.again(move.student)
    assert (moved.class_id, moved.college_id) == (move.to.id, move.to.college_id)
    assert move.go(house)["unchanged"] == 1


def test_the_old_advisor_no_longer_finds_the_file_and_the_new_one_does(house: House, move: Move) -> None:
    path = f"/students/{move.student.id}"
    assert (move.old.get(path).status, move.new.get(path).status) == (200, 404)

    move.go(house)

    assert (move.old.get(path).status, move.new.get(path).status) == (404, 200)
    assert (move.old_lead.get(path).status, move.new_lead.get(path).status) == (404, 200)
    assert move.old.get(f"{path}/talk").status == 404


def test_search_and_list_follow_at_once(house: House, move: Move) -> None:
    move.go(house)

    assert "没有找到" in move.old.post("/students", words=NAME)
    assert "找到 1 人" in move.new.post("/students", words=NAME)
    assert "王*涵" not in move.old.get("/my-students")
    assert "王*涵" in move.new.get("/my-students")


def test_everything_sealed_opens_after_the_move(house: House, move: Move) -> None:
    before = known(house, move.student)

    move.go(house)

    after = known(house, move.student, move.new)
    assert (after.name, after.number, after.phone) == (before.name, before.number, before.phone)
    assert (after.college, after.class_name) == ("机电学院", "数控1班")


def test_an_open_contact_goes_with_him_to_the_new_advisor(house: House, move: Move) -> None:
    duty = house.make.duties(house.make.alert(move.student))["contact"]
    assert duty.owner_id == move.old.id

    move.go(house)

    moved = house.again(duty)
    assert moved.owner_id == move.new.id
    assert (moved.class_id, moved.college_id) == (move.to.id, move.to.college_id)
    assert moved.due_at == duty.due_at
    assert NAME in move.new.get("/worklist").html
    assert "需要你联系" in move.new.get("/notices").text


def test_in_a_class_without_advisor_the_open_contact_goes_to_the_college(house: House, move: Move) -> None:
    duty = house.make.duties(house.make.alert(move.student))["contact"]

    house.make.roster(HEADER, [[NUMBER, NAME, "机电学院", "新开班", ""]])

    moved = house.again(duty)
    assert moved.owner_id == move.new_lead.id
    assert moved.due_at == duty.due_at


def test_what_the_old_advisor_wrote_stays_in_the_file_for_the_new_one(house: House, move: Move) -> None:
    talk = {"way": "face", "reached": "yes", "text": "谈了宿舍的事", "urgency": "none"}
    page = move.old.post(
        f"/students/{move.student.id}/talk", held_at=now().strftime("%Y-%m-%dT00:00"), version="1", **talk
    )
    assert page.status == 200, page.text

    move.go(house)

    assert "谈了宿舍的事" in move.new.get(f"/students/{move.student.id}")


def test_the_contact_that_went_with_him_is_closed_to_the_old_advisor(house: House, move: Move) -> None:
    duty = house.make.duties(house.make.alert(move.student))["contact"]
    assert move.old.get(f"/duties/{duty.id}").status == 200

    move.go(house)

    assert move.old.get(f"/duties/{duty.id}").status == 404
    assert NAME not in move.old.get("/worklist").html
    assert move.new.get(f"/duties/{duty.id}").status == 200
