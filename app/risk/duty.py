"""Who owes what by when: giving duties, taking them over, 签收, finishing, handing on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.admin import rulebook
from app.admin.rule import Rulebook
from app.events import Event
from app.notices import post
from app.security.access import Access
from app.security.holders import advisors_of, first_holder, holders_of, names_of
from app.security.policy import CENTRE
from models.base import new_id, new_ids
from models.bulk import Same
from models.case import Case
from models.identity import Role
from models.moment import now
from models.refusal import Refusal
from models.risk import Alert, AlertStage, Duty, DutyHolder, DutyKind, DutyStage, HoldReason, Level

NOBODY = "没有人可以负责关键提示：请系统管理员先开通“心理中心主任”岗位，再导入结果。"


class DutyAcknowledged(Event):
    """Somebody has said that he has seen it (签收)."""


class DutyTaken(Event):
    """Somebody has taken a duty over."""


class DutyReassigned(Event):
    """A duty was handed to somebody else."""


class DutyDone(Event):
    """A duty was done."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A person in the role in which a duty reaches him."""

    staff_id: UUID
    role: Role


@dataclass(frozen=True, slots=True)
class Owed:
    """A duty to be given."""

    alert_id: bytes
    student_id: bytes
    college_id: bytes
    class_id: bytes
    kind: DutyKind
    level: Level


class Owners:
    """To whom the duties of some classes and students go, looked up once for a batch."""

    def __init__(self, session: Session, class_ids: Iterable[UUID]) -> None:
        self._session = session
        self._advisors = advisors_of(session, class_ids)
        self._leads: dict[UUID, UUID | None] = {}
        self._keepers: dict[UUID, UUID] = {
            student_id: keeper_id
            for student_id, keeper_id in session.execute(
                select(Case.student_id, Case.keeper_id).where(Case.closed_at.is_(None))
            )
        }
        self._centre = _centre(session)
        self._psychologists = set(holders_of(session, Role.PSYCHOLOGIST))
        self._heads = set(holders_of(session, Role.CENTRE_HEAD))

    def of(self, owed: Owed) -> Holder:
        """Who gets this duty."""
        if owed.kind is DutyKind.CONTACT:
            return self.contact(UUID(bytes=owed.class_id), UUID(bytes=owed.college_id))
        return self.centre(UUID(bytes=owed.student_id))

    def contact(self, class_id: UUID, college_id: UUID) -> Holder:
        """The class's advisor; without one the next on the ladder, at once (states.md)."""
        if class_id in self._advisors:
            return Holder(self._advisors[class_id], Role.ADVISOR)
        if college_id not in self._leads:
            self._leads[college_id] = first_holder(self._session, Role.COLLEGE_LEAD, college_id=college_id)
        lead = self._leads[college_id]
        return Holder(lead, Role.COLLEGE_LEAD) if lead else self._centre

    def centre(self, student_id: UUID) -> Holder:
        """The keeper of the student's case in the role he holds; else the centre's head until somebody takes it."""
        keeper = self._keepers.get(student_id)
        if keeper in self._psychologists:
            return Holder(keeper, Role.PSYCHOLOGIST)
        return Holder(keeper, Role.CENTRE_HEAD) if keeper in self._heads else self._centre


def _centre(session: Session) -> Holder:
    for role in (Role.CENTRE_HEAD, Role.PSYCHOLOGIST, Role.AFFAIRS_HEAD):
        found = first_holder(session, role)
        if found is not None:
            return Holder(found, role)
    raise Refusal(NOBODY)


def kinds_for(level: Level) -> tuple[DutyKind, ...]:
    """Red and orange carry two duties with two clocks; yellow one (decisions 13)."""
    if level in {Level.RED, Level.ORANGE}:
        return (DutyKind.CONTACT, DutyKind.ASSESSMENT)
    return (DutyKind.CONTACT,)


def give(access: Access, book: Rulebook, owed: Sequence[Owed], owners: Owners) -> list[Holder]:
    """Write duties with their owners and due times; returns who got each."""
    instant = now()
    due = {
        (level, kind): book.due(f"{level.value}.{kind.value}", since=instant)
        for level, kind in {(item.level, item.kind) for item in owed}
    }
    holders = [owners.of(item) for item in owed]
    ids = new_ids(len(owed))
    access.insert_many(
        Duty,
        {
            "id": ids,
            "version": Same(1),
            "alert_id": [item.alert_id for item in owed],
            "student_id": [item.student_id for item in owed],
            "college_id": [item.college_id for item in owed],
            "class_id": [item.class_id for item in owed],
            "kind": [item.kind for item in owed],
            "stage": Same(DutyStage.OPEN),
            "level": [item.level for item in owed],
            "owner_id": [holder.staff_id for holder in holders],
            "owner_role": [holder.role for holder in holders],
            "due_at": [due[item.level, item.kind] for item in owed],
            "rule_version": Same(book.version),
            "created_at": Same(instant),
        },
    )
    access.insert_many(
        DutyHolder,
        {
            "id": new_ids(len(owed)),
            "duty_id": ids,
            "staff_id": [holder.staff_id for holder in holders],
            "how": Same(HoldReason.ASSIGNED),
            "since": Same(instant),
        },
    )
    return holders


# --- what people do with a duty ------------------------------------------------------------


def acknowledge(access: Access, duty: Duty) -> None:
    """签收: the owner says that he has seen it. The clock goes on until the thing itself is done."""
    _refuse_unless_mine(access, duty)
    if duty.acknowledged_at is None:
        duty.acknowledged_at = now()
        access.record(DutyAcknowledged(object_id=duty.id, student_ids=(duty.student_id,)))


