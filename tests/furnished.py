"""A house with one of everything in it and one person in every role, for tests that walk through all pages."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from app.screening import retest
from app.screening.sources import source
from app.security.policy import PEOPLE, Permission, Purpose
from models.approval import Approval
from models.case import CaseNote, Task
from models.identity import Role
from models.intake import BatchKind, ImportBatch
from models.interview import InterviewEntry
from models.notice import Notice
from models.participation import ConsentText, Retest, RoundAbsence, StructuredInterview
from models.risk_model import DataUse, ModelObjection
from models.screening import ResponseSet, ScreeningRound, UnplacedAnswer
from models.source import SourceKind
from models.student import Student
from tests.house import HEADER, Client, House, xlsx
from tests.risk.editions.editions import keep_in

ASKED = ("question_1", "question_2", "question_6")
EARLIER = "2026-01-05T09:00"
ROLES = [role for role in PEOPLE if role is not Role.STUDENT]


def furnish(house: House) -> tuple[dict[str, str], dict[Role, Client]]:
    """One of each thing there is, and one person in every role; all about students of one class."""
    make = house.make
    head, psychologist, affairs = make.team()
    group = make.class_group()
    people = {Role.CENTRE_HEAD: head, Role.PSYCHOLOGIST: psychologist, Role.AFFAIRS_HEAD: affairs}
    people[Role.ADVISOR] = make.advisor(group)
    people[Role.CLASS_TEACHER] = make.person(Role.CLASS_TEACHER, classes=[group])
    for role in ROLES:
        people.setdefault(role, make.person(role))
    student = make.student(group, number="20269900")
    make.student(group, number="20269901")
    alert = make.alert(make.student(group))
    case = make.case(psychologist, student)
    psychologist.post(f"/cases/{case.id}/notes", kind="session", text="记", version="1")
    psychologist.post(f"/cases/{case.id}/tasks", kind="follow_up", text="打电话", due_on="2026-12-30", version="2")
    note = house.all(select(CaseNote.id))[0]
    _screen(house, head)
    _ask_again(house, student)
    psychologist.post(f"/students/{student.id}/cssrs", held_at=EARLIER, **dict.fromkeys(ASKED, "no"))
    ids = {
        "student_id": student.id,
        "alert_id": alert.id,
        "case_id": case.id,
        "note_id": note.id,
        "duty_id": house.make.duties(alert)["contact"].id,
        "staff_id": people[Role.OBSERVER].id,
        "entry_id": _only(house, InterviewEntry),
        "answer_id": _only(house, UnplacedAnswer),
        "round_id": _only(house, ScreeningRound),
        "retest_id": _only(house, Retest),
        "held_id": _only(house, StructuredInterview),
        "task_id": _only(house, Task),
        "objection_id": _objection(house, people[Role.ADVISOR], student),
        "notice_id": _only(house, Notice),
        "approval_id": _approval(head, house),
        "use_id": _data_use(head, house),
        "class_id": group.id,
        "absence_id": _absence(house, head),
        "consent_id": _only(house, ConsentText),
        "source_id": _source(house, head),
        "sheet_id": _only(house, ResponseSet),
        "model_id": keep_in(house, head),
        "stage": "closed",
        "grant_id": uuid4(),
        "job_id": uuid4(),
    }
    return {name: str(value) for name, value in ids.items()} | {"form": "note", "topic": "worklist"}, people


def _source(house: House, head: Client) -> Any:
    """A platform that pushes, with a mapping somebody has confirmed."""
    with head.under(Permission.SOURCE_MANAGE) as access:
        row, _ = source.open_source(
            access, name="测评平台", kind=SourceKind.PUSH, owner_id=head.id, round_id=_only(house, ScreeningRound)
        )
        held = {"columns": {"student_number": "学号"}, "scales": {"gad7": {"total": "总分"}}}
        source.remember(access, row, [held], confirmed_by=head.id)
    return row.id


def _objection(house: House, advisor: Client, student: Student) -> Any:
    advisor.post(f"/students/{student.id}/objection", text="不想由程序来判断")
    return _only(house, ModelObjection)


def _ask_again(house: House, student: Student) -> None:
    """A re-test of one student, as a delivery with doubtful answers asks for it."""
    with house.console(Permission.SCREENING_IMPORT, Purpose.CARE) as access:
        row = access.session.scalars(select(ScreeningRound)).one()
        place = (student.id.bytes, student.college_id.bytes, student.class_id.bytes)
        retest.ask(access, row, None, [place], [{"phq9": ["too_fast"]}])


def _only(house: House, model: Any) -> Any:
    return house.all(select(model.id).limit(1))[0].id


def _absence(house: House, head: Client) -> Any:
    head.post(f"/rounds/{_only(house, ScreeningRound)}/absences", kind="away", numbers="20269900")
    return _only(house, RoundAbsence)


def _approval(head: Client, house: House) -> Any:
    head.post("/rules/change", name="clock:orange.contact", value="3", reason="更快一些")
    return _only(house, Approval)


def _data_use(head: Client, house: House) -> Any:
    head.post("/data-use/ask", domain="registry", purpose="复学适应期", legal_basis="consent", assessment="评估 01 号")
    return _only(house, DataUse)


def _screen(house: House, head: Client) -> None:
    """A round with a list entry and an unplaced critical answer, through the pages."""
    head.post("/rounds/new", name="普查", interviews_due="2026-12-20")
    round_id = _only(house, ScreeningRound)
    file = xlsx(
        HEADER, ["20269901", "", "", *([2] * 6), 0, 0, 0, *([0] * 7)], ["404", "", "", *([0] * 8), 3, *([0] * 7)]
    )
    head.post(f"/rounds/{round_id}/import", upload=(file, "结果.xlsx"), scales=["phq9", "gad7"])
    batch = house.all(select(ImportBatch.id, ImportBatch.version))[-1]
    page = head.get(f"/imports/{batch.id}/map")
    chosen = {f"column-{place}": page_value(page.html, place) for place in range(len(HEADER))}
    head.post(f"/imports/{batch.id}/map", version=str(batch.version), **chosen)
    house.work()
    version = str(house.all(select(ImportBatch.version).where(ImportBatch.id == batch.id))[0].version)
    head.post(f"/imports/{batch.id}/commit", version=version)
    house.work()


_ARGUMENT = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")


def address(rule: Any, ids: dict[str, str], batches: dict[str, str]) -> str:
    """The address of a page about the things of this house."""
    if "batch_id" in rule.arguments:
        ids = ids | {"batch_id": batches.get(rule.endpoint.split(".")[0], batches["screening"])}
    if rule.endpoint == "vendor.static":
        ids = ids | {"name": "bootstrap.min.css"}
    return _ARGUMENT.sub(lambda found: ids[found[1]], rule.rule)


def batches_of(house: House, people: dict[Role, Client]) -> dict[str, str]:
    """One delivery of each kind, by kind."""
    people[Role.REGISTRAR].post("/roster", kind="roster", upload=(xlsx(["学号"], ["1"]), "a.xlsx"))
    people[Role.SYSADMIN].post("/staff-import", kind="staff", upload=(xlsx(["工号"], ["1"]), "b.xlsx"))
    found = {row.kind: str(row.id) for row in house.all(select(ImportBatch.kind, ImportBatch.id))}
    return {"roster": found[BatchKind.ROSTER], "staff": found[BatchKind.STAFF], "screening": found[BatchKind.SCREENING]}


def page_value(html: str, place: int) -> str:
    """The meaning suggested for one column; of a scale that was recognised whole, the folded one."""
    folded = re.search(rf'type="hidden" name="column-{place}" value="([^"]*)"', html)
    if folded:
        return folded[1]
    select_box = re.search(rf'<select[^>]*name="column-{place}".*?</select>', html, re.DOTALL)
    assert select_box
    found = re.search(r'value="([^"]*)" selected', select_box[0])
    return found[1] if found else ""
