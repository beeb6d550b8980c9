"""Stored sheets read back as if they had just come in: to be judged, scored or given to somebody else again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Row, Select, select

from app.screening.quality.validity import Validity
from app.screening.scales.scale import Scale, all_scales
from app.screening.scales.scoring import MISSING, Answers, score
from app.screening.tables import totals
from app.screening.tables.sheets import Bundle, Fate, ScaleSheets
from app.security.access import Access
from models.screening import ResponseSet, SheetStatus, SheetValidity
from models.student import Student

SOME = 500
"""Students named in one statement."""


def sheets_of(access: Access, *where: Any) -> list[Row[Any]]:
    """Sheets with what they hold still sealed, in the order in which they were written."""
    query: Select[*tuple[Any, ...]] = select(
        ResponseSet.id.label("response_set_id"),
        ResponseSet.student_id,
        ResponseSet.round_id,
        ResponseSet.batch_id,
        ResponseSet.scale,
        ResponseSet.scale_version,
        ResponseSet.engine_version,
        ResponseSet.status,
        ResponseSet.validity,
        ResponseSet.coding,
        ResponseSet.norm,
        ResponseSet.taken_at,
        ResponseSet.recorded_at,
        ResponseSet.body,
    )
    return list(access.session.execute(query.where(*where).order_by(ResponseSet.recorded_at, ResponseSet.id)).all())


def bodies_of(access: Access, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    """What the sheets hold, in their order."""
    return [json.loads(body) for body in access.open_each(rows, ResponseSet.body)]


def bundle_of(
    access: Access, rows: Sequence[Row[Any]], bodies: Sequence[Mapping[str, Any]], *, as_scored: bool = False
) -> Bundle:
    """One row per student, with every given sheet of his, scored by the scales as they are now.

    At most one sheet per student and scale. What a source stated is kept as it
    was stated: there is nothing to score it from. ``as_scored``: every total is
    kept as it was computed when the sheet was written.
    """
    students = list(dict.fromkeys(row.student_id for row in rows))
    places = {student_id: place for place, student_id in enumerate(students)}
    units = _units(access, students)
    by_scale: dict[str, list[int]] = {}
    for at, row in enumerate(rows):
        by_scale.setdefault(row.scale, []).append(at)
    known = all_scales()
    return Bundle(
        row_numbers=range(len(students)),
        files=[],
        students=[student_id.bytes for student_id in students],
        units=[units[student_id] for student_id in students],
        fate=np.full(len(students), Fate.ACCEPTED, dtype=np.int8),
        scales={
            key: _sheets(known[key], [rows[at] for at in held], [bodies[at] for at in held], places, as_scored)
            for key, held in sorted(by_scale.items())
            if key in known
        },
        taken_at=[None] * len(students),
        identity=lambda _place: {},
    )


def _sheets(
    scale: Scale,
    rows: Sequence[Row[Any]],
    bodies: Sequence[Mapping[str, Any]],
    places: Mapping[UUID, int],
    as_scored: bool,
) -> ScaleSheets:
    count = len(places)
    answers: Answers = np.full((count, scale.size), MISSING, dtype=np.int16)
    present, stated, doubtful = (np.zeros(count, dtype=bool) for _ in range(3))
    ids: list[bytes | None] = [None] * count
    coding: list[str | None] = [None] * count
    for row, body in zip(rows, bodies, strict=True):
        place = places[row.student_id]
        said = body["answers"]
        if len(said) == scale.size:
            answers[place] = [MISSING if value is None else value for value in said]
        present[place], stated[place] = True, row.status is SheetStatus.STATED
        doubtful[place] = row.validity is SheetValidity.DOUBTFUL
        ids[place], coding[place] = row.response_set_id.bytes, row.coding
    scores = score(scale, answers)
    said = _stated(scale, rows, bodies, places)
    totals.fill(scale, scores, said, stated | np.isfinite(said.totals) if as_scored else stated)
    nothing = np.zeros(count, dtype=bool)
    return ScaleSheets(
        scale=scale,
        answers=answers,
        scores=scores,
        present=present,
        fresh=present.copy(),
        known=nothing,
        stated=stated,
        expected=nothing.copy(),
        validity=Validity(doubtful, _reasons(rows, bodies, places)),
        coding=coding,
        ids=ids,
    )


def _stated(
    scale: Scale, rows: Sequence[Row[Any]], bodies: Sequence[Mapping[str, Any]], places: Mapping[UUID, int]
) -> totals.Stated:
    """Totals, factors and bands as the source gave them."""
    said = totals.Stated(
        np.full(len(places), np.nan), np.full((len(places), len(scale.subscales)), np.nan), [""] * len(places)
    )
    for row, body in zip(rows, bodies, strict=True):
        place = places[row.student_id]
        said.totals[place] = np.nan if body.get("total") is None else body["total"]
        said.bands[place] = body.get("label") or ""
        for at, subscale in enumerate(scale.subscales):
            value = body.get("subscales", {}).get(subscale.key)
            said.subscales[place, at] = np.nan if value is None else value
    return said


def _reasons(
    rows: Sequence[Row[Any]], bodies: Sequence[Mapping[str, Any]], places: Mapping[UUID, int]
) -> dict[str, Any]:
    """Why answers are doubtful, as it was found when they came in: seconds and duplicates are not kept."""
    found: dict[str, Any] = {}
    for row, body in zip(rows, bodies, strict=True):
        for code in body.get("doubtful", ()):
            found.setdefault(code, np.zeros(len(places), dtype=bool))[places[row.student_id]] = True
    return found


def _units(access: Access, students: Sequence[UUID]) -> dict[UUID, tuple[bytes, bytes]]:
    found: dict[UUID, tuple[bytes, bytes]] = {}
    for start in range(0, len(students), SOME):
        rows = access.session.execute(
            select(Student.id, Student.college_id, Student.class_id).where(
                Student.id.in_(students[start : start + SOME])
            )
        )
        found |= {row.id: (row.college_id.bytes, row.class_id.bytes) for row in rows}
    return found
