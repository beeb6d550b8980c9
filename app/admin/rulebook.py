"""The rules and clocks that hold now: shipped defaults, the college's own values, and the floor.

Defaults lie in ``config/levels.toml`` and ``config/rules.toml``. A college
changes a value with a second person's approval; the change is a row with a
time (decisions 14). The floor stands in code, because it may not be changed at
all: the shipped critical patterns, and how long a clock may be at most.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import catalogue
from models import moment
from models.identity import Role
from models.refusal import Refusal
from models.risk import Level, RuleOverride
from models.working_time import Clock, ClockKind, WorkingCalendar

MOST: dict[str, Clock] = {
    "red.contact": Clock(ClockKind.ROUND, 120),
    "red.assessment": Clock(ClockKind.ROUND, 240),
    "red.triage": Clock(ClockKind.ROUND, 480),
    "orange.contact": Clock(ClockKind.WORKING, 8),
    "orange.assessment": Clock(ClockKind.WORKING, 24),
    "orange.triage": Clock(ClockKind.WORKING, 24),
    "yellow.contact": Clock(ClockKind.DAYS, 5),
    "yellow.triage": Clock(ClockKind.DAYS, 10),
    "identify": Clock(ClockKind.WORKING, 4),
    "closing": Clock(ClockKind.DAYS, 5),
    "approval": Clock(ClockKind.DAYS, 10),
    "ladder.step.red": Clock(ClockKind.ROUND, 30),
    "ladder.step.orange": Clock(ClockKind.WORKING, 4),
    "ladder.step.yellow": Clock(ClockKind.DAYS, 3),
}
"""The longest that each clock may run, whatever a file or a page says (law 2)."""

CRITICAL_FLOOR: tuple[tuple[str, tuple[tuple[str, int], ...], Level], ...] = (
    ("phq9", (("item 9", 1),), Level.YELLOW),
    ("phq9", (("item 9", 2),), Level.ORANGE),
    ("phq9", (("item 9", 1), ("total", 15)), Level.ORANGE),
    ("phq9", (("total", 20),), Level.ORANGE),
)
"""Patterns that always raise at least this level (decisions 12); each number is "this much or more"."""

STATED = {"report.urgent": Level.RED, "report.soon": Level.ORANGE, "report.watch": Level.YELLOW}
"""What a person states raises this level, always."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a rule: ``item 9 >= 2``, ``total < 20``."""

    measure: str
    op: str
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One pattern and what it raises: an alert level, or a place on the interview list (none)."""

    id: str
    scale: str | None
    level: Level | None
    critical: bool
    conditions: tuple[Condition, ...]
    focus: tuple[str, ...]
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything that decides and times, as it holds at one moment."""

    version: str
    rules: tuple[Rule, ...]
    levels: dict[str, Any]
    calendar: WorkingCalendar

    def rule(self, rule_id: str) -> Rule:
        return next(rule for rule in self.rules if rule.id == rule_id)

    def clock(self, name: str) -> Clock:
        """The clock called ``orange.contact``, ``identify``, ``ladder.step.red``…"""
        held = at(self.levels, name)
        return Clock(ClockKind(held["clock"]), held["amount"])

    def due(self, name: str, *, since: datetime | None = None) -> datetime:
        return self.calendar.due(since or moment.now(), self.clock(name))

    def ladder(self, duty: str) -> tuple[Role, ...]:
        return tuple(Role(role) for role in self.levels["ladder"][duty])

    def follow_up_days(self, level: Level) -> int:
        days: int = self.levels["follow_up"][level.value]
        return days


def at(table: dict[str, Any], path: str) -> Any:
    for part in path.split("."):
        table = table[part]
    return table


def current(session: Session) -> Rulebook:
    """The rulebook of this moment, with the college's approved changes."""
    rows = session.execute(
        select(RuleOverride.name, RuleOverride.value)
        .where(RuleOverride.until.is_(None))
        .order_by(RuleOverride.name)
    ).all()
    return _build(tuple((name, value) for name, value in rows), moment.zone())


