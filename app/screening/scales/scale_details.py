"""The parts of a scale file beyond its items: how it is summed, cut, banded, flagged and doubted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from app.intake.headers import normal
from app.screening.scales.scale_page import REQUIRED, Section
from app.screening.scales.scale_parts import (
    Band,
    Check,
    Contradiction,
    Count,
    Cut,
    Efficiency,
    Item,
    LieRule,
    Missing,
    Moments,
    Norm,
    Part,
    Pattern,
    RedFlag,
    Subscale,
    Total,
    ValidityRules,
)

OPS = (">=", ">", "<=", "<", "==")
ROUNDING = ("none", "floor", "half_up")
RAISES = ("red", "orange", "yellow", "list")
MEASURES = ("item", "total", "subscale", "highest_factor", "count")


class Known:
    """The items that exist, by number and by the key that some are called by."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.numbers = {item.number for item in items}
        self.keys = {item.key: item.number for item in items if item.key}

    def item(self, page: Section, key: str) -> int:
        """The item that ``page`` names, by number or key; 0 and a fault if there is none such."""
        return self._number(page, key, page.any_of(key))

    def items(self, page: Section, key: str, default: Any = ()) -> tuple[int, ...]:
        """The items of a list, which may hold ranges: ``[1, 4, "10-15", "latency"]``."""
        found: list[int] = []
        named = page.any_of(key)
        if named is None:
            if default is REQUIRED:
                page.fault(key, "缺少这一项")
                return ()
            return tuple(default)
        for one in named if isinstance(named, list) else [named]:
            low, dash, high = str(one).partition("-")
            if isinstance(one, str) and dash and low.isdecimal() and high.isdecimal():
                ends = (self._number(page, key, int(low)), self._number(page, key, int(high)))
                found += list(range(ends[0], ends[1] + 1)) if all(ends) else []
            else:
                found.append(self._number(page, key, one))
        if len(found) != len(set(found)):
            page.fault(key, "同一题写了两次")
        return tuple(number for number in found if number)

    def _number(self, page: Section, key: str, named: Any) -> int:
        if isinstance(named, str) and named in self.keys:
            return self.keys[named]
        if isinstance(named, int) and not isinstance(named, bool) and named in self.numbers:
            return named
        page.fault(key, "缺少这一项" if named is None else f"没有题 {named}")
        return 0


def worded(item: Item, text: str) -> Item:
    return replace(item, text=text)


def total(page: Section, known: Known, everything: tuple[int, ...]) -> Total:
    held = page.section("total")
    found = Total(
        of=held.one_of("of", ("items", "subscales", "stated", "none"), "items"),
        items=known.items(held, "items", everything),
        method=held.one_of("method", ("sum", "mean"), "sum"),
        multiplier=held.number("multiplier", 1.0),
        rounding=held.one_of("rounding", ROUNDING, "none"),
    )
    left_out = known.items(held, "without")
    held.any_of("minimum"), held.any_of("maximum")
    held.end()
    return replace(found, items=tuple(number for number in found.items if number not in left_out))


def subscales(page: Section, known: Known) -> tuple[Subscale, ...]:
    return tuple(_subscale(held, known) for held in page.sections("subscales", ()))


def _subscale(held: Section, known: Known) -> Subscale:
    parts = tuple(_part(part, known) for part in held.sections("parts", ()))
    efficiency = _efficiency(held.section("efficiency"), known) if "efficiency" in held else None
    used = tuple(part.item for part in parts)
    if efficiency is not None:
        used = (efficiency.slept, efficiency.to_bed, efficiency.up)
    found = Subscale(
        key=held.string("key"),
        name=held.string("name"),
        items=tuple(number for number in used if number) or known.items(held, "items", REQUIRED),
        method=held.one_of("method", ("sum", "mean"), "sum"),
        multiplier=held.number("multiplier", 1.0),
        rounding=held.one_of("rounding", ROUNDING, "none"),
        bands=bands(held, "bands", known, ()),
        aliases=tuple(normal(word) for word in held.words("aliases")),
        parts=parts,
        cuts=_cuts(held),
        efficiency=efficiency,
        is_factor=held.flag("is_factor", default=True),
    )
    held.end()
    return found


def _part(held: Section, known: Known) -> Part:
    found = Part(known.item(held, "item"), _cuts(held))
    held.end()
    return found


def _efficiency(held: Section, known: Known) -> Efficiency:
    found = Efficiency(known.item(held, "slept"), known.item(held, "to_bed"), known.item(held, "up"))
    held.end()
    return found


def _cuts(page: Section) -> tuple[Cut, ...]:
    found: list[Cut] = []
    for held in page.sections("cuts", ()):
        found.append(Cut(held.one_of("op", OPS), held.number("value"), held.whole("score")))
        held.end()
    return tuple(found)


