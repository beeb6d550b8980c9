"""How low and how high a total and each subscale can be: from the ranges of the items."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.screening.scales.scale_parts import Subscale, Total

Ranges = Mapping[int, tuple[int, int]]
EXACT = 1e-9
"""Below this a product is the whole number next to it: 1.1 x 10 is not 11.000000000000002."""


def rounded(value: float, how: str) -> float:
    """``floor`` is the integer part that Zung's tables use; ``half_up`` what schools teach."""
    if how == "floor":
        return float(math.floor(value + EXACT))
    if how == "half_up":
        return float(math.floor(value + 0.5 + EXACT))
    return value


def with_ranges(subscales: tuple[Subscale, ...], items: Ranges) -> tuple[Subscale, ...]:
    return tuple(replace(held, lowest=_end(held, items, 0), highest=_end(held, items, 1)) for held in subscales)


def _end(held: Subscale, items: Ranges, which: int) -> float:
    if held.cuts:
        return float(max(cut.score for cut in held.cuts)) if which else 0.0
    if held.parts:
        ends = [
            float(max(cut.score for cut in part.cuts)) * which if part.cuts else float(items[part.item][which])
            for part in held.parts
            if part.cuts or part.item in items
        ]
        return sum(ends)
    return _of_items(held.items, held.method, held.multiplier, held.rounding, items, which)


def _of_items(
    numbers: tuple[int, ...], method: str, multiplier: float, rounding: str, items: Ranges, which: int
) -> float:
    ends = [float(items[number][which]) for number in numbers if number in items]
    value = sum(ends) / len(ends) if method == "mean" and ends else sum(ends)
    return rounded(value * multiplier, rounding)


def range_of(
    total: Total, subscales: tuple[Subscale, ...], items: Ranges, stated: tuple[Any, Any]
) -> tuple[float, float]:
    """Lowest and highest total."""
    if total.of == "none":
        return 0, 0
    if total.of == "stated":
        low, high = (end if isinstance(end, int | float) else 0 for end in stated)
        return low, high
    ends: list[float] = []
    for which, name in enumerate(("lowest", "highest")):
        if total.of == "subscales":
            added = sum(getattr(held, name) for held in subscales)
            ends.append(rounded(added * total.multiplier, total.rounding))
        else:
            ends.append(_of_items(total.items, total.method, total.multiplier, total.rounding, items, which))
    low, high = (int(end) if end.is_integer() else end for end in ends)
    return low, high
