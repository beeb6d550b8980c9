"""Finding a student by number, full name, phone or full pinyin: exact, by keyed hash, throttled, in the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select

from app.security.access import Access
from app.security.vault import normal
from app.students.naming import is_phone, phone_text, pinyin
from app.web.errors import TooOften
from config import catalogue
from models.audit import LedgerEntry
from models.identity import ClassGroup, College
from models.moment import now
from models.student import Student, StudentNumber

MOST = 50


@dataclass(frozen=True, slots=True)
class Found:
    """One line of a search result."""

    id: UUID
    name: str
    number: str
    college: str
    class_name: str
    status: str


def search(access: Access, words: str) -> list[Found]:
    """Students within the reader's reach whose number, name, phone or pinyin is exactly this."""
    _refuse_haste(access)
    text = normal(words)
    if not text:
        return []
    query = (
        select(
            Student.id.label("student_id"),
            Student.name,
            Student.status,
            College.name.label("college"),
            ClassGroup.name.label("class_name"),
        )
        .join(College, College.id == Student.college_id)
        .join(ClassGroup, ClassGroup.id == Student.class_id)
        .where(Student.id.in_(_candidates(access, text)))
    )
    rows = access.page(query, order=["college", "class_name", "student_id"], limit=MOST)
    names = access.open_each(rows, Student.name)
    numbers = numbers_of(access, [row.student_id for row in rows])
    return [
        Found(row.student_id, name, numbers.get(row.student_id, ""), row.college, row.class_name, row.status)
        for row, name in zip(rows, names, strict=True)
    ]


def _candidates(access: Access, text: str) -> list[UUID]:
    """Ids that match anywhere; the rule of the reader is applied to them afterwards."""
    session = access.session
    found = list(
        session.scalars(
            select(StudentNumber.student_id).where(StudentNumber.index == access.index("number", text)).limit(MOST)
        )
    )
    conditions = [Student.name_index == access.index("name", text)]
    if text.isascii():
        conditions.append(Student.pinyin_index == access.index("pinyin", text))
        if is_phone(phone_text(text)):
            conditions.append(Student.phone_index == access.index("phone", phone_text(text)))
    else:
        conditions.append(Student.pinyin_index == access.index("pinyin", pinyin(text)))
    found += session.scalars(select(Student.id).where(or_(*conditions)).limit(10 * MOST))
    return list(dict.fromkeys(found))


def numbers_of(access: Access, student_ids: list[UUID]) -> dict[UUID, str]:
    """The number each student goes by: the student number if there is one, else any that still holds."""
    rows = access.session.execute(
        select(
            StudentNumber.id.label("student_number_id"),
            StudentNumber.student_id,
            StudentNumber.kind,
            StudentNumber.number,
        )
        .where(StudentNumber.student_id.in_(student_ids), StudentNumber.until.is_(None))
        .order_by(StudentNumber.kind.desc(), StudentNumber.since, StudentNumber.id)
    ).all()
    best: dict[UUID, Any] = {}
    for row in rows:
        held = best.get(row.student_id)
        if held is None or (row.kind == "student_number" and held.kind != "student_number"):
            best[row.student_id] = row
    chosen = list(best.values())
    opened = access.open_each(chosen, StudentNumber.number)
    return {row.student_id: number for row, number in zip(chosen, opened, strict=True)}


def _refuse_haste(access: Access) -> None:
    """Nobody looks up thirty people a minute by hand."""
    limits = catalogue.table("security")["search"]
    since = now() - timedelta(seconds=limits["window_seconds"])
    recent = access.session.scalar(
        select(func.count())
        .select_from(LedgerEntry)
        .where(
            LedgerEntry.actor_id == access.actor.id,
            LedgerEntry.at > since,
            LedgerEntry.act == access.permission.value,
        )
    )
    if (recent or 0) >= limits["most"]:
        raise TooOften
