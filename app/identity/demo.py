"""The invented people of a demo, and the one click that signs them in."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from app.security.door import Door
from app.security.sign_in import open_session
from config import catalogue
from models.identity import Role, RoleGrant, Staff
from models.keys import DeploymentKind
from models.refusal import Refusal

MOST_PER_ROLE = 2


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One line of the demo's sign-in page."""

    login: str
    name: str
    role: str
    about: str


def accounts(door: Door) -> list[DemoAccount]:
    """A few people of every role, in the order of the roles."""
    with door.database.reading() as session:
        rows = session.execute(
            select(Staff.login, Staff.name, RoleGrant.role)
            .join(RoleGrant, RoleGrant.staff_id == Staff.id)
            .where(Staff.retired_at.is_(None))
            .order_by(Staff.login)
        ).all()
    labels, found = catalogue.table("roles"), []
    for role in Role:
        held = [row for row in rows if row.role is role][:MOST_PER_ROLE]
        words = labels[role.value]
        found += [DemoAccount(row.login, row.name, words["label"], words["about"]) for row in held]
    return found


def enter(door: Door, login: str) -> str:
    """Sign in as an invented person. The kind of deployment was fixed when the database was born."""
    if door.deployment.kind is not DeploymentKind.DEMO:
        raise Refusal("这不是演示环境。")
    with door.database.reading() as session:
        staff_id = session.scalar(select(Staff.id).where(Staff.login == login, Staff.retired_at.is_(None)))
    if staff_id is None:
        raise Refusal("没有这个演示账号。")
    return open_session(door, staff_id)
