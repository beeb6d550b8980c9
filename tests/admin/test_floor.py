"""The floor under the rules: every shipped critical pattern holds, or the book is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.admin import rulebook
from app.admin.floor import CRITICAL_FLOOR, BelowFloor, refuse_below_floor
from app.admin.rule import Condition, Rule, Rulebook
from models.risk import Level

IDS = [
    f"{scale} {' '.join(f'{measure}>={value}' for measure, value in pattern)}" for scale, pattern, _ in CRITICAL_FLOOR
]


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return rulebook._build((), None)


def covering(book: Rulebook, scale: str, pattern: tuple[tuple[str, int], ...]) -> list[Rule]:
    """The rules that fire wherever the pattern holds."""
    known = dict(pattern)
    return [
        rule
        for rule in book.rules
        if rule.scale == scale
        and rule.conditions
        and all(part.measure in known and part.value <= known[part.measure] for part in rule.conditions)
    ]


def with_these(book: Rulebook, changed: dict[str, Rule | None]) -> Rulebook:
    kept = (changed.get(rule.id, rule) for rule in book.rules)
    return replace(book, rules=tuple(replace(rule, supersedes=()) for rule in kept if rule is not None))


@pytest.mark.parametrize(("scale", "pattern", "level"), CRITICAL_FLOOR, ids=IDS)
def test_a_book_that_weakens_a_shipped_pattern_is_refused(
    book: Rulebook, scale: str, pattern: tuple[tuple[str, int], ...], level: Level
) -> None:
    rules = [rule for rule in covering(book, scale, pattern) if rule.level and rule.level.severity >= level.severity]
    refuse_below_floor(with_these(book, {}))

    def higher(rule: Rule) -> Rule:
        limits = dict(pattern)
        parts = [Condition(part.measure, part.op, limits[part.measure] + 1) for part in rule.conditions]
        return replace(rule, conditions=tuple(parts))

    assert rules
    weaker: list[dict[str, Rule | None]] = [
        {rule.id: None for rule in rules},
        {rule.id: higher(rule) for rule in rules},
        {rule.id: replace(rule, critical=False) for rule in rules},
        {rule.id: replace(rule, level=None) for rule in rules},
        {rule.id: replace(rule, conditions=(*rule.conditions, Condition("total", "<", 5))) for rule in rules},
    ]
    for changed in weaker:
        with pytest.raises(BelowFloor):
            refuse_below_floor(with_these(book, changed))


def test_more_and_stricter_rules_are_welcome(book: Rulebook) -> None:
    own = Rule(
        id="own",
        scale="phq9",
        level=Level.ORANGE,
        critical=True,
        conditions=(Condition("item 9", ">=", 1),),
        focus=("safety",),
        reason="本校规则",
        source="心理中心",
    )

    refuse_below_floor(replace(book, rules=(*book.rules, own)))


@pytest.mark.parametrize("name", ["scl90.total.positive", "phq9.total.positive"])
def test_the_page_changes_a_list_cut_off_within_its_bounds(book: Rulebook, name: str) -> None:
    rule = book.rule(name)
    assert rule.changeable is not None
    least, most = rule.changeable

    changed = rulebook._build(((f"list:{name}", str(most)),), None)

    assert least <= rule.conditions[0].value <= most
    assert changed.rule(name).conditions[0].value == most
    assert str(most) in changed.rule(name).reason
    assert changed.version != book.version
