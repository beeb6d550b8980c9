"""What screening brings to a student's file: for the centre scores, for everybody else only that it was done."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy import select

from app.screening import sheet_words, structured, waves
from app.screening.corrections import voided_words
from app.security.access import Access
from app.security.holders import names_of
from app.security.policy import Permission
from app.students.record import Action, Entry, Section
from models.participation import StructuredInterview
from models.screening import ResponseSet, ScreeningRound
from models.student import Student


def entries(access: Access, student_id: UUID) -> Iterable[Entry]:
    """Sheets of this student, newest first, by the reader's projection."""
    columns = (
        ResponseSet.id.label("response_set_id"),
        ResponseSet.student_id,
        ResponseSet.scale,
        ResponseSet.scale_version,
        ResponseSet.status,
        ResponseSet.validity,
        ResponseSet.recorded_at,
        ResponseSet.voided_at,
        ResponseSet.voided_by,
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
    why = voided_words.of(reading, [row.voided_by for row in rows if row.voided_at])
    can_correct = access.may(Permission.SCREENING_CORRECT)
    for row, body in zip(rows, reading.open_each(rows, ResponseSet.body), strict=True):
        lines = sheet_words.result_lines(row, json.loads(body))
        yield Entry(
            at=row.recorded_at,
            kind="screening_void" if row.voided_at else "screening",
            title=sheet_words.title_of(row.scale),
            lines=(row.round, *lines, *why.get(row.voided_by, ())),
            acts=(("更正归属", url_for("corrections.give", sheet_id=row.response_set_id)),)
            if can_correct and not row.voided_at
            else (),
        )


def _participation(access: Access, query: Any) -> Iterable[Entry]:
    """That a student took part, once per round: nothing about how."""
    seen: dict[str, Entry] = {}
    for row in access.session.execute(query).all():
        if row.voided_at is None:
            seen.setdefault(row.round, Entry(at=row.recorded_at, kind="took_part", title=row.round))
    yield from seen.values()


def changes(access: Access, student_id: UUID) -> Iterable[Section]:
    """测评变化: one line per scale over the rounds, for the centre only (law 4)."""
    if not access.may(Permission.SCREENING_READ):
        return
    reading = access.under(Permission.SCREENING_READ)
    lines = waves.lines(reading, reading.find(Student, student_id))
    if lines:
        yield Section(template="screening/changes.html", held=lines)


def interviews_held(access: Access, student_id: UUID) -> Iterable[Entry]:
    """Structured interviews are the centre's own."""
    if not access.may(Permission.STRUCTURED_INTERVIEW):
        return
    reading = access.under(Permission.STRUCTURED_INTERVIEW)
    reading.find(Student, student_id)
    rows = structured.of(reading, student_id)
    names = names_of(access.session, [row.author_id for row in rows])
    bodies = reading.open_each(rows, StructuredInterview.body)
    for row, body in zip(rows, bodies, strict=True):
        yield Entry(
            at=row.held_at,
            kind="structured_void" if row.voided_at else "structured",
            title="C-SSRS 访谈",
            lines=(json.loads(body)["hint"],),
            author=names.get(row.author_id, ""),
            link=url_for("structured.show", student_id=student_id, held_id=row.structured_interview_id),
        )


def actions(access: Access, student_id: UUID) -> Iterable[Action]:
    """The button of the interview, for those who hold it."""
    if access.may(Permission.STRUCTURED_INTERVIEW):
        yield Action(
            label="C-SSRS 访谈", url=url_for("structured.hold", student_id=student_id), icon="clipboard2-heart"
        )
