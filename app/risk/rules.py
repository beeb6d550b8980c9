"""Applies the rulebook to a whole file of answers at once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.admin.rule import Condition, Rule, Rulebook
from app.screening.scales.measured import Measured, compare
from app.screening.tables.sheets import Bundle, ScaleSheets


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that fired on one row, and by how much its first condition was met."""

    rule: Rule
    weight: int


def hits_of(book: Rulebook, bundle: Bundle) -> dict[int, list[Hit]]:
    """Row → the rules that fired on it.

    Fresh sheets meet every rule. Those that are left out meet the critical ones:
    they are evaluated before a row is rejected, and on every try of a student
    (decisions 11). What was already known has been judged before.
    """
    found: dict[int, list[Hit]] = defaultdict(list)
    for rule in book.rules:
        held = bundle.scales.get(rule.scale or "")
        if held is None or not rule.conditions:
            continue
        asked = held.fresh | held.left_out if rule.critical else held.fresh
        places = np.flatnonzero(asked & fires(rule, held))
        if not len(places):
            continue
        first = rule.conditions[0]
        beyond = np.abs(_measure(first, held, critical=rule.critical)[places] - first.value) + 1
        for place, weight in zip(places.tolist(), beyond.tolist(), strict=True):
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
        fired &= compare(condition.op, _measure(condition, held, critical=rule.critical), condition.value)
    return fired


def _measure(condition: Condition, held: ScaleSheets, *, critical: bool) -> NDArray[np.float64]:
    """The value a condition compares; ``nan``, which fires nothing, where there is none.

    A critical rule takes an incomplete sheet's total for what it is at least
    (or at most): the missing answers cannot take back what the given ones
    prove. A total that a source states stands for itself; a band it states
    stands for the least total of that band.
    """
    scores = held.scores
    if condition.measure == "total" and not critical and condition.op in {">=", ">"} and held.stated.any():
        return np.where(held.stated, scores.at_least, scores.totals)
    if condition.measure == "total" and critical and condition.op in {">=", ">"}:
        return scores.at_least.astype(np.float64)
    if condition.measure == "total" and critical and condition.op in {"<=", "<"}:
        return scores.at_most.astype(np.float64)
    return Measured(held.scale, held.answers, scores.totals, scores.subscales, scores.counts).of(condition.measure)
