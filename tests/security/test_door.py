"""The door: five locks, one transaction, and nothing left behind by an act that was refused late."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from app.cases import care, opening
from app.events import Event
from app.security.access import Denied, NotFound, Undecided
from app.security.actor import CONSOLE
from app.security.policy import Permission, Purpose
from app.web.feature import Room
from models.base import new_id
from models.case import Case, CaseNote, NoteKind
from models.identity import College, Role
from models.moment import now
from models.refusal import Refusal
from models.risk import Alert, Level
from models.student import Student
from tests.house import House


class Happened(Event):
    """Something that must not be remembered when it was undone."""


def test_a_page_cannot_be_registered_without_saying_what_it_needs() -> None:
    room = Room("room", __name__)

    with pytest.raises(TypeError):
        room.route("/page")  # type: ignore[call-arg]


def test_an_endpoint_that_came_in_some_other_way_does_not_exist(sqlite_house: House) -> None:
    app: Flask = sqlite_house.app
    app.add_url_rule("/back-door", "back_door", lambda: "all the data")
    client = sqlite_house.make.head()

    page = client.get("/back-door")

    assert page.status == 404
    assert "all the data" not in page.html


def test_a_role_without_a_rule_is_denied_before_any_query(house: House) -> None:
    officer = house.make.person(Role.AID_OFFICER)

    with pytest.raises(Denied), officer.under(Permission.STUDENT_READ):
        raise AssertionError("entered")


def test_a_row_outside_the_rule_is_not_found(house: House) -> None:
    advisor = house.make.advisor(house.make.class_group())
    foreign = house.make.student(house.make.class_group())

    with pytest.raises(NotFound), advisor.under(Permission.STUDENT_READ) as access:
        access.find(Student, foreign.id)


def test_find_refuses_a_root_the_permission_is_not_about(house: House) -> None:
    head = house.make.head()

    with pytest.raises(Undecided), head.under(Permission.CASE_READ) as access:
        access.find(Student, new_id())


def test_nothing_is_written_about_a_student_whom_no_rule_reached(house: House) -> None:
    house.make.team()
    advisor = house.make.advisor(house.make.class_group())
    foreign = house.make.student(house.make.class_group())

    with pytest.raises(Undecided), advisor.under(Permission.CARE_TALK) as access:
        access.session.get_one(Student, foreign.id).has_phone = False

    assert house.again(foreign).has_phone is True


def test_sealing_for_a_student_whom_no_rule_reached_is_refused(house: House) -> None:
    _, psychologist, _ = house.make.team()
    case = house.make.case(psychologist, house.make.student())
    note = CaseNote(
        case_id=case.id, student_id=new_id(), author_id=psychologist.id, kind=NoteKind.SESSION, written_at=now()
    )

    with pytest.raises(Undecided), psychologist.under(Permission.CASE_WORK) as access:
        access.find(Case, case.id)
        access.seal(note, CaseNote.body, "x")


def test_a_late_refusal_leaves_neither_rows_nor_record(house: House) -> None:
    _, psychologist, _ = house.make.team()
    student = house.make.student()

    with pytest.raises(Refusal), psychologist.under(Permission.CASE_OPEN) as access:
        opening.open_case(access, access.find(Student, student.id), level=Level.YELLOW, text="写了一半")
        access.record(Happened())
        raise Refusal("到最后才发现不行。")

    assert house.count(Case) == 0
    assert house.count(CaseNote) == 0
    assert house.log(act="happened") == []
    assert house.log(act="case_opened") == []
    assert [row["outcome"] for row in house.log(act="case_open")] == ["refused"]


def test_a_refusal_on_a_form_undoes_the_act_and_keeps_the_page(house: House) -> None:
    _, psychologist, _ = house.make.team()
    student = house.make.student()
    house.make.case(psychologist, student)

    page = psychologist.post(f"/students/{student.id}/case", level="yellow", text="再建一个")

    assert page.status == 422
    assert "已有在管个案" in page
    assert house.count(Case) == 1
    assert house.count(CaseNote) == 1


def test_what_a_savepoint_undid_is_not_in_the_log_and_what_came_after_is(house: House) -> None:
    with house.console(Permission.MAINTENANCE) as access:
        with pytest.raises(Refusal), access.attempt():
            access.session.add(College(name="不该有"))
            access.record(Happened())
            raise Refusal("不行。")
        access.session.add(College(name="应该有"))
        access.record(Happened(count=7))

    assert [row["count"] for row in house.log(act="happened")] == [7]
    assert [row.name for row in house.all(select(College.name))] == ["应该有"]


def test_a_bug_in_an_act_leaves_nothing(house: House) -> None:
    with pytest.raises(ZeroDivisionError), house.console(Permission.MAINTENANCE) as access:
        access.session.add(College(name="不该有"))
        access.session.flush()
        _ = 1 / 0

    assert house.count(College) == 0


def test_a_stale_page_is_refused_naming_who_was_faster(house: House) -> None:
    head = house.make.head("刘主任")
    psychologist = house.make.psychologist("周老师")
    house.make.person(Role.AFFAIRS_HEAD)
    case = house.make.case(psychologist, house.make.student())
    old = psychologist.get(f"/cases/{case.id}/close").value("version")
    head.post(f"/cases/{case.id}/hand-over", to=str(head.id), version=old)
    head.post(f"/cases/{case.id}/hand-over", to=str(psychologist.id), version=str(int(old) + 1))

    page = psychologist.post(f"/cases/{case.id}/close", outcome="own_wish", summary="小结", version=old)

    assert page.status == 409
    assert "刘主任刚刚更新了这条记录" in page
    assert house.again(case).stage == "assessing"


def test_the_command_line_may_import_and_maintain_and_nothing_else(house: House) -> None:
    student = house.make.student()

    for permission in (
        Permission.STUDENT_READ,
        Permission.CASE_READ,
        Permission.SCREENING_READ,
        Permission.ALERT_TRIAGE,
    ):
        with pytest.raises(Denied), house.door.enter(CONSOLE, permission, Purpose.CARE):
            raise AssertionError(student)


def test_a_get_writes_nothing_but_the_log(house: House) -> None:
    _, psychologist, _ = house.make.team()
    alert = house.make.alert(house.make.student())
    before = house.again(alert).version

    psychologist.get(f"/alerts/{alert.id}")

    assert house.again(alert).version == before
    assert house.count(Alert) == 1


def test_two_writes_in_one_act_share_one_transaction(house: House) -> None:
    _, psychologist, _ = house.make.team()
    case = house.make.case(psychologist, house.make.student())

    with pytest.raises(Refusal), psychologist.under(Permission.CASE_WORK) as access:
        row = access.find(Case, case.id)
        care.write_note(access, row, kind=NoteKind.SESSION, text="第一条", next_on=None)
        care.write_note(access, row, kind=NoteKind.AMENDMENT, text="没有原文", next_on=None)

    assert house.count(CaseNote) == 1
