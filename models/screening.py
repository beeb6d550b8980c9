"""Screening rounds and the answer sheets they bring."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, Text, false, text
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


class RepeatRule(StrEnum):
    """Which of several tries of one person counts in a round (practice §1.2)."""

    FIRST = "first"
    LAST = "last"
    MOST_COMPLETE = "most_complete"


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
    scales: Mapped[str] = mapped_column(Text, default="[]", server_default="[]")
    """JSON list of scale keys that the round asks for; empty means whatever its files bring."""
    cohort: Mapped[str] = mapped_column(Text, default="{}", server_default="{}")
    """JSON: ``colleges``, ``classes`` (ids), ``grades``, ``tags``; empty means every enrolled student. Never people."""
    opens_on: Mapped[date | None]
    closes_on: Mapped[date | None]
    make_up_closes_on: Mapped[date | None]
    repeat_rule: Mapped[RepeatRule] = word(RepeatRule, length=16, default=RepeatRule.FIRST)
    commits_clean_files: Mapped[bool] = mapped_column(default=False, server_default=false())
    """A file that a source delivers and that has nothing to ask commits by itself."""
    consent_id: Mapped[UUID | None] = reference("consent_text.id", nullable=True)
    interviews_per_week: Mapped[int | None]
    """How many interviews the centre can hold in a week, as it said itself; none: reckoned from its people."""
    audit_share: Mapped[float | None]
    """Share of the students nothing spoke of who are asked to a talk by lot; none while the centre has no room."""


class SheetStatus(StrEnum):
    """Whether a sheet could be scored."""

    SCORED = "scored"
    INCOMPLETE = "incomplete"
    STATED = "stated"
    """The source gave totals, factors or a level, and no answers."""


class SheetValidity(StrEnum):
    """Whether the answers can be believed. Doubtful ones ask for a re-test and are never taken for low."""

    VALID = "valid"
    DOUBTFUL = "doubtful"
    UNCHECKED = "unchecked"
    """Nothing to check by: totals only, or a sheet from before there were checks."""


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
    voided_by: Mapped[UUID | None]
    """What voided it: the batch that replaced it, or the correction. Rolling that back lets it hold again."""
    coding: Mapped[str | None] = mapped_column(String(16))
    """How the file coded its answers, for example ``1-4`` for a scale of 0–3; none where it was the scale's own."""
    norm: Mapped[str | None] = mapped_column(String(24))
    """Key of the norm the scale's file named when it was scored."""
    validity: Mapped[SheetValidity] = word(SheetValidity, length=12, default=SheetValidity.UNCHECKED)
    digest: Mapped[bytes] = mapped_column(LargeBinary(16))
    """Keyed digest of student and normalised answers: the same sheet again is already known (decisions 16)."""
    body: Mapped[Sealed] = answered("response_set.body/1")
    """JSON: answers, total, band, positive; where there are: subscales, band label, why doubtful, what was stated."""


class UnplacedStage(StrEnum):
    """What became of a critical answer whose student is not known."""

    OPEN = "open"
    PLACED = "placed"
    DISMISSED = "dismissed"
    VOID = "void"
    """The file it came from was rolled back."""


class UnplacedAnswer(Versioned, HasStages, Base):
    """A critical answer on a row without a known student: find out who it is, now (decisions 11)."""

    __tablename__ = "unplaced_answer"
    __owner__ = ("import_batch", "batch_id")
    __moves__ = {
        UnplacedStage.OPEN: {UnplacedStage.PLACED, UnplacedStage.DISMISSED, UnplacedStage.VOID},
        UnplacedStage.PLACED: set(),
        UnplacedStage.DISMISSED: set(),
        UnplacedStage.VOID: set(),
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
