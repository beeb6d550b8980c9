"""我的学生: an advisor's classes, those who need attention first."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.security.access import PAGE, Access
from models.case import CareAdvice, Case
from models.identity import ClassGroup
from models.risk import Alert, Level
from models.student import Student


@dataclass(frozen=True, slots=True)
class StudentLine:
    """One student of an advisor, with the level if somebody is looking after him."""

    student_id: UUID
    name: str
    phone: str
    class_name: str
    status: str
    level: Level | None
    has_advice: bool


def my_students(access: Access, *, class_id: UUID | None, in_care: bool, offset: int = 0) -> list[StudentLine]:
    """Students of the reader's classes; those who need attention first, then by class."""
    care = select(Case.student_id, Case.level).where(Case.closed_at.is_(None)).subquery()
    alert = select(Alert.student_id, Alert.level).where(Alert.ended_at.is_(None)).subquery()
    advised = select(CareAdvice.student_id).where(CareAdvice.superseded_at.is_(None))
    query = (
        select(
            Student.id.label("student_id"),
            Student.name,
            Student.phone,
            Student.status,
            ClassGroup.name.label("class_name"),
            care.c.level.label("case_level"),
            alert.c.level.label("alert_level"),
            Student.id.in_(advised).label("has_advice"),
            (care.c.level.is_(None) & alert.c.level.is_(None)).label("calm"),
        )
        .join(ClassGroup, ClassGroup.id == Student.class_id)
        .outerjoin(care, care.c.student_id == Student.id)
        .outerjoin(alert, alert.c.student_id == Student.id)
        .where(Student.left_at.is_(None))
    )
    if class_id is not None:
        query = query.where(Student.class_id == class_id)
    if in_care:
        query = query.where(care.c.level.is_not(None) | alert.c.level.is_not(None))
    rows = access.page(query, order=["calm", "class_name", "student_id"], limit=PAGE + 1, offset=offset)
    names, phones = access.open_each(rows, Student.name), access.open_each(rows, Student.phone)
    return [
        StudentLine(
            row.student_id,
            name,
            phone,
            row.class_name,
            row.status,
            _worse(row.case_level, row.alert_level),
            row.has_advice,
        )
        for row, name, phone in zip(rows, names, phones, strict=True)
    ]


def _worse(*levels: Level | None) -> Level | None:
    known = [level for level in levels if level is not None]
    return max(known, key=lambda level: level.severity) if known else None
