"""Who has not taken part yet, for those who remind: names only, class by class.

Nothing here reads an answer, so nothing here can tell one (law 4): a list is
the cohort without those who have any sheet and without those who gave a
reason. It ends with the round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from app.screening.rounds import coverage
from app.screening.rounds.closing import last_day
from app.screening.rounds.round import RUNNING
from app.security.access import Access
from app.students.naming import pinyin
from app.web.words import day
from models.identity import ClassGroup, College
from models.screening import ScreeningRound
from models.student import Student

MOST_CLASSES = 500
MOST_NAMES = 300


@dataclass(frozen=True, slots=True)
class ClassCount:
    """A class with students who are still missing."""

    class_id: UUID
    name: str
    college: str
    missing: int


@dataclass(frozen=True, slots=True)
class Missing:
    """One student to be reminded."""

    student_id: UUID
    name: str
    phone: str


def running(access: Access) -> list[ScreeningRound]:
    """Rounds in which students may still take part, the one that ends first on top."""
    rows = access.session.scalars(
        select(ScreeningRound).where(ScreeningRound.stage.in_(RUNNING)).order_by(ScreeningRound.opened_at.desc())
    ).all()
    return sorted(rows, key=lambda row: (last_day(row) is None, str(last_day(row)), str(row.id)))


def waiting(access: Access) -> list[tuple[ScreeningRound, int]]:
    """Running rounds in which some of the reader's students are missing, and how many."""
    counted = [(row, access.count(Student, coverage.missing(row))) for row in running(access)]
    return [(row, count) for row, count in counted if count]


def classes(access: Access, row: ScreeningRound) -> list[ClassCount]:
    """The reader's classes in which somebody is missing."""
    query = (
        select(
            Student.class_id,
            ClassGroup.name.label("class_name"),
            College.name.label("college"),
            func.count(Student.id).label("missing"),
        )
        .join(ClassGroup, ClassGroup.id == Student.class_id)
        .join(College, College.id == Student.college_id)
        .where(coverage.missing(row))
        .group_by(Student.class_id, ClassGroup.name, College.name)
    )
    rows = access.page(query, order=["college", "class_name", "class_id"], limit=MOST_CLASSES)
    return [ClassCount(held.class_id, held.class_name, held.college, held.missing) for held in rows]


def names(access: Access, row: ScreeningRound, class_id: UUID, *, with_phones: bool) -> list[Missing]:
    """Those of one class who are missing, by name; phones only for whoever calls them (decisions 20)."""
    query = select(Student.id.label("student_id"), Student.name, Student.phone)
    query = query.where(coverage.missing(row), Student.class_id == class_id)
    rows = access.page(query, order=["student_id"], limit=MOST_NAMES)
    opened = access.open_each(rows, Student.name)
    phones = access.open_each(rows, Student.phone) if with_phones else [""] * len(rows)
    found = [Missing(held.student_id, *facts) for held, *facts in zip(rows, opened, phones, strict=True)]
    return sorted(found, key=lambda person: (pinyin(person.name), person.name, person.student_id.hex))


def message(row: ScreeningRound, class_name: str, people: Sequence[Missing]) -> str:
    """What can be pasted into the class's chat: neutral, names only."""
    until = last_day(row)
    by_when = f"请在 {day(until)} 前" if until else "请在方便的时候"
    return (
        f"【{class_name}】心理健康测评还没有完成的同学：{'、'.join(person.name for person in people)}。\n"
        f"{by_when}完成测评，约需 10 分钟；不参加也可以，和我说一声就好，不会有任何影响。"
        "账号无法登录的，请告诉我。"
    )