def counts(page: Section, known: Known, everything: tuple[int, ...]) -> tuple[Count, ...]:
    found = []
    for held in page.sections("counts", ()):
        found.append(
            Count(
                key=held.string("key"),
                name=held.string("name"),
                items=known.items(held, "items", everything),
                op=held.one_of("op", OPS),
                value=held.whole("value"),
                method=held.one_of("method", ("count", "mean"), "count"),
            )
        )
        held.end()
    return tuple(found)


def band_sets(page: Section, known: Known) -> tuple[dict[str, tuple[Band, ...]], str]:
    """The bands, or several named sets of them and the one that holds."""
    if "band_sets" not in page:
        return {"": bands(page, "bands", known)}, ""
    held = page.section("band_sets")
    found = {name: bands(held, name, known) for name in held.names()}
    chosen = page.one_of("band_set", list(found) or [""])
    page.any_of("bands")
    return found, chosen


def bands(page: Section, key: str, known: Known, default: Any = REQUIRED) -> tuple[Band, ...]:
    found: list[Band] = []
    for held in page.sections(key, default):
        when = pattern(held, known) if "any" in held or "all" in held else None
        start = held.number("from", 0.0 if when or not found else REQUIRED)
        found.append(Band(start, held.string("key"), held.string("label"), held.one_of("op", (">=", ">"), ">="), when))
        held.end()
    return tuple(found)


def check(held: Section, known: Known) -> Check:
    """``{ item = 9, op = ">=", value = 1 }``: exactly one measure."""
    named = [measure for measure in MEASURES if measure in held]
    if len(named) != 1:
        held.fault("", f"应恰好写明一种：{'、'.join(MEASURES)}")
    measure = named[0] if named else "total"
    if measure == "item":
        measure = f"item {known.item(held, 'item')}"
    elif measure in {"subscale", "count"}:
        measure = f"{measure} {held.string(measure)}"
    elif named:
        held.flag(measure, default=True)
    found = Check(measure, held.one_of("op", OPS), held.number("value"))
    held.end()
    return found


def pattern(page: Section, known: Known) -> Pattern:
    """``any = […]`` or ``all = […]``."""
    if "any" in page and "all" in page:
        page.fault("all", "any 与 all 只能写一种")
    which = "all" if "all" in page else "any"
    return Pattern(tuple(check(held, known) for held in page.sections(which, ())), every=which == "all")


def positive(page: Section, known: Known) -> Pattern:
    """Who is invited to talk: ``{ any = [] }`` where the scale has no such cut-off."""
    held = page.section("positive", REQUIRED)
    if "value" in held or "op" in held:
        found = Pattern((Check("total", held.one_of("op", OPS), held.number("value")),))
    else:
        found = pattern(held, known)
    held.end()
    return found


def red_flags(page: Section, known: Known) -> tuple[RedFlag, ...]:
    found = []
    for held in page.sections("red_flags"):
        found.append(
            RedFlag(
                item=known.item(held, "item"),
                op=held.one_of("op", OPS),
                value=held.whole("value"),
                level=held.one_of("level", RAISES, "yellow"),
                reason=held.string("reason", ""),
                focus=held.words("focus", ["safety", "mood"]),
            )
        )
        held.end()
    return tuple(found)


def missing(page: Section, known: Known) -> Missing:
    held = page.section("missing")
    found = Missing(
        held.one_of("rule", ("refuse", "allowed", "mean"), "refuse"),
        held.whole("at_most", 0),
        known.items(held, "required"),
    )
    held.end()
    return found


def validity(page: Section, known: Known) -> ValidityRules:
    held = page.section("validity")
    contradictions = []
    for one in held.sections("contradictions", ()):
        checks = tuple(check(part, known) for part in one.sections("all"))
        contradictions.append(Contradiction(one.string("key"), one.string("reason"), checks))
        one.end()
    found = ValidityRules(
        lie=_lie(held.section("lie"), known) if "lie" in held else None,
        contradictions=tuple(contradictions),
        seconds_per_item=held.number("seconds_per_item", None),
        uniform_is_plausible=held.flag("uniform_is_plausible", default=True),
    )
    held.end()
    return found


def _lie(held: Section, known: Known) -> LieRule:
    found = LieRule(
        known.items(held, "items", REQUIRED), held.one_of("op", OPS), held.whole("value"), held.whole("at_least")
    )
    held.end()
    return found


def norms(page: Section) -> tuple[Norm, ...]:
    found = []
    for held in page.sections("norms", ()):
        groups = held.section("subscales")
        found.append(
            Norm(
                key=held.string("key"),
                title=held.string("title"),
                dated=held.string("dated"),
                source=held.string("source"),
                total=_moments(held.section("total")) if "total" in held else None,
                subscales={name: _moments(groups.section(name)) for name in groups.names()},
            )
        )
        held.end()
    return tuple(found)


def _moments(held: Section) -> Moments:
    found = Moments(float(held.number("mean")), float(held.number("sd")))
    held.end()
    return found
