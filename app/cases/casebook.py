"""Cases, their notes and tasks, as their pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.security.access import PAGE, Access
from app.security.holders import names_of
from models.case import Case, CaseNote, Task, TaskStage
from models.identity import ClassGroup, College
from models.risk import Level
from models.student import Student


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case on a list; the template masks the name."""

    id: UUID
    number: str
    student_id: UUID
    level: Level
    stage: Any
    due_at: datetime
    keeper_id: UUID
    keeper: str
    name: str
    college: str
    class_name: str


def cases(access: Access, *, stage: str = "", mine: bool = False, offset: int = 0) -> list[CaseLine]:
    """Cases within reach by what is due next; one page and one more."""
    query = (
        select(
            Case.id.label("case_id"),
            Case.year,
            Case.serial,
            Case.student_id,
            Case.level,
            Case.stage,
            Case.due_at,
            Case.keeper_id,
            Student.name,
            College.name.label("college"),
            ClassGroup.name.label("class_name"),
        )
        .join(Student, Student.id == Case.student_id)
        .join(College, College.id == Case.college_id)
        .join(ClassGroup, ClassGroup.id == Case.class_id)
    )
    query = query.where(Case.stage == stage) if stage else query.where(Case.closed_at.is_(None))
    if mine:
        query = query.where(Case.keeper_id == access.actor.id)
    rows = access.page(query, order=["due_at", "case_id"], limit=PAGE + 1, offset=offset)
    names = access.open_each(rows, Student.name)
    keepers = names_of(access.session, [row.keeper_id for row in rows])
    return [
        CaseLine(
            id=row.case_id,
            number=f"{row.year}-{row.serial:04d}",
            student_id=row.student_id,
            level=row.level,
            stage=row.stage,
            due_at=row.due_at,
            keeper_id=row.keeper_id,
            keeper=keepers.get(row.keeper_id, "--"),
            name=name,
            college=row.college,
            class_name=row.class_name,
        )
        for row, name in zip(rows, names, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class NoteView:
    """One note, opened for its keeper."""

    id: UUID
    kind: Any
    written_at: datetime
    author: str
    amends_id: UUID | None
    body: str


def notes_of(access: Access, case: Case, *, offset: int = 0) -> list[NoteView]:
    """The notes of a case, newest first, one page and one more."""
    rows = access.session.execute(
        select(
            CaseNote.id.label("case_note_id"),
            CaseNote.student_id,
            CaseNote.kind,
            CaseNote.written_at,
            CaseNote.author_id,
            CaseNote.amends_id,
            CaseNote.body,
        )
        .where(CaseNote.case_id == case.id)
        .order_by(CaseNote.written_at.desc(), CaseNote.id)
        .offset(offset)
        .limit(PAGE + 1)
    ).all()
    names = names_of(access.session, [row.author_id for row in rows])
    return [
        NoteView(row.case_note_id, row.kind, row.written_at, names.get(row.author_id, "--"), row.amends_id, body)
        for row, body in zip(rows, access.open_each(rows, CaseNote.body), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One task, opened for its owner or the keeper."""

    id: UUID
    version: int
    kind: Any
    stage: TaskStage
    due_at: datetime
    ended_at: datetime | None
    student_id: UUID
    case_id: UUID | None
    text: str
    outcome: str
    name: str = ""


_TASK_COLUMNS = (
    Task.id.label("task_id"),
    Task.version,
    Task.kind,
    Task.stage,
    Task.due_at,
    Task.ended_at,
    Task.student_id,
    Task.case_id,
    Task.body,
    Task.outcome,
)


def tasks_of(access: Access, case: Case) -> list[TaskLine]:
    """Tasks of a case, open ones first."""
    rows = access.session.execute(
        select(*_TASK_COLUMNS).where(Task.case_id == case.id).order_by(Task.ended_at.is_not(None), Task.due_at, Task.id)
    ).all()
    return _task_lines(access, rows, [""] * len(rows))


def my_tasks(access: Access) -> list[TaskLine]:
    """Open tasks of mine, most urgent first."""
    query = (
        select(*_TASK_COLUMNS, Student.name)
        .join(Student, Student.id == Task.student_id)
        .where(Task.stage == TaskStage.OPEN)
    )
    rows = access.page(query, order=["due_at", "task_id"], limit=2 * PAGE)
    return _task_lines(access, rows, access.open_each(rows, Student.name))


def _task_lines(access: Access, rows: Sequence[Any], names: Sequence[str]) -> list[TaskLine]:
    bodies, outcomes = access.open_each(rows, Task.body), access.open_each(rows, Task.outcome)
    return [
        TaskLine(
            row.task_id,
            row.version,
            row.kind,
            row.stage,
            row.due_at,
            row.ended_at,
            row.student_id,
            row.case_id,
            body,
            outcome,
            name,
        )
        for row, body, outcome, name in zip(rows, bodies, outcomes, names, strict=True)
    ]
