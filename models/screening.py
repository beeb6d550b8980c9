"""Screening rounds and the answer sheets they bring."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key, Versioned, reference, word
from models.moment import Moment
from models.sealed import OfStudent, Sealed, answered
from models.state import HasStages


class RoundStage(StrEnum):
    """States of a screening round (states.md)."""

    DRAFT = "draft"
    OPEN = "open"
    MAKE_UP = "make_up"
    CLOSED = "closed"
    REPORTED = "reported"


class ScreeningRound(Versioned, HasStages, Base):
    """普查批次: who was asked, with which scales, and by when the interviews are due."""

    __tablename__ = "screening_round"
    __moves__ = {
        RoundStage.DRAFT: {RoundStage.OPEN},
        RoundStage.OPEN: {RoundStage.MAKE_UP, RoundStage.CLOSED},
        RoundStage.MAKE_UP: {RoundStage.CLOSED},
        RoundStage.CLOSED: {RoundStage.REPORTED, RoundStage.MAKE_UP},
        RoundStage.REPORTED: set(),
    }

    id: Mapped[Key]
    version: Mapped[int] = mapped_column(default=1)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    stage: Mapped[RoundStage] = word(RoundStage)
    owner_id: Mapped[UUID] = reference("staff.id")
    """Who answers for the round; the first owner of its interview list."""
    opened_at: Mapped[Moment]
    interviews_due_at: Mapped[Moment]
    """The round's deadline for interviews: the clock of everybody on its list."""


class SheetStatus(StrEnum):
    """Whether a sheet could be scored."""

    SCORED = "scored"
    INCOMPLETE = "incomplete"


class ResponseSet(OfStudent, Base):
    """One student's answers to one scale in one round, with what was scored from them.

    Never edited: a replaced sheet is voided and a new one written (law 8).
    """

    __tablename__ = "response_set"
    __table_args__ = (
        Index(
            "uq_response_set_live",
            "round_id",
            "student_id",
            "scale",
            unique=True,
            sqlite_where=text("voided_at IS NULL"),
            postgresql_where=text("voided_at IS NULL"),
        ),
    )

    id: Mapped[Key]
    round_id: Mapped[UUID] = reference("screening_round.id")
    student_id: Mapped[UUID] = reference("student.id", index=True)
    batch_id: Mapped[UUID] = reference("import_batch.id")
    scale: Mapped[str] = mapped_column(String(24))
    scale_version: Mapped[str] = mapped_column(String(16))
    engine_version: Mapped[str] = mapped_column(String(16))
    status: Mapped[SheetStatus] = word(SheetStatus, length=12)
    taken_at: Mapped[Moment | None]
    recorded_at: Mapped[Moment]
    voided_at: Mapped[Moment | None]
    digest: Mapped[bytes] = mapped_column(LargeBinary(16))
    """Keyed digest of student and normalised answers: the same sheet again is already known (decisions 16)."""
    body: Mapped[Sealed] = answered("response_set.body/1")
    """JSON: answers, total, band, positive."""


class UnplacedStage(StrEnum):
    """What became of a critical answer whose student is not known."""

    OPEN = "open"
    PLACED = "placed"
    DISMISSED = "dismissed"


class UnplacedAnswer(Versioned, HasStages, Base):
    """A critical answer on a row without a known student: find out who it is, now (decisions 11)."""

    __tablename__ = "unplaced_answer"
    __owner__ = ("import_batch", "batch_id")
    __moves__ = {
        UnplacedStage.OPEN: {UnplacedStage.PLACED, UnplacedStage.DISMISSED},
        UnplacedStage.PLACED: set(),
        UnplacedStage.DISMISSED: set(),
    }

    id: Mapped[Key]
    version: Mapped[int] = mapped_column(default=1)
    batch_id: Mapped[UUID] = reference("import_batch.id")
    round_id: Mapped[UUID] = reference("screening_round.id")
    row_number: Mapped[int]
    stage: Mapped[UnplacedStage] = word(UnplacedStage)
    owner_id: Mapped[UUID] = reference("staff.id", index=True)
    due_at: Mapped[Moment]
    rule_version: Mapped[str] = mapped_column(String(64))
    raised_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]
    student_id: Mapped[UUID | None] = reference("student.id", nullable=True)
    """Who it turned out to be."""
    digest: Mapped[bytes] = mapped_column(LargeBinary(16))
    """Keyed digest of what the row said: the same file again asks nobody twice."""
    body: Mapped[Sealed] = answered("unplaced_answer.body/1")
    """JSON: number, name, class as the file had them, the answers, and the rules that fired."""
