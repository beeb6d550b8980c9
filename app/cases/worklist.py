"""我的待办: what lies with one person, most urgent first, with the students in full (decisions 20)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.cases.focus import focus_keys, focus_points
from app.security.access import PAGE, Access
from app.security.holders import names_of
from app.security.policy import Permission, duties_that_climbed_from_me
from models.case import Task, TaskStage
from models.identity import ClassGroup, College
from models.interview import InterviewEntry
from models.risk import Duty, DutyStage, Level
from models.screening import UnplacedAnswer
from models.student import Student


@dataclass(frozen=True, slots=True)
class DutyLine:
    """One duty on somebody's list, with the student in full: it is his own list (decisions 20)."""

    id: UUID
    student_id: UUID
    alert_id: UUID
    kind: str
    level: Level
    due_at: datetime
    acknowledged_at: datetime | None
    owner_id: UUID
    owner: str
    name: str
    phone: str
    college: str
    class_name: str
    times_escalated: int
    focus: tuple[str, ...] = ()


_DUTY_COLUMNS = (
    Duty.id,
    Duty.student_id,
    Duty.alert_id,
    Duty.kind,
    Duty.level,
    Duty.due_at,
    Duty.acknowledged_at,
    Duty.owner_id,
    Duty.times_escalated,
    Student.name,
    College.name.label("college"),
    ClassGroup.name.label("class_name"),
)


def open_duties(*more: Any) -> Any:
    """Open duties with the student's name and unit, and ``more`` columns."""
    return (
        select(*_DUTY_COLUMNS, *more)
        .join(Student, Student.id == Duty.student_id)
        .join(College, College.id == Duty.college_id)
        .join(ClassGroup, ClassGroup.id == Duty.class_id)
        .where(Duty.stage == DutyStage.OPEN)
    )


def _lines(access: Access, rows: Sequence[Any], *, with_focus: bool = False) -> list[DutyLine]:
    names = access.open_each(rows, Student.name)
    phones = access.open_each(rows, Student.phone)
    owners = names_of(access.session, [row.owner_id for row in rows])
    focus = focus_keys(access, [row.alert_id for row in rows]) if with_focus else {}
    return [
        DutyLine(
            id=row.id,
            student_id=row.student_id,
            alert_id=row.alert_id,
            kind=row.kind.value,
            level=row.level,
            due_at=row.due_at,
            acknowledged_at=row.acknowledged_at,
            owner_id=row.owner_id,
            owner=owners.get(row.owner_id, "--"),
            name=name,
            phone=phone,
            college=row.college,
            class_name=row.class_name,
            times_escalated=row.times_escalated,
            focus=tuple(point.label for point in focus_points(focus.get(row.alert_id, ()))),
        )
        for row, name, phone in zip(rows, names, phones, strict=True)
    ]


def my_duties(access: Access) -> list[DutyLine]:
    """Open duties of mine, most urgent first."""
    rows = access.page(
        open_duties(Student.phone).where(Duty.owner_id == access.actor.id), order=["due_at", "id"], limit=2 * PAGE
    )
    return _lines(access, rows, with_focus=True)


def passed_on(access: Access) -> list[DutyLine]:
    """Open duties that were mine and climbed the ladder: I stay informed."""
    query = open_duties(Student.phone).where(
        duties_that_climbed_from_me(access.actor), Duty.owner_id != access.actor.id
    )
    return _lines(access, access.page(query, order=["due_at", "id"], limit=PAGE))


def colleagues_duties(access: Access) -> list[DutyLine]:
    """Open contact duties of my classes that lie with a colleague who has not acknowledged: I may step in."""
    query = open_duties(Student.phone).where(
        Duty.owner_id != access.actor.id, Duty.kind == "contact", Duty.acknowledged_at.is_(None)
    )
    return _lines(access, access.page(query, order=["due_at", "id"], limit=PAGE))


def open_items_of_mine(access: Access) -> int:
    """For the navigation: open duties, tasks and unplaced answers with my name on them, counted to 100."""
    session, me = access.session, access.actor.id
    total = len(
        session.scalars(select(Duty.id).where(Duty.owner_id == me, Duty.stage == DutyStage.OPEN).limit(100)).all()
    )
    if access.may(Permission.TASK_WORK):
        total += len(
            session.scalars(select(Task.id).where(Task.owner_id == me, Task.stage == TaskStage.OPEN).limit(100)).all()
        )
    if access.may(Permission.UNPLACED_WORK):
        total += len(
            session.scalars(
                select(UnplacedAnswer.id)
                .where(UnplacedAnswer.owner_id == me, UnplacedAnswer.ended_at.is_(None))
                .limit(100)
            ).all()
        )
    return min(total, 100)


def open_interviews(access: Access, *, mine: bool) -> int:
    """How many interview entries are open."""
    where: list[Any] = [InterviewEntry.ended_at.is_(None)]
    if mine:
        where.append(InterviewEntry.owner_id == access.actor.id)
    return access.count(InterviewEntry, *where, most=100)
