"""How the invented centre came to its model: trained, watched, signed for by two, used; the next one is watched."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from app.admin import approval
from app.cli import demo_past
from app.risk.editions import life, training_job
from app.security.actor import Actor
from app.security.door import Door
from app.security.policy import Permission, Purpose
from models.approval import Approval
from models.identity import Role, RoleGrant
from models.risk_model import ModelStage, RiskModel

MANAGING = (Permission.MODEL_MANAGE, Purpose.ADMINISTRATION)


def train(door: Door) -> UUID | None:
    """Train an edition; none where the invented college is too small, which its pages then say."""
    with door.enter(_one(door, Role.CENTRE_HEAD), *MANAGING) as access:
        training_job.ask(access)
    demo_past.work(door)
    with door.database.reading() as session:
        return session.scalar(select(RiskModel.id).where(RiskModel.stage == ModelStage.TRAINED))


def train_and_watch(door: Door, round_id: UUID) -> UUID | None:
    """Train the next edition and let it speak over a round at once."""
    model_id = train(door)
    if model_id is not None:
        watch(door, model_id, round_id)
    return model_id


def watch(door: Door, model_id: UUID, round_id: UUID) -> None:
    """Let an edition speak over a round without anything following from it."""
    with door.enter(_one(door, Role.CENTRE_HEAD), *MANAGING) as access:
        life.start_shadow(access, access.find(RiskModel, model_id), round_id=round_id)
    demo_past.work(door)


def put_to_use(door: Door, model_id: UUID) -> None:
    """The head asks, a psychologist signs, the head puts it to use."""
    head, psychologist = _one(door, Role.CENTRE_HEAD), _one(door, Role.PSYCHOLOGIST)
    with door.enter(head, *MANAGING) as access:
        asked = life.ask_for_use(access, access.find(RiskModel, model_id)).id
    with door.enter(psychologist, Permission.APPROVE, Purpose.ADMINISTRATION) as access:
        approval.decide(access, access.find(Approval, asked), approve=True)
    with door.enter(head, *MANAGING) as access:
        life.activate(access, access.find(RiskModel, model_id))
    demo_past.work(door)


def _one(door: Door, role: Role) -> Actor:
    with door.database.reading() as session:
        staff_id = session.scalar(select(RoleGrant.staff_id).where(RoleGrant.role == role).order_by(RoleGrant.id))
    return Actor(role=role, id=staff_id)
