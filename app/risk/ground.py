"""When the ground under open alerts changes: sheets are voided, students change class, classes change advisors."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import select

from app.notices import post
from app.risk import corrected, extension
from app.risk import duty as duties
from app.risk.duty import Owners
from app.screening.importing.prepare import SheetsVoided
from app.security.access import Access
from app.students.class_posts import ClassPostsChanged
from app.students.roster import StudentsMoved
from models.identity import Role
from models.moment import now
from models.risk import Alert, Duty, DutyKind, DutyStage, Signal


def void_signals(access: Access, happened: SheetsVoided) -> None:
    """Listener: reasons that rest on a voided sheet are void.

    Where the answers were another person's, the alert never had this ground:
    it falls back to what is left, or is void itself (``corrected``).
    """
    ids = list(happened.sheet_ids)
    if not happened.was_anothers or happened.by is None:
        void_reasons(access, ids, cause="sheet_voided", by=happened.by)
        return
    found = _void(access, ids, cause="reattributed", by=happened.by)
    _take_back(access, found)
    corrected.settle(access, {signal.alert_id for signal in found}, by=happened.by)


def void_reasons(access: Access, ids: list[UUID], *, cause: str, by: UUID | None = None) -> None:
    """Reasons that rest on these things are void. An alert without any left tells its owner."""
    touched = {signal.alert_id for signal in _void(access, ids, cause=cause, by=by)}
    told = []
    for alert in access.session.scalars(select(Alert).where(Alert.id.in_(touched), Alert.ended_at.is_(None))):
        live = select(Signal.id).where(Signal.alert_id == alert.id, Signal.voided_at.is_(None)).limit(1)
        if access.session.scalar(live) is None:
            alert.reasons_void = True
            told.append((alert.owner_id, duties.role_of(access.session, alert.owner_id)))
    post.tell_each(access, told, "reasons_void")


def _void(access: Access, ids: list[UUID], *, cause: str, by: UUID | None) -> list[Signal]:
    found = [
        signal
        for start in range(0, len(ids), 500)
        for signal in access.session.scalars(
            select(Signal).where(Signal.source_id.in_(ids[start : start + 500]), Signal.voided_at.is_(None))
        )
    ]
    access.lock_students(signal.student_id for signal in found)
    for signal in found:
        signal.voided_at, signal.void_cause, signal.voided_by = now(), cause, by
    access.session.flush()
    return found


def _take_back(access: Access, signals: list[Signal]) -> None:
    """Clocks that a delivery had shortened by nothing but these reasons are as they were before it."""
    for alert_id, batch_id in sorted({(signal.alert_id, signal.batch_id) for signal in signals if signal.batch_id}):
        left = select(Signal.id).where(
            Signal.alert_id == alert_id, Signal.batch_id == batch_id, Signal.voided_at.is_(None)
        )
        if access.session.scalar(left.limit(1)) is None:
            extension.undo(access, access.session.get_one(Alert, alert_id), batch_id)


def follow_moved_students(access: Access, happened: StudentsMoved) -> None:
    """Listener: an open alert and its contact duty go with the student to the new class (decisions 20)."""
    for alert in access.session.scalars(select(Alert).where(Alert.ended_at.is_(None))):
        if alert.student_id in happened.moved:
            alert.college_id, alert.class_id = happened.moved[alert.student_id]
    access.session.flush()
    _route_again(access, lambda item: item.student_id in happened.moved, happened.moved)


def follow_new_posts(access: Access, happened: ClassPostsChanged) -> None:
    """Listener: open contact duties of a class go to its new advisor."""
    classes = set(happened.class_ids)
    _route_again(access, lambda item: item.class_id in classes, {})


def _route_again(access: Access, fits: Callable[[Duty], bool], moved: dict[UUID, tuple[UUID, UUID]]) -> None:
    found = [item for item in access.session.scalars(select(Duty).where(Duty.stage == DutyStage.OPEN)) if fits(item)]
    for item in found:
        if item.student_id in moved:
            item.college_id, item.class_id = moved[item.student_id]
    contacts = [item for item in found if item.kind is DutyKind.CONTACT and _is_routed_by_class(item)]
    owners = Owners(access.session, {item.class_id for item in contacts}) if contacts else None
    told = []
    for item in contacts:
        assert owners is not None  # noqa: S101 - made for these
        holder = owners.contact(item.class_id, item.college_id)
        if holder.staff_id != item.owner_id:
            duties.hand_to(access, item, holder)
            told.append((holder.staff_id, holder.role))
    post.tell_each(access, told, "duties_assigned")


def _is_routed_by_class(item: Duty) -> bool:
    """A duty that climbed the ladder stays where it climbed to."""
    return item.times_escalated == 0 and item.owner_role in {Role.ADVISOR, Role.COLLEGE_LEAD, Role.CENTRE_HEAD}
