"""The level of a case, its stages, its tasks, its keeper."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from models.approval import Approval
from models.case import Case
from models.identity import Role
from models.moment import now
from models.risk import Level
from tests.cases.work import act, closed, note, sign, tasks, waiting
from tests.house import House
from tests.risk.people import Staffed, staffed, told
from tests.risk.times import at, near


def opened(house: House, level: Level = Level.ORANGE) -> tuple[Staffed, Case]:
    people = staffed(house)
    return people, house.make.case(people.psychologist, people.student, level=level)


def test_up_is_at_once_and_brings_the_next_date_nearer(sqlite_house: House) -> None:
    people, case = opened(sqlite_house, Level.YELLOW)

    act(sqlite_house, people.psychologist, case, "level", level="red", basis="说出了具体计划")

    raised = sqlite_house.again(case)
    assert raised.level is Level.RED
    assert near(raised.due_at, now() + timedelta(days=1))
    assert "说出了具体计划" in people.psychologist.get(f"/cases/{case.id}")


def test_down_waits_for_a_second_person(house: House) -> None:
    people, case = opened(house)

    act(house, people.psychologist, case, "level", level="yellow", basis="两次会谈后好转")
    before = house.again(case).level
    sign(house, people.head)

    assert (before, house.again(case).level) == (Level.ORANGE, Level.YELLOW)
    [asked] = house.log(act="approval_asked")
    [signed] = house.log(act="approval_decided")
    assert asked["actor"] != signed["actor"]


@pytest.mark.parametrize(("held", "wanted"), [(Level.RED, "yellow"), (Level.RED, "green"), (Level.ORANGE, "green")])
def test_down_goes_one_colour_at_a_time(sqlite_house: House, held: Level, wanted: str) -> None:
    people, case = opened(sqlite_house, held)

    page = act(sqlite_house, people.psychologist, case, "level", level=wanted, basis="好转得很快")

    assert page.status == 422
    assert sqlite_house.count(Approval) == 0
    assert sqlite_house.log(act="case_note_written") == []


@pytest.mark.parametrize("basis", ["", "好转", "字" * 2001])
def test_no_level_changes_without_a_reason(sqlite_house: House, basis: str) -> None:
    people, case = opened(sqlite_house)

    for level in ("red", "yellow"):
        assert act(sqlite_house, people.psychologist, case, "level", level=level, basis=basis).status == 422

    assert sqlite_house.again(case).version == case.version


def test_a_lowering_declined_changes_nothing(sqlite_house: House) -> None:
    people, case = opened(sqlite_house)
    act(sqlite_house, people.psychologist, case, "level", level="yellow", basis="两次会谈后好转")

    sign(sqlite_house, people.head, approve=False)

    assert sqlite_house.again(case).level is Level.ORANGE


def test_a_lowering_asked_before_the_case_got_worse_no_longer_holds(sqlite_house: House) -> None:
    people, case = opened(sqlite_house)
    act(sqlite_house, people.psychologist, case, "level", level="yellow", basis="两次会谈后好转")
    act(sqlite_house, people.psychologist, case, "level", level="red", basis="当晚说出了计划")

    page = sign(sqlite_house, people.head)

    assert page.status == 422
    assert "这份申请不再适用" in page
    assert sqlite_house.again(case).level is Level.RED
    assert waiting(sqlite_house).version == 1


def test_one_lowering_waits_at_a_time(sqlite_house: House) -> None:
    people, case = opened(sqlite_house)
    act(sqlite_house, people.psychologist, case, "level", level="yellow", basis="两次会谈后好转")

    page = act(sqlite_house, people.psychologist, case, "level", level="yellow", basis="再申请一次")

    assert page.status == 422
    assert sqlite_house.count(Approval) == 1


def test_only_the_keeper_works_on_a_case(sqlite_house: House) -> None:
    people, case = opened(sqlite_house)
    fields = {"level": "red", "basis": "越权修改", "text": "越权", "stage": "active"}

    for other in (sqlite_house.make.psychologist(), people.head):
        for what in ("level", "notes", "advice", "tasks", "close", "reopen", "stage"):
            there = other.post(f"/cases/{case.id}/{what}", **fields)
            nowhere = other.post(f"/cases/{uuid4()}/{what}", **fields)
            assert (there.status, nowhere.status) == (404, 404)
            assert there.text == nowhere.text
    assert sqlite_house.again(case).version == case.version


@pytest.mark.parametrize("role", [Role.ADVISOR, Role.AID_OFFICER])
def test_outside_the_centre_no_page_of_a_case_opens(sqlite_house: House, role: Role) -> None:
    people, case = opened(sqlite_house)
    outsider = sqlite_house.make.person(role, classes=[people.group] if role is Role.ADVISOR else [])

    for what in ("", "/notes", "/advice", "/level", "/tasks", "/close", "/reopen", "/hand-over"):
        assert outsider.get(f"/cases/{case.id}{what}").status == 403, what
    assert outsider.get("/cases").status == 403


def test_a_case_moves_on_within_care_only(sqlite_house: House) -> None:
    people, case = opened(sqlite_house)

    act(sqlite_house, people.psychologist, case, "stage", stage="active")
    for forbidden in ("aftercare", "ended", "closure_requested", "assessing", "x"):
        act(sqlite_house, people.psychologist, case, "stage", stage=forbidden)

    assert sqlite_house.again(case).stage == "active"
    assert len(sqlite_house.log(act="case_moved")) == 1


def test_handed_over_the_new_keeper_reads_and_the_former_does_not(house: House) -> None:
    people, case = opened(house)
    note(house, people.psychologist, case, "移交金丝雀")
    act(house, people.psychologist, case, "tasks", kind="follow_up", text="复谈", due_on="2026-11-30")
    colleague = house.make.psychologist()

    act(house, people.head, case, "hand-over", to=str(colleague.id))

    assert "移交金丝雀" in colleague.get(f"/cases/{case.id}")
    assert people.psychologist.get(f"/cases/{case.id}").status == 404
    assert people.psychologist.get(f"/tasks/{tasks(house, case)[0].id}").status == 404
    assert {task.owner_id for task in tasks(house, case)} == {colleague.id}
    assert told(house, "case_assigned") == {colleague.id}


def test_a_case_goes_only_to_another_person_of_the_centre(sqlite_house: House) -> None:
    people, case = opened(sqlite_house)

    for to in (people.advisor.id, people.lead.id, people.affairs.id, people.psychologist.id, uuid4()):
        assert act(sqlite_house, people.head, case, "hand-over", to=str(to)).status == 422

    assert sqlite_house.again(case).keeper_id == people.psychologist.id


def test_only_the_head_hands_a_case_over(sqlite_house: House) -> None:
    people, case = opened(sqlite_house)
    colleague = sqlite_house.make.psychologist()

    page = act(sqlite_house, people.psychologist, case, "hand-over", to=str(colleague.id))

    assert page.status == 403
    assert sqlite_house.again(case).keeper_id == people.psychologist.id


def test_a_task_has_owner_and_day_and_ends_once(sqlite_house: House) -> None:
    people, case = opened(sqlite_house)
    act(sqlite_house, people.psychologist, case, "tasks", kind="retest", text="任务金丝雀", due_on="2026-11-30")
    [task] = tasks(sqlite_house, case)

    first = people.psychologist.post(f"/tasks/{task.id}", done="yes", text="已复测", version="1")
    second = people.psychologist.post(f"/tasks/{task.id}", done="no", text="取消", version="2")

    assert (task.owner_id, task.due_at) == (people.psychologist.id, at("2026-11-30", "17:30"))
    assert (first.status, second.status) == (200, 422)
    assert tasks(sqlite_house, case)[0].stage == "done"


def test_a_colleagues_task_and_a_missing_one_answer_alike(sqlite_house: House) -> None:
    people, case = opened(sqlite_house)
    act(sqlite_house, people.psychologist, case, "tasks", kind="retest", text="任务金丝雀", due_on="2026-11-30")
    [task] = tasks(sqlite_house, case)

    for ask in (people.head.get, people.head.post):
        there, nowhere = ask(f"/tasks/{task.id}"), ask(f"/tasks/{uuid4()}")
        assert (there.status, nowhere.status) == (404, 404)
        assert there.text == nowhere.text


def test_the_list_shows_each_psychologist_his_own_and_the_head_all(sqlite_house: House) -> None:
    people, case = opened(sqlite_house)
    colleague = sqlite_house.make.psychologist()
    other = sqlite_house.make.case(colleague, sqlite_house.make.student())

    mine, all_of_them = people.psychologist.get("/cases"), people.head.get("/cases")

    assert case.number in mine
    assert other.number not in mine
    assert case.number in all_of_them
    assert other.number in all_of_them
    assert "林晓" not in mine


def test_a_closed_case_leaves_the_list_and_stands_under_its_stage(sqlite_house: House) -> None:
    people, case = opened(sqlite_house, Level.YELLOW)
    closed(sqlite_house, people.psychologist, people.head, case)

    assert case.number not in people.psychologist.get("/cases")
    assert case.number in people.psychologist.get("/cases?stage=aftercare")
    assert sqlite_house.all(select(Case.id).where(Case.closed_at.is_(None))) == []
