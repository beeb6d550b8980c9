"""Whose row is it: by number, and the name must agree. Never by the order of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select

from app.intake.problem import Problem
from app.intake.sheet import Cell, Table
from app.screening.mapping import Plan
from app.security.access import Access
from app.security.vault import normal
from app.students.naming import is_damaged, number_text
from models.bulk import fetch_many
from models.student import Student, StudentNumber

FEW = 1_000
"""Up to so many rows are looked up by number; for more, all numbers are read once."""


class Match(NamedTuple):
    """One student as a results file needs to know him."""

    student_id: bytes
    college_id: bytes
    class_id: bytes
    name_index: bytes


def match(access: Access, table: Table, plan: Plan, problems: list[Problem]) -> list[Match | None]:
    """The student of every row, or none with a problem saying why."""
    place = plan.columns["student_number"]
    title = table.header[place]
    column = [row[place] for row in table.rows]
    texts = _numbers(column)
    vault = access.vault
    indexes = list(vault.index_many("number", texts))
    known = _known(access, indexes)
    found: list[Match | None] = [known.get(index) for index in indexes]
    for position, (text, student) in enumerate(zip(texts, found, strict=True)):
        if student is None:
            problems.append(_no_student(table.row_numbers[position], title, text, column[position]))
    if "name" in plan.columns:
        _check_names(access, table, plan.columns["name"], found, problems)
    return found


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


def _no_student(row: int, title: str, text: str, cell: Cell) -> Problem:
    if not text:
        return Problem(row, title, "number_missing", "学号为空，无法对应到学生；本行未导入。")
    if is_damaged(cell):
        return Problem(
            row, title, "number_damaged", "号码被表格软件改成了科学计数，末几位已丢失；请把该列设为“文本”后重新导出。"
        )
    return Problem(row, title, "student_unknown", "名册里没有这个学号；请先更新名册，或核对号码。本行未导入。")


def _check_names(access: Access, table: Table, place: int, found: list[Match | None], problems: list[Problem]) -> None:
    """A number whose name differs is a question, never a match (practice §1.4)."""
    names = [
        normal(cell) if isinstance(cell, str) else normal(str(cell)) for cell in (row[place] for row in table.rows)
    ]
    for position, index in enumerate(access.vault.index_many("name", names)):
        student = found[position]
        if student is not None and names[position] and student.name_index != index:
            found[position] = None
            problems.append(
                Problem(
                    table.row_numbers[position],
                    table.header[place],
                    "name_differs",
                    "学号与姓名不是同一个人，请核对；本行未导入。",
                )
            )
