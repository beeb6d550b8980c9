"""Changing a rule or a clock: proposed by the centre head, signed by a second person, never below the floor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from app.admin import approval, rulebook
from app.admin.approval import ApprovalDecided
from app.admin.floor import MOST
from app.admin.rule import Rulebook
from app.events import Event
from app.security.access import Access
from config import catalogue
from models.approval import Approval, ApprovalKind, ApprovalStage
from models.identity import Role
from models.moment import now
from models.refusal import Refusal
from models.risk import Level, RuleOverride
from models.working_time import ClockKind


@dataclass(frozen=True, slots=True)
class Changeable:
    """One value that a college may set for itself."""

    name: str
    title: str
    value: int
    unit: str
    least: int
    most: int
    source: str


_DUTIES = {"contact": "联系", "assessment": "评估", "triage": "研判"}
_UNITS = {ClockKind.ROUND: "分钟", ClockKind.WORKING: "个工作小时", ClockKind.DAYS: "个工作日"}


def changeable(book: Rulebook) -> Iterator[Changeable]:
    """Every value that may be changed with a second signature, with its bounds."""
    for name, most in MOST.items():
        clock = book.clock(name)
        yield Changeable(
            f"clock:{name}", _clock_title(name), clock.amount, _UNITS[clock.kind], 1, most.amount, "高校实务 §2.1"
        )
    for level in Level:
        if level is not Level.GREEN:
            title = f"{_level_word(level.value)}个案随访间隔"
            yield Changeable(
                f"follow_up:{level.value}", title, book.follow_up_days(level), "天", 1, 60, "领域资料 §B.2"
            )
    for rule in book.rules:
        if rule.level is None and rule.changeable:
            title = f"{rule.reason.split(' ')[0]} 进入约谈名单的总分"
            value = int(rule.conditions[0].value)
            yield Changeable(f"list:{rule.id}", title, value, "分", *rule.changeable, rule.source)


def _clock_title(name: str) -> str:
    if name.startswith("ladder.step."):
        return f"{_level_word(name.rsplit('.', 1)[1])}超时上报后的时限"
    fixed = {"identify": "核实关键提示属于哪名学生", "closing": "结案第二人签字", "approval": "规则修改审批"}
    if name in fixed:
        return fixed[name]
    level, duty = name.split(".")
    return f"{_level_word(level)}{_DUTIES[duty]}"


def _level_word(level: str) -> str:
    word: str = catalogue.table("levels")[level]["label"]
    return word


def checked_change(book: Rulebook, name: str, value: int) -> Changeable:
    """The value that would be changed, or a ``Refusal`` if the change is not allowed."""
    found = next((item for item in changeable(book) if item.name == name), None)
    if found is None:
        raise Refusal("这一项不能在页面上修改。")
    if not found.least <= value <= found.most:
        raise Refusal(f"“{found.title}”应在 {found.least} 到 {found.most} {found.unit}之间。", field="value")
    if value == found.value:
        raise Refusal("新值与现在的值相同。", field="value")
    return found


class RulesChanged(Event):
    """A value of the rules or clocks is another from now on."""


def propose(access: Access, *, name: str, value: int, reason: str) -> Approval:
    """Ask for a change. Refused at once when the floor or the bounds forbid it."""
    book = rulebook.current(access.session)
    changed = checked_change(book, name, value)
    waiting = access.session.scalars(
        select(Approval).where(Approval.kind == ApprovalKind.RULES_CHANGE, Approval.stage == ApprovalStage.WAITING)
    )
    if any(json.loads(row.what)["name"] == name for row in waiting):
        raise Refusal("这一项已有一份修改申请在等签字。")
    what = {
        "name": name,
        "title": changed.title,
        "from": changed.value,
        "to": value,
        "unit": changed.unit,
        "reason": reason,
    }
    return approval.ask(
        access, ApprovalKind.RULES_CHANGE, what=what, of=(Role.AFFAIRS_HEAD,), due_at=book.due("approval")
    )


def apply_decided(access: Access, happened: ApprovalDecided) -> None:
    """Listener: a signed change holds from now on, and is checked against the floor once more."""
    request = happened.approval
    if request.kind is not ApprovalKind.RULES_CHANGE or request.stage is not ApprovalStage.APPROVED:
        return
    what = json.loads(request.what)
    checked_change(rulebook.current(access.session), what["name"], what["to"])
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
