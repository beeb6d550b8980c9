"""Groups of students by which the model's figures are compared: sex, grade, college, boarding.

Only what the roster holds, opened to count. Aid is none of them: there is no
entry in the register for it, and no room it could come from.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from app.risk.gathering.facts import Asked
from app.security.access import Access
from app.web.words import label
from config import catalogue
from models.bulk import fetch_sealed
from models.identity import ClassGroup, College
from models.moment import now
from models.student import Student


def groups_of(access: Access, students: Sequence[UUID]) -> dict[str, NDArray[np.str_]]:
    """Per way of grouping the group of each student, in words; empty where the roster does not say."""
    raw = list(dict.fromkeys(student.bytes for student in students))
    asked = Asked(raw, frozenset(), now())
    query = (
        select(Student.id, Student.id, College.name, ClassGroup.grade, Student.details)
        .join(ClassGroup, ClassGroup.id == Student.class_id)
        .join(College, College.id == Student.college_id)
    )
    places, (ids, colleges, grades, sealed) = asked.part(fetch_sealed(access.session, asked.narrowed(query)))
    texts = access.open_many_to_count(Student.details, ids, ids, sealed)
    details = [json.loads(text) if text else {} for text in texts]
    columns = {
        "sex": [_sex(held) for held in details],
        "grade": [grade or "" for grade in grades],
        "college": colleges,
        "boarding": [label("known" if held.get("dormitory") else "unknown", "boarding") for held in details],
    }
    own = np.array([asked.places[student.bytes] for student in students], dtype=np.int64)
    return {name: _spread(places, values, len(raw))[own] for name, values in columns.items()}


def _sex(held: dict[str, Any]) -> str:
    word: str = catalogue.table("words")["sex"].get(held.get("sex") or "", "")
    return word


def _spread(places: NDArray[np.int64], values: Sequence[str], size: int) -> NDArray[np.str_]:
    found = np.full(size, "", dtype=f"U{max((len(value) for value in values), default=1) or 1}")
    found[places] = values
    return found
