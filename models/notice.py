"""What the house tells its people. Never content, only that there is something to see."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key, reference, word
from models.identity import Role
from models.moment import Moment


class Notice(Base):
    """One message to one person in one role: a kind, a count, a link."""

    __tablename__ = "notice"
    __table_args__ = (Index("ix_notice_recipient_id_read_at", "recipient_id", "role", "read_at"),)

    id: Mapped[Key]
    recipient_id: Mapped[UUID] = reference("staff.id")
    role: Mapped[Role] = word(Role)
    kind: Mapped[str] = mapped_column(String(40))
    count: Mapped[int] = mapped_column(default=1)
    object_id: Mapped[UUID | None]
    """What the link leads to; opening it asks the door like any other page."""
    created_at: Mapped[Moment]
    read_at: Mapped[Moment | None]
