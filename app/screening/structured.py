"""Structured interviews (C-SSRS): a trained person asks, the answers name a level, the level raises an alert.

The questions, who is asked them and what the answers mean are data
(``config/interviews``), worded as their owner wants them and never otherwise;
each record keeps the wording it was asked in.
What was written down is not edited: a correction is a new interview, and the
earlier one is void (law 8). Alerts are the business of a room above: it
listens to ``StructuredInterviewHeld``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.events import Event
from app.security.access import Access, NotFound
from config import catalogue
from models.moment import now
from models.participation import StructuredInterview
from models.refusal import Refusal
from models.student import Student

YES, NO, EARLIER, RECENT = "yes", "no", "earlier", "recent"
CSSRS = "cssrs"


@dataclass(frozen=True, slots=True, kw_only=True)
class StructuredInterviewHeld(Event):
    """A structured interview was written down."""

    rule: str = ""
    """The rule its level raises; none for the lowest."""
    amended: UUID | None = None
    """The earlier one that it corrects."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question and when it is asked."""

    number: int
    name: str
    wording: str
    """Word for word, where the college holds the wording; else the interviewer reads it from his own form."""
    period: str
    after: int | None
    """Asked only after "yes" to this question."""

    @property
    def text(self) -> str:
        return self.wording or self.name


@dataclass(frozen=True, slots=True)
class RiskLevel:
    """What some answers come to; a hint, never a diagnosis."""

    key: str
    hint: str
    rule: str
    when: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Guide:
    """One structured interview as its file describes it."""

    key: str
    name: str
    title: str
    version: str
    questions: tuple[Question, ...]
    levels: tuple[RiskLevel, ...]

    @property
    def has_wording(self) -> bool:
        return all(question.wording for question in self.questions)

    def level(self, answers: Mapping[int, str]) -> RiskLevel:
        """The most serious level of which an answer was given; the last level has no conditions."""
        return next(
            level
            for level in self.levels
            if not level.when or any(answers.get(number) == answer for number, answer in level.when)
        )


@cache
def guide(key: str = CSSRS) -> Guide:
    held, words = catalogue.table(f"interviews/{key}"), _wording(key)
    return Guide(
        key=held["key"],
        name=held["name"],
        title=held["title"],
        version=held["version"],
        questions=tuple(
            Question(
                number=item["number"],
                name=item["name"],
                wording=words.get(str(item["number"]), ""),
                period=item["period"],
                after=None if item["asked"] == "always" else int(item["asked"]),
            )
            for item in held["question"]
        ),
        levels=tuple(
            RiskLevel(item["key"], item["hint"], item["raises"], tuple((n, a) for n, a in item["when"]))
            for item in held["level"]
        ),
    )


def _wording(key: str) -> dict[str, str]:
    """The questions as the college is licensed to ask them; empty until it has put them there."""
    name = f"scales/texts/{key}"
    return dict(catalogue.table(name).get("items", {})) if name in catalogue.names("scales/texts") else {}


def hold(
    access: Access,
    student: Student,
    *,
    answers: Mapping[int, str],
    held_at: datetime,
    text: str,
    amends: StructuredInterview | None = None,
) -> StructuredInterview:
    """Write down an interview. Everything that was to be asked has an answer, and nothing else has."""
    if access.actor.id is None:
        raise Refusal("需要由一位老师记录。")
    if held_at > now() + timedelta(minutes=5):
        raise Refusal("访谈时间不能晚于现在。", field="held_at")
    asked = guide()
    _refuse_gaps(asked, answers)
    if amends is not None:
        if amends.voided_at is not None:
            raise Refusal("这一次访谈已经更正过，请在最新的一次上更正。")
        amends.voided_at = now()
    level = asked.level(answers)
    row = StructuredInterview(
        student_id=student.id,
        scale=asked.key,
        scale_version=asked.version,
        author_id=access.actor.id,
        held_at=held_at,
        recorded_at=now(),
        amends_id=amends.id if amends else None,
    )
    body = {
        "answers": {str(number): answer for number, answer in sorted(answers.items())},
        "level": level.key,
        "hint": level.hint,
        "questions": {str(question.number): question.text for question in asked.questions},
        "text": text,
    }
    access.seal_json(row, StructuredInterview.body, body)
    access.session.add(row)
    access.session.flush()
    access.record(
        StructuredInterviewHeld(object_id=row.id, student_ids=(student.id,), rule=level.rule, amended=row.amends_id)
    )
    return row


def _refuse_gaps(asked: Guide, answers: Mapping[int, str]) -> None:
    for question in asked.questions:
        due = question.after is None or answers.get(question.after) == YES
        given = answers.get(question.number)
        if due and not given:
            raise Refusal(f"请记录第 {question.number} 题的回答。", field=f"question_{question.number}")
        if given and not due:
            raise Refusal(
                f"第 {question.after} 题回答“否”时不问第 {question.number} 题，请核对。",
                field=f"question_{question.number}",
            )


def one_of(access: Access, student_id: UUID, interview_id: UUID) -> StructuredInterview:
    """One interview of a student who was found through a rule."""
    row = access.session.scalar(
        select(StructuredInterview).where(
            StructuredInterview.id == interview_id, StructuredInterview.student_id == student_id
        )
    )
    if row is None:
        raise NotFound("StructuredInterview")
    return row


def of(access: Access, student_id: UUID) -> list[Any]:
    """The interviews of a student, newest first."""
    return list(
        access.session.execute(
            select(
                StructuredInterview.id.label("structured_interview_id"),
                StructuredInterview.student_id,
                StructuredInterview.held_at,
                StructuredInterview.voided_at,
                StructuredInterview.author_id,
                StructuredInterview.scale,
                StructuredInterview.body,
            )
            .where(StructuredInterview.student_id == student_id)
            .order_by(StructuredInterview.held_at.desc(), StructuredInterview.id)
        )
    )
