"""How editions of the model came to be and moved on: trainings that were asked for, and every step with its reason."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key, Versioned, reference, word
from models.identity import Role
from models.moment import Moment
from models.risk_model import ModelStage
from models.state import HasStages


class TrainingStage(StrEnum):
    """States of a training."""

    ASKED = "asked"
    MADE = "made"
    """There is a new edition."""
    NOT_MADE = "not_made"
    """There is none, and the page says why."""


class ModelTraining(Versioned, HasStages, Base):
    """One training that somebody asked for: how far it is, and what came of it. At most one at a time."""

    __tablename__ = "model_training"
    __moves__ = {
        TrainingStage.ASKED: {TrainingStage.MADE, TrainingStage.NOT_MADE},
        TrainingStage.MADE: set(),
        TrainingStage.NOT_MADE: set(),
    }
    __table_args__ = (
        Index(
            "uq_model_training_asked",
            "purpose",
            unique=True,
            sqlite_where=text("stage = 'asked'"),
            postgresql_where=text("stage = 'asked'"),
        ),
    )

    id: Mapped[Key]
    version: Mapped[int] = mapped_column(default=1)
    purpose: Mapped[str] = mapped_column(String(24))
    stage: Mapped[TrainingStage] = word(TrainingStage, length=12)
    because: Mapped[str] = mapped_column(String(24))
    """A key of ``[training_because]`` in ``config/words.toml``: a person asked, or data may no longer be used."""
    asked_by: Mapped[UUID | None] = reference("staff.id", nullable=True)
    """Nobody for the command line."""
    asked_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]
    progress: Mapped[int] = mapped_column(default=0)
    progress_total: Mapped[int] = mapped_column(default=0)
    said: Mapped[str | None] = mapped_column(Text)
    """Why there is no new edition, in a sentence."""
    model_id: Mapped[UUID | None] = reference("risk_model.id", nullable=True)


class ModelMove(Base):
    """One step in the life of an edition: who took it, when, and why. Only ever added to."""

    __tablename__ = "model_move"

    id: Mapped[Key]
    model_id: Mapped[UUID] = reference("risk_model.id", index=True)
    at: Mapped[Moment]
    by: Mapped[UUID | None] = reference("staff.id", nullable=True)
    role: Mapped[Role] = word(Role)
    before: Mapped[ModelStage | None] = word(ModelStage, length=12, nullable=True)
    after: Mapped[ModelStage] = word(ModelStage, length=12)
    cause: Mapped[str] = mapped_column(String(24))
    """A key of ``[model_cause]`` in ``config/words.toml``."""
    reason: Mapped[str | None] = mapped_column(Text)
    """In words, where a person gave one. About the model, never about a student."""
