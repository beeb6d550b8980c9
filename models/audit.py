"""The log: rows in chains, and the signed heads of those chains."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, Key
from models.moment import Moment


class LedgerEntry(Base):
    """One act. ``payload`` is the truth; the other columns repeat it for searching and are checked against it."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        UniqueConstraint("writer", "seq"),
        Index("ix_ledger_entry_actor_id_at", "actor_id", "at"),
        Index("ix_ledger_entry_act_at", "act", "at"),
        Index("ix_ledger_entry_at", "at"),
    )

    id: Mapped[Key]
    writer: Mapped[int]
    seq: Mapped[int]
    at: Mapped[Moment]
    actor_id: Mapped[UUID | None]
    role: Mapped[str] = mapped_column(String(24))
    act: Mapped[str] = mapped_column(String(60))
    purpose: Mapped[str] = mapped_column(String(24))
    outcome: Mapped[str] = mapped_column(String(16))
    object_id: Mapped[UUID | None] = mapped_column(index=True)
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    previous: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class LedgerSubject(Base):
    """Whose data an entry touched; repeats the payload, so that a student's readers are found."""

    __tablename__ = "ledger_subject"

    subject_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    entry_id: Mapped[UUID] = mapped_column(Id, primary_key=True)


class LedgerHead(Base):
    """The tips of every chain at one time, signed and written outside the database as well."""

    __tablename__ = "ledger_head"

    id: Mapped[Key]
    number: Mapped[int] = mapped_column(unique=True)
    at: Mapped[Moment]
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))


LEDGER_TABLES = tuple(Base.metadata.tables[kind.__tablename__] for kind in (LedgerEntry, LedgerSubject, LedgerHead))
"""Insert and select only: by triggers on both databases, by grants on PostgreSQL."""
