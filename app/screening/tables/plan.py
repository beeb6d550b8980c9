"""What each column of one header means, by position; and whether a file can be read by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.intake.headers import normal
from app.screening.scales.scale import all_scales
from models.refusal import Refusal

FIELDS = (
    "student_number",
    "name",
    "class",
    "college",
    "birth_date",
    "taken_at",
    "seconds",
    "validity",
    "level",
    "indicators",
    "scale_name",
    "total",
    "result",
)
IDENTITY = ("student_number", "name", "class", "college", "birth_date", "taken_at")
LISTS = ("self_harm", "flagged", "participants")
FACTORS = ("sums", "means", "scores")
PARTS = ("total", "band", "seconds")
"""What a scale may have beside items and subscales."""
ABSENT = -1
"""Position of an item that has no column yet."""


@dataclass(slots=True)
class ScalePlan:
    """Where one scale stands in a header: its items, or what the source made of them, or both."""

    items: list[int] = field(default_factory=list)
    coding: str | None = None
    subscales: dict[str, int] = field(default_factory=dict)
    factors: str | None = None
    total: int | None = None
    band: int | None = None
    seconds: int | None = None

    @property
    def is_stated(self) -> bool:
        """No answers, but a total or factors."""
        return not self.items and (self.total is not None or bool(self.subscales))

    @property
    def places(self) -> list[int]:
        parts = [place for place in (self.total, self.band, self.seconds) if place is not None]
        return [*(place for place in self.items if place != ABSENT), *self.subscales.values(), *parts]


@dataclass(slots=True)
class Plan:
    """What each column of one header means, by position."""

    sheet: str | None = None
    columns: dict[str, int] = field(default_factory=dict)
    scales: dict[str, ScalePlan] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    listed: str | None = None
    missing_codes: tuple[int, ...] = ()
    reasons: dict[int, str] = field(default_factory=dict)

    @property
    def items(self) -> dict[str, list[int]]:
        return {key: part.items for key, part in self.scales.items() if part.items}

    @property
    def is_long(self) -> bool:
        """One line per student and scale."""
        return "scale_name" in self.columns

    @property
    def states_something(self) -> bool:
        """The source's own level, indicators or list."""
        return self.listed is not None or bool({"level", "indicators"} & self.columns.keys())

    def meaning(self, place: int) -> str:
        """What one column means, as a word for the form: a field, ``phq9.3``, ``scl90.total``, or nothing."""
        for name, position in self.columns.items():
            if position == place:
                return name
        for key, part in self.scales.items():
            if place in part.items:
                return f"{key}.{part.items.index(place) + 1}"
            for name in PARTS:
                if getattr(part, name) == place:
                    return f"{key}.{name}"
            for name, position in part.subscales.items():
                if position == place:
                    return f"{key}.factor.{name}"
        return ""

    def as_mapping(self, header: Sequence[str]) -> dict[str, Any]:
        """The same by the words of ``header``; without what is empty."""
        names = unique(header)
        scales = {key: _named(part, names) for key, part in self.scales.items()}
        table = {
            "complete": True,
            "sheet": self.sheet,
            "list": self.listed,
            "missing_codes": list(self.missing_codes),
            "columns": {name: names[place] for name, place in self.columns.items()},
            "levels": self.levels,
            "scales": scales,
        }
        return {name: value for name, value in table.items() if value not in (None, [], {})}


def _named(part: ScalePlan, names: Sequence[str]) -> dict[str, Any]:
    table: dict[str, Any] = {
        "items": [names[place] if place != ABSENT else "" for place in part.items],
        "coding": part.coding,
        "factors": part.factors,
        **{name: names[place] for name in PARTS if (place := getattr(part, name)) is not None},
        "subscales": {name: names[place] for name, place in part.subscales.items()},
    }
    return {name: value for name, value in table.items() if value not in (None, [], {})}


def unique(header: Sequence[str]) -> list[str]:
    """Names by which each column can be told from the others: a repeated header gets ``#2``, an empty one its place."""
    seen: Counter[str] = Counter()
    names = []
    for place, word in enumerate(header, start=1):
        name = " ".join(word.split()) or f"（第 {place} 列）"
        seen[normal(name)] += 1
        names.append(name if seen[normal(name)] == 1 else f"{name}#{seen[normal(name)]}")
    return names


# --- what fits --------------------------------------------------------------------------------


def refuse_unfit(plan: Plan, wanted: Sequence[str] = ()) -> None:
    """Refuse a plan with which the file cannot be read."""
    if "student_number" not in plan.columns and not {"name", "class"} <= plan.columns.keys():
        raise Refusal("没有找到学号列，也没有姓名和班级两列。请指定哪一列是学号；系统不会按行的顺序对应学生。")
    for key in wanted:
        if key not in plan.scales and not plan.is_long:
            scale = all_scales()[key]
            raise Refusal(f"没有找到 {scale.name} 的全部 {scale.size} 题，也没有它的总分，请逐列指定。")
    for key in [key for key, part in plan.scales.items() if not part.places]:
        raise Refusal(f"{all_scales()[key].name} 没有指定任何一列，请写明各题、总分或因子的列名。")
    for key, part in plan.scales.items():
        scale, given = all_scales()[key], sum(place != ABSENT for place in part.items)
        enough = given > 0 if scale.missing.rule == "allowed" else given == scale.size
        if part.items and not (enough and len(part.items) == scale.size):
            raise Refusal(f"{scale.name} 应有 {scale.size} 题，指定了 {given} 列。")
    if not (plan.scales or plan.states_something or plan.is_long):
        raise Refusal(
            "没有找到任何量表、等级或提示名单，请指定哪些列是作答、总分或等级；系统里还没有的量表，请先请管理员添加它的量表文件。"
        )
    used = Counter(_used(plan))
    if any(count > 1 for count in used.values()):
        raise Refusal("有一列被指定了两种含义，请检查。")


def refuse_missing(plans: Sequence[Plan], wanted: Sequence[str]) -> None:
    """Refuse a delivery in whose tables a scale that was asked for does not occur."""
    held = {key for plan in plans for key in plan.scales}
    missing = [all_scales()[key].name for key in wanted if key not in held]
    if missing and not any(plan.is_long for plan in plans):
        raise Refusal(f"这些表里都没有找到 {'、'.join(missing)}，请逐列指定。")


def _used(plan: Plan) -> Iterator[int]:
    yield from plan.columns.values()
    for part in plan.scales.values():
        yield from part.places


def brings_critical_items(plan: Plan) -> bool:
    """Whether the file can show a critical answer: red-flag items, or a class of the source's own (practice §1.3)."""
    return plan.states_something or any(part.items and all_scales()[key].red_flags for key, part in plan.scales.items())
