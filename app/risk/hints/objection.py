"""A student does not want to be judged by the model (个人信息保护法 art. 24): a person looks at it, by a time.

Whoever is told writes it down: the advisor in his class, the centre anywhere.
Nobody learns by that whether the model ever spoke of the student: the page and
its answer are the same for everybody (law 4). From that moment on the model's
hint is not used for him; while the review runs, and for good when it is upheld,
he stands on lists by the rules alone. Rules, alerts and people go on as before:
an objection never takes attention away (law 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.admin import rulebook
from app.events import Event
from app.notices import post
from app.risk.duty import role_of
from app.security.access import Access
from app.security.holders import first_holder, holders_of
from config import catalogue
from models.base import new_id
from models.case import TalkWay
from models.identity import Role
from models.moment import now, today
from models.refusal import Refusal
from models.risk_model import ModelObjection, ObjectionStage
from models.student import Student
from models.working_time import Clock, ClockKind

NOT_USED = (ObjectionStage.OPEN, ObjectionStage.UPHELD)
DECISIONS = (ObjectionStage.UPHELD, ObjectionStage.EXPLAINED, ObjectionStage.WITHDRAWN)


class ObjectionRaised(Event):
    """A student's objection to automated hints was written down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionDecided(Event):
    """An objection was reviewed. From now on the model speaks of the student, or no longer does."""

    stage: ObjectionStage


class ObjectionTaken(Event):
    """Somebody else reviews an objection."""


class ObjectionsChased(Event):
    """Whoever owes a review was reminded."""


def objected(session: Session) -> frozenset[UUID]:
    """Students of whom no hint is used: their objection is under review, or was upheld."""
    return frozenset(session.scalars(select(ModelObjection.student_id).where(ModelObjection.stage.in_(NOT_USED))))


def raise_for(access: Access, student: Student, *, text: str) -> None:
    """Write down what the student said; the head of the centre owes the review.

    Said again it is another one to review: no answer tells that there was a first.
    """
    owner, role = _reviewer(access)
    row = ModelObjection(
        id=new_id(),
        student_id=student.id,
        stage=ObjectionStage.OPEN,
        owner_id=owner,
        due_at=_due(access),
        raised_at=now(),
        raised_by=access.actor.id,
    )
    access.seal(row, ModelObjection.body, text)
    access.session.add(row)
    post.tell(access, owner, role, "objection_raised")
    access.record(ObjectionRaised(object_id=row.id, student_ids=(student.id,)))


def _reviewer(access: Access) -> tuple[UUID, Role]:
    for role in (Role.CENTRE_HEAD, Role.PSYCHOLOGIST):
        found = first_holder(access.session, role)
        if found is not None:
            return found, role
    raise Refusal("心理中心目前没有人可以复核，请先联系系统管理员开通心理中心的岗位。")


def _due(access: Access) -> Any:
    days = catalogue.table("risk_model")["objection_days"]
    return rulebook.current(access.session).calendar.due(now(), Clock(ClockKind.DAYS, days))


def take(access: Access, row: ModelObjection) -> None:
    """我来复核: become the owner of an open review."""
    me = access.actor
    if me.id is None or row.stage is not ObjectionStage.OPEN:
        raise Refusal("这一项异议已经复核。")
    row.owner_id = me.id
    access.record(ObjectionTaken(object_id=row.id, student_ids=(row.student_id,)))


def decide(
    access: Access,
    row: ModelObjection,
    *,
    stage: ObjectionStage,
    found: str,
    told: str,
    told_on: date | None,
    told_how: TalkWay | None,
) -> None:
    """What the review came to, and what the student was told, when and how: he is always told."""
    if stage not in DECISIONS:
        raise Refusal("请选择复核结果。", field="stage")
    if told_on is None or told_on > today():
        raise Refusal("请填写告知学生的日期；还没有告知时，请先告知，再登记复核结果。", field="told_on")
    if told_how is None:
        raise Refusal("请选择怎样告知学生的。", field="told_how")
    before = access.open_json(row, ModelObjection.answer)
    row.move_to(stage)
    row.ended_at, row.decided_by = now(), access.actor.id
    held = {"stage": stage.value, "found": found, "told": told, "told_on": told_on.isoformat(), "told_how": told_how}
    said = held | {"by": str(access.actor.id), "at": now().isoformat(timespec="seconds")}
    access.seal_json(row, ModelObjection.answer, said | ({"earlier": before} if before else {}))
    access.record(ObjectionDecided(object_id=row.id, student_ids=(row.student_id,), stage=stage))


def open_count(access: Access) -> int:
    """For the navigation: reviews that wait, counted to 100."""
    return access.count(ModelObjection, ModelObjection.stage == ObjectionStage.OPEN, most=100)


def chase(access: Access) -> None:
    """Remind whoever owes an overdue review, and the head of the centre, who follows whoever has left."""
    late = access.session.scalars(
        select(ModelObjection)
        .where(ModelObjection.stage == ObjectionStage.OPEN, ModelObjection.due_at <= now())
        .order_by(ModelObjection.student_id)
    ).all()
    if not late:
        return
    head = first_holder(access.session, Role.CENTRE_HEAD)
    centre = {
        staff_id for role in (Role.CENTRE_HEAD, Role.PSYCHOLOGIST) for staff_id in holders_of(access.session, role)
    }
    told = []
    for row in late:
        if row.owner_id not in centre:
            row.owner_id = _reviewer(access)[0]
        told.append((row.owner_id, role_of(access.session, row.owner_id)))
    told += [(head, Role.CENTRE_HEAD) for row in late if head is not None and row.owner_id != head]
    post.tell_each(access, told, "objections_overdue")
    access.record(ObjectionsChased(count=len(late)))
