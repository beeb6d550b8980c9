"""Who took part in a round, and of whom something was said already: what a name may be added to, or drawn from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.risk.hints import objection
from app.security.access import Access
from models.bulk import fetch_many
from models.case import Case
from models.interview import InterviewEntry, InterviewStage
from models.risk import Alert
from models.screening import ResponseSet, ScreeningRound
from models.student import Student


@dataclass(frozen=True, slots=True)
class Place:
    """A student with the units that a list entry copies."""

    student_id: UUID
    college_id: UUID
    class_id: UUID


def spoken_of(access: Access, screening_round: ScreeningRound) -> set[UUID]:
    """Students whom this round's list has or had, who have an alert or had one since it opened, or who are in care."""
    queries = (
        select(InterviewEntry.student_id).where(
            InterviewEntry.round_id == screening_round.id, InterviewEntry.stage != InterviewStage.VOID
        ),
        select(Alert.student_id).where(Alert.ended_at.is_(None) | (Alert.raised_at >= screening_round.opened_at)),
        select(Case.student_id).where(Case.closed_at.is_(None)),
    )
    found = {UUID(bytes=student) for query in queries for (student,) in fetch_many(access.session, query)}
    return found | objection.objected(access.session)


def took_part(access: Access, round_id: UUID) -> set[UUID]:
    """Students of the school with answers in this round that hold."""
    query = (
        select(ResponseSet.student_id)
        .join(Student, Student.id == ResponseSet.student_id)
        .where(ResponseSet.round_id == round_id, ResponseSet.voided_at.is_(None), Student.left_at.is_(None))
        .distinct()
    )
    return {UUID(bytes=student) for (student,) in fetch_many(access.session, query)}


def places_of(access: Access, students: Collection[UUID]) -> list[Place]:
    """Where these students are now, in a stated order."""
    wanted, found = sorted(students), []
    for start in range(0, len(wanted), 500):
        rows = access.session.execute(
            select(Student.id, Student.college_id, Student.class_id)
            .where(Student.id.in_(wanted[start : start + 500]))
            .order_by(Student.id)
        )
        found += [Place(*row) for row in rows]
    return found
