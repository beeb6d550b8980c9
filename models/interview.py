"""The round's interview list (约谈名单): who should be talked to, by whom, by when, and what came of it.

A rule that speaks later takes the place of a hint, whatever had become of the
hint, save a talk that was held: so an ended hint may still be void.
"""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key, Versioned, reference, word
from models.moment import Moment
from models.sealed import OfStudent, Sealed, clinical
from models.state import HasStages


class InterviewStage(StrEnum):
    """States of an entry on the round's interview list (states.md)."""

    LISTED = "listed"
    INVITED = "invited"
    SECOND_TALK = "second_talk"
    DONE = "done"
    DECLINED = "declined"
    NOT_REACHED = "not_reached"
    DISMISSED = "dismissed"
    """A person judged that the model's hint needs no talk."""
    KNOWN = "known"
    """A person knows of it already: somebody cares for the student."""
    VOID = "void"


class EntryOrigin(StrEnum):
    """What put a student on the list."""

    RULES = "rules"
    MODEL = "model"
    """模型提示: added to what the rules list; the model never takes anybody off."""
    AUDIT = "audit"
    """随机回访: drawn by lot among those nothing spoke of, so that the hints can be checked honestly."""


class InterviewEntry(Versioned, HasStages, OfStudent, Base):
    """One student on one round's 约谈名单: owner, round deadline, reasons."""

    __tablename__ = "interview_entry"
    __moves__ = {
        InterviewStage.LISTED: {
            InterviewStage.INVITED,
            InterviewStage.SECOND_TALK,
            InterviewStage.DONE,
            InterviewStage.DECLINED,
            InterviewStage.NOT_REACHED,
            InterviewStage.DISMISSED,
            InterviewStage.KNOWN,
            InterviewStage.VOID,
        },
        InterviewStage.INVITED: {
            InterviewStage.SECOND_TALK,
            InterviewStage.DONE,
            InterviewStage.DECLINED,
            InterviewStage.NOT_REACHED,
            InterviewStage.DISMISSED,
            InterviewStage.KNOWN,
            InterviewStage.VOID,
        },
        InterviewStage.SECOND_TALK: {
            InterviewStage.DONE,
            InterviewStage.DECLINED,
            InterviewStage.NOT_REACHED,
            InterviewStage.DISMISSED,
            InterviewStage.KNOWN,
            InterviewStage.VOID,
        },
        InterviewStage.DONE: set(),
        InterviewStage.DECLINED: {InterviewStage.VOID},
        InterviewStage.NOT_REACHED: {InterviewStage.VOID},
        InterviewStage.DISMISSED: {InterviewStage.LISTED, InterviewStage.VOID},
        InterviewStage.KNOWN: {InterviewStage.LISTED, InterviewStage.VOID},
        InterviewStage.VOID: set(),
    }
    __taken_back__ = frozenset(
        {InterviewStage.DISMISSED, InterviewStage.KNOWN, InterviewStage.DECLINED, InterviewStage.NOT_REACHED}
    )
    __table_args__ = (
        Index(
            "uq_interview_entry_live",
            "round_id",
            "student_id",
            unique=True,
            sqlite_where=text("stage != 'void'"),
            postgresql_where=text("stage != 'void'"),
        ),
        Index(
            "ix_interview_entry_open_due",
            "round_id",
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
    stage: Mapped[InterviewStage] = word(InterviewStage, length=12)
    owner_id: Mapped[UUID] = reference("staff.id", index=True)
    due_at: Mapped[Moment]
    weight: Mapped[int] = mapped_column(default=0)
    """Order within the list: how far above the threshold, summed over its reasons."""
    origin: Mapped[EntryOrigin] = word(EntryOrigin, length=8, default=EntryOrigin.RULES)
    place: Mapped[int | None]
    """Order that the active model proposes within the round, 1 first; none without a model."""
    share: Mapped[float | None]
    """With which chance a random entry was drawn: what the estimates are weighted by."""
    basis: Mapped[str | None] = mapped_column(String(24))
    """Why a hint was dismissed or was known: a key of ``[hint_basis]`` in ``config/words.toml``."""
    rule_version: Mapped[str] = mapped_column(String(64))
    listed_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]
    batch_id: Mapped[UUID | None]
    """The delivery whose results put the student on the list."""
    voided_by: Mapped[UUID | None]
    """The batch or correction on whose account it was taken off; rolling that back puts it on again."""
    body: Mapped[Sealed] = clinical("interview_entry.body/1")
    """JSON: the reasons, each with its rule."""
    outcome: Mapped[Sealed | None] = clinical("interview_entry.outcome/1", nullable=True)
    """JSON: ``result`` (A, B, C), ``level``, ``text``, ``by``, ``earlier``; or in words why a hint was dismissed."""
