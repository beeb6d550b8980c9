"""Alerts, their reasons, and the duties they create."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Key, Versioned, reference, word
from models.identity import Role
from models.moment import Moment
from models.sealed import OfStudent, Sealed, clinical
from models.state import HasStages


class Level(StrEnum):
    """Level of attention, by colour: numbers run in opposite directions in practice (domain §0.1)."""

    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    GREEN = "green"

    @property
    def severity(self) -> int:
        return {"red": 3, "orange": 2, "yellow": 1, "green": 0}[self.value]


class AlertStage(StrEnum):
    """States of an alert (states.md)."""

    RAISED = "raised"
    WATCHING = "watching"
    DISPROVED = "disproved"
    CASE_OPENED = "case_opened"
    MERGED = "merged"
    VOID = "void"


class Alert(Versioned, HasStages, OfStudent, Base):
    """That a student needs attention now. At most one is open per student; its reasons are signals.

    Unit, owner and due time are copied here, so that lists and clocks need no
    join and nobody's move hides an open alert (decisions 19).
    """

    __tablename__ = "alert"
    __moves__ = {
        AlertStage.RAISED: {
            AlertStage.WATCHING,
            AlertStage.DISPROVED,
            AlertStage.CASE_OPENED,
            AlertStage.MERGED,
            AlertStage.VOID,
        },
        AlertStage.WATCHING: {
            AlertStage.RAISED,
            AlertStage.DISPROVED,
            AlertStage.CASE_OPENED,
            AlertStage.MERGED,
            AlertStage.VOID,
        },
        AlertStage.DISPROVED: set(),
        AlertStage.CASE_OPENED: set(),
        AlertStage.MERGED: set(),
        AlertStage.VOID: set(),
    }
    __table_args__ = (
        Index(
            "uq_alert_open",
            "student_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(
            "ix_alert_open_due",
            "due_at",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(
            "ix_alert_open_college",
            "college_id",
            "due_at",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[Key]
    version: Mapped[int] = mapped_column(default=1)
    student_id: Mapped[UUID] = reference("student.id", index=True)
    college_id: Mapped[UUID] = reference("college.id")
    class_id: Mapped[UUID] = reference("class_group.id")
    level: Mapped[Level] = word(Level, length=8)
    stage: Mapped[AlertStage] = word(AlertStage, length=12)
    owner_id: Mapped[UUID] = reference("staff.id", index=True)
    """Who in the centre owes the decision."""
    due_at: Mapped[Moment]
    """When the decision is due, once no duty is open; until then the earliest open duty's time."""
    raised_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]
    reasons_void: Mapped[bool] = mapped_column(default=False)
    """Every reason has been voided; the owner is told and decides."""
    level_by_person: Mapped[Level | None] = word(Level, length=8, nullable=True)
    """What a person raised it to. That is a reason of its own: no correction of data goes below it."""
    basis: Mapped[Sealed | None] = clinical("alert.basis/1", nullable=True)
    """Why it was disproved, watched or merged."""

    duties: Mapped[list[Duty]] = relationship(back_populates="alert", order_by="Duty.due_at")

    def raise_to(self, level: Level) -> bool:
        """Go up to ``level`` if that is more severe; an alert goes down only by the centre's decision."""
        if level.severity <= self.level.severity:
            return False
        self.level = level
        return True


class Signal(OfStudent, Base):
    """A reason of an alert. Never edited; voided with a cause when its basis changes."""

    __tablename__ = "signal"

    id: Mapped[Key]
    alert_id: Mapped[UUID] = reference("alert.id", index=True)
    student_id: Mapped[UUID] = reference("student.id")
    level: Mapped[Level] = word(Level, length=8)
    source_kind: Mapped[str] = mapped_column(String(24))
    source_id: Mapped[UUID | None] = mapped_column(index=True)
    batch_id: Mapped[UUID | None] = mapped_column(index=True)
    """The delivery whose rows it was found on, if it was one."""
    rule_version: Mapped[str] = mapped_column(String(64))
    raised_at: Mapped[Moment]
    voided_at: Mapped[Moment | None]
    void_cause: Mapped[str | None] = mapped_column(String(40))
    voided_by: Mapped[UUID | None]
    """The batch or correction on whose account it was voided; rolling that back lets it hold again."""
    reason: Mapped[Sealed] = clinical("signal.reason/1")
    """JSON: the rule that fired and its reason in words. For the centre only."""
    focus: Mapped[Sealed] = clinical("signal.focus/1")
    """JSON: keys of the focus points (关注要点) an advisor may know."""


