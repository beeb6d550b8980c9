"""The deployment and its wrapped data keys."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, Key, word
from models.moment import Moment
from models.sealed import KeyClass


class DeploymentKind(StrEnum):
    """A demo is a demo from birth: it cannot be switched on over a real roster."""

    REAL = "real"
    DEMO = "demo"


class Deployment(Base):
    """The one row that says which installation this database belongs to (decisions 29)."""

    __tablename__ = "deployment"

    id: Mapped[Key]
    kind: Mapped[DeploymentKind] = word(DeploymentKind)
    school: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[Moment]
    roster_version: Mapped[int] = mapped_column(default=1)
    """Counts up with every change of the roster, so that a preview knows whether its base has moved."""


class DataKey(Base):
    """The key of one owner and class, wrapped by a numbered epoch key that never enters the database."""

    __tablename__ = "data_key"

    owner_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    key_class: Mapped[KeyClass] = word(KeyClass, length=12, primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True, default=1)
    owner_kind: Mapped[str] = mapped_column(String(24))
    epoch: Mapped[int] = mapped_column(index=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary(80))
