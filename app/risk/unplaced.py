"""Critical answers without a known student: finding out whose they are, or that they are nobody's here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.admin import rulebook
from app.events import Event
from app.risk import alert
from app.risk.alert import Concern, Reason
from app.screening.matching import candidates
from app.screening.matching.candidates import Candidate
from app.security.access import Access
from models.moment import now
from models.refusal import Refusal
from models.screening import UnplacedAnswer, UnplacedStage
from models.student import Student, StudentNumber


class AnswerPlaced(Event):
    """It was found out whose critical answer it was."""


class AnswerDismissed(Event):
    """A critical answer belongs to nobody in this college."""


def candidate(access: Access, number: str) -> UUID:
    """Whose number this is. Refuses a number that nobody bears."""
    if not number.strip():
        raise Refusal("请填写学号，或从可能的学生中选一位。", field="number")
    student_id = access.session.scalar(
        select(StudentNumber.student_id).where(
            StudentNumber.index == access.index("number", number), StudentNumber.until.is_(None)
        )
    )
    if student_id is None:
        raise Refusal("名册里没有这个号码，请核对后再填。", field="number")
    return student_id


def likely(access: Access, row: UnplacedAnswer) -> tuple[Candidate, ...]:
    """Whose it may be, by what the row says about who he is."""
    return candidates.for_row(access, access.open_json(row, UnplacedAnswer.body)["identity"])


def chosen(offered: Sequence[Candidate], student_id: str) -> UUID:
    """The student a person picked, if he is one of those who were offered."""
    picked = next((item for item in offered if item.id == student_id), None)
    if picked is None:
        raise Refusal("这名学生已不在可能的学生之中，请重新核对。", field="number")
    return UUID(hex=picked.id)


def place(access: Access, row: UnplacedAnswer, *, student_id: UUID) -> None:
    """The answer is this student's: the alert it should have raised is raised now."""
    held: dict[str, Any] = access.open_json(row, UnplacedAnswer.body)
    row.move_to(UnplacedStage.PLACED)
    student = access.session.get_one(Student, student_id)
    row.student_id, row.ended_at = student.id, now()
    book = rulebook.current(access.session)
    reasons = tuple(Reason(book.rule(fired["rule"]), "unplaced_answer", row.id.bytes) for fired in held["rules"])
    concern = Concern(student.id.bytes, student.college_id.bytes, student.class_id.bytes, reasons)
    alert.raise_all(access, book, [concern], alert.seal_reasons(access, book, [concern]), batch_id=row.batch_id)
    access.record(AnswerPlaced(object_id=row.id, student_ids=(student.id,)))


def dismiss(access: Access, row: UnplacedAnswer, *, basis: str) -> None:
    """It belongs to nobody here (a test row, another school): said with the reason."""
    row.move_to(UnplacedStage.DISMISSED)
    row.ended_at = now()
    held: dict[str, Any] = access.open_json(row, UnplacedAnswer.body)
    access.seal_json(row, UnplacedAnswer.body, held | {"dismissed": basis, "by": str(access.actor.id)})
    access.record(AnswerDismissed(object_id=row.id))
