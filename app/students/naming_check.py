"""Whether students bear the names a file gives them: by keyed hash, and opened only where that differs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from app.security.access import Access
from app.students.writing import forms, same_name
from models.student import Student

_SLICE = 500


def other_names(access: Access, named: Sequence[tuple[UUID | None, str]]) -> set[int]:
    """Places at which the student has another name than the file says, apart from its writing or an earlier name."""
    wanted = sorted({student_id for student_id, name in named if name and student_id})
    indexes: dict[UUID, bytes] = {}
    for start in range(0, len(wanted), _SLICE):
        query = select(Student.id, Student.name_index).where(Student.id.in_(wanted[start : start + _SLICE]))
        indexes |= {student_id: index for student_id, index in access.session.execute(query)}
    differing = [
        (place, student_id, name)
        for place, (student_id, name) in enumerate(named)
        if name and student_id and indexes[student_id] != access.index("name", name)
    ]
    names = _names(access, sorted({student_id for _, student_id, _ in differing}))
    return {
        place
        for place, student_id, name in differing
        if not any(same_name(forms(name), forms(borne)) for borne in names[student_id] if borne)
    }


def _names(access: Access, student_ids: list[UUID]) -> dict[UUID, tuple[str, str]]:
    """The name and the former name of students."""
    found = {}
    for start in range(0, len(student_ids), _SLICE):
        rows = access.session.execute(
            select(Student.id.label("student_id"), Student.name, Student.details).where(
                Student.id.in_(student_ids[start : start + _SLICE])
            )
        ).all()
        details = access.open_each(rows, Student.details)
        for row, name, held in zip(rows, access.open_each(rows, Student.name), details, strict=True):
            found[row.student_id] = (name, json.loads(held).get("former_name", "") if held else "")
    return found
