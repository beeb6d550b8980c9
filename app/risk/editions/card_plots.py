"""The drawings of a card, each with the table that says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any

from markupsafe import Markup

from app.web.plots import Axis, Curve, Dot, Span, intervals, plot
from config import catalogue

_TENTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_LISTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
_AUC = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing with its title, the heads of its table and the rows of it."""

    title: str
    svg: Markup
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def drawings(card: dict[str, Any]) -> dict[str, Drawing]:
    """The calibration, the lists and the comparison; only those for which enough people stand."""
    found = {
        "calibration": calibration(card["figures"]["calibration"]),
        "lists": lists(card),
        "compared": compared(card),
    }
    return {name: drawing for name, drawing in found.items() if drawing is not None}


def calibration(bins: Sequence[dict[str, Any]]) -> Drawing | None:
    """What was estimated against what came true."""
    if len(bins) < 2:
        return None
    highest = max(max(one["predicted"], one["observed"]["high"]) for one in bins)
    top = min(1.0, -(-highest * 10 // 2) * 2 / 10)
    ticks = tuple(tick for tick in _TENTHS if tick <= top)
    side: dict[str, Any] = {"low": 0.0, "high": top, "ticks": ticks, "percent": True}
    dots = [
        Dot(one["predicted"], one["observed"]["value"], one["observed"]["low"], one["observed"]["high"]) for one in bins
    ]
    svg = plot(
        "calibration",
        "估计与结果",
        "横轴是模型估计的比例，纵轴是实际需要关注的比例；点越靠近斜线，估计越准。",
        x=Axis(label="估计的比例", **side),
        y=Axis(label="实际的比例", **side),
        curves=[Curve(name="完全相符", points=[(0.0, 0.0), (top, top)], look="guide")],
        dots=dots,
    )
    rows = tuple(
        (
            str(one["rows"]),
            f"{one['predicted']:.1%}",
            f"{one['observed']['value']:.1%}",
            f"{one['observed']['low']:.1%} 至 {one['observed']['high']:.1%}",
        )
        for one in bins
    )
    return Drawing("估计与结果相符吗（校准）", svg, ("约谈数", "估计", "实际", "区间"), rows)


def lists(card: dict[str, Any]) -> Drawing | None:
    """How many of those who need a talk a list of each length reaches, beside the rules' order."""
    told = catalogue.table("model_card")["baseline"]
    held = [("model", card["figures"], "main")]
    held += [
        (name, card["baselines"][name], look)
        for name, look in (("rules", "other"), ("single", "third"))
        if name in card["baselines"]
    ]
    if len(card["figures"]["at_capacity"]) < 2:
        return None
    curves = [
        Curve(
            name=told[name]["label"],
            points=[(0.0, 0.0), *((one["capacity"], one["recall"]["value"]) for one in own["at_capacity"])],
            look=look,
        )
        for name, own, look in held
    ]
    svg = plot(
        "lists",
        "约谈多少人，找到多少人",
        "横轴是约谈的人数占全体的比例，纵轴是需要关注的学生中被约到的比例；线越高，同样的约谈次数找到的越多。",
        x=Axis(label="约谈人数占全体", low=0.0, high=0.5, ticks=_LISTS, percent=True),
        y=Axis(label="被约到的比例", low=0.0, high=1.0, ticks=_TENTHS, percent=True),
        curves=curves,
    )
    rows = tuple(
        (f"{one['capacity']:.0%}", *(_recall(own, one["capacity"]) for _, own, _ in held))
        for one in card["figures"]["at_capacity"]
    )
    heads = ("约谈人数占全体", *(told[name]["label"] for name, _, _ in held))
    return Drawing("约谈多少人，找到多少人", svg, heads, rows)


def _recall(held: dict[str, Any], capacity: float) -> str:
    found = next((one for one in held["at_capacity"] if one["capacity"] == capacity), None)
    return f"{found['recall']['value']:.0%}" if found and found["recall"]["value"] is not None else "--"


def compared(card: dict[str, Any]) -> Drawing | None:
    """AUC of the model and of simpler orders, on the same folds."""
    told = catalogue.table("model_card")["baseline"]
    held = {"model": card["figures"]} | card["baselines"]
    spans = [
        Span(told[name]["label"], own["auc"]["value"], own["auc"]["low"], own["auc"]["high"])
        for name, own in held.items()
        if name in told and own["auc"]["value"] is not None
    ]
    if not spans:
        return None
    svg = intervals(
        "compared",
        "与更简单的办法相比",
        "每行一个办法，点是排序能力，横线是区间；0.5 等于随意排。",
        spans,
        x=Axis(label="排序能力（AUC）", low=0.4, high=1.0, ticks=_AUC),
        mark=0.5,
    )
    rows = tuple((span.name, f"{span.value:.3f}", _between(span)) for span in spans)
    return Drawing("与更简单的办法相比（同样的分组）", svg, ("办法", "AUC", "区间"), rows)


def _between(span: Span) -> str:
    return "--" if span.low is None or span.high is None else f"{span.low:.3f} 至 {span.high:.3f}"


def shapes(features: Sequence[dict[str, Any]]) -> list[Drawing]:
    """What each input does along its own values; those that do nothing are left to the table."""
    drawn = [one for one in features if len(one["shape"]) > 1 and one["weight"] > 0]
    reach = max((abs(y) for one in drawn for _, y in one["shape"]), default=1.0)
    side = max(0.5, -(-reach * 2 // 1) / 2)
    return [_shape(number, one, side) for number, one in enumerate(drawn)]


def _shape(number: int, one: dict[str, Any], side: float) -> Drawing:
    points = [(x, y) for x, y in one["shape"]]
    low, high = points[0][0], points[-1][0]
    svg = plot(
        f"shape-{number}",
        one["meaning"],
        "横轴是这一项的值，纵轴是它把学生往前（正）或往后（负）移多少；0 是平均。",
        x=Axis(label=one["unit"] or "值", low=low, high=high, ticks=_ticks(low, high)),
        y=Axis(label="作用", low=-side, high=side, ticks=(-side, 0.0, side)),
        curves=[Curve(name="", points=[(low, 0.0), (high, 0.0)], look="guide"), Curve(name="", points=points)],
    )
    shown = points[:: max(1, len(points) // 6)]
    rows = tuple((f"{x:g}", f"{y:+.2f}") for x, y in shown)
    return Drawing(one["meaning"], svg, ("值", "作用"), rows)


def _ticks(low: float, high: float) -> tuple[float, ...]:
    """Three to six round numbers between two values."""
    if high <= low:
        return (low,)
    rough = (high - low) / 5
    unit = 10.0 ** floor(log10(rough))
    step = next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= rough)
    first = ceil(low / step)
    return tuple(round(number * step, 6) for number in range(first, floor(high / step) + 1))
