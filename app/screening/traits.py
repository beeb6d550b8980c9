"""What a scale's file, and what differs for it in ``config/validity.toml``, say about believing its answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.screening.scale import Scale
from config import catalogue


@dataclass(frozen=True, slots=True)
class Traits:
    """What a scale's file says that matters for believing its answers."""

    columns: tuple[int, ...]
    """Places of the items answered by choosing; hours and minutes are not compared."""
    reversed: frozenset[int]
    lie: tuple[int, ...]
    lie_from: int
    contradictions: tuple[tuple[int, int], ...]
    seconds_per_item: float
    calm: int | None
    """The answer that means "no trouble"; none on a scale with reversed items, which has no such answer."""


def traits(scale: Scale) -> Traits:
    told = catalogue.table("validity")
    own: dict[str, Any] = told.get("scale", {}).get(scale.key, {})
    turned = frozenset(getattr(scale, "reversed", frozenset()))
    lie = tuple(getattr(scale, "lie", ()))
    chosen = [place for place, item in enumerate(scale.items) if getattr(item, "kind", "choice") == "choice"]
    return Traits(
        columns=tuple(chosen),
        reversed=turned,
        lie=lie,
        lie_from=getattr(scale, "lie_from", None) or len(lie),
        contradictions=tuple(getattr(scale, "contradictions", ())),
        seconds_per_item=getattr(scale, "seconds_per_item", None) or told["time"]["seconds_per_item"],
        calm=None if turned else own.get("calm", scale.minimum),
    )


def can_check(scale: Scale) -> bool:
    """Whether there are answers to check: not for totals or levels that a source states."""
    return getattr(scale, "licence_class", "") != "import_only" and bool(traits(scale).columns)
