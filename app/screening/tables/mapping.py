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
    factors = "means"                 # sums | means | scores (sums times the scale's own factor)
    [scales.scl90.subscales]
    somatization = "躯体化"

A header that stands twice is called ``总分#2`` the second time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.intake import headers
from app.intake.headers import normal
from app.screening.scales.scale import Scale, all_scales
from app.screening.tables.plan import (
    ABSENT,
    FACTORS,
    FIELDS,
    IDENTITY,
    LISTS,
    PARTS,
    Plan,
    ScalePlan,
    unique,
)
from models.refusal import Refusal


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
