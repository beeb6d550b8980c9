"""How a file codes its answers: which codings fit its values, and their way into the scale's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.screening.scales.scale_parts import CHOICE, Coding
from app.screening.scales.scale_whole import Scale

_NONE = -1
_MANY = 20
"""Among so many sheets somebody uses the lowest answer; a coding whose lowest never occurs fits less well."""


def recode(scale: Scale, values: NDArray[Any], coding: str) -> NDArray[np.int16]:
    """The file's values in the scale's own coding, before reversal. What the coding does not know is missing."""
    held = next(found for found in scale.codings if found.key == coding)
    given = np.asarray(values)
    found = np.full(given.shape, _NONE, dtype=np.int16)
    for item in scale.items:
        column, place = given[:, item.number - 1], item.number - 1
        if not _is_coded(scale, place):
            inside = (column >= item.minimum) & (column <= item.maximum)
            found[inside, place] = column[inside]
        elif held.values:
            for said, meant in held.values.items():
                found[column == said, place] = meant
        else:
            inside = (column >= held.minimum) & (column <= held.maximum)
            found[inside, place] = column[inside] - held.minimum + scale.minimum
    return found


def _is_coded(scale: Scale, place: int) -> bool:
    """Items with a range of their own (times, interview answers) are the same in every coding."""
    item = scale.items[place]
    return item.kind == CHOICE and (item.minimum, item.maximum) == (scale.minimum, scale.maximum)


def codings_that_fit(scale: Scale, values: NDArray[Any]) -> list[Coding]:
    """The codings that the values can be in, best first, each with its reason.

    A value that no coding knows is a slip in its cell and decides nothing.
    """
    coded = [place for place in range(scale.size) if _is_coded(scale, place)]
    given = np.asarray(values)[:, coded] if coded else np.zeros((0, 0))
    found = given[given != _NONE]
    seen = {int(value) for value in np.unique(found)}
    readable = {value for held in scale.codings for value in range(held.minimum, held.maximum + 1)}
    seen &= readable
    fitting = [held for held in scale.codings if seen <= set(range(held.minimum, held.maximum + 1))]
    many = len(given) >= _MANY
    ranked = sorted(
        enumerate(fitting), key=lambda pair: (many and pair[1].minimum not in seen, not _ends(pair[1], seen), pair[0])
    )
    return [replace(held, reason=_reason(held, seen)) for _, held in ranked]


def _ends(held: Coding, seen: set[int]) -> bool:
    return {held.minimum, held.maximum} <= seen


def _reason(held: Coding, seen: set[int]) -> str:
    if not seen:
        return "文件里还没有可读的作答"
    span = f"文件里的数在 {min(seen)}–{max(seen)} 之间"
    if _ends(held, seen):
        return f"{span}，正好是 {held.title}"
    if held.minimum not in seen:
        return f"{span}，没有人答 {held.minimum}，请核对是否为 {held.title}"
    return f"{span}，符合 {held.title}"
