"""What the columns of a file probably are, each guess with its reason. A person confirms; nothing here decides."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from app.intake import headers
from app.intake.headers import normal
from app.screening.scales.scale import Scale, all_scales
from app.screening.tables.plan import ABSENT, FIELDS, Plan, ScalePlan
from config import catalogue

_NUMBER = re.compile(r"^(?:第)?(\d{1,3})(?:题|item)?$")
_IN_FRONT = re.compile(r"^(?:第|q|t|item)?(\d{1,3})(?:题)?[.、:：\s]+\S")
_AFTER = re.compile(r"^(\d{1,3})[a-z]$")
SENTENCE = 5
"""Signs from which on an item's words are its own and not a word of the language."""
LEAST_INDICATORS = 6
"""So many indicators of one platform in a header are no accident."""
LEAST_FACTORS = 3
"""So many factor names in one header are no accident."""


def knows(word: str) -> bool:
    """Whether a header cell looks like one of a results file; used to find the header row."""
    text = normal(word)
    return (
        text in headers.aliases("screening")
        or text in _factor_names()
        or any(_item_of(word, scale) is not None or _part_of(text, scale) is not None for scale in _with_items())
    )


def suggest(
    header: Sequence[str], wanted: Sequence[str] | None = None, *, sheet: str | None = None, likely: Sequence[str] = ()
) -> Plan:
    """Guess what the columns of ``header`` are, for the scales in ``wanted``; for every scale when none is named.

    ``likely`` are the scales of the round: bare question numbers are believed
    for the one of them that has as many items.
    """
    plan = Plan(sheet=sheet)
    for name, place in headers.columns("screening", header).items():
        if name in FIELDS:
            plan.columns[name] = place
            plan.reasons[place] = f"列名“{header[place]}”"
    keys = list(all_scales()) if wanted is None else list(wanted)
    for scale in sorted((all_scales()[key] for key in keys), key=lambda scale: -scale.size):
        _add(plan, header, scale, _items_in(_free(plan, header), scale))
    for key in _believed(plan, header, wanted, likely):
        scale = all_scales()[key]
        free = _free(plan, header)
        _add(plan, header, scale, _bare_numbers(free, scale) | _items_in(free, scale))
    for key in keys:
        _stated(plan, header, all_scales()[key], alone=len(keys) == 1 or list(plan.scales) == [key])
    if not plan.is_long:
        _leave_bare(plan)
    return plan


def _believed(plan: Plan, header: Sequence[str], wanted: Sequence[str] | None, likely: Sequence[str]) -> Sequence[str]:
    """The one scale whose bare question numbers can be meant."""
    if wanted is not None:
        return [key for key in wanted if key not in plan.scales] if len(wanted) == 1 else []
    count = len(_numbers_in(_free(plan, header)))
    fitting = [key for key in likely if key not in plan.scales and all_scales()[key].size == count]
    return fitting if len(fitting) == 1 else []


def _free(plan: Plan, header: Sequence[str]) -> dict[int, str]:
    return {place: word for place, word in enumerate(header) if place not in plan.reasons}


def _add(plan: Plan, header: Sequence[str], scale: Scale, found: Mapping[int, int]) -> None:
    """Take the items of a scale, if all of them were found; of indicators, as many as the platform exports."""
    if not found or scale.key in plan.scales:
        return
    if len(found) != scale.size and not (scale.missing.rule == "allowed" and _are_indicators(scale, found)):
        return
    plan.scales[scale.key] = ScalePlan(items=[found.get(item, ABSENT) for item in range(1, scale.size + 1)])
    for item, place in found.items():
        plan.reasons[place] = f"{scale.name} 第 {item} 题"


def _are_indicators(scale: Scale, found: Mapping[int, int]) -> bool:
    """Factor names of other scales sound alike: a platform's own hint of danger must be among them."""
    return len(found) >= LEAST_INDICATORS and any(flag.item in found for flag in scale.red_flags)


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
    """The item a header names (PHQ9_3, phq3, PHQ-9 第3题, dass3_D, or the item's own sentence), and by which prefix."""
    text = _asked(word)
    for prefix in sorted(scale.prefixes, key=len, reverse=True):
        if text.startswith(prefix):
            rest = text[len(prefix) :].removeprefix("q")
            number = _NUMBER.match(rest) or _AFTER.match(rest)
            if number and 1 <= int(number[1]) <= scale.size:
                return int(number[1]), prefix
    named = _names(scale).get(text)
    if named is None and len(text) >= SENTENCE:
        named = next((number for sentence, number in _sentences(scale) if text.endswith(sentence)), None)
    return (named, "") if named is not None else None


def _asked(word: str) -> str:
    """A header without the mark of its question."""
    return normal(word).rstrip("?!…")


