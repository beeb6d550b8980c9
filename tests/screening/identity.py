"""Short words for matching: a roster, rows of a results file, and whose they were found to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from app.intake.problem import Problem
from app.screening.matching.identities import Identities, Matched, Question
from app.screening.matching.match import match
from app.security.actor import CONSOLE
from app.security.policy import Permission, Purpose
from models.student import Student
from tests.house import House

ROSTER = ["学号", "姓名", "学院", "班级", "出生日期"]
COLLEGE, GROUP, OTHER = "信息学院", "软件2301", "网络2301"
WANG = ["2023010101", "王晓涵", COLLEGE, GROUP, "2005-03-01"]
LI = ["2023010102", "李雨", COLLEGE, GROUP, "2005-04-02"]
ZHAO = ["0260001", "赵一鸣", COLLEGE, GROUP, "2005-05-03"]
FIELDS = {"student_number": "学号", "name": "姓名", "class": "班级", "college": "学院", "birth_date": "出生日期"}
COLUMNS = ("student_number", "name", "class", "birth_date")


def found(
    house: House,
    *rows: Sequence[Any],
    columns: Sequence[str] = COLUMNS,
    decisions: Mapping[str, str | None] | None = None,
    problems: list[Problem] | None = None,
) -> Matched:
    """Match the rows of a file with these columns; short rows say nothing more."""
    cells = {name: [row[place] if place < len(row) else "" for row in rows] for place, name in enumerate(columns)}
    titles = {name: FIELDS[name] for name in columns}
    identities = Identities.of(range(2, len(rows) + 2), cells, titles)
    with house.door.enter(CONSOLE, Permission.SCREENING_IMPORT, Purpose.CARE, writing=False) as access:
        return match(access, identities, decisions or {}, problems if problems is not None else [])


def people(house: House) -> dict[bytes, str]:
    """Student id → name."""
    with house.console(Permission.ROSTER_IMPORT) as access:
        rows = access.session.execute(select(Student.id.label("student_id"), Student.name)).all()
        return {
            row.student_id.bytes: name for row, name in zip(rows, access.open_each(rows, Student.name), strict=True)
        }


def names(house: House, matched: Matched) -> list[str]:
    """The name of the student of every row, empty where a person has to decide."""
    known = people(house)
    return [known[student.student_id] if student else "" for student in matched.students]


def top(house: House, question: Question) -> str:
    """The name of the best candidate, empty where there is none."""
    known = people(house)
    return known[question.candidates[0].student.student_id] if question.candidates else ""


def grounds(question: Question) -> set[str]:
    """What speaks for the best candidate."""
    return {ground.value for ground in question.candidates[0].grounds}
