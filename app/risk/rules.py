"""Applies the rulebook to a whole file of answers at once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.admin.rule import Condition, Rule, Rulebook
from app.screening.scoring import MISSING
from app.screening.sheets import Bundle, Fate, ScaleSheets

_COMPARE: dict[str, Any] = {
    ">=": np.greater_equal,
    ">": np.greater,
    "<=": np.less_equal,
    "<": np.less,
    "==": np.equal,
}


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that fired on one row, and by how much its first condition was met."""

    rule: Rule
    weight: int


def hits_of(book: Rulebook, bundle: Bundle) -> dict[int, list[Hit]]:
    """Row → the rules that fired on it.

    Fresh sheets meet every rule. A rejected row meets the critical ones: they
    are evaluated before a row is rejected (decisions 11). What was already
    known has been judged before.
    """
    found: dict[int, list[Hit]] = defaultdict(list)
    rejected = bundle.fate == Fate.REJECTED
    for rule in book.rules:
        held = bundle.scales.get(rule.scale or "")
        if held is None or not rule.conditions:
            continue
        asked = held.present & (held.fresh | (rejected if rule.critical else False))
        places = np.flatnonzero(asked & fires(rule, held))
        if not len(places):
            continue
        first = rule.conditions[0]
        over = _measure(first, held, critical=rule.critical)[places] - first.value + 1
        for place, weight in zip(places.tolist(), over.tolist(), strict=True):
            found[place].append(Hit(rule, max(int(weight), 1)))
    return {place: _named(hits) for place, hits in found.items()}


def _named(hits: list[Hit]) -> list[Hit]:
    """Leave out what a stronger rule on the same answers already says."""
    said = {weaker for hit in hits for weaker in hit.rule.supersedes}
    return [hit for hit in hits if hit.rule.id not in said]


def fires(rule: Rule, held: ScaleSheets) -> NDArray[np.bool_]:
    """On which sheets all conditions of ``rule`` hold."""
    fired = np.ones(len(held.answers), dtype=bool)
    for condition in rule.conditions:
        values = _measure(condition, held, critical=rule.critical)
        with np.errstate(invalid="ignore"):
            fired &= _COMPARE[condition.op](values, condition.value)
    return fired


def _measure(condition: Condition, held: ScaleSheets, *, critical: bool) -> NDArray[np.float64]:
    """The value a condition compares; ``nan``, which fires nothing, where there is none.

    A critical rule takes an incomplete sheet's total for what it is at least:
    missing answers can only raise it.
    """
    if condition.measure == "total":
        if critical and condition.op in {">=", ">"}:
            return held.scores.at_least.astype(np.float64)
        return held.scores.totals
    item = int(condition.measure.removeprefix("item "))
    column = held.answers[:, item - 1].astype(np.float64)
    column[column == MISSING] = np.nan
    return column
