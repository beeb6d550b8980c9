"""What screening brings to a student's file: for the centre scores, for everybody else only that it was done."""

from __future__ import annotations

import json
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from app.screening.scale import all_scales
from app.security.access import Access
from app.security.policy import Permission
from app.students.record import Entry
from models.screening import ResponseSet, ScreeningRound
from models.student import Student


def entries(access: Access, student_id: UUID) -> Iterable[Entry]:
    """Sheets of this student, newest first, by the reader's projection."""
    columns = (
        ResponseSet.id.label("response_set_id"),
        ResponseSet.student_id,
        ResponseSet.scale,
        ResponseSet.recorded_at,
        ResponseSet.voided_at,
        ScreeningRound.name.label("round"),
    )
    query = select(*columns).join(ScreeningRound, ScreeningRound.id == ResponseSet.round_id)
    query = query.where(ResponseSet.student_id == student_id).order_by(ResponseSet.recorded_at.desc(), ResponseSet.id)
    if not access.may(Permission.SCREENING_READ):
        yield from _participation(access, query)
        return
    reading = access.under(Permission.SCREENING_READ)
    reading.find(Student, student_id)
    rows = access.session.execute(query.add_columns(ResponseSet.body)).all()
    for row, body in zip(rows, reading.open_each(rows, ResponseSet.body), strict=True):
        yield Entry(
            at=row.recorded_at,
            kind="screening_void" if row.voided_at else "screening",
            title=all_scales()[row.scale].title,
            lines=(row.round, result_words(row.scale, json.loads(body))),
        )


def result_words(scale_key: str, held: dict[str, object]) -> str:
    """A result as the centre reads it: total, band, critical items; a hint, never a diagnosis (law 7)."""
    scale = all_scales()[scale_key]
    answers = held["answers"]
    assert isinstance(answers, list)  # noqa: S101 - written by our own sealing
    critical = [
        f"第 {item} 题 {answers[item - 1]} 分"
        for item, value in scale.red_flags
        if answers[item - 1] is not None and answers[item - 1] >= value
    ]
    words = f"关键题提示：{'、'.join(critical)}" if critical else ""
    if held["total"] is None:
        return "；".join(part for part in ("作答不完整，不计总分", words) if part)
    band = next(band.label for band in scale.bands if band.key == held["band"])
    return "；".join(part for part in (f"总分 {held['total']}，筛查提示：{band}", words) if part)


def _participation(access: Access, query: object) -> Iterable[Entry]:
    """That a student took part, once per round: nothing about how."""
    seen: dict[str, Entry] = {}
    for row in access.session.execute(query).all():  # type: ignore[call-overload]
        if row.voided_at is None:
            seen.setdefault(row.round, Entry(at=row.recorded_at, kind="took_part", title=row.round))
    yield from seen.values()
