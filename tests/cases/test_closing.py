"""结案: refused while anything is open, signed by a second person, followed by checks, opened again."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from models.approval import Approval
from models.case import Case, TaskStage
from models.identity import Role
from models.interview import InterviewEntry
from models.moment import now, travel
from models.risk import Level
from tests.cases.work import act, ask_to_close, closed, note, sign, tasks, waiting
from tests.house import House
from tests.risk.people import Staffed, staffed, talk, told
from tests.risk.times import at, near
from tests.screening.files import bring_in, enrol, line, phq, written


def opened(house: House, level: Level = Level.YELLOW) -> tuple[Staffed, Case]:
    people = staffed(house)
    return people, house.make.case(people.psychologist, people.student, level=level)


def test_a_case_closes_with_a_second_signature_and_gets_three_checks(house: House) -> None:
    people, case = opened(house)

    ask_to_close(house, people.psychologist, case)
    assert house.again(case).stage == "closure_requested"
    sign(house, people.head)

    done = house.again(case)
    checks = tasks(house, case)
    assert (done.stage, done.closed_at is not None) == ("aftercare", True)
    assert [check.due_at.astimezone(at("2026-11-16").tzinfo).date() for check in checks] == [
        date(2026, 12, 16),
        date(2027, 2, 16),
        date(2027, 5, 16),
    ]
    assert {check.owner_id for check in checks} == {people.psychologist.id}
    assert done.due_at == checks[0].due_at
    assert house.proof().bad is None


@pytest.mark.parametrize("outcome", ["graduated", "left_school"])
def test_whoever_leaves_the_college_gets_no_checks(sqlite_house: House, outcome: str) -> None:
    people, case = opened(sqlite_house)

    closed(sqlite_house, people.psychologist, people.head, case, outcome)

    assert sqlite_house.again(case).stage == "ended"
    assert tasks(sqlite_house, case) == []


def test_an_open_alert_and_its_duties_hold_the_case_open(house: House) -> None:
    people, case = opened(house)
    house.make.alert(people.student)

    page = ask_to_close(house, people.psychologist, case)

    assert page.status == 422
    assert "还有未结束的预警；还有未完成的联系或评估" in page
    assert house.again(case).version == case.version
    assert house.count(Approval) == 0


def test_a_contact_still_owed_holds_the_case_open(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    raised = sqlite_house.make.alert(people.student)
    case = sqlite_house.make.case(people.psychologist, people.student, level=Level.ORANGE)
    refused = ask_to_close(sqlite_house, people.psychologist, case, "own_wish")

    talk(people.advisor, f"/duties/{sqlite_house.make.duties(raised)['contact'].id}")

    assert "还有未完成的联系或评估" in refused
    assert ask_to_close(sqlite_house, people.psychologist, case, "own_wish").status == 200


def test_an_open_task_and_an_open_interview_hold_the_case_open(sqlite_house: House, tmp_path: Path) -> None:
    people = staffed(sqlite_house)
    [person] = enrol(sqlite_house, 1, people.group)
    bring_in(sqlite_house, written(tmp_path, line(person, phq(14))))
    case = sqlite_house.make.case(people.psychologist, person.row)
    act(sqlite_house, people.psychologist, case, "tasks", kind="retest", text="复测", due_on="2026-11-30")

    page = ask_to_close(sqlite_house, people.psychologist, case)

    assert page.status == 422
    assert "还有未完成的随访任务；还有未完成的约谈" in page
    assert sqlite_house.count(InterviewEntry, InterviewEntry.ended_at.is_(None)) == 1


def test_a_lowering_that_waits_for_a_signature_holds_the_case_open(sqlite_house: House) -> None:
    people, case = opened(sqlite_house, Level.ORANGE)
    act(sqlite_house, people.psychologist, case, "level", level="yellow", basis="两次会谈后好转")

    page = ask_to_close(sqlite_house, people.psychologist, case, "own_wish")

    assert page.status == 422
    assert "还有一份申请在等签字" in page
    assert sqlite_house.count(Approval) == 1


@pytest.mark.parametrize("level", [Level.RED, Level.ORANGE])
def test_stable_is_no_outcome_above_yellow(sqlite_house: House, level: Level) -> None:
    people, case = opened(sqlite_house, level)

    page = ask_to_close(sqlite_house, people.psychologist, case)

    assert page.status == 422
    assert "等级应先按步骤调低" in page
    assert sqlite_house.again(case).stage == "assessing"


def test_what_happens_between_asking_and_signing_stops_the_closing(house: House) -> None:
    people, case = opened(house)
    ask_to_close(house, people.psychologist, case)
    house.make.alert(people.student, rule="report.urgent")

    page = sign(house, people.head)

    assert page.status == 422
    assert "申请之后又有新的事项" in page
    assert house.again(case).stage == "closure_requested"
    assert waiting(house).decided_by is None
    assert tasks(house, case) == []
    assert house.log(act="case_closed") == house.log(act="approval_decided") == []


def test_the_keeper_cannot_sign_and_does_not_even_find_it(sqlite_house: House) -> None:
    people, case = opened(sqlite_house)
    ask_to_close(sqlite_house, people.psychologist, case)

    page = sign(sqlite_house, people.psychologist)

    assert page.status == 404
    assert sqlite_house.again(case).stage == "closure_requested"


def test_a_keeper_with_two_roles_cannot_sign_in_the_other(sqlite_house: House) -> None:
    make = sqlite_house.make
    make.team()
    both = make.person(Role.CENTRE_HEAD, more=[Role.PSYCHOLOGIST])
    case = make.case(both, make.student())
    ask_to_close(sqlite_house, both, case)
    row = waiting(sqlite_house)

    both.post("/role", role="psychologist")
    page = both.post(f"/approvals/{row.id}", decision="approve", version=str(row.version))

    assert page.status == 404
    assert sqlite_house.again(case).closed_at is None


def test_where_nobody_else_could_sign_nothing_is_asked(sqlite_house: House) -> None:
    alone = sqlite_house.make.psychologist()
    case = sqlite_house.make.case(alone, sqlite_house.make.student())

    page = ask_to_close(sqlite_house, alone, case)

    assert page.status == 422
    assert "找不到可以签字的第二人" in page
    assert sqlite_house.again(case).version == case.version
    assert sqlite_house.log(act="closure_requested") == sqlite_house.log(act="approval_asked") == []


def test_declined_the_case_goes_on_and_the_keeper_is_told(sqlite_house: House) -> None:
    people, case = opened(sqlite_house)
    ask_to_close(sqlite_house, people.psychologist, case)

    sign(sqlite_house, people.head, approve=False)

    going_on = sqlite_house.again(case)
    assert (going_on.stage, going_on.closed_at, going_on.outcome) == ("active", None, None)
    assert told(sqlite_house, "approval_decided") == {people.psychologist.id}
    assert note(sqlite_house, people.psychologist, case, "继续").status == 200


def test_the_signer_reads_the_summary_and_no_session(sqlite_house: House) -> None:
    people, case = opened(sqlite_house)
    note(sqlite_house, people.psychologist, case, "会谈金丝雀")
    ask_to_close(sqlite_house, people.psychologist, case)

    page = people.head.get(f"/cases/{case.id}/signing")

    assert "情况稳定，家校已沟通" in page
    assert "会谈金丝雀" not in page.html


@pytest.mark.parametrize("what", ["notes", "advice", "tasks", "level", "close"])
def test_nothing_is_written_into_a_case_that_is_closing_or_closed(sqlite_house: House, what: str) -> None:
    people, case = opened(sqlite_house)
    fields = {
        "notes": {"kind": "session", "text": "补记"},
        "advice": {"focus": ["mood"], "text": "多联系", "no_content": "y"},
        "tasks": {"kind": "retest", "text": "复测", "due_on": "2026-11-30"},
        "level": {"level": "red", "basis": "突然加重了"},
        "close": {"outcome": "stable", "summary": "再结一次"},
    }[what]
    ask_to_close(sqlite_house, people.psychologist, case)
    closing = act(sqlite_house, people.psychologist, case, what, **fields)

    sign(sqlite_house, people.head)
    after = act(sqlite_house, people.psychologist, case, what, **fields)

    assert (closing.status, after.status) == (422, 422)
    assert len(sqlite_house.all(select(Approval))) == 1


def test_a_case_that_is_closed_has_nothing_open_but_its_checks(sqlite_house: House) -> None:
    people, case = opened(sqlite_house)
    closed(sqlite_house, people.psychologist, people.head, case)

    kinds = {task.kind for task in tasks(sqlite_house, case) if task.stage is TaskStage.OPEN}
    assert kinds == {"after_care"}


def test_the_last_check_ends_the_case_and_each_moves_the_next_date(sqlite_house: House) -> None:
    people, case = opened(sqlite_house)
    closed(sqlite_house, people.psychologist, people.head, case)
    first, second, third = tasks(sqlite_house, case)

    people.psychologist.post(f"/tasks/{first.id}", done="yes", text="情况平稳", version="1")
    assert sqlite_house.again(case).due_at == second.due_at
    for task in (second, third):
        people.psychologist.post(f"/tasks/{task.id}", done="yes", text="情况平稳", version="1")

    assert sqlite_house.again(case).stage == "ended"


def test_opened_again_it_is_in_care_with_a_date_and_without_checks(house: House) -> None:
    people, case = opened(house)
    closed(house, people.psychologist, people.head, case)

    act(house, people.psychologist, case, "reopen", text="本人再次求助")

    again = house.again(case)
    assert (again.stage, again.closed_at, again.outcome) == ("assessing", None, None)
    assert again.due_at > now()
    assert {task.stage for task in tasks(house, case)} == {TaskStage.CANCELLED}
    assert "本人再次求助" in people.psychologist.get(f"/cases/{case.id}")


def test_a_case_in_care_is_not_opened_again(sqlite_house: House) -> None:
    people, case = opened(sqlite_house)

    page = act(sqlite_house, people.psychologist, case, "reopen", text="本人再次求助")

    assert page.status == 422
    assert sqlite_house.again(case).version == case.version


def test_an_old_case_is_not_opened_beside_a_newer_one(sqlite_house: House) -> None:
    people, case = opened(sqlite_house)
    closed(sqlite_house, people.psychologist, people.head, case)
    sqlite_house.make.case(people.head, people.student)

    page = act(sqlite_house, people.psychologist, case, "reopen", text="本人再次求助")

    assert page.status == 422
    assert "已有在管个案" in page
    assert sqlite_house.again(case).stage == "aftercare"
    assert {task.stage for task in tasks(sqlite_house, case)} == {TaskStage.OPEN}


def test_the_second_signature_has_a_clock(sqlite_house: House) -> None:
    people, case = opened(sqlite_house)

    with travel(at("2026-11-20", "16:00")):
        ask_to_close(sqlite_house, type(people.head)(sqlite_house, people.psychologist.staff, Role.PSYCHOLOGIST), case)

    row = waiting(sqlite_house)
    assert row.owner_id == people.head.id
    assert near(row.due_at, at("2026-11-25", "17:30"))
    assert sqlite_house.again(case).due_at == row.due_at
