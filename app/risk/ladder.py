"""Missed clocks climb: each hands its duty to the next on the ladder, and nobody is forgotten (law 3).

Runs every minute, also when no content can be opened: it reads owners, levels
and times only.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.admin import rulebook
from app.admin.rule import Rulebook
from app.events import Event
from app.notices import post
from app.risk import duty as duties
from app.risk.duty import Holder
from app.security.access import Access
from app.security.holders import holders_of
from models.approval import Approval, ApprovalStage
from models.identity import Role
from models.moment import now
from models.risk import Alert, AlertStage, Duty, DutyKind, DutyStage, Level
from models.screening import UnplacedAnswer
from models.student import Student

MOST_AT_ONCE = 500


class DutyEscalated(Event):
    """A missed clock has handed a duty on."""


class WatchEnded(Event):
    """The time until which an alert was watched has come."""


def climb(access: Access) -> None:
    """Hand on every duty whose clock has run out, and everything else that is late."""
    book, instant = rulebook.current(access.session), now()
    for item in access.session.scalars(
        select(Duty)
        .join(Student, Student.id == Duty.student_id)
        .where(Duty.stage == DutyStage.OPEN, Duty.due_at <= instant)
        .order_by(Duty.due_at, Duty.id)
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True, of=(Student, Duty))
    ):
        _climb_duty(access, book, item, instant)
    _climb_alerts(access, book, instant)
    _climb_unplaced(access, book, instant)
    _climb_approvals(access, book, instant)


def _climb_duty(access: Access, book: Rulebook, item: Duty, instant: datetime) -> None:
    """The clock of the next step begins; on the top rung it rings again for whoever is there."""
    before = Holder(item.owner_id, item.owner_role)
    ladder = book.ladder("contact" if item.kind is DutyKind.CONTACT else "assessment")
    after = _next(access, ladder, before, item.college_id)
    duties.pass_on(access, item, after, due_at=_step(book, item.level, instant))
    if after != before:
        post.tell(access, before.staff_id, before.role, "duty_passed_on")
    post.tell(access, after.staff_id, after.role, "urgent" if item.level is Level.RED else "duty_escalated")
    access.record(DutyEscalated(object_id=item.id, student_ids=(item.student_id,)))


def _step(book: Rulebook, level: Level, instant: datetime) -> datetime:
    return book.due(f"ladder.step.{level.value}", since=instant)


def _next(access: Access, ladder: tuple[Role, ...], held: Holder, college_id: UUID | None) -> Holder:
    """The first person on a higher rung; on the last rung, the same one again.

    Whoever has lost the role in which it lay with him is followed by somebody on the same rung.
    """
    at = ladder.index(held.role) if held.role in ladder else 0
    college = college_id if held.role is Role.COLLEGE_LEAD else None
    if held.role in ladder and (
        held.role is Role.ADVISOR or held.staff_id in holders_of(access.session, held.role, college_id=college)
    ):
        at += 1
    for role in ladder[at:]:
        college = college_id if role is Role.COLLEGE_LEAD else None
        for staff_id in holders_of(access.session, role, college_id=college):
            if staff_id != held.staff_id:
                return Holder(staff_id, role)
    return held


def _climb_alerts(access: Access, book: Rulebook, instant: datetime) -> None:
    """An alert without open duties waits for the centre's decision; that clock climbs as well."""
    open_duty = select(Duty.id).where(Duty.alert_id == Alert.id, Duty.stage == DutyStage.OPEN).exists()
    for alert in access.session.scalars(
        select(Alert)
        .join(Student, Student.id == Alert.student_id)
        .where(Alert.ended_at.is_(None), Alert.due_at <= instant, ~open_duty)
        .order_by(Alert.due_at, Alert.id)
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True, of=(Student, Alert))
    ):
        if alert.stage is AlertStage.WATCHING:
            alert.move_to(AlertStage.RAISED)
            alert.due_at = book.due(f"{alert.level.value}.triage", since=instant)
            access.record(WatchEnded(object_id=alert.id, student_ids=(alert.student_id,)))
            post.tell(access, alert.owner_id, duties.role_of(access.session, alert.owner_id), "watch_ended")
            continue
        held = Holder(alert.owner_id, duties.role_of(access.session, alert.owner_id))
        after = _next(access, book.ladder("triage"), held, alert.college_id)
        alert.due_at = _step(book, alert.level, instant)
        if after.role is Role.AFFAIRS_HEAD:  # urges, but does not judge: the decision stays with the centre
            post.tell(access, after.staff_id, after.role, "triage_overdue")
            after = held
        alert.owner_id = after.staff_id
        post.tell(access, after.staff_id, after.role, "duty_escalated")
        access.record(DutyEscalated(object_id=alert.id, student_ids=(alert.student_id,)))


def _climb_unplaced(access: Access, book: Rulebook, instant: datetime) -> None:
    for row in access.session.scalars(
        select(UnplacedAnswer).where(UnplacedAnswer.ended_at.is_(None), UnplacedAnswer.due_at <= instant)
    ):
        held = Holder(row.owner_id, duties.role_of(access.session, row.owner_id))
        after = _next(access, book.ladder("identify"), held, None)
        row.owner_id, row.due_at = after.staff_id, book.due("identify", since=instant)
        post.tell(access, after.staff_id, after.role, "identify")
        access.record(DutyEscalated(object_id=row.id))


def _climb_approvals(access: Access, book: Rulebook, instant: datetime) -> None:
    """A signature that does not come goes to another holder of the role, then to the top of the ladder."""
    for row in access.session.scalars(
        select(Approval).where(Approval.stage == ApprovalStage.WAITING, Approval.due_at <= instant)
    ):
        others = [
            Holder(staff_id, role)
            for role in (row.owner_role, Role.CENTRE_HEAD, Role.AFFAIRS_HEAD)
            for staff_id in holders_of(access.session, role)
            if staff_id not in {row.asked_by, row.owner_id}
        ]
        after = others[0] if others else Holder(row.owner_id, row.owner_role)
        row.owner_id, row.owner_role, row.due_at = after.staff_id, after.role, book.due("approval", since=instant)
        post.tell(access, after.staff_id, after.role, "approval_asked")
        access.record(DutyEscalated(object_id=row.id))
