"""Which column of a results file is what: suggested with reasons, confirmed by a person, kept as a file.

A mapping is a small TOML table (``--mapping FILE.toml``)::

    sheet = "Sheet1"
    [columns]
    student_number = "学号"
    [scales.phq9]
    items = ["D1", "D2", …]          # headers, in the order of the items
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.intake import headers
from app.intake.headers import normal
from app.screening.scale import Scale, all_scales
from models.refusal import Refusal

FIELDS = ("student_number", "name", "class", "college", "taken_at")
_NUMBER = re.compile(r"^(?:第)?(\d{1,3})(?:题|item)?$")
_IN_FRONT = re.compile(r"^(?:第|q|t|item)?(\d{1,3})(?:题)?[.、:：\s]+\S")


@dataclass(slots=True)
class Plan:
    """What each column means: fields by position, items of each scale by position."""

    sheet: str | None = None
    columns: dict[str, int] = field(default_factory=dict)
    items: dict[str, list[int]] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)

    def as_table(self) -> dict[str, Any]:
        return {
            "sheet": self.sheet,
            "columns": self.columns,
            "items": self.items,
            "reasons": {str(place): reason for place, reason in self.reasons.items()},
        }

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Plan:
        reasons = {int(place): reason for place, reason in table.get("reasons", {}).items()}
        return cls(table.get("sheet"), dict(table["columns"]), {k: list(v) for k, v in table["items"].items()}, reasons)

    def meaning(self, place: int) -> str:
        """What one column means, as a word for the form: a field, ``phq9.3``, or nothing."""
        for name, position in self.columns.items():
            if position == place:
                return name
        for key, places in self.items.items():
            if place in places:
                return f"{key}.{places.index(place) + 1}"
        return ""


def knows(word: str) -> bool:
    """Whether a header cell looks like one of a results file; used to find the header row."""
    if normal(word) in headers.aliases("screening"):
        return True
    return any(_item_of(word, scale) is not None for scale in all_scales().values())


def suggest(header: Sequence[str], wanted: Sequence[str], *, sheet: str | None = None) -> Plan:
    """Guess what the columns of ``header`` are, for the scales in ``wanted``."""
    plan = Plan(sheet=sheet)
    for name, place in headers.columns("screening", header).items():
        if name in FIELDS:
            plan.columns[name] = place
            plan.reasons[place] = f"列名“{header[place]}”"
    for key in wanted:
        scale = all_scales()[key]
        free = {place: word for place, word in enumerate(header) if place not in plan.reasons}
        found = _items_in(free, scale)
        if len(found) < scale.size and len(wanted) == 1:
            found = _bare_numbers(free, scale) | found
        if len(found) == scale.size:
            plan.items[key] = [found[item] for item in range(1, scale.size + 1)]
            for item, place in found.items():
                plan.reasons[place] = f"{scale.name} 第 {item} 题"
    return plan


def _items_in(header: Mapping[int, str], scale: Scale) -> dict[int, int]:
    """The items that headers name. A bare ``PHQ9`` is a total, unless it stands in a row of PHQ1, PHQ2, …"""
    found: dict[int, int] = {}
    styles: set[str] = set()
    totals: dict[int, tuple[int, str]] = {}
    for place, word in header.items():
        named = _item_of(word, scale)
        if named is None:
            continue
        item, style = named
        if normal(word) in scale.prefixes:
            totals.setdefault(item, (place, style))
        elif item not in found:
            found[item] = place
            styles.add(style)
    for item, (place, style) in totals.items():
        if item not in found and styles == {style}:
            found[item] = place
    return found


def _item_of(word: str, scale: Scale) -> tuple[int, str] | None:
    """The item a header names (PHQ9_3, phq3, PHQ-9 第3题, or the item's own sentence), and by which prefix."""
    text = normal(word)
    for prefix in sorted(scale.prefixes, key=len, reverse=True):
        if text.startswith(prefix):
            number = _NUMBER.match(text[len(prefix) :].removeprefix("q"))
            if number and 1 <= int(number[1]) <= scale.size:
                return int(number[1]), prefix
    for item in scale.items:
        if normal(item.text) and text.endswith(normal(item.text)):
            return item.number, ""
    return None


def _bare_numbers(header: Mapping[int, str], scale: Scale) -> dict[int, int]:
    """Q1, 第1题, 1、…: only believed when the file holds a single scale."""
    found: dict[int, int] = {}
    for place, word in header.items():
        match = _NUMBER.match(normal(word).removeprefix("q")) or _IN_FRONT.match(word.strip().lower())
        if match and 1 <= int(match[1]) <= scale.size:
            found.setdefault(int(match[1]), place)
    return found


def from_file(table: Mapping[str, Any], header: Sequence[str], wanted: Sequence[str]) -> Plan:
    """A saved mapping, applied to the header of this file. Refuses headers that are not there."""
    places = {normal(word): place for place, word in reversed(list(enumerate(header)))}

    def place_of(word: str) -> int:
        place = places.get(normal(str(word)))
        if place is None:
            raise Refusal(f"映射文件里的列“{word}”在表头中找不到。")
        return place

    plan = suggest(header, wanted, sheet=table.get("sheet"))
    for name, word in _part(table, "columns").items():
        if name not in FIELDS:
            raise Refusal(f"映射文件里的字段“{name}”不认识；可用：{'、'.join(FIELDS)}。")
        plan.columns[name] = place_of(word)
    for key, held in _part(table, "scales").items():
        words = held.get("items") if isinstance(held, Mapping) else None
        if key in wanted and not isinstance(words, list):
            raise Refusal(f"映射文件里的 [scales.{key}] 应写明 items = [各题的列名]。")
        if key in wanted and words is not None:
            plan.items[key] = [place_of(word) for word in words]
    refuse_unfit(plan, wanted)
    return plan


def _part(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    held = table.get(name, {})
    if not isinstance(held, Mapping):
        raise Refusal(f"映射文件里的 {name} 应写成 [{name}] 一节，每行“名称 = 列名”。")
    return held


def refuse_unfit(plan: Plan, wanted: Sequence[str]) -> None:
    """Refuse a plan with which the file cannot be read."""
    if "student_number" not in plan.columns:
        raise Refusal("没有找到学号列。请指定哪一列是学号；系统不会按行的顺序对应学生。")
    for key in wanted:
        scale = all_scales()[key]
        places = plan.items.get(key)
        if places is None:
            raise Refusal(f"没有找到 {scale.name} 的全部 {scale.size} 题，请逐列指定。")
        if len(places) != scale.size:
            raise Refusal(f"{scale.name} 应有 {scale.size} 题，指定了 {len(places)} 列。")
    used = [place for places in plan.items.values() for place in places] + list(plan.columns.values())
    if len(used) != len(set(used)):
        raise Refusal("有一列被指定了两种含义，请检查。")


def from_form(meanings: Mapping[int, str], wanted: Sequence[str], *, sheet: str | None) -> Plan:
    """The plan a person confirmed: column → field or ``phq9.3``."""
    plan = Plan(sheet=sheet)
    items: dict[str, dict[int, int]] = {}
    for place, meaning in sorted(meanings.items()):
        if not meaning:
            continue
        key, _, number = meaning.partition(".")
        if number.isdecimal():
            if key not in wanted or not 1 <= int(number) <= all_scales()[key].size:
                raise Refusal("指定了这份文件没有的题目，请重新打开页面核对。")
            if int(number) in items.setdefault(key, {}):
                raise Refusal(f"{all_scales()[key].name} 第 {number} 题被指定了两次。")
            items[key][int(number)] = place
        elif meaning in FIELDS:
            if meaning in plan.columns:
                raise Refusal("同一个字段被指定了两列，请检查。")
            plan.columns[meaning] = place
    for key, found in items.items():
        plan.items[key] = [found[number] for number in sorted(found)]
    refuse_unfit(plan, wanted)
    return plan
