"""Figures of a card as they are said: a value, its interval, and what it means. Of the model, never of a person."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from config import catalogue

NOT_KNOWN = "--"
SHOWN = ("auc", "ap", "prevalence", "brier", "slope", "in_the_large")
CHANCE = 0.5
"""Ordering ability of an order by lot."""
KEY = ("auc", "ap", "slope")
"""What stands before the second person who signs."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its interval, and what it means."""

    key: str
    label: str
    value: str
    interval: str
    words: str = ""


def figures(held: dict[str, Any], names: tuple[str, ...] = SHOWN) -> list[Figure]:
    """The named figures of one order, in words of the house."""
    told = catalogue.table("model_card")["figure"]
    return [
        Figure(name, told[name]["label"], *estimate(held.get(name), percent=name == "prevalence"), told[name]["words"])
        for name in names
    ]


def estimate(held: dict[str, float | None] | None, *, percent: bool = False, signed: bool = False) -> tuple[str, str]:
    """A value and its interval as they are said."""
    if held is None or held["value"] is None:
        return NOT_KNOWN, NOT_KNOWN
    form = "{:+.1%}" if percent and signed else "{:.1%}" if percent else "{:+.3f}" if signed else "{:.3f}"
    if held["low"] is None or held["high"] is None:
        return form.format(held["value"]), NOT_KNOWN
    return form.format(held["value"]), f"{form.format(held['low'])} 至 {form.format(held['high'])}"


def key_figures(card: str) -> list[tuple[str, str, str]]:
    """The few figures that are signed for: name, value, interval."""
    return [(one.label, one.value, one.interval) for one in figures(json.loads(card)["figures"], KEY)]


def watched_words(watched: str | None) -> list[tuple[str, str]]:
    """What was seen while an edition was watched, in counts."""
    order = (json.loads(watched) if watched else {}).get("order") or {}
    found = [(f"试运行：名单前 {top} 名", f"其中 {differ} 名会换成别人") for top, differ in order.get("tops", [])]
    if order.get("added") is not None:
        found.append(("试运行：名单之外", f"会建议补充 {order['added']} 名"))
    return found


def data(held: dict[str, Any]) -> list[tuple[str, str]]:
    """What it learned from."""
    words = catalogue.table("model_card")
    origins = "、".join(f"{words['origin'].get(name, name)} {count}" for name, count in held["origins"].items())
    few = f"不到 {catalogue.table('risk_model')['smallest_group']}"
    ends = "、".join(
        f"{words['count'][name]} {few if count is None else count}"
        for name, count in held["counts"].items()
        if name in words["count"]
    )
    return [
        ("有约谈结果的学生", f"{held['people']} 名（{held['rows']} 次约谈），其中需要关注的 {held['positives']} 名"),
        ("普查批次", f"{held['rounds']} 个，{held['first']} 至 {held['last']}"),
        ("怎样进入名单", origins or "有一种来源人数较少，不显示"),
        ("名单上各条的结果", ends or NOT_KNOWN),
        ("年级", "、".join(held["cohorts"]) or "没有区分"),
    ]


def procedure(held: dict[str, Any], rules_version: str) -> list[tuple[str, str]]:
    """How it was made and measured."""
    first, soon = held["bands"]
    lean = f"结果还不多，其中 {held['rules_share']:.0%} 靠筛查规则的排序" if held["rules_share"] else "不靠筛查规则"
    versions = "，".join(f"{name} {number}" for name, number in held["versions"].items())
    return [
        ("方法", f"{held['name']}：各项作用相加、方向固定的模型，对每一次训练都用同一套做法，不逐次调整"),
        ("与规则的关系", lean),
        (
            "校验",
            f"{held['folds']} 折、重复 {held['repeats']} 次，同一名学生不跨折；区间重抽样 {held['draws']} 次（95%）",
        ),
        ("档次", f"排在前 {first:.0%} 的“建议优先面谈”，前 {soon:.0%} 的“建议面谈”，其余按常规安排"),
        ("规则版本", rules_version),
        ("软件版本", f"{versions}；随机数种子 {held['seed']}"),
    ]


def inputs(held: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Each input in words; its weight is its mean effect."""
    words = catalogue.table("model_card")
    return [
        {
            "meaning": one["meaning"] + _in_brackets(one["unit"]),
            "source": words["source"].get(one["source"], one["source"]),
            "direction": words["direction"][one["direction"]],
            "sensitivity": words["sensitivity"][one["sensitivity"]],
            "known": NOT_KNOWN if one["known"] is None else f"{one['known']:.0%}",
            "weight": f"{one['weight']:.2f}",
            "idle": "" if one["weight"] else "idle",
        }
        for one in held
    ]


def _in_brackets(unit: str) -> str:
    if not unit:
        return ""
    return unit if unit.startswith("（") else f"（{unit.replace('（', '：').replace('）', '')}）"


def shuffled(held: dict[str, Any] | None) -> str:
    """What the whole procedure finds where there is nothing to find."""
    if held is None or held["auc"]["value"] is None:
        return "没有做打乱检验。"
    value, interval = estimate(held["auc"])
    begin = f"把结果在学生之间打乱再做一遍，排序能力 {value}（{interval}），"
    if held["shows_nothing"]:
        return begin + "与随意排没有差别：这套做法不会无中生有。"
    if held["auc"]["value"] < CHANCE:
        return begin + "低于 0.5：没有找到任何规律。按抽取比例加权、有效人数少时，会有这样的波动。"
    return begin + "高于 0.5：请先查明原因，再看其他指标。"


def summary(card: dict[str, Any]) -> list[str]:
    """The card in a few sentences, for the command line."""
    told = catalogue.table("model_card")["baseline"]
    lines = [f"{one.label} {one.value}（{one.interval}）" for one in figures(card["figures"])]
    for name, held in card["differences"].items():
        value, interval = estimate(held["auc"], signed=True)
        lines.append(f"比{told[name]['label']}：AUC {value}（{interval}）")
    leak = ["leak? 指标好得不合常理，查明之前不能试运行。"] if card["leak"] else []
    return [*leak, *lines, shuffled(card["shuffled"])]
