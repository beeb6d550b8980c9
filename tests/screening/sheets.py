"""Answer sheets for tests of scoring, by the scale's own coding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.screening.scales.scale import Scale, all_scales
from app.screening.scales.scoring import Scores, score


def scored(key: str, *sheets: Sequence[int]) -> Scores:
    scale = all_scales()[key]
    return score(scale, np.array(sheets, dtype=np.int16).reshape(len(sheets), scale.size))


def all_alike(key: str, value: int) -> list[int]:
    return [value] * all_scales()[key].size


def lowest_but(key: str, answers: Mapping[int, int]) -> list[int]:
    """Every item as low as it goes, but these (item → answer)."""
    return [answers.get(item.number, item.minimum) for item in all_scales()[key].items]


def band(key: str, found: Scores, place: int = 0) -> str:
    at = int(found.bands[place])
    return all_scales()[key].bands[at].key if at >= 0 else ""


def part(key: str, found: Scores, name: str, place: int = 0) -> float:
    scale = all_scales()[key]
    return float(found.subscales[place, [held.key for held in scale.subscales].index(name)])


def part_band(scale: Scale, found: Scores, name: str, place: int = 0) -> Any:
    column = [held.key for held in scale.subscales].index(name)
    at = int(found.subscale_bands[place, column])
    return scale.subscales[column].bands[at].key if at >= 0 else ""
