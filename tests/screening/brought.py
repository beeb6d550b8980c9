"""Files of many shapes for tests, and what they leave in the house."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.security.policy import Permission
from models.interview import InterviewEntry
from models.risk import Alert
from models.screening import ResponseSet
from tests.house import House, xlsx
from tests.screening.files import Person, bring_in


def book(folder: Path, *rows: Sequence[Any], name: str = "结果.xlsx") -> Path:
    path = folder / name
    path.write_bytes(xlsx(*rows))
    return path


def taken(house: House, file: Path | list[Path], **options: Any) -> dict[str, Any]:
    return bring_in(house, file, **({"scales": ()} | options))  # type: ignore[arg-type]


def bodies(house: House, scale: str) -> dict[Any, dict[str, Any]]:
    """What is stored of a scale, by student."""
    psychologist = house.make.psychologist()
    rows = house.all(select(ResponseSet).where(ResponseSet.scale == scale, ResponseSet.voided_at.is_(None)))
    found = {}
    with psychologist.under(Permission.SCREENING_READ) as access:
        for (row,) in rows:
            found[row.student_id] = json.loads(access.open(row, ResponseSet.body))
    return found


def levels(house: House) -> dict[Any, str]:
    return {row.student_id: row.level.value for row in house.all(select(Alert.student_id, Alert.level))}


def listed(house: House) -> set[Any]:
    return {row.student_id for row in house.all(select(InterviewEntry.student_id))}


def of(people: list[Person], *places: int) -> set[Any]:
    return {people[place].row.id for place in places}


def packed(**files: bytes) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as container:
        for name, raw in files.items():
            container.writestr(f"{name}.xlsx", raw)
    return out.getvalue()
