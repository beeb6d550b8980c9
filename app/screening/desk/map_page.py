"""What the page of columns shows: each column with samples, its meaning and the reason; what else has to be said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.intake.sheet import Table, text_of
from app.screening.desk.map_form import MOST_GRADES, NO_GRADES, grades_of, starts
from app.screening.scales.scale import Scale, all_scales
from app.screening.tables import mapping, stated
from app.screening.tables.by_range import kinds_of
from app.screening.tables.layout import Layout
from app.screening.tables.plan import FIELDS, PARTS, Plan, ScalePlan, refuse_unfit
from app.web.words import label
from models.refusal import Refusal

SHOWN_VALUES = 3
"""Sample cells shown beside a column that is not an identity, to map by."""
FOLDED_FROM = 20
"""A scale with so many items, all of them found, is shown folded."""
IDENTITY = frozenset({"student_number", "name", "class", "college", "birth_date"})
MOST_NOTES = 40


def view_of(found: Sequence[Layout], plans: Sequence[Plan], offered: Sequence[str], unfold: str = "") -> dict[str, Any]:
    """Everything the template needs; ``offered``: scales to choose from, ``unfold``: one to show by column."""
    keys = list(dict.fromkeys([*(key for plan in plans for key in plan.scales), *offered]))
    shown = [
        _layout(layout, plan, place, start, unfold)
        for place, (layout, plan, start) in enumerate(zip(found, plans, starts(found), strict=True))
    ]
    problem = next((words for layout in shown if (words := layout["problem"])), None)
    return {
        "layouts": shown,
        "options": [("", "不导入"), *((name, label(name, "screening_field")) for name in FIELDS)],
        "groups": [(all_scales()[key].title, _options(all_scales()[key])) for key in keys],
        "others": [(key, scale.title) for key, scale in all_scales().items() if key not in keys and scale.size],
        "offered": offered,
        "problem": problem,
    }


def _options(scale: Scale) -> list[tuple[str, str]]:
    items = [(f"{scale.key}.{item.number}", f"{scale.name} 第 {item.number} 题") for item in scale.items]
    factors = [(f"{scale.key}.factor.{part.key}", f"{scale.name} 因子：{part.name}") for part in scale.subscales]
    parts = [(f"{scale.key}.{name}", f"{scale.name} {label(name, 'scale_part')}") for name in PARTS]
    return [*items, *factors, *(parts if scale.has_total else parts[-1:])]


def _layout(layout: Layout, plan: Plan, place: int, start: int, unfold: str) -> dict[str, Any]:
    table = layout.tables[0]
    folded = {
        key: part.items
        for key, part in plan.scales.items()
        if len(part.items) >= FOLDED_FROM and len(part.items) == all_scales()[key].size and key != unfold
    }
    hidden = {position for items in folded.values() for position in items}
    columns = [
        {
            "number": start + position,
            "title": title,
            "meaning": plan.meaning(position),
            "reason": plan.reasons.get(position, ""),
            "samples": _samples(table, position, plan),
        }
        for position, title in enumerate(layout.header)
    ]
    return {
        "place": place,
        "files": [item.file or item.sheet for item in layout.tables],
        "header_row": table.header_row,
        "rows": layout.rows,
        "columns": [column for position, column in enumerate(columns) if position not in hidden],
        "folded": [
            {"key": key, "title": all_scales()[key].title, "columns": [columns[position] for position in items]}
            for key, items in folded.items()
        ],
        "scales": [_scale(key, part) for key, part in plan.scales.items()],
        "grades": _grades(layout, plan),
        "list": plan.listed,
        "missing": "，".join(map(str, plan.missing_codes)),
        "notes": [note for item in layout.tables for note in item.notes][:MOST_NOTES],
        "problem": _problem(layout, plan),
    }


def _scale(key: str, part: ScalePlan) -> dict[str, Any]:
    scale = all_scales()[key]
    return {
        "key": key,
        "name": scale.name,
        "codings": [(coding.key, coding.title or coding.key) for coding in scale.codings]
        if len(scale.codings) > 1
        else [],
        "coding": part.coding or "",
        "asks_factors": bool(part.subscales),
        "factors": part.factors or "",
        "factor_kinds": kinds_of(scale),
        "is_stated": part.is_stated,
        "lacks_critical": bool(scale.red_flags) and not part.items,
    }


def _grades(layout: Layout, plan: Plan) -> list[dict[str, Any]]:
    """The source's grades, with what each means if that is known: words of a few signs, never names."""
    words = grades_of(layout, plan)
    if len(words) > MOST_GRADES:
        return []
    return [{"word": word, "level": plan.levels.get(word, stated.suggested_level(word))} for word in words]


def _problem(layout: Layout, plan: Plan) -> str | None:
    try:
        refuse_unfit(plan)
    except Refusal as refusal:
        return refusal.sentence
    if len(grades_of(layout, plan)) > MOST_GRADES:
        return NO_GRADES
    left = {word for table in layout.tables for word in stated.unmapped(table, plan)}
    if left and any(stated.suggested_level(word) is None for word in left):
        return "请为来源的每一个等级选择对应的本校等级（一级是最严重还是最轻，各平台不同）。"
    return None


def _samples(table: Table, place: int, plan: Plan) -> str:
    """A few small numbers of a column: a word might be somebody's name, under whatever heading."""
    if plan.meaning(place) in IDENTITY:
        return "（不显示）"
    values = [text_of(row[place]) for row in table.rows[: 10 * SHOWN_VALUES]]
    short = [value for value in dict.fromkeys(values) if len(value) <= 2 and value.isdecimal()]
    return "、".join(short[:SHOWN_VALUES]) if short else "（不显示）"


def plans_of(found: Sequence[Layout], mappings: Sequence[Mapping[str, Any]]) -> list[Plan]:
    """The plan of each layout from the mapping that was stored for it."""
    return [mapping.apply(held, layout.header) for held, layout in zip(mappings, found, strict=True)]
