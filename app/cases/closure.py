"""结案: refused while anything is open, signed by a second person, followed by checks after closing (domain §B.7)."""

from __future__ import annotations

import calendar
from datetime import date, datetime, time

from sqlalchemy import select

from app.admin import approval, rulebook
from app.admin.approval import ApprovalDecided
from app.cases import care
from app.events import Event
from app.security.access import Access
from app.security.policy import Permission
from models import moment
from models.approval import Approval, ApprovalKind, ApprovalStage
from models.case import Case, CaseStage, Outcome, Task, TaskKind, TaskStage
from models.identity import Role
from models.interview import InterviewEntry
from models.moment import now, today
from models.refusal import Refusal
from models.risk import Alert, Duty, DutyStage, Level

NO_AFTER_CARE = frozenset({Outcome.GRADUATED, Outcome.LEFT_SCHOOL})
"""Ends after which the college can no longer look: they get hand-over advice instead."""
SIGNERS = (Role.CENTRE_HEAD, Role.PSYCHOLOGIST, Role.AFFAIRS_HEAD)


class ClosureRequested(Event):
    """A keeper asks to close a case."""


class CaseClosed(Event):
    """A case was closed."""


class ClosureDeclined(Event):
    """A closing was not signed."""


def still_open(access: Access, case: Case) -> list[str]:
    """What stands against closing, in words."""
    session, student = access.session, case.student_id
    checks = {
        "还有未完成的随访任务": select(Task.id).where(Task.case_id == case.id, Task.stage == TaskStage.OPEN),
        "还有未结束的预警": select(Alert.id).where(Alert.student_id == student, Alert.ended_at.is_(None)),
        "还有未完成的联系或评估": select(Duty.id).where(Duty.student_id == student, Duty.stage == DutyStage.OPEN),
        "还有未完成的约谈": select(InterviewEntry.id).where(
            InterviewEntry.student_id == student, InterviewEntry.ended_at.is_(None)
        ),
        "还有一份申请在等签字": select(Approval.id).where(
            Approval.object_id == case.id, Approval.stage == ApprovalStage.WAITING
        ),
    }
    return [words for words, query in checks.items() if session.scalar(query.limit(1)) is not None]


def request(access: Access, case: Case, *, outcome: Outcome, summary: str) -> None:
    """Ask to close, leaving a summary for whoever opens it next. Refused while something is open."""
    reasons = still_open(access, case)
    if reasons:
        raise Refusal(f"暂不能结案：{'；'.join(reasons)}。")
    if outcome is Outcome.STABLE and case.level.severity > Level.YELLOW.severity:
        raise Refusal("“情况稳定”结案前，等级应先按步骤调低到关注（黄）或常规（绿）。", field="outcome")
    access.seal(case, Case.summary, summary)
    case.outcome = outcome
    case.move_to(CaseStage.CLOSURE_REQUESTED)
    due = rulebook.current(access.session).due("closing")
    case.due_at = due
    approval.ask(
        access,
        ApprovalKind.CASE_CLOSURE,
        object_id=case.id,
        what={"number": case.number, "outcome": outcome.value},
        of=SIGNERS,
        due_at=due,
    )
    access.record(ClosureRequested(object_id=case.id, student_ids=(case.student_id,)))


def apply_decided(access: Access, happened: ApprovalDecided) -> None:
    """Listener: signed, the case closes and its checks are set; declined, it goes on."""
    asked = happened.approval
    if asked.kind is not ApprovalKind.CASE_CLOSURE or asked.object_id is None:
        return
    signing = access.under(Permission.CASE_SIGN)
    case = signing.find(Case, asked.object_id)
    if case.stage is not CaseStage.CLOSURE_REQUESTED:
        raise Refusal("这个个案已不在等待结案签字，请退回后重新申请。")
    if asked.stage is ApprovalStage.DECLINED:
        case.move_to(CaseStage.ACTIVE)
        case.outcome = None
        signing.record(ClosureDeclined(object_id=case.id, student_ids=(case.student_id,)))
        return
    _close(signing, case)


def _close(access: Access, case: Case) -> None:
    reasons = [words for words in still_open(access, case) if "签字" not in words]
    if reasons:
        raise Refusal(f"申请之后又有新的事项，暂不能结案：{'；'.join(reasons)}。请退回。")
    case.move_to(CaseStage.AFTERCARE)
    case.closed_at = now()
    if case.outcome in NO_AFTER_CARE:
        case.move_to(CaseStage.ENDED)
    else:
        months = rulebook.current(access.session).levels["follow_up"]["after_care_months"]
        tasks = [
            care.put_task(
                access, case, kind=TaskKind.AFTER_CARE, text=f"结案后第 {month} 个月随访", due_at=_in_months(month)
            )
            for month in months
        ]
        case.due_at = min(task.due_at for task in tasks)
    access.record(CaseClosed(object_id=case.id, student_ids=(case.student_id,)))


def _in_months(count: int) -> datetime:
    day = today()
    year, month = divmod(day.month - 1 + count, 12)
    year, month = day.year + year, month + 1
    last = calendar.monthrange(year, month)[1]
    return datetime.combine(date(year, month, min(day.day, last)), time(17, 30), moment.zone())
