"""记一笔: one entry of an advisor's talk that ends his duty, tells the centre, and feeds every ledger (law 11)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select

from app.events import Event
from app.risk import alert
from app.risk import duty as duties
from app.security.access import Access
from models.case import CareTalk, TalkWay
from models.moment import now
from models.refusal import Refusal
from models.risk import Duty, DutyKind, DutyStage
from models.student import Student


class Urgency(StrEnum):
    """What the advisor asks of the centre after a talk."""

    NONE = "none"
    WATCH = "watch"
    SOON = "soon"
    URGENT = "urgent"


class TalkRecorded(Event):
    """A talk, or the attempt at one, was recorded."""


def record(
    access: Access,
    student: Student,
    *,
    way: TalkWay,
    held_at: datetime,
    reached: bool,
    noticed: list[str],
    text: str,
    urgency: Urgency,
    duty_id: UUID | None = None,
    amends: UUID | None = None,
) -> CareTalk:
    """Record a talk.

    Reaching the student ends every contact that is owed about him, wherever
    the entry was made; asking for the centre raises an alert at once.
    ``duty_id`` is the duty on whose page it was written.
    """
    if access.actor.id is None:
        raise Refusal("需要由一位老师记录。")
    owed = _open_contacts(access, student)
    if held_at > now() + timedelta(minutes=5):
        raise Refusal("谈话时间不能晚于现在。", field="held_at")
    if not reached and urgency is Urgency.NONE and not owed:
        raise Refusal("没有联系上时，请写明接下来怎么办，或选择请中心介入。", field="urgency")
    talk = CareTalk(
        student_id=student.id,
        duty_id=next((item.id for item in owed if item.id == duty_id), owed[0].id if owed else None),
        author_id=access.actor.id,
        held_at=held_at,
        recorded_at=now(),
        way=way,
        reached=reached,
        amends_id=amends,
    )
    access.seal_json(talk, CareTalk.body, {"noticed": noticed, "text": text, "urgency": urgency.value})
    access.session.add(talk)
    access.session.flush()
    for duty in owed:
        if reached:
            duties.finish(access, duty)
        elif duty.owner_id == access.actor.id:
            duties.acknowledge(access, duty)
    if urgency is not Urgency.NONE:
        alert.raise_one(access, student, rule_id=f"report.{urgency.value}", source_kind="care_talk", source_id=talk.id)
    access.record(TalkRecorded(object_id=talk.id, student_ids=(student.id,)))
    return talk


def _open_contacts(access: Access, student: Student) -> Sequence[Duty]:
    return access.session.scalars(
        select(Duty)
        .where(Duty.student_id == student.id, Duty.kind == DutyKind.CONTACT, Duty.stage == DutyStage.OPEN)
        .order_by(Duty.due_at, Duty.id)
    ).all()
