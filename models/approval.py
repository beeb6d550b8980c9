"""One object for every act that needs two people (decisions 22)."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key, Versioned, reference, word
from models.identity import Role
from models.moment import Moment
from models.refusal import Refusal
from models.state import HasStages


class ApprovalKind(StrEnum):
    """What is asked."""

    CASE_CLOSURE = "case_closure"
    LEVEL_LOWERING = "level_lowering"
    RULES_CHANGE = "rules_change"
    MODEL_USE = "model_use"
    DATA_USE = "data_use"


class ApprovalStage(StrEnum):
    """States of a request for a second signature."""

    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Approval(Versioned, HasStages, Base):
    """Who asked, what exactly, who decides, by when. The person who asked can never decide."""

    __tablename__ = "approval"
    __moves__ = {
        ApprovalStage.WAITING: {ApprovalStage.APPROVED, ApprovalStage.DECLINED, ApprovalStage.WITHDRAWN},
        ApprovalStage.APPROVED: set(),
        ApprovalStage.DECLINED: set(),
        ApprovalStage.WITHDRAWN: set(),
    }
    __table_args__ = (
        Index(
            "ix_approval_waiting_owner",
            "owner_id",
            "due_at",
            sqlite_where=text("stage = 'waiting'"),
            postgresql_where=text("stage = 'waiting'"),
        ),
    )

    id: Mapped[Key]
    version: Mapped[int] = mapped_column(default=1)
    kind: Mapped[ApprovalKind] = word(ApprovalKind)
    stage: Mapped[ApprovalStage] = word(ApprovalStage, length=12)
    object_id: Mapped[UUID | None] = mapped_column(index=True)
    """What it is about: a case, a model, an entry of the data-use register; nothing for a change of rules."""
    what: Mapped[str] = mapped_column(Text)
    """JSON of exactly what is asked. Never about a person: that lies sealed in the object."""
    asked_by: Mapped[UUID] = reference("staff.id", index=True)
    asked_role: Mapped[Role] = word(Role)
    """The role in which the answer is awaited."""
    asked_at: Mapped[Moment]
    owner_id: Mapped[UUID] = reference("staff.id")
    """Who is to decide."""
    owner_role: Mapped[Role] = word(Role)
    """Anybody else holding this role may decide too, save the one who asked."""
    due_at: Mapped[Moment]
    decided_by: Mapped[UUID | None] = reference("staff.id", nullable=True)
    decided_at: Mapped[Moment | None]

    def decide(self, stage: ApprovalStage, *, by: UUID, at: Moment) -> None:
        """Take the decision of a second person."""
        if by == self.asked_by:
            raise Refusal("提出申请的人不能自己审批，请由另一位老师签字。")
        self.move_to(stage)
        self.decided_by = by
        self.decided_at = at
