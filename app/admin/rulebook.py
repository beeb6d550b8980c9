"""The rules and clocks that hold now: shipped defaults with the college's own values on top.

Defaults lie in ``config/levels.toml`` and ``config/rules.toml``; what a scale
file itself calls critical is a rule too (``derived``). A college changes a
value with a second person's approval; the change is a row with a time
(decisions 14). Whatever comes together is held against the floor.
"""

from __future__ import annotations

import copy
import hashlib
import json
from functools import cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.admin.derived import digest, rules_of_scales
from app.admin.floor import refuse_below_floor
from app.admin.rule import Rule, Rulebook, at, condition
from config import catalogue
from models import moment
from models.risk import Level, RuleOverride
from models.working_time import WorkingCalendar


def current(session: Session) -> Rulebook:
    """The rulebook of this moment, with the college's approved changes."""
    rows = session.execute(
        select(RuleOverride.name, RuleOverride.value).where(RuleOverride.until.is_(None)).order_by(RuleOverride.name)
    ).all()
    return _build(tuple((name, value) for name, value in rows), moment.zone())


@cache
def _build(overrides: tuple[tuple[str, str], ...], zone: Any) -> Rulebook:
    levels = copy.deepcopy(catalogue.table("levels"))
    rules = copy.deepcopy(catalogue.table("rules"))
    for name, value in overrides:
        _put(levels, rules, name, json.loads(value))
    stated = tuple(_rule(held) for held in rules["rule"])
    derived = rules_of_scales(stated)
    version = f"{levels['version']}/{rules['version']}/{digest(derived)}"
    if overrides:
        version += "+" + hashlib.sha256(json.dumps(overrides).encode()).hexdigest()[:8]
    book = Rulebook(
        version,
        stated + derived,
        levels,
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
        id=held["id"],
        scale=held.get("scale"),
        level=None if raises == "list" else Level(raises),
        critical=held.get("critical", False),
        focus=tuple(held["focus"]),
        reason=held["reason"].replace("{first}", str(first)),
        source=held["source"],
        supersedes=tuple(held.get("supersedes", ())),
        conditions=tuple(condition(part) for part in held.get("when", [])),
        changeable=tuple(held["changeable"]) if "changeable" in held else None,
    )
