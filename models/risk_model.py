"""The risk model in the house: its editions, what they said of whom, who objected, and which data they may use."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key, Versioned, reference, word
from models.moment import Moment
from models.sealed import OfSelf, OfStudent, Sealed, clinical
from models.state import HasStages


class ModelStage(StrEnum):
    """Life of a model: it is watched before it is used, and two people decide that it is (states.md)."""

    TRAINED = "trained"
    SHADOW = "shadow"
    APPROVED = "approved"
    ACTIVE = "active"
    RETIRED = "retired"


class RiskModel(Versioned, HasStages, OfSelf, Base):
    """One edition of the model that orders the interview list. At most one is active."""

    __tablename__ = "risk_model"
    __moves__ = {
        ModelStage.TRAINED: {ModelStage.SHADOW, ModelStage.RETIRED},
        ModelStage.SHADOW: {ModelStage.APPROVED, ModelStage.RETIRED},
        ModelStage.APPROVED: {ModelStage.ACTIVE, ModelStage.RETIRED},
        ModelStage.ACTIVE: {ModelStage.RETIRED},
        ModelStage.RETIRED: {ModelStage.ACTIVE},
    }
    __taken_back__ = frozenset({ModelStage.RETIRED})
    __table_args__ = (
        Index(
            "uq_risk_model_active",
            "purpose",
            unique=True,
            sqlite_where=text("stage = 'active'"),
            postgresql_where=text("stage = 'active'"),
        ),
        Index("uq_risk_model_edition", "purpose", "edition", unique=True),
    )

    id: Mapped[Key]
    version: Mapped[int] = mapped_column(default=1)
    purpose: Mapped[str] = mapped_column(String(24))
    """What it is for: ``interview``, the order of the interview list."""
    edition: Mapped[int]
    """The number people say: 第 3 版."""
    stage: Mapped[ModelStage] = word(ModelStage, length=12)
    owner_id: Mapped[UUID | None] = reference("staff.id", nullable=True)
    """Who owes the next step, while it is trained, in its shadow round or approved."""
    due_at: Mapped[Moment | None]
    trained_at: Mapped[Moment]
    trained_by: Mapped[UUID | None] = reference("staff.id", nullable=True)
    trained_until: Mapped[Moment]
    """Outcomes recorded up to here were learned from."""
    procedure: Mapped[str] = mapped_column(String(24))
    rules_version: Mapped[str] = mapped_column(String(64))
    labels: Mapped[int]
    positives: Mapped[int]
    features: Mapped[str] = mapped_column(Text)
    """JSON list of feature keys (``config/features.toml``)."""
    without: Mapped[str] = mapped_column(Text)
    """JSON list of entries of the data-use register that were off when it was trained."""
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    """Of the file; the log has it too. A file that does not match is not used."""
    card: Mapped[str] = mapped_column(Text)
    """JSON of the model card: figures of groups large enough to be told, never a person."""
    watched: Mapped[str | None] = mapped_column(Text)
    """JSON, counts only: how its order would have differed from the one in use, over its shadow round."""
    shadow_round_id: Mapped[UUID | None] = reference("screening_round.id", nullable=True)
    shadow_since: Mapped[Moment | None]
    approval_id: Mapped[UUID | None] = reference("approval.id", nullable=True)
    active_since: Mapped[Moment | None]
    retired_at: Mapped[Moment | None]
    retired_because: Mapped[str | None] = mapped_column(String(24))
    """A key of ``[model_retired]`` in ``config/words.toml``."""
    file: Mapped[Sealed] = clinical("risk_model.file/1")
    """The model itself (skops), sealed: it cannot be exchanged unseen."""


class RiskScore(OfStudent, Base):
    """What a model said of one student at one moment, with all it rested on, so that it can be replayed."""

    __tablename__ = "risk_score"
    __table_args__ = (
        Index("ix_risk_score_student_id_scored_at", "student_id", "scored_at"),
        Index("ix_risk_score_round_id_model_id", "round_id", "model_id"),
    )

    id: Mapped[Key]
    student_id: Mapped[UUID] = reference("student.id")
    round_id: Mapped[UUID | None] = reference("screening_round.id", nullable=True)
    model_id: Mapped[UUID] = reference("risk_model.id", index=True)
    at: Mapped[Moment]
    """The moment it speaks of: nothing known later went in."""
    scored_at: Mapped[Moment]
    superseded_at: Mapped[Moment | None]
    """When a later score of the same round and model took its place."""
    shadow: Mapped[bool]
    """Said by a model that was only being watched: nothing followed from it."""
    rules_version: Mapped[str] = mapped_column(String(64))
    inputs: Mapped[bytes] = mapped_column(LargeBinary(32))
    """Keyed digest of the inputs: the same inputs under the same model are not scored again."""
    body: Mapped[Sealed] = clinical("risk_score.body/1")
    """JSON: inputs with the time each became known, log-odds and contributions as hexadecimal floats, band, reasons."""


class ObjectionStage(StrEnum):
    """States of an objection to an automated hint (个人信息保护法 art. 24)."""

    OPEN = "open"
    UPHELD = "upheld"
    """The model no longer speaks of this student; people and rules go on."""
    EXPLAINED = "explained"
    """A person reviewed it and explained; the hint stays."""
    WITHDRAWN = "withdrawn"


class ModelObjection(Versioned, HasStages, OfStudent, Base):
    """A student does not want to be judged by the model: a person reviews it by a time.

    A student may be written down twice: refusing the second would tell its author of the first (law 4).
    """

    __tablename__ = "model_objection"
    __moves__ = {
        ObjectionStage.OPEN: {ObjectionStage.UPHELD, ObjectionStage.EXPLAINED, ObjectionStage.WITHDRAWN},
        ObjectionStage.UPHELD: {ObjectionStage.WITHDRAWN},
        ObjectionStage.EXPLAINED: set(),
        ObjectionStage.WITHDRAWN: set(),
    }
    __taken_back__ = frozenset({ObjectionStage.UPHELD})

    id: Mapped[Key]
    version: Mapped[int] = mapped_column(default=1)
    student_id: Mapped[UUID] = reference("student.id", index=True)
    stage: Mapped[ObjectionStage] = word(ObjectionStage, length=12)
    owner_id: Mapped[UUID] = reference("staff.id", index=True)
    due_at: Mapped[Moment]
    raised_at: Mapped[Moment]
    raised_by: Mapped[UUID] = reference("staff.id")
    """Who wrote it down for the student."""
    ended_at: Mapped[Moment | None]
    decided_by: Mapped[UUID | None] = reference("staff.id", nullable=True)
    body: Mapped[Sealed] = clinical("model_objection.body/1")
    """What the student said."""
    answer: Mapped[Sealed | None] = clinical("model_objection.answer/1", nullable=True)
    """JSON: what the review found and what the student was told, and when."""


class DataUseStage(StrEnum):
    """States of an entry of the data-use register."""

    ASKED = "asked"
    IN_FORCE = "in_force"
    DECLINED = "declined"
    OFF = "off"


class DataUse(Versioned, HasStages, Base):
    """数据使用登记: that data of another domain may feed the model, why, on what basis, and who decided.

    A feature whose ``data_use`` has no entry in force is not gathered at all.
    """

    __tablename__ = "data_use"
    __moves__ = {
        DataUseStage.ASKED: {DataUseStage.IN_FORCE, DataUseStage.DECLINED},
        DataUseStage.IN_FORCE: {DataUseStage.OFF},
        DataUseStage.DECLINED: set(),
        DataUseStage.OFF: set(),
    }
    __table_args__ = (
        Index(
            "uq_data_use_live",
            "domain",
            unique=True,
            sqlite_where=text("stage IN ('asked', 'in_force')"),
            postgresql_where=text("stage IN ('asked', 'in_force')"),
        ),
    )

    id: Mapped[Key]
    version: Mapped[int] = mapped_column(default=1)
    domain: Mapped[str] = mapped_column(String(32))
    """A key of ``[data_use]`` in ``config/features.toml``: which data, for example ``academic``."""
    stage: Mapped[DataUseStage] = word(DataUseStage, length=12)
    purpose: Mapped[str] = mapped_column(Text)
    legal_basis: Mapped[str] = mapped_column(String(24))
    """A key of ``[legal_basis]`` in ``config/words.toml``."""
    assessment: Mapped[str] = mapped_column(Text)
    """The impact assessment (个人信息保护影响评估): its number, date and conclusion. Never about a person."""
    asked_by: Mapped[UUID] = reference("staff.id")
    asked_at: Mapped[Moment]
    approval_id: Mapped[UUID | None] = reference("approval.id", nullable=True)
    since: Mapped[Moment | None]
    until: Mapped[Moment | None]
    switched_off_by: Mapped[UUID | None] = reference("staff.id", nullable=True)
    off_because: Mapped[str | None] = mapped_column(Text)
