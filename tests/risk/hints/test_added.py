"""Names beside the list: few, with reasons, from those nothing spoke of, and never again after a person's no."""

from __future__ import annotations

from math import ceil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cases import opening
from app.risk.scores import beside
from app.security.policy import Permission
from config import catalogue
from models.identity import Role
from models.interview import EntryOrigin, InterviewEntry, InterviewStage
from models.moment import now, travel
from models.risk import Level
from models.student import Student
from tests.house import House
from tests.risk.hints.listed import CALM, listed, says
from tests.risk.people import told

TOTALS = [CALM, CALM, CALM, 10, 12, 14]


@given(st.integers(0, 5000))
def test_the_names_beside_a_list_are_a_small_share_and_never_many(people: int) -> None:
    table = catalogue.table("risk_model")

    assert beside.most(people) == min(ceil(people * table["added_share"]), table["added_most"])


def test_the_highest_name_is_added_with_words_owner_deadline_and_a_notice(house: House, tmp_path: Path) -> None:
    held = listed(house, tmp_path, TOTALS)
    low, high, middle = held.people[:3]
    said = {person.row.id: says(person, 1.0) for person in held.people}
    said |= {low.row.id: says(low, 1.1), middle.row.id: says(middle, 2.0), high.row.id: says(high, 3.0, "近期缺勤较多")}

    held.arrange(said)

    [entry] = held.entries(InterviewEntry.origin == EntryOrigin.MODEL)
    page = held.staff.psychologist.get(f"/interviews/{entry.id}")
    assert (entry.student_id, entry.stage, entry.batch_id) == (high.row.id, InterviewStage.LISTED, None)
    assert (entry.owner_id, entry.due_at) == (held.round().owner_id, held.round().interviews_due_at)
    assert "近期缺勤较多" in page
    assert "模型提示" in page
    assert told(house, "hints_added") == {held.round().owner_id}


def test_the_share_is_of_the_whole_round_and_not_of_every_night(sqlite_house: House, tmp_path: Path) -> None:
    held = listed(sqlite_house, tmp_path, TOTALS)
    said = {person.row.id: says(person, 1.0) for person in held.people}

    for _ in range(3):
        held.arrange(said)

    assert len(held.of(EntryOrigin.MODEL)) == beside.most(3) == 1


def test_nobody_is_added_who_stands_below_the_middle_of_the_list_or_of_whom_too_little_is_known(
    sqlite_house: House, tmp_path: Path
) -> None:
    held = listed(sqlite_house, tmp_path, TOTALS)
    said = {person.row.id: says(person, 1.0) for person in held.people[3:]}
    said |= {person.row.id: says(person, 0.9) for person in held.people[:2]}
    said[held.people[2].row.id] = says(held.people[2], None)

    held.arrange(said)

    assert held.of(EntryOrigin.MODEL) == set()


@pytest.mark.parametrize("why", ["alert", "objection", "case", "dismissed", "left", "late"])
def test_nobody_is_added_of_whom_somebody_knows_already_or_who_said_no(
    sqlite_house: House, tmp_path: Path, why: str
) -> None:
    held = listed(sqlite_house, tmp_path, [CALM, 10, 12, 14])
    person, staff = held.people[0], held.staff
    said = {one.row.id: says(one, 1.0) for one in held.people}
    if why == "alert":
        sqlite_house.make.alert(person.row)
    elif why == "objection":
        staff.advisor.post(f"/students/{person.row.id}/objection", text="不想由程序判断")
    elif why == "case":
        with staff.psychologist.under(Permission.CASE_OPEN) as access:
            opening.open_case(access, access.find(Student, person.row.id), level=Level.YELLOW, text="评估")
    elif why == "dismissed":
        held.arrange(said)
        hint = held.entry(person)
        staff.psychologist.post(f"/interviews/{hint.id}/dismiss", basis="too_little", text="看过了", version="1")
    elif why == "left":
        with sqlite_house.door.database.writing() as session:
            session.get_one(Student, person.row.id).left_at = now()
    with travel(held.round().interviews_due_at if why == "late" else now()):
        held.arrange(said)

    assert not held.entries(InterviewEntry.origin == EntryOrigin.MODEL, InterviewEntry.ended_at.is_(None))


def test_a_name_stays_though_the_model_would_not_add_it_today(sqlite_house: House, tmp_path: Path) -> None:
    held = listed(sqlite_house, tmp_path, [CALM, 10, 12, 14])
    held.arrange({person.row.id: says(person, 1.0) for person in held.people})

    held.arrange({person.row.id: says(person, -9.0) for person in held.people[:1]})
    held.arrange()

    assert held.entry(held.people[0]).stage is InterviewStage.LISTED


@pytest.mark.parametrize("role", [Role.ADVISOR, Role.COLLEGE_LEAD, Role.AFFAIRS_HEAD])
def test_outside_the_centre_nobody_sees_whether_a_name_was_added(
    sqlite_house: House, tmp_path: Path, role: Role
) -> None:
    """Law 4: every page of the student is to the last sign the same with and without a hint."""
    held = listed(sqlite_house, tmp_path, [CALM, 10, 12, 14])
    reader = {Role.ADVISOR: held.staff.advisor, Role.COLLEGE_LEAD: held.staff.lead}.get(role, held.staff.affairs)
    student = held.people[0].row.id
    places = (f"/students/{student}", f"/students/{student}/objection", "/students", "/my-classes", "/")
    before = [reader.get(place).settled for place in places]

    held.arrange({person.row.id: says(person, 1.0, "近期缺勤较多") for person in held.people})

    assert held.of(EntryOrigin.MODEL) == {student}
    assert [reader.get(place).settled for place in places] == before
