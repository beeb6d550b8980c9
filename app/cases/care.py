"""Work on a case: notes, advice to the advisor, next dates, levels, tasks, handing over."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import select

from app.admin import approval, rulebook
from app.admin.approval import ApprovalDecided
from app.events import Event
from app.notices import post
from app.security.access import Access
from app.security.holders import advisors_of, holders_of
from app.security.policy import Permission
from app.students.roster import StudentsMoved
from config import catalogue
from models import moment
from models.approval import Approval, ApprovalKind, ApprovalStage
from models.case import CareAdvice, Case, CaseNote, CaseStage, NoteKind, Task, TaskKind, TaskStage
from models.identity import Role
from models.moment import now, today
from models.refusal import Refusal
from models.risk import Level


class CaseNoteWritten(Event):
    """An entry was added to a case."""


class AdviceGiven(Event):
    """The advisor was told what to watch and to do."""


class CaseMoved(Event):
    """A case went on to another stage."""


class CaseLevelChanged(Event):
    """The level of a case was changed."""


class CaseHandedOver(Event):
    """A case has another keeper."""


class TaskAdded(Event):
    """Something is to be done."""


class TaskEnded(Event):
    """Something was done, or is no longer to be done."""


MOST_DAYS_AHEAD = 180


def write_note(
    access: Access, case: Case, *, kind: NoteKind, text: str, next_on: date | None, amends: UUID | None = None
) -> CaseNote:
    """Add an entry; a case in care always gets its next date with it. What was written stays (law 8)."""
    _refuse_ended(case)
    author = _me(access)
    if kind is NoteKind.AMENDMENT and (amends is None or not _is_note_of(access, case, amends)):
        raise Refusal("请从要更正的那一条记录进入。")
    note = CaseNote(
        case_id=case.id, student_id=case.student_id, author_id=author, kind=kind, written_at=now(), amends_id=amends
    )
    access.seal(note, CaseNote.body, text)
    access.session.add(note)
    if next_on is not None:
        case.due_at = _end_of(next_on)
    elif case.in_care and kind is NoteKind.SESSION:
        days = rulebook.current(access.session).follow_up_days(case.level)
        case.due_at = now() + timedelta(days=days)
    access.record(CaseNoteWritten(object_id=case.id, student_ids=(case.student_id,)))
    return note


def _is_note_of(access: Access, case: Case, note_id: UUID) -> bool:
    return (
        access.session.scalar(select(CaseNote.id).where(CaseNote.id == note_id, CaseNote.case_id == case.id))
        is not None
    )


def _end_of(day: date) -> datetime:
    if not today() <= day <= today() + timedelta(days=MOST_DAYS_AHEAD):
        raise Refusal(f"日期应在今天到 {MOST_DAYS_AHEAD} 天之内。", field="next_on")
    return datetime.combine(day, time(17, 30), moment.zone())


def give_advice(access: Access, case: Case, *, focus: list[str], text: str) -> None:
    """关注要点与谈话建议: the only thing of a case that its advisor ever sees."""
    _refuse_ended(case)
    known = catalogue.table("focus")
    if not focus or any(key not in known for key in focus):
        raise Refusal("请至少选择一个关注要点。", field="focus")
    for old in access.session.scalars(
        select(CareAdvice).where(CareAdvice.student_id == case.student_id, CareAdvice.superseded_at.is_(None))
    ):
        old.superseded_at = now()
    advice = CareAdvice(case_id=case.id, student_id=case.student_id, author_id=_me(access), given_at=now())
    access.seal_json(advice, CareAdvice.body, {"focus": focus, "text": text})
    access.session.add(advice)
    advisor = advisors_of(access.session, [case.class_id]).get(case.class_id)
    if advisor is not None:
        post.tell(access, advisor, Role.ADVISOR, "advice_given")
    access.record(AdviceGiven(object_id=case.id, student_ids=(case.student_id,)))


def follow_moved_students(access: Access, happened: StudentsMoved) -> None:
    """Listener: an open case goes with its student, so that advice reaches the advisor he has now."""
    for case in access.session.scalars(select(Case).where(Case.stage != CaseStage.ENDED)):
        if case.student_id in happened.moved:
            case.college_id, case.class_id = happened.moved[case.student_id]


def move(access: Access, case: Case, *, stage: CaseStage) -> None:
    """Go on within care: assessing, active, monitoring. Closing is another act."""
    if stage not in {CaseStage.ACTIVE, CaseStage.MONITORING}:
        raise Refusal("请通过“申请结案”办理。")
    case.move_to(stage)
    access.record(CaseMoved(object_id=case.id, student_ids=(case.student_id,)))


def reopen(access: Access, case: Case, *, text: str) -> None:
    """Take a closed case up again; its history stays where it is."""
    held = select(Case.id).where(Case.student_id == case.student_id, Case.closed_at.is_(None))
    if access.session.scalar(held) is not None:
        raise Refusal("这名学生已有在管个案。")
    case.move_to(CaseStage.ASSESSING)
    case.closed_at, case.outcome = None, None
    days = rulebook.current(access.session).follow_up_days(case.level)
    case.due_at = now() + timedelta(days=days)
    for task in open_tasks(access, case):
        end_task(access, task, done=False, text="个案重新开启，随访并入个案。")
    write_note(access, case, kind=NoteKind.PROGRESS, text=text, next_on=None)


def change_level(access: Access, case: Case, *, level: Level, basis: str) -> None:
    """Up at once; down one colour at a time, with a second person (states.md, Case)."""
    _refuse_ended(case)
    step = level.severity - case.level.severity
    if step == 0:
        raise Refusal("等级没有变化。", field="level")
    if step < -1:
        raise Refusal("调低等级一次只能降一档（红→橙→黄→绿）。", field="level")
    write_note(access, case, kind=NoteKind.PROGRESS, text=basis, next_on=None)
    if step < 0:
        _ask_lowering(access, case, level)
        return
    case.level = level
    case.due_at = min(case.due_at, now() + timedelta(days=rulebook.current(access.session).follow_up_days(level)))
    access.record(CaseLevelChanged(object_id=case.id, student_ids=(case.student_id,)))


def _ask_lowering(access: Access, case: Case, level: Level) -> None:
    waiting = access.session.scalar(
        select(Approval.id).where(Approval.object_id == case.id, Approval.stage == ApprovalStage.WAITING)
    )
    if waiting is not None:
        raise Refusal("这个个案已有一份申请在等签字。")
    approval.ask(
        access,
        ApprovalKind.LEVEL_LOWERING,
        object_id=case.id,
        what={"number": case.number, "from": case.level.value, "to": level.value},
        of=(Role.CENTRE_HEAD, Role.PSYCHOLOGIST, Role.AFFAIRS_HEAD),
        due_at=rulebook.current(access.session).due("closing"),
    )


def apply_lowering(access: Access, happened: ApprovalDecided) -> None:
    """Listener: a signed lowering takes effect, unless the level has moved meanwhile."""
    request = happened.approval
    if request.kind is not ApprovalKind.LEVEL_LOWERING or request.stage is not ApprovalStage.APPROVED:
        return
    assert request.object_id is not None  # noqa: S101 - asked about a case
    signing = access.under(Permission.CASE_SIGN)
    case = signing.find(Case, request.object_id)
    what = json.loads(request.what)
    if case.level.value != what["from"] or not case.in_care:
        raise Refusal("申请之后个案的等级或阶段已经变化，这份申请不再适用，请退回。")
    case.level = Level(what["to"])
    signing.record(CaseLevelChanged(object_id=case.id, student_ids=(case.student_id,)))


def hand_over(access: Access, case: Case, *, to: UUID) -> None:
    """移交: another keeper from now on; with the case go its open tasks."""
    if case.closed_at is not None and case.stage is CaseStage.ENDED:
        raise Refusal("个案已经结束，无需移交。")
    if to == case.keeper_id:
        raise Refusal("个案已经由这位老师主责。", field="to")
    centre = {*holders_of(access.session, Role.PSYCHOLOGIST), *holders_of(access.session, Role.CENTRE_HEAD)}
    if to not in centre:
        raise Refusal("主责老师应是心理中心的老师。", field="to")
    case.keeper_id = to
    for task in open_tasks(access, case):
        task.owner_id = to
    role = Role.PSYCHOLOGIST if to in holders_of(access.session, Role.PSYCHOLOGIST) else Role.CENTRE_HEAD
    post.tell(access, to, role, "case_assigned")
    access.record(CaseHandedOver(object_id=case.id, student_ids=(case.student_id,)))


# --- tasks ------------------------------------------------------------------------------


def open_tasks(access: Access, case: Case) -> list[Task]:
    return list(
        access.session.scalars(
            select(Task).where(Task.case_id == case.id, Task.stage == TaskStage.OPEN).order_by(Task.due_at, Task.id)
        )
    )


def add_task(access: Access, case: Case, *, kind: TaskKind, text: str, due_on: date) -> Task:
    """Something to do about this student, by the keeper, by a day."""
    _refuse_ended(case)
    return put_task(access, case, kind=kind, text=text, due_at=_end_of(due_on))


def put_task(access: Access, case: Case, *, kind: TaskKind, text: str, due_at: datetime) -> Task:
    task = Task(
        kind=kind,
        stage=TaskStage.OPEN,
        student_id=case.student_id,
        case_id=case.id,
        owner_id=case.keeper_id,
        due_at=due_at,
        created_at=now(),
    )
    access.seal(task, Task.body, text)
    access.session.add(task)
    access.record(TaskAdded(object_id=task.id, student_ids=(task.student_id,)))
    return task


def end_task(access: Access, task: Task, *, done: bool, text: str) -> None:
    """Done, or cancelled with the reason. The last check after closing ends the case."""
    task.move_to(TaskStage.DONE if done else TaskStage.CANCELLED)
    task.ended_at = now()
    access.seal(task, Task.outcome, text)
    access.record(TaskEnded(object_id=task.id, student_ids=(task.student_id,)))
    if task.kind is TaskKind.AFTER_CARE and task.case_id is not None:
        _end_after_care(access, task)


def _end_after_care(access: Access, task: Task) -> None:
    access.session.flush()
    case = access.session.get_one(Case, task.case_id)
    left = open_tasks(access, case)
    if case.stage is not CaseStage.AFTERCARE:
        return
    if left:
        case.due_at = left[0].due_at
        return
    case.move_to(CaseStage.ENDED)
    access.record(CaseMoved(object_id=case.id, student_ids=(case.student_id,)))


def _refuse_ended(case: Case) -> None:
    if not case.in_care:
        raise Refusal("个案已提交结案或已结束，不能再改动；需要时请先重新开启。")


def _me(access: Access) -> UUID:
    if access.actor.id is None:
        raise Refusal("需要由一位老师办理。")
    return access.actor.id
