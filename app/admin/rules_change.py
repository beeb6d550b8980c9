"""Changing a rule or a clock: proposed by the centre head, signed by a second person, never below the floor."""

from __future__ import annotations

import json

from sqlalchemy import select

from app.admin import approval, rulebook
from app.admin.approval import ApprovalDecided
from app.events import Event
from app.security.access import Access
from models.approval import Approval, ApprovalKind, ApprovalStage
from models.identity import Role
from models.moment import now
from models.refusal import Refusal
from models.risk import RuleOverride


class RulesChanged(Event):
    """A value of the rules or clocks is another from now on."""


def propose(access: Access, *, name: str, value: int, reason: str) -> Approval:
    """Ask for a change. Refused at once when the floor or the bounds forbid it."""
    book = rulebook.current(access.session)
    changed = rulebook.checked_change(book, name, value)
    waiting = access.session.scalars(
        select(Approval).where(Approval.kind == ApprovalKind.RULES_CHANGE, Approval.stage == ApprovalStage.WAITING)
    )
    if any(json.loads(row.what)["name"] == name for row in waiting):
        raise Refusal("这一项已有一份修改申请在等签字。")
    what = {"name": name, "title": changed.title, "from": changed.value, "to": value, "unit": changed.unit,
            "reason": reason}
    return approval.ask(
        access, ApprovalKind.RULES_CHANGE, what=what, of=(Role.AFFAIRS_HEAD,), due_at=book.due("approval")
    )


def apply_decided(access: Access, happened: ApprovalDecided) -> None:
    """Listener: a signed change holds from now on, and is checked against the floor once more."""
    request = happened.approval
    if request.kind is not ApprovalKind.RULES_CHANGE or request.stage is not ApprovalStage.APPROVED:
        return
    what = json.loads(request.what)
    rulebook.checked_change(rulebook.current(access.session), what["name"], what["to"])
    instant = now()
    for old in access.session.scalars(
        select(RuleOverride).where(RuleOverride.name == what["name"], RuleOverride.until.is_(None))
    ):
        old.until = instant
    access.session.add(
        RuleOverride(name=what["name"], value=json.dumps(what["to"]), since=instant, approval_id=request.id)
    )
    access.session.flush()
    rulebook.current(access.session)
    access.record(RulesChanged(object_id=request.id))
