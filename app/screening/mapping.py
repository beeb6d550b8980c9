"""Which column of a results file is what: a plan for one header, and the mapping file that is kept for the next time.

A *plan* speaks of positions in one header. A *mapping* says the same by the
words of the header, so that it fits the next export of the same source; it is
a small TOML table that a person can read and review (``--mapping FILE.toml``)::

    sheet = "Sheet1"                  # optional
    complete = true                   # nothing but what is named here; otherwise 学号, 姓名… are found by their names
    list = "self_harm"                # only for lists of names: self_harm | flagged | participants
    missing_codes = [7, 9]            # 拒答、不知道
    [columns]
    student_number = "学号"
    taken_at = "提交时间"
    [levels]                          # 来源的等级 → 0 常规 1 关注 2 重点 3 最高级
    "一级" = 3
    [scales.phq9]
    items = ["D1", "D2", …]           # headers, in the order of the items
    coding = "1-4"                    # when the file does not code as the scale does
    total = "PHQ总分"                 # the source's own total, to compare or when there are no items
    band = "PHQ结果"
    [scales.scl90]
    factors = "means"                 # sums | means
    [scales.scl90.subscales]
    somatization = "躯体化"

A header that stands twice is called ``总分#2`` the second time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.intake import headers
from app.intake.headers import normal
from app.screening.scale import Scale, all_scales
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
FACTORS = ("sums", "means")
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


# --- a mapping, applied -----------------------------------------------------------------------


def apply(table: Mapping[str, Any], header: Sequence[str]) -> Plan:
    """A mapping, applied to the header of a file. Refuses, in words, headers and names that do not exist."""
    place_of = _finder(header)
    listed = table.get("list")
    if listed is not None and listed not in LISTS:
        raise Refusal(f"映射文件里的 list = “{listed}”不认识；可用：{'、'.join(LISTS)}。")
    plan = Plan(
        sheet=table.get("sheet"),
        listed=listed,
        levels=_levels(table),
        missing_codes=_codes(table.get("missing_codes", [])),
    )
    for name, word in _part(table, "columns").items():
        if name not in FIELDS:
            raise Refusal(f"映射文件里的字段“{name}”不认识；可用：{'、'.join(FIELDS)}。")
        plan.columns[name] = place_of(word)
    if not table.get("complete"):
        _add_identity(plan, header)
    for key, held in _part(table, "scales").items():
        if key not in all_scales():
            raise Refusal(f"映射文件里的量表“{key}”不认识；可用：{'、'.join(all_scales())}。")
        if not isinstance(held, Mapping):
            raise Refusal(f"映射文件里的 [scales.{key}] 应写成一节，例如 items = [各题的列名]。")
        plan.scales[key] = _scale_part(all_scales()[key], held, place_of)
    return plan


def _add_identity(plan: Plan, header: Sequence[str]) -> None:
    """Who and when, by the names such columns usually bear: a mapping written by hand need not repeat them."""
    for name, place in headers.columns("screening", header).items():
        if name in IDENTITY and place not in plan.columns.values():
            plan.columns.setdefault(name, place)


def _finder(header: Sequence[str]) -> Any:
    places = {
        normal(word.partition("#")[0]) + word.partition("#")[2]: place for place, word in enumerate(unique(header))
    }

    def place_of(word: object) -> int:
        name, _, number = str(word).partition("#")
        place = places.get(normal(name) + number)
        if place is None:
            raise Refusal(f"映射文件里的列“{word}”在表头中找不到。")
        return place

    return place_of


def _scale_part(scale: Scale, held: Mapping[str, Any], place_of: Any) -> ScalePlan:
    words = held.get("items", [])
    if not isinstance(words, list):
        raise Refusal(f"映射文件里的 [scales.{scale.key}] 应写明 items = [各题的列名]。")
    part = ScalePlan(
        items=[place_of(word) if word else ABSENT for word in words],
        coding=_one_of(held, "coding", [coding.key for coding in scale.codings], scale),
        factors=_one_of(held, "factors", FACTORS, scale),
        **{name: place_of(held[name]) for name in PARTS if name in held},
    )
    known = {subscale.key for subscale in scale.subscales}
    for name, word in _part(held, "subscales").items():
        if name not in known:
            raise Refusal(f"{scale.name} 没有名为“{name}”的因子；可用：{'、'.join(sorted(known))}。")
        part.subscales[name] = place_of(word)
    return part


def _one_of(held: Mapping[str, Any], name: str, known: Sequence[str], scale: Scale) -> str | None:
    value = held.get(name)
    if value is not None and value not in known:
        raise Refusal(f"映射文件里的 [scales.{scale.key}] {name} = “{value}”不认识；可用：{'、'.join(known)}。")
    return value


def _levels(table: Mapping[str, Any]) -> dict[str, int]:
    levels = dict(_part(table, "levels"))
    if any(type(level) is not int or not 0 <= level <= 3 for level in levels.values()):
        raise Refusal("映射文件里的 [levels] 应写成：来源的等级 = 0（常规）到 3（最高级）。")
    return levels


def _codes(held: object) -> tuple[int, ...]:
    if not isinstance(held, list) or any(type(code) is not int for code in held):
        raise Refusal("映射文件里的 missing_codes 应是整数的列表，例如 [7, 9]。")
    return tuple(held)


def _part(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    held = table.get(name, {})
    if not isinstance(held, Mapping):
        raise Refusal(f"映射文件里的 {name} 应写成 [{name}] 一节，每行“名称 = 列名”。")
    return held


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
        raise Refusal("没有找到任何量表、等级或提示名单，请指定哪些列是作答、总分或等级。")
    used = Counter(_used(plan))
    if any(count > 1 for count in used.values()):
        raise Refusal("有一列被指定了两种含义，请检查。")


def refuse_missing(plans: Sequence[Plan], wanted: Sequence[str]) -> None:
    """Refuse a delivery in whose tables a scale that was asked for does not occur."""
    if len(plans) == 1:
        refuse_unfit(plans[0], wanted)
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
