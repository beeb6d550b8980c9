"""Scales of any shape for tests of arithmetic: so many items, such answers, these reversed."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from app.screening.scales.scale import Item, Scale, all_scales
from app.screening.scales.scale_parts import Check, Contradiction, LieRule, ValidityRules


def _plain(items: int, minimum: int, maximum: int) -> dict[str, Any]:
    """Nothing known of it but its shape."""
    return {
        "lowest": minimum * items,
        "highest": maximum * items,
        "reliability": None,
        "sd": None,
        "norms": (),
        "red_flags": (),
        "validity": ValidityRules(),
    }


def shaped(key: str, items: int, minimum: int, maximum: int, *, turned: tuple[int, ...] = (), **more: Any) -> Scale:
    base = all_scales()["gad7"]
    held = {field.name: getattr(base, field.name) for field in fields(Scale)}
    held |= {
        "key": f"shaped-{key}",
        "minimum": minimum,
        "maximum": maximum,
        "items": tuple(Item(number, "") for number in range(1, items + 1)),
    }
    held |= {name: value for name, value in _plain(items, minimum, maximum).items() if name in held}
    if "norms" in held and "norm" in more:
        more["norms"] = (more.pop("norm"),)
    more |= {"reversed": frozenset(turned)}
    return Scale(**held | more)


def lie(items: tuple[int, ...], at_least: int) -> ValidityRules:
    """Yes to so many of these is too many."""
    return ValidityRules(lie=LieRule(items, "==", 1, at_least))


def contradiction(*checks: tuple[str, str, int]) -> ValidityRules:
    """Answers that cannot all be true."""
    return ValidityRules(contradictions=(Contradiction("claims", "", tuple(Check(*check) for check in checks)),))
