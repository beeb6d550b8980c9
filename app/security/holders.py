"""Who holds a role today: the people to whom duties, requests and notices go."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.identity import ClassPost, Role, RoleGrant, Staff
from models.moment import today


def holders_of(session: Session, role: Role, *, college_id: UUID | None = None) -> list[UUID]:
    """People holding ``role`` today, over ``college_id`` if that is given; in the order they were appointed."""
    day = today()
    query = (
        select(RoleGrant.staff_id)
        .join(Staff, Staff.id == RoleGrant.staff_id)
        .where(
            RoleGrant.role == role,
            Staff.retired_at.is_(None),
            RoleGrant.since <= day,
            or_(RoleGrant.until.is_(None), RoleGrant.until > day),
        )
        .order_by(RoleGrant.since, RoleGrant.id)
    )
    if college_id is not None:
        query = query.where(RoleGrant.college_id == college_id)
    return list(dict.fromkeys(session.scalars(query)))


def first_holder(session: Session, role: Role, *, college_id: UUID | None = None) -> UUID | None:
    found = holders_of(session, role, college_id=college_id)
    return found[0] if found else None


def advisors_of(session: Session, class_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Class → its advisor today, the longest-serving if it has several. Classes without one are missing."""
    day = today()
    rows = session.execute(
        select(ClassPost.class_id, ClassPost.staff_id)
        .where(
            ClassPost.role == Role.ADVISOR,
            ClassPost.staff_id.in_(holders_of(session, Role.ADVISOR)),
            ClassPost.since <= day,
            or_(ClassPost.until.is_(None), ClassPost.until > day),
        )
        .order_by(ClassPost.since.desc(), ClassPost.id.desc())
    )
    wanted = set(class_ids)
    return {class_id: staff_id for class_id, staff_id in rows if class_id in wanted}


def names_of(session: Session, staff_ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Names of staff for lists. Staff are named openly; students never."""
    wanted = {staff_id for staff_id in staff_ids if staff_id is not None}
    rows = session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(wanted)))
    return {staff_id: name for staff_id, name in rows}
