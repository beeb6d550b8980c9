"""Why somebody of the cohort has no result: he declined, is away, or cannot sign in. A fact, never a fault.

Declining is a right: it is written down so that nobody is asked again, and it
has no consequence. It ends by itself as soon as a result comes in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, Row, select, update

from app.events import Event
from app.security.access import PAGE, Access, NotFound
from app.security.holders import names_of
from app.students.naming import number_text
from models.identity import ClassGroup, College
from models.moment import now
from models.participation import AbsenceEnd, AbsenceKind, RoundAbsence
from models.refusal import Refusal
from models.screening import ResponseSet, RoundStage, ScreeningRound
from models.student import Student, StudentNumber

MOST_LINES = 500
SETTLED_AT_ONCE = 500
_PARTS = re.compile(r"[\t,，;；\s]+")
WORDS = {
    AbsenceKind.DECLINED: ("不参加", "不愿", "自愿", "暂不"),
    AbsenceKind.ACCOUNT: ("账号", "帐号", "登录", "密码"),
    AbsenceKind.AWAY: ("因故", "请假", "病", "休学", "实习", "入伍", "外出", "未到"),
}
"""How colleges write the reason in the second column of their own table."""
WRITTEN = {
    AbsenceKind.DECLINED: "已登记：本人选择不参加。",
    AbsenceKind.AWAY: "已登记：因故不参加。",
    AbsenceKind.ACCOUNT: "已登记：账号无法登录。",
}


class AbsencesRecorded(Event):
    """It was written down why students of a round have no result."""


class AbsenceEnded(Event):
    """An absence no longer holds."""


class AbsencesSettled(Event):
    """Results came in of students who had been written down as absent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one pasted line; its number in the paste, never its content (law 10)."""

    line: int
    recorded: bool
    words: str


@dataclass(frozen=True, slots=True)
class AbsenceLine:
    """One absence in the list of a round."""

    row: Row[Any]
    name: str
    recorded_by: str


def refuse_unless_running(row: ScreeningRound) -> None:
    if row.stage not in {RoundStage.OPEN, RoundStage.MAKE_UP}:
        raise Refusal("这个批次不在进行中，不能再登记未参加情况。")


def record(access: Access, row: ScreeningRound, student: Student, *, kind: AbsenceKind) -> None:
    """Write one down. Another reason than the one that stands replaces it."""
    refuse_unless_running(row)
    refusal = _write(access, row, student.id, kind)
    if refusal:
        raise Refusal(refusal)
    access.record(AbsencesRecorded(object_id=row.id, student_ids=(student.id,)))


def _write(access: Access, row: ScreeningRound, student_id: UUID, kind: AbsenceKind) -> str:
    """Why it cannot be written down; empty when it was."""
    done = (ResponseSet.round_id == row.id, ResponseSet.student_id == student_id, ResponseSet.voided_at.is_(None))
    if access.session.scalar(select(ResponseSet.id).where(*done).limit(1)) is not None:
        return "这名学生在本批次已有结果，不用登记。"
    held = _live(access, row.id, student_id)
    if held is not None and held.kind is kind:
        return "已经登记过，没有变化。"
    if held is not None:
        held.voided_at, held.voided_because = now(), AbsenceEnd.MISTAKE
        access.session.flush()
    made = RoundAbsence(
        round_id=row.id, student_id=student_id, kind=kind, recorded_at=now(), recorded_by=access.actor.id
    )
    access.session.add(made)
    access.session.flush()
    return ""


def _live(access: Access, round_id: UUID, student_id: UUID) -> RoundAbsence | None:
    held = (RoundAbsence.round_id == round_id, RoundAbsence.student_id == student_id, RoundAbsence.voided_at.is_(None))
    return access.session.scalars(select(RoundAbsence).where(*held)).first()


def record_pasted(access: Access, row: ScreeningRound, text: str, *, kind: AbsenceKind) -> list[Answer]:
    """Lines of 学号, or 学号 and a reason, as copied from a table: each is answered, good ones are written down."""
    refuse_unless_running(row)
    lines = [(place, line.strip()) for place, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not lines:
        raise Refusal("请至少填写一个学号。", field="numbers")
    if len(lines) > MOST_LINES:
        raise Refusal(f"一次最多登记 {MOST_LINES} 行，请分几次。", field="numbers")
    found = _students(access, [_number(line) for _, line in lines])
    access.lock_students(found.values())
    answers, done = [], []
    for place, line in lines:
        student_id = found.get(_number(line))
        meant = _meant(line) or kind
        refusal = _within(access, student_id) or _write(access, row, student_id, meant)  # type: ignore[arg-type]
        if not refusal and student_id is not None:
            done.append(student_id)
        answers.append(Answer(place, not refusal, refusal or WRITTEN[meant]))
    if done:
        access.record(AbsencesRecorded(object_id=row.id, student_ids=tuple(done)))
    return answers


def _number(line: str) -> str:
    return number_text(_PARTS.split(line)[0])


def _meant(line: str) -> AbsenceKind | None:
    """The reason a line itself gives after its number, if it gives one of ours."""
    rest = "".join(_PARTS.split(line)[1:])
    return next((kind for kind, words in WORDS.items() if any(word in rest for word in words)), None)


def _students(access: Access, numbers: Sequence[str]) -> dict[str, UUID]:
    """Number → student, for numbers that hold now."""
    indexes = {access.index("number", number): number for number in numbers if number}
    rows = access.session.execute(
        select(StudentNumber.index, StudentNumber.student_id).where(
            StudentNumber.index.in_(list(indexes)), StudentNumber.until.is_(None)
        )
    )
    return {indexes[index]: student_id for index, student_id in rows}


def _within(access: Access, student_id: UUID | None) -> str:
    """Empty for a student of the reader; a foreign one and one who does not exist are answered alike (law 4)."""
    try:
        if student_id is not None:
            access.find(Student, student_id)
            return ""
    except NotFound:
        pass
    return "没有找到这个学号，或不在你负责的范围内。请核对学号。"


def end(access: Access, held: RoundAbsence, *, because: AbsenceEnd) -> None:
    """Strike one out: the student takes part after all, or it was a slip."""
    if held.voided_at is not None:
        raise Refusal("这条登记已经撤销。")
    held.voided_at, held.voided_because = now(), because
    access.record(AbsenceEnded(object_id=held.id, student_ids=(held.student_id,)))


def settle(access: Access, round_id: UUID, student_ids: Iterable[UUID], *, by: UUID | None = None) -> int:
    """Results of these students came in, with a delivery: that they take no part is over. Returns how many it ended."""
    ended, ids = 0, list(student_ids)
    for start in range(0, len(ids), SETTLED_AT_ONCE):
        some = ids[start : start + SETTLED_AT_ONCE]
        ending = update(RoundAbsence).where(
            RoundAbsence.round_id == round_id, RoundAbsence.voided_at.is_(None), RoundAbsence.student_id.in_(some)
        )
        found: CursorResult[Any] = access.session.execute(  # type: ignore[assignment]
            ending.values(voided_at=now(), voided_because=AbsenceEnd.TOOK_PART, voided_by=by)
        )
        ended += found.rowcount
    if ended:
        access.record(AbsencesSettled(object_id=round_id, count=ended))
    return ended


def listed(access: Access, round_id: UUID, *, offset: int = 0) -> list[AbsenceLine]:
    """Absences of a round within the reader's rule, newest first; one page and one more."""
    query = (
        select(
            RoundAbsence.id.label("absence_id"),
            RoundAbsence.student_id,
            RoundAbsence.kind,
            RoundAbsence.recorded_at,
            RoundAbsence.recorded_by,
            RoundAbsence.voided_at,
            RoundAbsence.voided_because,
            Student.name,
            College.name.label("college"),
            ClassGroup.name.label("class_name"),
        )
        .select_from(Student)
        .join(RoundAbsence, RoundAbsence.student_id == Student.id)
        .join(College, College.id == Student.college_id)
        .join(ClassGroup, ClassGroup.id == Student.class_id)
        .where(RoundAbsence.round_id == round_id)
    )
    rows = access.page(query, order=["-recorded_at", "absence_id"], limit=PAGE + 1, offset=offset)
    people = names_of(access.session, [row.recorded_by for row in rows])
    return [
        AbsenceLine(row, name, people.get(row.recorded_by, "--"))
        for row, name in zip(rows, access.open_each(rows, Student.name), strict=True)
    ]
