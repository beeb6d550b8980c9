"""Clocks of sources: a delivery that did not come, and one that nobody has seen to.

Runs every minute like the clocks of duties, also when no content can be
opened: it reads owners, days and times only.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import or_, select

from app.admin import rulebook
from app.events import Event
from app.notices import post
from app.screening.sources import arrival, schedule
from app.screening.sources import source as sources
from app.security.access import Access
from app.security.holders import holders_of
from models.identity import Role
from models.moment import now, today
from models.source import Arrival, ArrivalState, ScreeningSource

MOST_AT_ONCE = 500
LADDER = (Role.CENTRE_HEAD, Role.AFFAIRS_HEAD)


class DeliveryMissed(Event):
    """An expected delivery did not come in time."""


class DeliveryEscalated(Event):
    """A delivery that waited past its time went to somebody above."""


def ring(access: Access) -> None:
    """Tell of late deliveries once a working day, and hand on what waits past its time."""
    _tell_late(access)
    _hand_on(access)


def _tell_late(access: Access) -> None:
    day = today()
    if not rulebook.current(access.session).calendar.is_working_day(day):
        return
    for row in access.session.scalars(
        select(ScreeningSource)
        .where(
            ScreeningSource.retired_at.is_(None),
            ScreeningSource.expected_on < day,
            or_(ScreeningSource.told_late_on.is_(None), ScreeningSource.told_late_on < day),
        )
        .order_by(ScreeningSource.id)
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
    ):
        if schedule.is_late(access, row):
            row.told_late_on = day
            post.tell(access, *sources.keeper_of(access.session, row), "delivery_late")
            access.record(DeliveryMissed(object_id=row.id))


def _hand_on(access: Access) -> None:
    """To the head of the centre; what he does not see to is urged by the head of student affairs, who opens nothing."""
    instant = now()
    for row in access.session.scalars(
        select(Arrival)
        .where(Arrival.state == ArrivalState.WAITING, Arrival.due_at <= instant)
        .order_by(Arrival.due_at, Arrival.id)
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
    ):
        row.due_at = arrival.waiting_until(access, urgent=row.is_urgent)
        _urge(access, row, _above(access, row.owner_id))
        access.record(DeliveryEscalated(object_id=row.source_id))


def _above(access: Access, held_by: UUID | None) -> tuple[UUID, Role] | None:
    """The next person up; on the top, or with nobody there, the same again."""
    heads = holders_of(access.session, Role.CENTRE_HEAD)
    rungs = LADDER if held_by not in heads else LADDER[1:]
    for role in rungs:
        for staff_id in holders_of(access.session, role):
            if staff_id != held_by:
                return staff_id, role
    return None


def _urge(access: Access, row: Arrival, above: tuple[UUID, Role] | None) -> None:
    """Whoever had it hears of it too; it stays in the centre, because nobody outside may open it."""
    kind = "delivery_urgent" if row.is_urgent else "delivery_waits"
    source = access.session.get_one(ScreeningSource, row.source_id)
    keeper, role = sources.keeper_of(access.session, source)
    if above is not None and above[1] is Role.CENTRE_HEAD:
        row.owner_id = above[0]
    if above is not None:
        post.tell(access, *above, kind if above[1] is Role.CENTRE_HEAD else "delivery_overdue")
    if above is None or above[0] != keeper:
        post.tell(access, keeper, role, kind)
