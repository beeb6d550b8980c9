"""The mapping a person confirms on the page: one select for each column, codings, grades, lists; and back to a mapping.

Columns of several layouts are numbered through, so that each has one name in
the form: ``column-17``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.screening.scales.scale import all_scales
from app.screening.tables import stated
from app.screening.tables.layout import Layout
from app.screening.tables.plan import ABSENT, FACTORS, FIELDS, LISTS, PARTS, Plan, ScalePlan, refuse_unfit
from app.web.arguments import whole
from models.refusal import Refusal

MOST_CODES = 10
MOST_GRADES = 20
"""A column with more different words holds no grades: names, perhaps, which nobody may keep as a source's words."""
NO_GRADES = f"指定为来源等级的列有超过 {MOST_GRADES} 种不同的内容，不像等级，请核对列的含义。"


def mappings_from(form: Mapping[str, str], found: Sequence[Layout]) -> list[dict[str, Any]]:
    """A mapping for each layout, as the form says. Refuses what cannot be meant, in words."""
    mappings = []
    for place, (layout, start) in enumerate(zip(found, starts(found), strict=True)):
        plan = plan_from(form, layout, place, start)
        refuse_unfit(plan)
        grades = grades_of(layout, plan)
        if len(grades) > MOST_GRADES:
            raise Refusal(NO_GRADES)
        plan.levels = {word: level for word, level in plan.levels.items() if word in grades}
        mappings.append(plan.as_mapping(layout.header))
    return mappings


def grades_of(layout: Layout, plan: Plan) -> dict[str, None]:
    """The different words of the column of grades, in the order in which they appear."""
    return dict.fromkeys(word for table in layout.tables for word in stated.level_values(table, plan))


def starts(found: Sequence[Layout]) -> list[int]:
    """The number of each layout's first column."""
    return [sum(len(layout.header) for layout in found[:place]) for place in range(len(found))]


def plan_from(form: Mapping[str, str], layout: Layout, place: int, start: int) -> Plan:
    """The plan of one layout. Raises ``Refusal`` where a word of the form is none of ours."""
    meanings = {column: form.get(f"column-{start + column}", "") for column in range(len(layout.header))}
    plan = from_meanings(meanings, sheet=layout.tables[0].sheet or None)
    plan.listed = _among(form.get(f"list-{place}"), LISTS)
    plan.levels = _levels(form, place)
    plan.missing_codes = _codes(form.get(f"missing-{place}", ""))
    for key, part in plan.scales.items():
        part.coding = _among(form.get(f"coding-{place}-{key}"), [coding.key for coding in all_scales()[key].codings])
        part.factors = _among(form.get(f"factors-{place}-{key}"), FACTORS)
    return plan


def _among(value: str | None, known: Sequence[str]) -> str | None:
    return value if value in known else None


def _levels(form: Mapping[str, str], place: int) -> dict[str, int]:
    """The grades of the source, each with the level a person chose; those without stay unmapped."""
    levels = {}
    for name, word in form.items():
        number = name.removeprefix(f"grade-{place}-")
        if number != name and form.get(f"level-{place}-{number}") in {"0", "1", "2", "3"}:
            levels[word] = int(form[f"level-{place}-{number}"])
    return levels


def _codes(text: str) -> tuple[int, ...]:
    parts = text.replace("、", ",").replace("，", ",").replace(" ", ",").split(",")
    codes = [whole(part.removeprefix("-")) for part in parts if part]
    if any(code is None for code in codes) or len(codes) > MOST_CODES:
        raise Refusal("“拒答/不知道的代码”应是用逗号分开的整数，例如 7, 9。")
    return tuple(
        -int(code or 0) if part.startswith("-") else int(code or 0)
        for code, part in zip(codes, filter(None, parts), strict=True)
    )


def from_meanings(meanings: Mapping[int, str], *, sheet: str | None = None) -> Plan:
    """The plan of a person's choices: column → ``name``, ``phq9.2``, ``scl90.total``, ``scl90.factor.x``."""
    plan = Plan(sheet=sheet)
    items: dict[str, dict[int, int]] = {}
    for place, meaning in sorted(meanings.items()):
        if not meaning:
            continue
        key, _, what = meaning.partition(".")
        if not what:
            _take_field(plan, meaning, place)
        elif (number := whole(what)) is not None:
            _take_item(items, key, number, place)
        else:
            _take_part(plan, key, what, place)
    for key, found in items.items():
        numbers = range(1, all_scales()[key].size + 1)
        plan.scales.setdefault(key, ScalePlan()).items = [found.get(number, ABSENT) for number in numbers]
    return plan


def forgiving(form: Mapping[str, str], layout: Layout, place: int, start: int) -> Plan:
    """What the person chose, as far as it can be meant: for showing the page again, never for reading a file."""
    meanings: dict[int, str] = {}
    for column in range(len(layout.header)):
        more = meanings | {column: form.get(f"column-{start + column}", "")}
        try:
            from_meanings(more)
        except Refusal:
            continue
        meanings = more
    plan = from_meanings(meanings)
    plan.listed = _among(form.get(f"list-{place}"), LISTS)
    plan.levels = _levels(form, place)
    return plan


def _take_field(plan: Plan, meaning: str, place: int) -> None:
    if meaning not in FIELDS:
        raise Refusal("指定了不认识的内容，请重新打开页面核对。")
    if meaning in plan.columns:
        raise Refusal("同一个字段被指定了两列，请检查。")
    plan.columns[meaning] = place


def _take_item(items: dict[str, dict[int, int]], key: str, number: int, place: int) -> None:
    if key not in all_scales() or not 1 <= number <= all_scales()[key].size:
        raise Refusal("指定了这份文件没有的题目，请重新打开页面核对。")
    if number in items.setdefault(key, {}):
        raise Refusal(f"{all_scales()[key].name} 第 {number} 题被指定了两次。")
    items[key][number] = place


def _take_part(plan: Plan, key: str, what: str, place: int) -> None:
    scale = all_scales().get(key)
    name, _, factor = what.partition(".")
    if scale is None or not (what in PARTS or (name == "factor" and factor in {item.key for item in scale.subscales})):
        raise Refusal("指定了不认识的内容，请重新打开页面核对。")
    part = plan.scales.setdefault(key, ScalePlan())
    if what in PARTS:
        if getattr(part, what) is not None:
            raise Refusal(f"{scale.name} 的同一项结果被指定了两列，请检查。")
        setattr(part, what, place)
    elif factor in part.subscales:
        raise Refusal(f"{scale.name} 的同一个因子被指定了两列，请检查。")
    else:
        part.subscales[factor] = place