@cache
def _names(scale: Scale) -> dict[str, int]:
    """What an item is called, whole: its sentence, its short name, its aliases."""
    return {
        found: item.number
        for item in scale.items
        for words in (item.text, item.name, *item.aliases)
        if (found := _asked(words))
    }


@cache
def _sentences(scale: Scale) -> tuple[tuple[str, int], ...]:
    """Sentences of items, which stand at the end of longer headers: "1. 做事时提不起劲或没有兴趣"."""
    return tuple((text, item.number) for item in scale.items if len(text := _asked(item.text)) >= SENTENCE)


def _bare_numbers(header: Mapping[int, str], scale: Scale) -> dict[int, int]:
    """Q1, 第1题, 1、…: only believed when the file holds a single scale."""
    return {item: place for item, place in _numbers_in(header).items() if item <= scale.size}


def _numbers_in(header: Mapping[int, str]) -> dict[int, int]:
    found: dict[int, int] = {}
    for place, word in header.items():
        match = _NUMBER.match(normal(word).removeprefix("q")) or _IN_FRONT.match(word.strip().lower())
        if match and int(match[1]) >= 1:
            found.setdefault(int(match[1]), place)
    return found


# --- what the source made of the answers ------------------------------------------------------


def _stated(plan: Plan, header: Sequence[str], scale: Scale, *, alone: bool) -> None:
    """Totals, bands, times and factors of a scale: beside its items, or instead of them."""
    part = plan.scales.get(scale.key, ScalePlan())
    reasons: dict[int, str] = {}
    for place, word in _free(plan, header).items():
        name = _part_of(normal(word), scale)
        if name is not None and getattr(part, name) is None:
            setattr(part, name, place)
            reasons[place] = f"{scale.name} 的{_PART_WORDS[name]}"
    factors = _factors_in(_free(plan, header), scale)
    if factors and (part.items or len(factors) >= min(LEAST_FACTORS, len(scale.subscales))):
        part.subscales = factors
        names = {subscale.key: subscale.name for subscale in scale.subscales}
        reasons |= {place: f"{scale.name} 的因子“{names[key]}”" for key, place in factors.items()}
    holds = bool(part.items or part.subscales or part.total is not None)
    if holds and alone:
        _take_bare(plan, part, header, scale)
    if holds:
        plan.scales[scale.key] = part
        plan.reasons |= reasons


def _take_bare(plan: Plan, part: ScalePlan, header: Sequence[str], scale: Scale) -> None:
    """A file with one scale calls its total just 总分, its band 结果, its time 用时."""
    if "total" in plan.columns and _is_raw(normal(header[plan.columns["total"]]), scale):
        plan.reasons.pop(plan.columns.pop("total"), None)
    if "scale_name" in plan.columns:
        return
    for field, name in (("total", "total"), ("result", "band")):
        if field in plan.columns and getattr(part, name) is None:
            setattr(part, name, plan.columns.pop(field))


def _leave_bare(plan: Plan) -> None:
    """A 总分 or 结果 that could be of any scale is left to a person."""
    for field in ("total", "result"):
        if field in plan.columns:
            plan.reasons.pop(plan.columns.pop(field), None)


_PART_WORDS = {"total": "总分（来源计算）", "band": "结果（来源给出）", "seconds": "用时"}


def _part_of(text: str, scale: Scale) -> str | None:
    for prefix in sorted(scale.prefixes, key=len, reverse=True):
        if text.startswith(prefix):
            rest = text[len(prefix) :]
            if _is_raw(rest, scale):
                return None
            return next((name for name in _PART_WORDS if rest in _part_words(name)), None)
    return None


def _is_raw(words: str, scale: Scale) -> bool:
    """A sum before the scale's own factor is not its total."""
    return scale.total.multiplier != 1 and words in _part_words("raw")


@cache
def _part_words(name: str) -> frozenset[str]:
    return frozenset(normal(word) for word in catalogue.table("source_words")["parts"][name])


def _factors_in(header: Mapping[int, str], scale: Scale) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, word in header.items():
        text = normal(word)
        for subscale in scale.subscales:
            if text in _names_of(scale, subscale.key):
                found.setdefault(subscale.key, place)
    return found


@cache
def _names_of(scale: Scale, key: str) -> frozenset[str]:
    """A factor by its own name, with the scale in front, or with 因子/分/均分 behind."""
    subscale = next(item for item in scale.subscales if item.key == key)
    words = {normal(word) for word in (subscale.name, *subscale.aliases)}
    behind = ("", *(normal(word) for word in catalogue.table("source_words")["factor_endings"]))
    return frozenset(front + word + end for word in words for end in behind for front in ("", *scale.prefixes))


@cache
def _factor_names() -> frozenset[str]:
    return frozenset(
        name for scale in all_scales().values() for item in scale.subscales for name in _names_of(scale, item.key)
    )


@cache
def _with_items() -> tuple[Scale, ...]:
    return tuple(scale for scale in all_scales().values() if scale.size)
