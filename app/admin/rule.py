"""What a rule and the rulebook are: patterns, levels and clocks, as they hold at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import moment
from models.identity import Role
from models.risk import Level
from models.working_time import Clock, ClockKind, WorkingCalendar


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a rule: ``item 9 >= 2``, ``total < 20``, ``subscale anxiety >= 15``."""

    measure: str
    op: str
    value: float


def condition(part: dict[str, Any]) -> Condition:
    """A condition as files write it: ``{ item = 9, op = ">=", value = 2 }``."""
    if "item" in part:
        measure = f"item {part['item']}"
    elif "subscale" in part:
        measure = f"subscale {part['subscale']}"
    elif "count" in part:
        measure = f"count {part['count']}"
    elif part.get("highest_factor"):
        measure = "highest_factor"
    elif part.get("total"):
        measure = "total"
    else:
        raise ValueError(f"no measure in {part}")
    return Condition(measure, part["op"], part["value"])


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
    supersedes: tuple[str, ...] = ()
    """Weaker rules that need not be named when this one fired."""
    changeable: tuple[int, int] | None = None
    """Bounds within which the page may change the first condition's value."""


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
