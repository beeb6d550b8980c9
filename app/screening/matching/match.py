"""Whose row is it: by number, and the name must agree. Never by the order of rows.

What is joined without a person: a number that holds, under a name that is the
same apart from its writing; or a number that was once one student's and nobody
else's, under his name. Everything else is a question with candidates
(practice §1.4). Names are opened for the rows that are left over, and for
those only (security.md §2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from app.intake.problem import Problem
from app.intake.sheet import Cell
from app.screening.matching.identities import Identities, Match, Matched
from app.screening.matching.leftover import Leftover
from app.security.access import Access
from app.security.vault import normal
from app.students.naming import number_text
from models.bulk import fetch_many
from models.refusal import Refusal
from models.student import Student, StudentNumber

__all__ = ["Identities", "Match", "Matched", "match"]

FEW = 1_000
"""Up to so many rows are looked up by number; for more, all numbers are read once."""


def match(
    access: Access, identities: Identities, decisions: Mapping[str, str | None], problems: list[Problem]
) -> Matched:
    """The student of every row; what is left over is a problem, and a question for a person."""
    if not {"student_number", "name"} & identities.titles.keys():
        raise Refusal("文件里没有学号列，也没有姓名列，无法知道每一行是谁；系统不会按行的顺序对应学生。")
    numbers = _numbers(identities.numbers)
    indexes = list(access.vault.index_many("number", numbers))
    students = list(map(_known(access, indexes).get, indexes))
    bearers, name_indexes = _refuse_other_names(access, identities.names, students)
    matched = Matched(students, ["number" if student else "" for student in students])
    if None in students:
        Leftover(access, identities, numbers, indexes, name_indexes, matched).settle(bearers, decisions, problems)
    return matched


def _numbers(column: Sequence[Cell]) -> list[str]:
    if set(map(type, column)) == {str}:
        return [normal(text).lstrip("'") for text in column]  # type: ignore[arg-type]
    return [number_text(cell) for cell in column]


def _known(access: Access, indexes: Sequence[bytes]) -> dict[bytes, Match]:
    """Keyed number → student. Two plain scans for a whole school: a join would look every student up by itself."""
    numbers = select(StudentNumber.index, StudentNumber.student_id).where(StudentNumber.until.is_(None))
    people = select(Student.id, Student.college_id, Student.class_id, Student.name_index)
    if len(indexes) <= FEW:
        numbers = numbers.where(StudentNumber.index.in_(set(indexes)))
        people = people.where(Student.id.in_(numbers.with_only_columns(StudentNumber.student_id)))
    found = {row[0]: Match(*row) for row in fetch_many(access.session, people)}
    return {index: found[student_id] for index, student_id in fetch_many(access.session, numbers)}


def _refuse_other_names(
    access: Access, column: Sequence[str], students: list[Match | None]
) -> tuple[dict[int, Match], list[bytes]]:
    """Let go of every row whose number is under another name; whose number it was, and the keyed names of all rows."""
    names = [normal(name) for name in column]
    indexes = list(access.vault.index_many("name", names))
    bearers: dict[int, Match] = {}
    for position, (index, student) in enumerate(zip(indexes, students, strict=True)):
        if student is not None and names[position] and student.name_index != index:
            bearers[position] = student
            students[position] = None
    return bearers, indexes
