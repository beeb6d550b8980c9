"""Rules that scale files imply: each red flag an alert, each cut-off a place on the interview list.

So a college's own scale needs neither code nor a line in ``rules.toml``. What
``rules.toml`` states for a scale stands instead of what is derived here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from app.admin.rule import Condition, Rule, condition
from config import catalogue
from config.catalogue import CatalogueError
from models.risk import Level

_WORDS = {">=": "{} 分及以上", ">": "高于 {} 分", "<=": "{} 分及以下", "<": "低于 {} 分", "==": "{} 分"}


def rules_of_scales(stated: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules of every scale file that the table does not state itself.

    A file that cannot be read gives none: its scale cannot be imported
    either, and the clocks of everybody else must not stop for it.
    """
    known = list(stated)
    found: list[Rule] = []
    for name in catalogue.names("scales"):
        try:
            found += _rules_of(catalogue.table(name), known)
        except (CatalogueError, KeyError, TypeError, ValueError, AttributeError):
            continue
    return tuple(found)


def digest(rules: tuple[Rule, ...]) -> str:
    """A short name of exactly these rules, for the version that every clock keeps."""
    said = [
        [rule.id, rule.level, rule.critical, [[part.measure, part.op, part.value] for part in rule.conditions]]
        for rule in rules
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:8]


def _rules_of(table: dict[str, Any], stated: list[Rule]) -> list[Rule]:
    mine = [rule for rule in stated if rule.scale == table["key"]]
    flags = list(_flags(table, {rule.conditions for rule in mine}))
    return flags + ([] if any(rule.level is None for rule in mine) else list(_lists(table)))


def _flags(table: dict[str, Any], stated: set[tuple[Condition, ...]]) -> Iterator[Rule]:
    made: list[Rule] = []
    for flag in table["red_flags"]:
        part = _condition(table, flag)
        if (part,) in stated:
            continue
        raises = flag.get("level", "yellow")
        level = None if raises == "list" else Level(raises)
        number = part.measure.removeprefix("item ")
        rule = Rule(
            id=f"{table['key']}.{number}.{_OP_NAMES[part.op]}{part.value:g}",
            scale=table["key"],
            level=level,
            critical=level is not None,
            conditions=(part,),
            focus=tuple(flag.get("focus", ("safety", "mood"))),
            reason=flag.get("reason") or f"{table['name']} 第 {number} 题 {_WORDS[part.op].format(f'{part.value:g}')}",
            source=table["source"],
            supersedes=tuple(weaker.id for weaker in made if _stands_for(level, part, weaker)),
        )
        made.append(rule)
        yield rule


_OP_NAMES = {">=": "from", ">": "over", "<=": "to", "<": "under", "==": "is"}


def _stands_for(level: Level | None, part: Condition, weaker: Rule) -> bool:
    """More of the same item at the same level or above says what the weaker rule says."""
    other = weaker.conditions[0]
    severity = level.severity if level else 0
    return (
        part.measure == other.measure
        and part.op == other.op == ">="
        and part.value > other.value
        and severity >= (weaker.level.severity if weaker.level else 0)
    )


def _lists(table: dict[str, Any]) -> Iterator[Rule]:
    positive = table["positive"]
    parts = positive.get("any") or positive.get("all") or ([positive] if "value" in positive else [])
    if "value" in positive:
        parts = [{"total": True, **positive}]
    patterns = [parts] if "all" in positive else [[part] for part in parts]
    for number, pattern in enumerate(patterns, 1):
        conditions = tuple(_condition(table, part) for part in pattern)
        yield Rule(
            id=f"{table['key']}.positive.{number}",
            scale=table["key"],
            level=None,
            critical=False,
            conditions=conditions,
            focus=tuple(table.get("focus", ("mood",))),
            reason=f"{table['name']} " + "，且".join(_said(table, part) for part in conditions),
            source=table["source"],
        )


def _condition(table: dict[str, Any], part: dict[str, Any]) -> Condition:
    """Items may be named by their key; rules name them by number."""
    named = part.get("item")
    if isinstance(named, str):
        named = next(item["number"] for item in table["items"] if item.get("key") == named)
        part = {**part, "item": named}
    return condition(part)


def _said(table: dict[str, Any], part: Condition) -> str:
    kind, _, name = part.measure.partition(" ")
    words = _WORDS[part.op].format(f"{part.value:g}")
    if kind == "total":
        return f"总分 {words}"
    if kind == "item":
        return f"第 {name} 题 {words}"
    if kind == "highest_factor":
        return f"有因子分 {words}"
    parts = table["subscales" if kind == "subscale" else "counts"]
    title = next(held["name"] for held in parts if held["key"] == name)
    return f"{title} {words if kind == 'subscale' else words.replace(' 分', ' 项')}"