def take(access: Access, duty: Duty) -> None:
    """我来跟进: become the owner, by compare-and-set; whoever is slower is told who was faster."""
    me = access.actor
    if me.id is None or duty.stage is not DutyStage.OPEN:
        raise Refusal("这一项已经办结，无需再跟进。")
    if duty.kind is DutyKind.ASSESSMENT and me.role not in CENTRE:
        raise Refusal("评估由心理中心的老师办理。")
    if duty.owner_id == me.id:
        acknowledge(access, duty)
        return
    if duty.acknowledged_at is not None:
        name = names_of(access.session, [duty.owner_id]).get(duty.owner_id, "另一位老师")
        raise Refusal(f"{name}已经在跟进这一项。如需接手，请联系{name}或由主任移交。")
    changed = access.session.execute(
        update(Duty)
        .where(
            Duty.id == duty.id,
            Duty.owner_id == duty.owner_id,
            Duty.acknowledged_at.is_(None),
            Duty.stage == DutyStage.OPEN,
        )
        .values(owner_id=me.id, owner_role=me.role, acknowledged_at=now(), version=Duty.version + 1)
        .execution_options(synchronize_session="evaluate")
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise Refusal("另一位老师刚刚已经跟进了这一项。")
    access.session.refresh(duty)
    _hold(access, duty, me.id, HoldReason.TAKEN)
    _follow_centre(access, duty)
    access.record(DutyTaken(object_id=duty.id, student_ids=(duty.student_id,)))


def _follow_centre(access: Access, duty: Duty) -> None:
    """Whoever assesses also owes the decision on the alert."""
    if duty.kind is DutyKind.ASSESSMENT:
        alert = access.session.get_one(Alert, duty.alert_id)
        alert.owner_id = duty.owner_id


def reassign(access: Access, duty: Duty, *, to: UUID, role: Role) -> None:
    """Hand an open duty to somebody who holds the role for it."""
    if duty.stage is not DutyStage.OPEN:
        raise Refusal("这一项已经办结，无需移交。")
    if duty.owner_id == to:
        raise Refusal("这一项已经在这位老师名下。", field="to")
    college = duty.college_id if role is Role.COLLEGE_LEAD else None
    if to not in holders_of(access.session, role, college_id=college):
        raise Refusal("这位老师目前没有相应的岗位角色。", field="to")
    duty.owner_id, duty.owner_role, duty.acknowledged_at = to, role, None
    _hold(access, duty, to, HoldReason.REASSIGNED)
    _follow_centre(access, duty)
    post.tell(access, to, role, "duty_reassigned")
    access.record(DutyReassigned(object_id=duty.id, student_ids=(duty.student_id,)))


def finish(access: Access, duty: Duty) -> None:
    """The thing itself was done, by whoever did it; an owner for whom somebody else did it is told."""
    duty.move_to(DutyStage.DONE)
    duty.ended_at = now()
    duty.acknowledged_at = duty.acknowledged_at or duty.ended_at
    if duty.owner_id != access.actor.id:
        post.tell(access, duty.owner_id, duty.owner_role, "duty_done_by_other")
    keep_clock(access, access.session.get_one(Alert, duty.alert_id))
    access.record(DutyDone(object_id=duty.id, student_ids=(duty.student_id,)))


def cancel(access: Access, duty: Duty) -> None:
    """The duty has lost its ground: its alert was disproved, merged or voided."""
    duty.move_to(DutyStage.CANCELLED)
    duty.ended_at = now()
    post.tell(access, duty.owner_id, duty.owner_role, "duty_cancelled")


def keep_clock(access: Access, alert: Alert) -> None:
    """An alert is due when its earliest open duty is; with none open, when the centre must decide.

    One that is watched is due on the day that the centre set.
    """
    if alert.has_ended or alert.stage is AlertStage.WATCHING:
        return
    access.session.flush()
    due = [duty.due_at for duty in open_duties(access.session, alert.id)]
    alert.due_at = min(due) if due else rulebook.current(access.session).due(f"{alert.level.value}.triage")


def role_of(session: Session, staff_id: UUID) -> Role:
    """In which role a decision that the centre owes reaches this person."""
    for role in (Role.AFFAIRS_HEAD, Role.CENTRE_HEAD):
        if staff_id in holders_of(session, role):
            return role
    return Role.PSYCHOLOGIST


def open_duties(session: Session, alert_id: UUID) -> Sequence[Duty]:
    return session.scalars(
        select(Duty).where(Duty.alert_id == alert_id, Duty.stage == DutyStage.OPEN).order_by(Duty.due_at, Duty.id)
    ).all()


def _hold(access: Access, duty: Duty, staff_id: UUID, how: HoldReason) -> None:
    access.session.add(DutyHolder(id=new_id(), duty_id=duty.id, staff_id=staff_id, how=how, since=now()))


def hand_to(access: Access, duty: Duty, to: Holder) -> None:
    """The class has another advisor, or the student another class: the duty follows."""
    duty.owner_id, duty.owner_role, duty.acknowledged_at = to.staff_id, to.role, None
    _hold(access, duty, to.staff_id, HoldReason.REASSIGNED)


def pass_on(access: Access, duty: Duty, to: Holder, *, due_at: Any) -> None:
    """A missed clock hands the duty on; the previous owner stays informed."""
    duty.owner_id, duty.owner_role, duty.acknowledged_at = to.staff_id, to.role, None
    duty.due_at = due_at
    duty.times_escalated += 1
    _hold(access, duty, to.staff_id, HoldReason.ESCALATED)
    keep_clock(access, access.session.get_one(Alert, duty.alert_id))


def _refuse_unless_mine(access: Access, duty: Duty) -> None:
    if duty.owner_id != access.actor.id:
        raise Refusal("这一项现在由另一位老师负责。")
    if duty.stage is not DutyStage.OPEN:
        raise Refusal("这一项已经办结。")
