"""How far a round has got, by college and class: asked, done, declined, away, and who is still missing.

Declining is a right and never counts as missing (practice §3). Any live sheet
of the round makes a student done, whatever it says: nothing here depends on an
answer (law 4). Exact numbers: this is 履职报送 of people who owe it, not a
public figure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, select

from app.screening.rounds import cohort
from app.security.access import Access
from models.identity import ClassGroup, College
from models.participation import AbsenceKind, RoundAbsence
from models.screening import ResponseSet, ScreeningRound
from models.student import Student

MOST_CLASSES = 5_000


@dataclass(frozen=True, slots=True)
class Line:
    """One unit, or the sum of some."""

    name: str
    asked: int
    done: int
    declined: int
    away: int
    """Away for a reason, or kept out by an account."""
    college_id: UUID | None = None
    class_id: UUID | None = None
    college: str = ""

    @property
    def missing(self) -> int:
        return self.asked - self.done - self.declined - self.away

    @property
    def percent(self) -> str:
        """Share of those asked who have a result, with one decimal; nothing where nobody is asked."""
        return f"{100 * self.done / self.asked:.1f}%" if self.asked else "--"


def with_result(round_id: UUID) -> Select[Any]:
    """Students with any live sheet of the round."""
    live = (ResponseSet.round_id == round_id, ResponseSet.voided_at.is_(None))
    return select(ResponseSet.student_id).where(*live).distinct()


def absent(round_id: UUID) -> Select[Any]:
    """Students with a live absence of the round."""
    live = (RoundAbsence.round_id == round_id, RoundAbsence.voided_at.is_(None))
    return select(RoundAbsence.student_id).where(*live)


def missing(row: ScreeningRound) -> ColumnElement[bool]:
    """Students of the cohort of whom there is neither a result nor a reason."""
    return and_(
        cohort.condition(cohort.read(row.cohort)),
        Student.id.not_in(with_result(row.id)),
        Student.id.not_in(absent(row.id)),
    )


def by_class(access: Access, row: ScreeningRound, *, college_id: UUID | None = None) -> list[Line]:
    """Every class of the cohort within the reader's rule, by college and name."""
    done = with_result(row.id).subquery()
    away = absent(row.id).add_columns(RoundAbsence.kind).subquery()
    undone = done.c.student_id.is_(None)
    query = (
        select(
            Student.college_id,
            Student.class_id,
            College.name.label("college"),
            ClassGroup.name.label("class_name"),
            func.count(Student.id).label("asked"),
            func.count(done.c.student_id).label("done"),
            _sum(undone & (away.c.kind == AbsenceKind.DECLINED)).label("declined"),
            _sum(undone & (away.c.kind != AbsenceKind.DECLINED)).label("away"),
        )
        .join(College, College.id == Student.college_id)
        .join(ClassGroup, ClassGroup.id == Student.class_id)
        .outerjoin(done, done.c.student_id == Student.id)
        .outerjoin(away, away.c.student_id == Student.id)
        .where(cohort.condition(cohort.read(row.cohort)))
        .group_by(Student.college_id, Student.class_id, College.name, ClassGroup.name)
    )
    if college_id is not None:
        query = query.where(Student.college_id == college_id)
    rows = access.page(query, order=["college", "class_name", "class_id"], limit=MOST_CLASSES)
    return [
        Line(row.class_name, row.asked, row.done, row.declined, row.away, row.college_id, row.class_id, row.college)
        for row in rows
    ]


def _sum(holds: ColumnElement[bool]) -> Any:
    return func.coalesce(func.sum(case((holds, 1), else_=0)), 0)


def by_college(lines: Iterable[Line]) -> list[Line]:
    """The classes of each college added together, in their order."""
    held: dict[UUID | None, list[Line]] = {}
    for line in lines:
        held.setdefault(line.college_id, []).append(line)
    return [total(some, name=some[0].college, college_id=college_id) for college_id, some in held.items()]


def total(lines: Iterable[Line], *, name: str = "合计", college_id: UUID | None = None) -> Line:
    some = list(lines)
    return Line(
        name,
        sum(line.asked for line in some),
        sum(line.done for line in some),
        sum(line.declined for line in some),
        sum(line.away for line in some),
        college_id,
        college=name,
    )


def outside(access: Access, row: ScreeningRound) -> int:
    """Students within the reader's rule who have a result and are not of the cohort."""
    inside = select(Student.id).where(cohort.condition(cohort.read(row.cohort)))
    return access.count(Student, Student.id.in_(with_result(row.id)), Student.id.not_in(inside))


def progress(access: Access, row: ScreeningRound) -> Line:
    """The whole round within the reader's rule in four counts, for lists of rounds."""
    asked = cohort.condition(cohort.read(row.cohort))
    done = Student.id.in_(with_result(row.id))
    left = Student.id.not_in(with_result(row.id))
    declined = absent(row.id).where(RoundAbsence.kind == AbsenceKind.DECLINED)
    away = absent(row.id).where(RoundAbsence.kind != AbsenceKind.DECLINED)
    return Line(
        row.name,
        access.count(Student, asked),
        access.count(Student, asked, done),
        access.count(Student, asked, left, Student.id.in_(declined)),
        access.count(Student, asked, left, Student.id.in_(away)),
    )
