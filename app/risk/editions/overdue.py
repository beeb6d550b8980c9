"""A step of an edition's life that is late: whoever owes it is reminded, and nothing waits without somebody (law 3)."""

from __future__ import annotations

from sqlalchemy import select

from app.jobs.queue import Kind
from app.notices import post
from app.risk.editions.moves import OPEN
from app.risk.scores.shelf import INTERVIEW
from app.security.access import Access
from app.security.holders import holders_of
from app.security.policy import Permission, Purpose
from models.identity import Role
from models.moment import now
from models.notice import Notice
from models.risk_model import RiskModel

JOB = "risk.overdue"
NOTICE = "model_step_overdue"


def ring(access: Access) -> None:
    """Remind once per missed time; what lay with somebody who has left the post goes to who holds it now."""
    heads = holders_of(access.session, Role.CENTRE_HEAD)
    for model in access.session.scalars(
        select(RiskModel)
        .where(RiskModel.purpose == INTERVIEW, RiskModel.stage.in_(OPEN), RiskModel.due_at <= now())
        .order_by(RiskModel.edition)
    ):
        if heads and model.owner_id not in heads:
            model.owner_id = heads[0]
        told = select(Notice.id).where(
            Notice.kind == NOTICE,
            Notice.object_id == model.id,
            Notice.recipient_id == model.owner_id,
            Notice.created_at >= model.due_at,
        )
        if model.owner_id is not None and access.session.scalar(told.limit(1)) is None:
            post.tell(access, model.owner_id, Role.CENTRE_HEAD, NOTICE, object_id=model.id)


KIND = Kind(name=JOB, permission=Permission.CLOCKS_RUN, purpose=Purpose.CARE, run=ring)
