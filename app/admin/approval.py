"""Asking a second person, and that person's answer (decisions 22)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.events import Event
from app.notices import post
from app.security.access import Access
from app.security.holders import holders_of
from models.approval import Approval, ApprovalKind, ApprovalStage
from models.case import Case
from models.identity import Role
from models.moment import now
from models.refusal import Refusal


class ApprovalAsked(Event):
    """A second signature was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalDecided(Event):
    """A second person has signed or declined."""

    approval: Approval


def ask(
    access: Access,
    kind: ApprovalKind,
    *,
    what: dict[str, Any],
    of: Sequence[Role],
    due_at: datetime,
    object_id: UUID | None = None,
) -> Approval:
    """Ask somebody else holding one of the roles ``of``, the first that has another holder.

    Refuses when nobody else does: then nobody could ever sign.
    """
    me = access.actor.id
    others = [(staff_id, role) for role in of for staff_id in holders_of(access.session, role) if staff_id != me]
    if me is None or not others:
        raise Refusal("找不到可以签字的第二人：请系统管理员先为另一位老师开通相应岗位角色。")
    owner_id, owner_role = others[0]
    row = Approval(
        kind=kind,
        stage=ApprovalStage.WAITING,
        object_id=object_id,
        what=json.dumps(what, ensure_ascii=False),
        asked_by=me,
        asked_role=access.actor.role,
        asked_at=now(),
        owner_id=owner_id,
        owner_role=owner_role,
        due_at=due_at,
    )
    access.session.add(row)
    post.tell(access, owner_id, owner_role, "approval_asked")
    access.record(ApprovalAsked(object_id=row.id))
    return row


def lock_student(access: Access, approval_id: UUID) -> None:
    """A case that waits for a signature is its student's: locked first, as everywhere."""
    whose = select(Case.student_id).join(Approval, Approval.object_id == Case.id).where(Approval.id == approval_id)
    access.lock_students(access.session.scalars(whose))


def decide(access: Access, request: Approval, *, approve: bool) -> None:
    """Sign or decline. Whoever asked is told, and the act that waited goes on or back."""
    if access.actor.id is None:
        raise Refusal("需要由一位老师签字。")
    stage = ApprovalStage.APPROVED if approve else ApprovalStage.DECLINED
    request.decide(stage, by=access.actor.id, at=now())
    post.tell(access, request.asked_by, request.asked_role, "approval_decided")
    access.record(ApprovalDecided(object_id=request.id, approval=request))
