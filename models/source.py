"""Where results come from again and again: a platform's export in a watched folder, or pushed over HTTP."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key, Versioned, reference, word
from models.moment import Moment
from models.sealed import OfSelf, Sealed, answered


class SourceKind(StrEnum):
    """How a source delivers."""

    UPLOAD = "upload"
    """A person brings the files; the mapping is remembered all the same."""
    FOLDER = "folder"
    PUSH = "push"


class ScreeningSource(Versioned, OfSelf, Base):
    """One platform or office that delivers results, with the mapping a person has confirmed for it."""

    __tablename__ = "screening_source"

    id: Mapped[Key]
    version: Mapped[int] = mapped_column(default=1)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[SourceKind] = word(SourceKind, length=12)
    owner_id: Mapped[UUID] = reference("staff.id")
    """Who is told when a delivery waits, is late or cannot be read."""
    round_id: Mapped[UUID | None] = reference("screening_round.id", index=True, nullable=True)
    """The round it feeds now."""
    mapping: Mapped[str | None] = mapped_column(Text)
    """TOML: what its columns mean (headers only, never a person's data)."""
    mapping_confirmed_by: Mapped[UUID | None] = reference("staff.id", nullable=True)
    mapping_confirmed_at: Mapped[Moment | None]
    folder: Mapped[str | None] = mapped_column(String(80))
    """Name of its folder below the inbox of this installation."""
    every_days: Mapped[int | None]
    """A delivery is expected every so many days."""
    expected_on: Mapped[date | None]
    """The day by which the next delivery is expected; later it is late, and its owner is told."""
    told_late_on: Mapped[date | None]
    created_at: Mapped[Moment]
    retired_at: Mapped[Moment | None]
    push_key: Mapped[Sealed | None] = answered("screening_source.push_key/1", nullable=True)
    """The secret that signs what is pushed."""


class ArrivalState(StrEnum):
    """What became of something that arrived."""

    WAITING = "waiting"
    """It is previewed and waits for a person."""
    COMMITTED = "committed"
    REPEATED = "repeated"
    """The same delivery again; nothing was done."""
    UNREADABLE = "unreadable"
    WITHDRAWN = "withdrawn"


class Arrival(Base):
    """One delivery of a source: recognised by its digest, whole or partial, on time or late."""

    __tablename__ = "arrival"
    __table_args__ = (Index("ix_arrival_source_id_digest", "source_id", "digest"),)

    id: Mapped[Key]
    source_id: Mapped[UUID] = reference("screening_source.id")
    batch_id: Mapped[UUID | None] = reference("import_batch.id", index=True, nullable=True)
    state: Mapped[ArrivalState] = word(ArrivalState, length=12)
    arrived_at: Mapped[Moment]
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    """Keyed digest of the bytes."""
    is_late: Mapped[bool]
    is_partial: Mapped[bool]
    """Far fewer rows than the source usually brings, or a file still being written when it was first seen."""
    rows: Mapped[int | None]
