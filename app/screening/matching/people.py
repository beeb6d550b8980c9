"""Students opened for comparing names: each at most once, and only as far as a comparison needs (security.md §2)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.screening.matching.identities import Match
from app.security.access import Access
from app.students.writing import Forms, forms
from models.bulk import fetch_many
from models.student import Student

SLICE = 500
"""Students asked for in one statement."""


@dataclass(slots=True)
class Person:
    """What a comparison needs to know of one student."""

    match: Match
    status: str
    name: str
    forms: Forms
    former_name: str = ""
    born: str = ""
    """ISO date, as the roster gave it."""


class People:
    """The students opened so far by one piece of work."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._known: dict[bytes, Person] = {}
        self._detailed: set[bytes] = set()

    def __getitem__(self, student_id: bytes) -> Person:
        return self._known[student_id]

    def load(self, student_ids: Iterable[bytes]) -> None:
        """Open the names of these students."""
        for some in slices(student_ids, but=self._known):
            rows = self._access.session.execute(
                select(
                    Student.id.label("student_id"),
                    Student.college_id,
                    Student.class_id,
                    Student.name_index,
                    Student.status,
                    Student.name,
                ).where(Student.id.in_(some))
            ).all()
            for row, name in zip(rows, self._access.open_each(rows, Student.name), strict=True):
                match = Match(row.student_id.bytes, row.college_id.bytes, row.class_id.bytes, row.name_index)
                self._known[match.student_id] = Person(match, row.status, name, forms(name))

    def load_details(self, student_ids: Iterable[bytes]) -> None:
        """Open former names and birth dates of these students, whose names are open already."""
        for some in slices(student_ids, but=self._detailed):
            self._detailed |= {student_id.bytes for student_id in some}
            rows = self._access.session.execute(
                select(Student.id.label("student_id"), Student.details).where(
                    Student.id.in_(some), Student.details.is_not(None)
                )
            ).all()
            for row, text in zip(rows, self._access.open_each(rows, Student.details), strict=True):
                held, person = json.loads(text), self._known[row.student_id.bytes]
                person.former_name, person.born = held.get("former_name", ""), held.get("birth_date", "")


def matches(access: Access, student_ids: Iterable[bytes]) -> dict[bytes, Match]:
    """The students of these ids, without opening anything; ids that the house does not know are left out."""
    found: dict[bytes, Match] = {}
    for some in slices(student_ids):
        query = select(Student.id, Student.college_id, Student.class_id, Student.name_index)
        found |= {row[0]: Match(*row) for row in fetch_many(access.session, query.where(Student.id.in_(some)))}
    return found


def slices(student_ids: Iterable[bytes], *, but: Iterable[bytes] = ()) -> Iterable[list[UUID]]:
    """Ids in a stated order, each once, a few hundred at a time."""
    held = but if isinstance(but, set | dict) else set(but)
    wanted: Sequence[bytes] = sorted({student_id for student_id in student_ids if student_id not in held})
    for start in range(0, len(wanted), SLICE):
        yield [UUID(bytes=student_id) for student_id in wanted[start : start + SLICE]]
