"""Where results come from again and again: a platform's export in a watched folder, or pushed over HTTP."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, String, Text, UniqueConstraint, false
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
    """Far fewer rows than the source usually brings."""
    rows: Mapped[int | None]
    waits_for: Mapped[str] = mapped_column(String(120), default="")
    """Words of ``Waits`` with blanks between; empty while nothing is asked of a person."""
    is_urgent: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Something critical was seen in it and is not in the house yet."""
    owner_id: Mapped[UUID | None] = reference("staff.id", nullable=True)
    """With whom it lies while it waits (law 3)."""
    due_at: Mapped[Moment | None]
    """Until when; none once it has ended."""


class Waits(StrEnum):
    """Why a delivery waits for a person."""

    MAPPING = "mapping"
    """No confirmed mapping fits its columns."""
    QUESTION = "question"
    """Something only a person can decide: whose row it is, what a grade means, which coding."""
    PROBLEMS = "problems"
    DOUBTFUL = "doubtful"
    PARTIAL = "partial"
    ROUND = "round"
    """The round takes no more files."""
    PERSON = "person"
    """Nothing is wrong; the round asks for a person's confirmation all the same."""
    FAILED = "failed"
    """The worker could not look into it."""


class InboxRefusal(StrEnum):
    """Why something in a watched folder is not taken."""

    LINK = "link"
    NAME = "name"
    KIND = "kind"
    """Not a plain file."""
    SIZE = "size"
    RIGHTS = "rights"
    """It can be read or removed by this process only in part."""


class InboxFile(Base):
    """One file in a watched folder, from the first look until the plain copy is gone.

    Names are kept as keyed digests: a file may be called after a class or a person.
    """

    __tablename__ = "inbox_file"
    __table_args__ = (UniqueConstraint("source_id", "name_digest"),)

    id: Mapped[Key]
    source_id: Mapped[UUID] = reference("screening_source.id")
    name_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    size: Mapped[int] = mapped_column(BigInteger)
    changed_ns: Mapped[int] = mapped_column(BigInteger)
    """Time of the last change, as the file system tells it."""
    seen_at: Mapped[Moment]
    """Since when it has had this size and time."""
    arrival_id: Mapped[UUID | None] = reference("arrival.id", nullable=True)
    """It lies sealed in the house; only the plain copy is still to be removed."""
    refused: Mapped[InboxRefusal | None] = word(InboxRefusal, length=12, nullable=True)


class Push(Base):
    """One signed push: remembered so that it is taken once; single answer sheets lie sealed in it until collected."""

    __tablename__ = "push"
    __owner__ = ("screening_source", "source_id")
    __table_args__ = (UniqueConstraint("source_id", "digest"), Index("ix_push_arrived_at", "arrived_at"))

    id: Mapped[Key]
    source_id: Mapped[UUID] = reference("screening_source.id")
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    """Keyed digest of what makes it this push and no other."""
    arrived_at: Mapped[Moment]
    collected_at: Mapped[Moment | None]
    body: Mapped[Sealed | None] = answered("push.body/1", nullable=True)
    """JSON: answer sheets as flat tables, until they are one delivery."""
