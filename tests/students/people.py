"""Short words for rosters and files: one student's row, what the house then knows of him."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from app.security.policy import Permission
from app.students import record
from app.students.record import Card
from models.student import Student, StudentNumber
from tests.house import Client, House

HEADER = ["学号", "姓名", "学院", "班级", "手机号"]
COLLEGE, GROUP = "信息学院", "软件2301"
WANG = ["20260101001", "王小涵", COLLEGE, GROUP, "13800000001"]
LI = ["20260101002", "李雨", COLLEGE, GROUP, "13800000002"]
ZHAO = ["20260101003", "赵一鸣", COLLEGE, GROUP, "13800000003"]


def only(house: House) -> Student:
    """The one student there is."""
    [(student,)] = house.all(select(Student))
    return student  # type: ignore[no-any-return]


def number_of_rows(house: House) -> int:
    return house.count(StudentNumber)


def known(house: House, student: Student, reader: Client | None = None) -> Card:
    """What the house knows of a student, opened for somebody who may see it all."""
    reader = reader or house.make.head()
    with reader.under(Permission.STUDENT_READ, writing=False) as access:
        access.find(Student, student.id)
        return record.card(access, student.id, details=True)


def codes(receipt: dict[str, Any]) -> list[tuple[int, str]]:
    return [(item["row"], item["code"]) for item in receipt["problems"]]


def crowd(count: int, group: str = GROUP, college: str = COLLEGE, *, first: int = 0) -> list[list[Any]]:
    """Rows of that many different students."""
    return [[f"2026{place:05}", f"学生{place}", college, group, ""] for place in range(first, first + count)]


def state(house: House) -> list[Any]:
    """Everything a roster may touch, row by row, as the database holds it."""
    with house.session() as session:
        return [
            tuple(row)
            for table in ("student", "student_number", "class_group", "college")
            for row in session.connection().exec_driver_sql(f"SELECT * FROM {table} ORDER BY id")
        ]
