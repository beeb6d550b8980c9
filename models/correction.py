"""Corrections of results that went in wrongly, and what deliveries said that was known already."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key, reference, word
from models.moment import Moment
from models.sealed import OfSelf, Sealed, answered


class CorrectionKind(StrEnum):
    """What was put right."""

    REATTRIBUTED = "reattributed"
    """The answers were another student's."""
    SWAPPED = "swapped"
    """Two students had each other's answers."""
    RESCORED = "rescored"
    """The scale or the arithmetic has another version."""


class Correction(OfSelf, Base):
    """One act that voided sheets and wrote others in their place; ``response_set.voided_by`` names it."""

    __tablename__ = "correction"

    id: Mapped[Key]
    kind: Mapped[CorrectionKind] = word(CorrectionKind, length=16)
    made_at: Mapped[Moment]
    made_by: Mapped[UUID | None] = reference("staff.id", nullable=True)
    """None for the command line."""
    reason: Mapped[Sealed | None] = answered("correction.reason/1", nullable=True)


class WitnessKind(StrEnum):
    """What a delivery said again."""

    SHEET = "sheet"
    ROW = "row"
    """A critical answer on a row that did not go in."""
    UNPLACED = "unplaced"
    """A critical answer without a known student."""


class Witness(Base):
    """A delivery said something that was known already, and so wrote nothing of its own.

    When the delivery that had brought it is rolled back, this one still says
    it: it stays (law 2). A keyed digest only.
    """

    __tablename__ = "witness"
    __table_args__ = (Index("ix_witness_digest", "digest"),)

    id: Mapped[Key]
    batch_id: Mapped[UUID] = reference("import_batch.id", index=True)
    kind: Mapped[WitnessKind] = word(WitnessKind, length=12)
    digest: Mapped[bytes] = mapped_column(LargeBinary(16))
