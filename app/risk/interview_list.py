"""The interview list as people read it: whom next, why, by when, and how far the talks of the centre reach."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.risk import capacity
from app.risk.capacity import Reach
from app.risk.hints import expected, objection
from app.risk.hints.expected import Expected
from app.risk.scores import said, shelf
from app.risk.scores.said import Said
from app.security.access import PAGE, Access
from app.security.holders import names_of
from models.identity import ClassGroup, College
from models.interview import EntryOrigin, InterviewEntry, InterviewStage
from models.moment import now
from models.risk import Alert
from models.screening import ScreeningRound
from models.student import Student

RANK = func.coalesce(InterviewEntry.place, 0)
"""Whoever has no place yet stands first until the next scoring gives him one: never last for want of a place."""
BY_PLACE = ("rank", "due_at", "-weight", "interview_entry_id")
ROUND_BY_ROUND = ("due_at", *BY_PLACE)
"""Over several rounds the earlier deadline comes first; a round has one."""
BY_DUE = ("due_at", "-weight", "interview_entry_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Which part of the list is asked for."""

    round_id: UUID | None
    mine: bool
    ended: bool
    by_due: bool
    offset: int

    @property
    def is_the_whole_list(self) -> bool:
        """Whether places can be counted on this page: one round, everybody, in the proposed order."""
        return self.round_id is not None and not (self.mine or self.ended or self.by_due)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entry of the list, opened for its reader."""

    row: Any
    name: str
    owner: str
    reasons: tuple[str, ...]
    hint: Said | None
    """What the model says; none without a model, or of whom it does not speak."""
    alerted: bool
    """Whether an alert waits for him: then he stands first."""


def lines(access: Access, shown: Shown) -> list[Line]:
    """One page of the list, and one line more to know whether there is a next page."""
    query = (
        select(
            InterviewEntry.id.label("interview_entry_id"),
            InterviewEntry.student_id,
            InterviewEntry.stage,
            InterviewEntry.owner_id,
            InterviewEntry.due_at,
            InterviewEntry.weight,
            InterviewEntry.origin,
            InterviewEntry.body,
            RANK.label("rank"),
            Student.name,
            College.name.label("college"),
            ClassGroup.name.label("class_name"),
        )
        .join(Student, Student.id == InterviewEntry.student_id)
        .join(College, College.id == InterviewEntry.college_id)
        .join(ClassGroup, ClassGroup.id == InterviewEntry.class_id)
        .where(InterviewEntry.ended_at.is_not(None) if shown.ended else InterviewEntry.ended_at.is_(None))
        .where(InterviewEntry.stage != InterviewStage.VOID)
    )
    if shown.round_id is not None:
        query = query.where(InterviewEntry.round_id == shown.round_id)
    if shown.mine:
        query = query.where(InterviewEntry.owner_id == access.actor.id)
    order = BY_DUE if shown.by_due else ROUND_BY_ROUND if shown.round_id is None else BY_PLACE
    return _opened(access, access.page(query, order=order, limit=PAGE + 1, offset=shown.offset), hints=not shown.ended)


def _opened(access: Access, rows: Sequence[Any], *, hints: bool) -> list[Line]:
    names = access.open_each(rows, Student.name)
    bodies = access.open_each(rows, InterviewEntry.body)
    owners = names_of(access.session, [row.owner_id for row in rows])
    students = [row.student_id for row in rows]
    spoken = hints_about(access, rows) if hints else {}
    waiting = select(Alert.student_id).where(Alert.ended_at.is_(None), Alert.student_id.in_(students))
    alerted = set(access.session.scalars(waiting)) if hints else set()
    return [
        Line(
            row=row,
            name=name,
            owner=owners.get(row.owner_id, "--"),
            reasons=tuple(reason["text"] for reason in json.loads(body)),
            hint=spoken.get(row.student_id),
            alerted=row.student_id in alerted,
        )
        for row, name, body in zip(rows, names, bodies, strict=True)
    ]


def hints_about(access: Access, entries: Sequence[Any]) -> dict[UUID, Said]:
    """What the active model says of the students of these entries, without those who object to it.

    Nor of those drawn by lot: whoever talks to them is to find out for himself,
    or the lot would not check the hints but repeat them. Nothing at all while its file cannot be believed.
    """
    if shelf.active(access).trouble:
        return {}
    without = objection.objected(access.session)
    asked = [entry.student_id for entry in entries if entry.origin is not EntryOrigin.AUDIT]
    return said.latest(access, [student for student in asked if student not in without])


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """How far the talks of one round reach."""

    reach: Reach
    late: int
    trouble: str
    """Why there are no hints; a word of ``[model_trouble]``."""
    edition: int | None
    yield_reached: Expected | None
    yield_missed: Expected | None


def overview(access: Access, screening_round: ScreeningRound) -> Overview:
    """Of one round: whom the centre reaches in time, what that is expected to bring, and what is missed."""
    still = (InterviewEntry.round_id == screening_round.id, InterviewEntry.ended_at.is_(None))
    order = (RANK, InterviewEntry.due_at, InterviewEntry.weight.desc(), InterviewEntry.id)
    students = list(access.session.scalars(select(InterviewEntry.student_id).where(*still).order_by(*order)))
    reach = capacity.reach(access.session, screening_round, len(students))
    found = shelf.active(access)
    hints = expected.counted(access, screening_round.id) if found.shelved else {}
    for student in objection.objected(access.session) & hints.keys():
        del hints[student]
    return Overview(
        reach=reach,
        late=access.count(InterviewEntry, *still, InterviewEntry.due_at <= now()),
        trouble=found.trouble,
        edition=found.shelved.edition if found.shelved else None,
        yield_reached=expected.expected(hints, students[: reach.reached]),
        yield_missed=expected.expected(hints, students[reach.reached :]),
    )
