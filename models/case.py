"""Cases in care: the case, its notes, the advice given to advisors, talks and follow-up tasks."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Key, Versioned, reference, word
from models.moment import Moment
from models.risk import Level
from models.sealed import OfStudent, Sealed, clinical
from models.state import HasStages


class CaseStage(StrEnum):
    """States of a case (states.md). Hospital and leave arrive with their rooms."""

    ASSESSING = "assessing"
    ACTIVE = "active"
    MONITORING = "monitoring"
    CLOSURE_REQUESTED = "closure_requested"
    AFTERCARE = "aftercare"
    ENDED = "ended"


class Outcome(StrEnum):
    """How a case was closed (domain §B.7)."""

    STABLE = "stable"
    REFERRED = "referred"
    GRADUATED = "graduated"
    LEFT_SCHOOL = "left_school"
    OWN_WISH = "own_wish"
    OTHER = "other"


class Case(Versioned, HasStages, OfStudent, Base):
    """One student in care: one keeper, one level, one next date. One open case per student."""

    __tablename__ = "case"
    __moves__ = {
        CaseStage.ASSESSING: {CaseStage.ACTIVE, CaseStage.MONITORING, CaseStage.CLOSURE_REQUESTED},
        CaseStage.ACTIVE: {CaseStage.MONITORING, CaseStage.CLOSURE_REQUESTED},
        CaseStage.MONITORING: {CaseStage.ACTIVE, CaseStage.CLOSURE_REQUESTED},
        CaseStage.CLOSURE_REQUESTED: {CaseStage.AFTERCARE, CaseStage.ACTIVE, CaseStage.MONITORING},
        CaseStage.AFTERCARE: {CaseStage.ENDED, CaseStage.ASSESSING},
        CaseStage.ENDED: {CaseStage.ASSESSING},
    }
    __table_args__ = (
        UniqueConstraint("year", "serial"),
        Index(
            "uq_case_open",
            "student_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "ix_case_open_keeper",
            "keeper_id",
            "due_at",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: Mapped[Key]
    version: Mapped[int] = mapped_column(default=1)
    year: Mapped[int]
    serial: Mapped[int]
    student_id: Mapped[UUID] = reference("student.id", index=True)
    college_id: Mapped[UUID] = reference("college.id")
    class_id: Mapped[UUID] = reference("class_group.id")
    keeper_id: Mapped[UUID] = reference("staff.id")
    level: Mapped[Level] = word(Level, length=8)
    stage: Mapped[CaseStage] = word(CaseStage, length=20)
    opened_at: Mapped[Moment]
    due_at: Mapped[Moment]
    """The next thing owed: the next talk, the second signature, the next check after closing."""
    closed_at: Mapped[Moment | None]
    outcome: Mapped[Outcome | None] = word(Outcome, nullable=True)
    summary: Mapped[Sealed | None] = clinical("case.summary/1", nullable=True)
    """结案小结: for whoever opens the case next, and for the second signature."""

    notes: Mapped[list[CaseNote]] = relationship(back_populates="case", order_by="CaseNote.id")

    @property
    def number(self) -> str:
        """The number that people say: 个案 2026-0178. It tells nothing about the student."""
        return f"{self.year}-{self.serial:04d}"

    @property
    def in_care(self) -> bool:
        return self.stage in {CaseStage.ASSESSING, CaseStage.ACTIVE, CaseStage.MONITORING}


class NoteKind(StrEnum):
    """What a note records."""

    SESSION = "session"
    ASSESSMENT = "assessment"
    PROGRESS = "progress"
    SUMMARY = "summary"
    AMENDMENT = "amendment"


class CaseNote(OfStudent, Base):
    """One entry in the care team's record of a case. Amended by a later note, never changed."""

    __tablename__ = "case_note"

    id: Mapped[Key]
    case_id: Mapped[UUID] = reference("case.id", index=True)
    student_id: Mapped[UUID] = reference("student.id")
    author_id: Mapped[UUID] = reference("staff.id")
    kind: Mapped[NoteKind] = word(NoteKind, length=12)
    written_at: Mapped[Moment]
    amends_id: Mapped[UUID | None] = reference("case_note.id", nullable=True)
    body: Mapped[Sealed] = clinical("case_note.body/1")

    case: Mapped[Case] = relationship(back_populates="notes")


class CareAdvice(OfStudent, Base):
    """What the centre asks the advisor to watch and to do. The latest one holds."""

    __tablename__ = "care_advice"

    id: Mapped[Key]
    case_id: Mapped[UUID] = reference("case.id", index=True)
    student_id: Mapped[UUID] = reference("student.id", index=True)
    author_id: Mapped[UUID] = reference("staff.id")
    given_at: Mapped[Moment]
    superseded_at: Mapped[Moment | None]
    body: Mapped[Sealed] = clinical("care_advice.body/1")
    """JSON: focus points and a few sentences."""


class TalkWay(StrEnum):
    """How a talk was held."""

    FACE = "face"
    PHONE = "phone"
    ONLINE = "online"
    VISIT = "visit"


class CareTalk(OfStudent, Base):
    """谈心谈话: one entry that feeds every ledger which needs it (law 11)."""

    __tablename__ = "care_talk"

    id: Mapped[Key]
    student_id: Mapped[UUID] = reference("student.id", index=True)
    duty_id: Mapped[UUID | None] = reference("duty.id", index=True, nullable=True)
    author_id: Mapped[UUID] = reference("staff.id", index=True)
    held_at: Mapped[Moment]
    recorded_at: Mapped[Moment]
    way: Mapped[TalkWay] = word(TalkWay, length=12)
    reached: Mapped[bool]
    amends_id: Mapped[UUID | None] = reference("care_talk.id", nullable=True)
    body: Mapped[Sealed] = clinical("care_talk.body/1")
    """JSON: what was noticed (codes), what was said, what was agreed."""


class TaskKind(StrEnum):
    """What is to be done (states.md, Task)."""

    FOLLOW_UP = "follow_up"
    AFTER_CARE = "after_care"
    RETEST = "retest"
    HAND_OVER = "hand_over"


class TaskStage(StrEnum):
    """States of a task; overdue is open past its time."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class Task(Versioned, HasStages, OfStudent, Base):
    """One thing to do about one student, by one person, by one time."""

    __tablename__ = "task"
    __moves__ = {
        TaskStage.OPEN: {TaskStage.DONE, TaskStage.CANCELLED},
        TaskStage.DONE: set(),
        TaskStage.CANCELLED: set(),
    }
    __table_args__ = (
        Index(
            "ix_task_open_owner",
            "owner_id",
            "due_at",
            sqlite_where=text("stage = 'open'"),
            postgresql_where=text("stage = 'open'"),
        ),
    )

    id: Mapped[Key]
    version: Mapped[int] = mapped_column(default=1)
    kind: Mapped[TaskKind] = word(TaskKind, length=16)
    stage: Mapped[TaskStage] = word(TaskStage, length=12)
    student_id: Mapped[UUID] = reference("student.id", index=True)
    case_id: Mapped[UUID | None] = reference("case.id", index=True, nullable=True)
    owner_id: Mapped[UUID] = reference("staff.id")
    due_at: Mapped[Moment]
    created_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]
    body: Mapped[Sealed] = clinical("task.body/1")
    """What to do, in words."""
    outcome: Mapped[Sealed | None] = clinical("task.outcome/1", nullable=True)
    """What was found, or why it was cancelled."""
