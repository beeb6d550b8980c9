"""Scales of any shape for tests of arithmetic: so many items, such answers, these reversed."""

from __future__ import annotations

from dataclasses import fields
from types import SimpleNamespace
from typing import Any

from app.screening.scales.scale import Item, Scale, all_scales


class Shaped(Scale):
    """A scale with whatever else a file may say about it."""

    def __getattr__(self, name: str) -> Any:
        try:
            return _more[self.key][name]
        except KeyError as missing:
            raise AttributeError(name) from missing


_more: dict[str, dict[str, Any]] = {}


def _plain(items: int, minimum: int, maximum: int) -> dict[str, Any]:
    """Nothing known of it but its shape."""
    return {
        "lowest": minimum * items,
        "highest": maximum * items,
        "reliability": None,
        "sd": None,
        "norms": (),
        "red_flags": (),
        "validity": SimpleNamespace(lie=None, contradictions=(), seconds_per_item=None),
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
    _more[f"shaped-{key}"] = {name: value for name, value in more.items() if name not in held}
    return Shaped(**held | {name: value for name, value in more.items() if name in held})


def lie(items: tuple[int, ...], at_least: int) -> Any:
    """Yes to so many of these is too many."""
    return SimpleNamespace(lie=SimpleNamespace(items=items, op="==", value=1, at_least=at_least), contradictions=())


def contradiction(*checks: tuple[str, str, int]) -> Any:
    """Answers that cannot all be true."""
    held = [SimpleNamespace(measure=measure, op=op, value=value) for measure, op, value in checks]
    return SimpleNamespace(lie=None, contradictions=(SimpleNamespace(checks=tuple(held)),))
