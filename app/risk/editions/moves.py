"""Every step of an edition is written down with its reason, whoever takes it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.security.access import Access
from models.model_life import ModelMove
from models.moment import now
from models.risk_model import ModelStage, RiskModel

OPEN = (ModelStage.TRAINED, ModelStage.SHADOW, ModelStage.APPROVED)
"""Stages in which somebody owes the next step."""


def note(
    access: Access,
    model: RiskModel,
    *,
    before: ModelStage | None,
    cause: str,
    reason: str | None = None,
    by: UUID | None = None,
) -> None:
    """Add a line to the history of an edition."""
    access.session.add(
        ModelMove(
            model_id=model.id,
            at=now(),
            by=by or access.actor.id,
            role=access.actor.role,
            before=before,
            after=model.stage,
            cause=cause,
            reason=reason,
        )
    )


def history(session: Session, model_id: UUID) -> list[ModelMove]:
    """The life of an edition, newest first."""
    query = select(ModelMove).where(ModelMove.model_id == model_id)
    return list(session.scalars(query.order_by(ModelMove.at.desc(), ModelMove.id.desc())))
