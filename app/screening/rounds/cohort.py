"""Who is asked in a round (范围): one condition on the student, so that it filters, counts and joins alike.

Units are added together (these colleges, and these classes of others); grades
and tags narrow them. Nothing chosen means every student who is asked at all:
somebody on leave or not yet arrived is not missing (``config/statuses.toml``).
A cohort names units and groups, never people, so that whoever joins a class
tomorrow belongs to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from app.students import tags
from config import catalogue
from models.identity import ClassGroup, College
from models.student import Student


@dataclass(frozen=True, slots=True)
class Cohort:
    """What a round's ``cohort`` column says."""

    colleges: tuple[UUID, ...] = ()
    classes: tuple[UUID, ...] = ()
    grades: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def is_everybody(self) -> bool:
        return not (self.colleges or self.classes or self.grades or self.tags)

    def as_text(self) -> str:
        """As the column holds it."""
        held = {
            "colleges": [item.hex for item in self.colleges],
            "classes": [item.hex for item in self.classes],
            "grades": list(self.grades),
            "tags": list(self.tags),
        }
        return json.dumps({name: items for name, items in held.items() if items}, ensure_ascii=False)


def read(text: str) -> Cohort:
    held = json.loads(text)
    return Cohort(
        tuple(UUID(item) for item in held.get("colleges", ())),
        tuple(UUID(item) for item in held.get("classes", ())),
        tuple(held.get("grades", ())),
        tuple(held.get("tags", ())),
    )


def asked_statuses() -> list[str]:
    """Standings whose students are asked to take part."""
    return [key for key, held in catalogue.table("statuses").items() if held.get("screened", False)]


def condition(cohort: Cohort) -> ColumnElement[bool]:
    """The students of a cohort, today."""
    parts: list[ColumnElement[bool]] = [Student.left_at.is_(None), Student.status.in_(asked_statuses())]
    units: list[ColumnElement[bool]] = []
    if cohort.colleges:
        units.append(Student.college_id.in_(cohort.colleges))
    if cohort.classes:
        units.append(Student.class_id.in_(cohort.classes))
    if units:
        parts.append(or_(*units))
    if cohort.grades:
        parts.append(Student.class_id.in_(select(ClassGroup.id).where(ClassGroup.grade.in_(cohort.grades))))
    if cohort.tags:
        parts.append(or_(*(tags.students_tagged(tag) for tag in cohort.tags)))
    return and_(*parts)


def size(session: Session, cohort: Cohort) -> int:
    """How many students a cohort has today."""
    return session.scalar(select(func.count()).select_from(Student).where(condition(cohort))) or 0


def by_class(session: Session, cohort: Cohort) -> list[tuple[UUID, UUID, int]]:
    """College, class and number of students, in one query; in the order of the ids."""
    rows = session.execute(
        select(Student.college_id, Student.class_id, func.count())
        .where(condition(cohort))
        .group_by(Student.college_id, Student.class_id)
        .order_by(Student.college_id, Student.class_id)
    )
    return [(college_id, class_id, count) for college_id, class_id, count in rows]


def grades(session: Session) -> list[str]:
    """Grades that classes bear, newest first."""
    found = session.scalars(select(ClassGroup.grade).where(ClassGroup.grade.is_not(None)).distinct())
    return sorted({grade for grade in found if grade}, reverse=True)


def in_words(session: Session, cohort: Cohort) -> str:
    """The cohort as a reader says it."""
    if cohort.is_everybody:
        return "全体在校学生"
    units = _names(session, College, cohort.colleges) + _names(session, ClassGroup, cohort.classes)
    named = tags.all_tags()
    parts = [_listed(units), _listed(cohort.grades), _listed([named.get(tag, tag) for tag in cohort.tags])]
    return " · ".join(part for part in parts if part)


def _names(session: Session, model: type[College] | type[ClassGroup], ids: Iterable[UUID]) -> list[str]:
    wanted = list(ids)
    return list(session.scalars(select(model.name).where(model.id.in_(wanted)).order_by(model.name))) if wanted else []


def _listed(words: Iterable[str], most: int = 4) -> str:
    held = list(words)
    more = f" 等 {len(held)} 个" if len(held) > most else ""
    return "、".join(held[:most]) + more
