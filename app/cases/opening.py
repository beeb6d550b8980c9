"""建立个案: one open case per student, with a keeper, a level and a next date from its first moment."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from app.admin import rulebook
from app.cases import triage
from app.events import Event
from app.security.access import Access
from app.security.policy import Permission
from models.case import Case, CaseNote, CaseStage, NoteKind
from models.keys import Deployment
from models.moment import now, today
from models.refusal import Refusal
from models.risk import Alert, AlertStage, Level
from models.student import Student


class CaseOpened(Event):
    """A student came into care."""


def open_case(access: Access, student: Student, *, level: Level, text: str) -> Case:
    """Open a case kept by the actor. An open alert of the student ends in it; the advisor's contact stays owed."""
    me = access.actor.id
    if me is None:
        raise Refusal("个案要有一位主责老师。")
    held = access.session.scalars(
        select(Case).where(Case.student_id == student.id, Case.closed_at.is_(None))
    ).one_or_none()
    if held is not None:
        raise Refusal("这名学生已有在管个案，请在原个案中继续。")
    _end_alert(access, student, level)
    case = Case(
        year=today().year,
        serial=_serial(access),
        student_id=student.id,
        college_id=student.college_id,
        class_id=student.class_id,
        keeper_id=me,
        level=level,
        stage=CaseStage.ASSESSING,
        opened_at=now(),
        due_at=now() + timedelta(days=rulebook.current(access.session).follow_up_days(level)),
    )
    access.session.add(case)
    access.session.flush()
    note = CaseNote(case_id=case.id, student_id=student.id, author_id=me, kind=NoteKind.ASSESSMENT, written_at=now())
    access.seal(note, CaseNote.body, text)
    access.session.add(note)
    access.record(CaseOpened(object_id=case.id, student_ids=(student.id,)))
    return case


def _serial(access: Access) -> int:
    """The next number of the year. The deployment's row is the lock under which numbers are given."""
    access.session.execute(select(Deployment.id).with_for_update())
    last = access.session.scalar(select(func.max(Case.serial)).where(Case.year == today().year))
    return (last or 0) + 1


def _end_alert(access: Access, student: Student, level: Level) -> None:
    alert_id = access.session.scalar(select(Alert.id).where(Alert.student_id == student.id, Alert.ended_at.is_(None)))
    if alert_id is None:
        return
    deciding = access.under(Permission.ALERT_TRIAGE)
    alert = deciding.find(Alert, alert_id)
    if level.severity < alert.level.severity:
        raise Refusal("个案等级不能低于预警等级；评估后可在个案中按步骤调低。", field="level")
    alert.move_to(AlertStage.CASE_OPENED)
    triage.end(deciding, alert, still_contact=True)
