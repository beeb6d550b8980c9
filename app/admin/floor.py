"""The floor of the rules: what no file, no page and no second signature can weaken (law 2).

It stands in code, because everything that stands in data can be changed.
"""

from __future__ import annotations

from app.admin.rule import Rule, Rulebook
from models.risk import Level
from models.working_time import Clock, ClockKind

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
    ("scl90", (("item 15", 2),), Level.YELLOW),
    ("scl90", (("item 15", 3),), Level.ORANGE),
    ("scl90", (("item 59", 3),), Level.YELLOW),
    ("scl90", (("item 16", 3),), Level.ORANGE),
    ("scl90", (("item 63", 4),), Level.ORANGE),
    ("upi", (("item 25", 1),), Level.YELLOW),
    ("sds", (("item 19", 3),), Level.YELLOW),
    ("source_statement", (("item 1", 3),), Level.ORANGE),
    ("source_statement", (("item 2", 1),), Level.ORANGE),
    ("source_statement", (("item 3", 1),), Level.ORANGE),
    *(("ccsmhs2018", ((f"item {number}", 1),), Level.ORANGE) for number in (1, 2, 15, 23, 24, 25, 26)),
    ("cssrs", (("item 1", 1),), Level.YELLOW),
    ("cssrs", (("item 2", 1),), Level.YELLOW),
    ("cssrs", (("item 3", 1),), Level.ORANGE),
    ("cssrs", (("item 4", 1),), Level.RED),
    ("cssrs", (("item 5", 1),), Level.RED),
    ("cssrs", (("item 6", 1),), Level.ORANGE),
    ("cssrs", (("item 6", 2),), Level.RED),
)
"""Patterns that always raise at least this level (decisions 12); each number is "this much or more".

Answers are in each scale's own coding: SCL-90 and SDS start at 1.
"""

STATED = {
    "report.urgent": Level.RED,
    "report.soon": Level.ORANGE,
    "report.watch": Level.YELLOW,
    "cssrs.high": Level.RED,
    "cssrs.moderate": Level.ORANGE,
    "cssrs.low": Level.YELLOW,
}
"""What a person states, by a report or a structured interview, raises this level, always."""


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
            raise BelowFloor(f"老师上报或访谈的等级被调低：{rule_id}")
    _refuse_weak_supersession(book)
    for name, most in MOST.items():
        clock = book.clock(name)
        if clock.kind is not most.kind or not 0 < clock.amount <= most.amount:
            raise BelowFloor(f"时限 {name} 超出允许的最长时间（{most.in_words}）")


def _refuse_weak_supersession(book: Rulebook) -> None:
    """A rule may stand for another only if it raises at least as much, on the same scale."""
    for rule in book.rules:
        for weaker in map(book.rule, rule.supersedes):
            raised = rule.level.severity if rule.level else 0
            if weaker.scale != rule.scale or raised < (weaker.level.severity if weaker.level else 0):
                raise BelowFloor(f"规则 {rule.id} 不能代替更重的 {weaker.id}")


def _covers(rule: Rule, scale: str, pattern: dict[str, int], level: Level) -> bool:
    """Whether ``rule`` fires on everything the pattern fires on, at that level or above."""
    if rule.scale != scale or not rule.critical or rule.level is None or rule.level.severity < level.severity:
        return False
    return bool(rule.conditions) and all(
        part.op == ">=" and part.measure in pattern and part.value <= pattern[part.measure] for part in rule.conditions
    )
