"""What a scale's file, and what differs for it in ``config/validity.toml``, say about believing its answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.screening.scales.scale import Scale
from config import catalogue

Claim = tuple[int, str, int]
"""One answer: item, comparison, value."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a scale's file says that matters for believing its answers."""

    columns: tuple[int, ...]
    """Places of the items answered by choosing; hours and minutes are not compared."""
    reversed: frozenset[int]
    lie: tuple[Claim, ...]
    lie_from: int
    """So many of them claimed are too many."""
    contradictions: tuple[tuple[Claim, ...], ...]
    """Answers that cannot all be true together."""
    seconds_per_item: float
    calm: int | None
    """The answer that means "no trouble"; none on a scale with reversed items, which has no such answer."""


def traits(scale: Scale) -> Traits:
    rules, turned, lie = scale.validity, scale.reversed, scale.validity.lie
    return Traits(
        columns=tuple(place for place, item in enumerate(scale.items) if item.kind == "choice"),
        reversed=turned,
        lie=tuple((item, lie.op, int(lie.value)) for item in lie.items) if lie else (),
        lie_from=lie.at_least if lie else 0,
        contradictions=tuple(_claims(held.checks) for held in rules.contradictions),
        seconds_per_item=rules.seconds_per_item or catalogue.table("validity")["time"]["seconds_per_item"],
        calm=None if turned else scale.maximum if higher_is_better(scale) else scale.minimum,
    )


def _claims(checks: Any) -> tuple[Claim, ...]:
    """The comparisons of single answers; sums and counts have no place in a contradiction."""
    return tuple(
        (int(check.measure.removeprefix("item ")), check.op, int(check.value))
        for check in checks
        if check.measure.startswith("item ")
    )


def higher_is_better(scale: Scale) -> bool:
    """Whether a high total means that somebody is well (WHO-5)."""
    return bool(catalogue.table("validity")["scale"].get(scale.key, {}).get("better") == "higher")


def can_check(scale: Scale) -> bool:
    """Whether there are answers to check: not for what a source states, nor for what an interviewer wrote down."""
    asked = not scale.is_import_only and scale.kind != "interview"
    return asked and bool(traits(scale).columns)
