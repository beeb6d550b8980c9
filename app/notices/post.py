"""Putting a notice into somebody's hands, in the transaction of the fact it tells."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import func, select, update

from app.security.access import Access
from config import catalogue
from models.identity import Role
from models.moment import now
from models.notice import Notice


def tell(
    access: Access, recipient_id: UUID, role: Role, kind: str, *, count: int = 1, object_id: UUID | None = None
) -> None:
    """One notice to one person in one role. An unread one of the same kind about nothing special just counts up."""
    if kind not in catalogue.table("notices"):
        raise KeyError(f"no notice is called {kind}")
    if object_id is None:
        held = access.session.scalars(
            select(Notice)
            .where(
                Notice.recipient_id == recipient_id,
                Notice.role == role,
                Notice.kind == kind,
                Notice.read_at.is_(None),
                Notice.object_id.is_(None),
            )
            .limit(1)
        ).first()
        if held is not None:
            held.count += count
            held.created_at = now()
            return
    access.session.add(
        Notice(recipient_id=recipient_id, role=role, kind=kind, count=count, object_id=object_id, created_at=now())
    )


def tell_each(access: Access, recipients: Iterable[tuple[UUID, Role]], kind: str) -> None:
    """One notice per recipient, with how many of the list are his (decisions 17)."""
    counts: dict[tuple[UUID, Role], int] = {}
    for recipient in recipients:
        counts[recipient] = counts.get(recipient, 0) + 1
    for (recipient_id, role), count in counts.items():
        tell(access, recipient_id, role, kind, count=count)


def unread(access: Access) -> int:
    """How many notices wait for this person in this role."""
    mine = (Notice.recipient_id == access.actor.id, Notice.role == access.actor.role, Notice.read_at.is_(None))
    return access.session.scalar(select(func.count()).select_from(Notice).where(*mine)) or 0


def mark_read(access: Access, notice_id: UUID | None = None) -> None:
    """Mark one, or all of one's notices as read."""
    reading = update(Notice).where(
        Notice.recipient_id == access.actor.id, Notice.role == access.actor.role, Notice.read_at.is_(None)
    )
    if notice_id is not None:
        reading = reading.where(Notice.id == notice_id)
    access.session.execute(reading.values(read_at=now()))
