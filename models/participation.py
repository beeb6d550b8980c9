"""Who takes part in a round and how: consent texts, those who declined or were away, and answers to be given again."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key, Versioned, reference, word
from models.moment import Moment
from models.sealed import OfStudent, Sealed, answered, clinical
from models.state import HasStages


class ConsentText(Base):
    """What students are told and asked before a screening (知情同意), in one version. Never edited: a new version."""

    __tablename__ = "consent_text"
    __table_args__ = (UniqueConstraint("name", "edition"),)

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(80))
    edition: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    written_at: Mapped[Moment]
    written_by: Mapped[UUID | None] = reference("staff.id", nullable=True)


class AbsenceKind(StrEnum):
    """Why a student of the cohort has no result. Declining is a right and is not the same as missing (practice §3)."""

    DECLINED = "declined"
    AWAY = "away"
    """因故不参加: on leave, ill, doing service."""
    ACCOUNT = "account"
    """账号无法登录."""


class AbsenceEnd(StrEnum):
    """Why an absence no longer holds."""

    TOOK_PART = "took_part"
    """Results of the student came in."""
    WILL_TAKE_PART = "will_take_part"
    MISTAKE = "mistake"


class RoundAbsence(OfStudent, Base):
    """Somebody said, or it was reported, why a student does not take part in a round."""

    __tablename__ = "round_absence"
    __table_args__ = (
        Index(
            "uq_round_absence_live",
            "round_id",
            "student_id",
            unique=True,
            sqlite_where=text("voided_at IS NULL"),
            postgresql_where=text("voided_at IS NULL"),
        ),
    )

    id: Mapped[Key]
    round_id: Mapped[UUID] = reference("screening_round.id")
    student_id: Mapped[UUID] = reference("student.id", index=True)
    kind: Mapped[AbsenceKind] = word(AbsenceKind, length=12)
    recorded_at: Mapped[Moment]
    recorded_by: Mapped[UUID | None] = reference("staff.id", nullable=True)
    batch_id: Mapped[UUID | None] = reference("import_batch.id", nullable=True)
    """The file that said so, if it was one."""
    voided_at: Mapped[Moment | None]
    voided_because: Mapped[AbsenceEnd | None] = word(AbsenceEnd, length=16, nullable=True)
    voided_by: Mapped[UUID | None]
    """The delivery whose results ended it; rolling that back lets it hold again."""


class RetestStage(StrEnum):
    """States of a re-test (建议重测)."""

    OPEN = "open"
    DONE = "done"
    DECLINED = "declined"
    VOID = "void"


class Retest(Versioned, HasStages, OfStudent, Base):
    """Answers that cannot be believed are asked for again; one person sees to it by a time (law 3)."""

    __tablename__ = "retest"
    __moves__ = {
        RetestStage.OPEN: {RetestStage.DONE, RetestStage.DECLINED, RetestStage.VOID},
        RetestStage.DONE: set(),
        RetestStage.DECLINED: set(),
        RetestStage.VOID: set(),
    }
    __table_args__ = (
        Index(
            "uq_retest_live",
            "round_id",
            "student_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(
            "ix_retest_open_owner",
            "owner_id",
            "due_at",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[Key]
    version: Mapped[int] = mapped_column(default=1)
    round_id: Mapped[UUID] = reference("screening_round.id")
    student_id: Mapped[UUID] = reference("student.id", index=True)
    college_id: Mapped[UUID] = reference("college.id")
    class_id: Mapped[UUID] = reference("class_group.id")
    stage: Mapped[RetestStage] = word(RetestStage, length=12)
    owner_id: Mapped[UUID] = reference("staff.id")
    due_at: Mapped[Moment]
    created_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]
    chased_at: Mapped[Moment | None]
    """When its owner was last reminded that it is overdue."""
    batch_id: Mapped[UUID | None] = reference("import_batch.id", nullable=True)
    """The delivery whose answers were doubtful."""
    settled_by: Mapped[UUID | None]
    """The delivery whose believable answers ended it; rolling that back opens it again."""
    body: Mapped[Sealed] = answered("retest.body/1")
    """JSON: scales and why their answers are doubtful; what came of it."""


class StructuredInterview(OfStudent, Base):
    """A trained person asked the questions of a structured interview (C-SSRS) and wrote the answers down."""

    __tablename__ = "structured_interview"

    id: Mapped[Key]
    student_id: Mapped[UUID] = reference("student.id", index=True)
    scale: Mapped[str] = mapped_column(String(24))
    scale_version: Mapped[str] = mapped_column(String(16))
    author_id: Mapped[UUID] = reference("staff.id")
    held_at: Mapped[Moment]
    recorded_at: Mapped[Moment]
    voided_at: Mapped[Moment | None]
    amends_id: Mapped[UUID | None] = reference("structured_interview.id", nullable=True)
    body: Mapped[Sealed] = clinical("structured_interview.body/1")
    """JSON: answers, level, a few lines."""
