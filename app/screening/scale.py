"""A scale as its file describes it (``config/scales/*.toml``), checked when it is read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from app.intake.headers import normal
from config import catalogue

LICENCES = frozenset({"open", "nc", "scoring_only", "import_only"})


class ScaleFault(Exception):
    """A scale file says something impossible; the message names the file and the place."""


@dataclass(frozen=True, slots=True)
class Band:
    """A range of totals from ``start`` up to the next band."""

    start: int
    key: str
    label: str


@dataclass(frozen=True, slots=True)
class Item:
    """One question."""

    number: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Everything scoring needs to know of one scale, in one version."""

    key: str
    name: str
    title: str
    version: str
    minimum: int
    maximum: int
    items: tuple[Item, ...]
    answers: dict[int, str]
    bands: tuple[Band, ...]
    positive_from: int
    red_flags: tuple[tuple[int, int], ...]
    """(item, value): this much or more is critical."""
    prefixes: tuple[str, ...]
    source: str

    @property
    def size(self) -> int:
        return len(self.items)

    @property
    def highest(self) -> int:
        return self.maximum * self.size

    def band_of(self, total: int) -> Band:
        return [band for band in self.bands if band.start <= total][-1]


@cache
def all_scales() -> dict[str, Scale]:
    """Every scale of this installation, by key."""
    scales = [read(name, catalogue.table(name)) for name in catalogue.names("scales")]
    return {scale.key: scale for scale in scales}


def read(name: str, table: dict[str, Any]) -> Scale:
    """Turn one file into a scale. Raises ``ScaleFault`` on anything that cannot be scored honestly."""
    try:
        scale = Scale(
            key=table["key"],
            name=table["name"],
            title=table["title"],
            version=table["version"],
            minimum=table["minimum"],
            maximum=table["maximum"],
            items=tuple(Item(item["number"], item["text"]) for item in table["items"]),
            answers={answer["value"]: answer["text"] for answer in table["answers"]},
            bands=tuple(Band(band["from"], band["key"], band["label"]) for band in table["bands"]),
            positive_from=table["positive"]["value"],
            red_flags=tuple((flag["item"], flag["value"]) for flag in table["red_flags"]),
            prefixes=tuple(normal(word) for word in table["prefixes"]),
            source=table["source"],
        )
    except KeyError as problem:
        raise ScaleFault(f"{name}: 缺少 {problem.args[0]}") from problem
    _check(name, table, scale)
    return scale


def _check(name: str, table: dict[str, Any], scale: Scale) -> None:
    starts = [band.start for band in scale.bands]
    faults = {
        "items 应从 1 连续编号": [item.number for item in scale.items] != list(range(1, scale.size + 1)),
        "answers 应覆盖 minimum 到 maximum": set(scale.answers) != set(range(scale.minimum, scale.maximum + 1)),
        "bands 应从最低分开始递增": starts != sorted(set(starts)) or starts[:1] != [scale.minimum * scale.size],
        "bands 超出最高分": any(start > scale.highest for start in starts),
        "licence_class 不认识": table.get("licence_class") not in LICENCES,
        "red_flags 指向不存在的题": any(not 1 <= item <= scale.size for item, _ in scale.red_flags),
        "red_flags 的分值答不出来": any(value not in scale.answers for _, value in scale.red_flags),
        "positive 只支持 >=": table["positive"]["op"] != ">=",
    }
    for fault, holds in faults.items():
        if holds:
            raise ScaleFault(f"{name}: {fault}")