class AlertExtension(OfStudent, Base):
    """What a delivery changed about an alert that was open already: clocks, a wake-up, duties.

    Kept so that rolling the delivery back gives everybody back the clock he had.
    """

    __tablename__ = "alert_extension"

    id: Mapped[Key]
    alert_id: Mapped[UUID] = reference("alert.id", index=True)
    student_id: Mapped[UUID] = reference("student.id")
    batch_id: Mapped[UUID] = mapped_column(index=True)
    extended_at: Mapped[Moment]
    undone_at: Mapped[Moment | None]
    stage_before: Mapped[AlertStage] = word(AlertStage, length=12)
    due_before: Mapped[Moment]
    due_after: Mapped[Moment]
    duties: Mapped[str] = mapped_column(Text)
    """JSON: ``clocks``, duty → due time before and after; ``given``, duties that it brought. Ids and times only."""


class DutyKind(StrEnum):
    """Two duties with two clocks, neither ending the other (product.md, main job 5)."""

    CONTACT = "contact"
    ASSESSMENT = "assessment"


class DutyStage(StrEnum):
    """States of a duty."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class Duty(Versioned, HasStages, OfStudent, Base):
    """One person owes one thing by one time (decisions 13)."""

    __tablename__ = "duty"
    __moves__ = {
        DutyStage.OPEN: {DutyStage.DONE, DutyStage.CANCELLED},
        DutyStage.DONE: set(),
        DutyStage.CANCELLED: set(),
    }
    __table_args__ = (
        Index(
            "ix_duty_open_owner",
            "owner_id",
            "due_at",
            sqlite_where=text("stage = 'open'"),
            postgresql_where=text("stage = 'open'"),
        ),
        Index(
            "ix_duty_open_college",
            "college_id",
            "due_at",
            sqlite_where=text("stage = 'open'"),
            postgresql_where=text("stage = 'open'"),
        ),
        Index(
            "ix_duty_open_due", "due_at", sqlite_where=text("stage = 'open'"), postgresql_where=text("stage = 'open'")
        ),
    )

    id: Mapped[Key]
    version: Mapped[int] = mapped_column(default=1)
    alert_id: Mapped[UUID] = reference("alert.id", index=True)
    student_id: Mapped[UUID] = reference("student.id", index=True)
    college_id: Mapped[UUID] = reference("college.id")
    class_id: Mapped[UUID] = reference("class_group.id")
    kind: Mapped[DutyKind] = word(DutyKind, length=12)
    stage: Mapped[DutyStage] = word(DutyStage, length=12)
    level: Mapped[Level] = word(Level, length=8)
    owner_id: Mapped[UUID] = reference("staff.id")
    owner_role: Mapped[Role] = word(Role)
    """The role in which the owner holds it: the step of the ladder it stands on."""
    due_at: Mapped[Moment]
    rule_version: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[Moment]
    acknowledged_at: Mapped[Moment | None]
    """签收."""
    ended_at: Mapped[Moment | None]
    times_escalated: Mapped[int] = mapped_column(default=0)

    alert: Mapped[Alert] = relationship(back_populates="duties")


class HoldReason(StrEnum):
    """How a duty came to somebody."""

    ASSIGNED = "assigned"
    TAKEN = "taken"
    ESCALATED = "escalated"
    REASSIGNED = "reassigned"


class DutyHolder(Base):
    """Everybody a duty has been with. Whoever missed a clock stays informed."""

    __tablename__ = "duty_holder"
    __table_args__ = (Index("ix_duty_holder_staff_id_duty_id", "staff_id", "duty_id"),)

    id: Mapped[Key]
    duty_id: Mapped[UUID] = reference("duty.id", index=True)
    staff_id: Mapped[UUID] = reference("staff.id")
    how: Mapped[HoldReason] = word(HoldReason, length=12)
    since: Mapped[Moment]


class RuleOverride(Base):
    """A value of the rules or clocks that the college has changed, with a second person's approval (decisions 14)."""

    __tablename__ = "rule_override"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(80), index=True)
    """Path of the value, for example ``levels.orange.contact.amount``."""
    value: Mapped[str] = mapped_column(Text)
    since: Mapped[Moment]
    until: Mapped[Moment | None]
    approval_id: Mapped[UUID] = reference("approval.id")