@cache
def _build(overrides: tuple[tuple[str, str], ...], zone: Any) -> Rulebook:
    levels = copy.deepcopy(catalogue.table("levels"))
    rules = copy.deepcopy(catalogue.table("rules"))
    for name, value in overrides:
        _put(levels, rules, name, json.loads(value))
    version = f"{levels['version']}/{rules['version']}"
    if overrides:
        version += "+" + hashlib.sha256(json.dumps(overrides).encode()).hexdigest()[:8]
    book = Rulebook(
        version, tuple(_rule(held) for held in rules["rule"]), levels,
        WorkingCalendar.from_table(catalogue.table("calendar"), zone),
    )
    refuse_below_floor(book)
    return book


def _put(levels: dict[str, Any], rules: dict[str, Any], name: str, value: Any) -> None:
    kind, _, path = name.partition(":")
    if kind == "clock":
        at(levels, path)["amount"] = value
    elif kind == "follow_up":
        levels["follow_up"][path] = value
    else:
        rule = next(held for held in rules["rule"] if held["id"] == path)
        rule["when"][0]["value"] = value


def _rule(held: dict[str, Any]) -> Rule:
    raises = held["raises"]
    first = held.get("when", [{"value": ""}])[0]["value"]
    return Rule(
        id=held["id"], scale=held.get("scale"), level=None if raises == "list" else Level(raises),
        critical=held.get("critical", False), focus=tuple(held["focus"]), reason=held["reason"].replace("{first}", str(first)),
        source=held["source"],
        conditions=tuple(
            Condition("total" if part.get("total") else f"item {part['item']}", part["op"], part["value"])
            for part in held.get("when", [])
        ),
    )


# --- the floor ------------------------------------------------------------------------


class BelowFloor(Exception):
    """A file or a change would weaken what protects lives."""


def refuse_below_floor(book: Rulebook) -> None:
    """Raise ``BelowFloor`` unless every shipped critical pattern and every longest clock still holds."""
    for scale, pattern, level in CRITICAL_FLOOR:
        if not any(_covers(rule, scale, dict(pattern), level) for rule in book.rules):
            raise BelowFloor(f"关键规则被削弱：{scale} {pattern} 至少应为{level.value}")
    for rule_id, level in STATED.items():
        rule = book.rule(rule_id)
        if rule.level is None or rule.level.severity < level.severity:
            raise BelowFloor(f"老师上报的等级被调低：{rule_id}")
    for name, most in MOST.items():
        clock = book.clock(name)
        if clock.kind is not most.kind or not 0 < clock.amount <= most.amount:
            raise BelowFloor(f"时限 {name} 超出允许的最长时间（{most.in_words}）")


def _covers(rule: Rule, scale: str, pattern: dict[str, int], level: Level) -> bool:
    """Whether ``rule`` fires on everything the pattern fires on, at that level or above."""
    if rule.scale != scale or not rule.critical or rule.level is None or rule.level.severity < level.severity:
        return False
    return bool(rule.conditions) and all(
        part.op == ">=" and part.measure in pattern and part.value <= pattern[part.measure]
        for part in rule.conditions
    )


# --- what a page may change -------------------------------------------------------------


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
        yield Changeable(f"clock:{name}", _clock_title(name), clock.amount, _UNITS[clock.kind], 1, most.amount,
                         "practice §2.1")
    for level in Level:
        if level is not Level.GREEN:
            title = f"{_level_word(level.value)}个案随访间隔"
            yield Changeable(f"follow_up:{level.value}", title, book.follow_up_days(level), "天", 1, 60, "domain §B.2")
    for rule in book.rules:
        if rule.level is None and rule.conditions:
            first = rule.conditions[0]
            yield Changeable(f"list:{rule.id}", f"{rule.reason.split(' ')[0]} 进入约谈名单的总分", first.value, "分", 1, 19,
                             rule.source)


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
