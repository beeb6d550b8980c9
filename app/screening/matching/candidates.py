"""Who it may be, for a person who has to say so: looked for by his own words, or by what one row said.

Everybody is masked: enough to recognise somebody whose number and name one
has before one. The reader's rule must reach every student.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import or_, select

from app.intake.cells import date_of
from app.screening.matching.finder import Asked, Finder
from app.screening.matching.identities import Candidate, Ground, Strength
from app.security.access import Access
from app.security.vault import normal
from app.students.naming import is_damaged, number_text
from app.students.units import Units
from app.students.writing import sounds
from config import catalogue
from models.student import Student, StudentNumber


def search(access: Access, words: str) -> list[Candidate]:
    """“这其实是谁”: students by number (also a former one), name, its pinyin, or class; at most twenty, masked."""
    text = normal(words)
    if not text:
        return []
    most = catalogue.table("matching")["most_found"]
    spelt = [access.index("pinyin", sound) for sound in sounds(words)]
    numbers = select(StudentNumber.student_id).where(StudentNumber.index == access.index("number", number_text(words)))
    named = or_(Student.name_index == access.index("name", text), Student.pinyin_index.in_(spelt))
    classes = Units(access.session).find_classes(words)
    found: dict[UUID, Ground] = {}
    for ground, condition in (
        (Ground.NUMBER, Student.id.in_(numbers)),
        (Ground.NAME, named),
        (Ground.CLASS, Student.class_id.in_(classes)),
    ):
        ids = access.session.scalars(select(Student.id).where(condition).order_by(Student.id).limit(most))
        for student_id in ids:
            found.setdefault(student_id, ground)
    chosen = list(found.items())[:most]
    return Finder(access).introduce({student_id.bytes: ground for student_id, ground in chosen})


def for_row(access: Access, identity: Mapping[str, str]) -> tuple[Candidate, ...]:
    """Whose row it may be, by what it says: ``student_number``, ``name``, ``class``, ``college``, ``birth_date``."""
    number, born = identity.get("student_number", ""), date_of(identity.get("birth_date", ""))
    asked = Asked(
        number="" if is_damaged(number) else number_text(number),
        name=identity.get("name", ""),
        class_name=identity.get("class", ""),
        college=identity.get("college", ""),
        born=born.isoformat() if born else "",
    )
    finder = Finder(access)
    [found] = finder.find([finder.with_bearers(asked)])
    return found


__all__ = ["Candidate", "Ground", "Strength", "for_row", "search"]
