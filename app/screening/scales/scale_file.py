"""Turns one scale file into a ``Scale``: every part by its place, every fault in Chinese, all at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.intake.headers import normal
from app.screening.scales import scale_details as details
from app.screening.scales.scale_page import REQUIRED, Section
from app.screening.scales.scale_parts import CHOICE, CLOCK, HOURS, MINUTES, Coding, Item
from app.screening.scales.scale_range import range_of, with_ranges
from app.screening.scales.scale_sense import senseless
from app.screening.scales.scale_whole import Scale

LICENCES = ("open", "nc", "scoring_only", "import_only")
KINDS = ("questionnaire", "interview", "statement")
TEXT_ALLOWED = {"open", "nc"}
LONGEST_MINUTES = {MINUTES: 24 * 60, CLOCK: 24 * 60 - 1, HOURS: 24 * 60}


class ScaleFault(Exception):
    """A scale file says something impossible; the message names the file and every place."""

    def __init__(self, name: str, faults: list[str]) -> None:
        self.name, self.faults = name, tuple(faults)
        many = f"共 {len(faults)} 处问题：\n  · " if len(faults) > 1 else ""
        super().__init__(f"{name}: {many}" + "\n  · ".join(faults))


def read(name: str, table: dict[str, Any], texts: Mapping[str, Any] | None = None) -> Scale:
    """Turn one file, with the college's own texts, into a scale. Raises ``ScaleFault`` with everything wrong."""
    faults: list[str] = []
    page = Section(table, faults)
    scale = _scale(page, faults, texts or {})
    page.end()
    if not faults:
        faults += senseless(scale)
    if faults:
        raise ScaleFault(name, faults)
    return scale


def _scale(page: Section, faults: list[str], texts: Mapping[str, Any]) -> Scale:
    named = _named(page)
    bare = named["licence_class"] == "import_only"
    minimum, maximum = page.whole("minimum", 0 if bare else REQUIRED), page.whole("maximum", 1 if bare else REQUIRED)
    answers, words = _answers(page, default=() if bare else REQUIRED)
    items = _items(page, minimum, maximum, may_have_texts=named["licence_class"] in TEXT_ALLOWED)
    items = _own_texts(items, texts, faults)
    known, everything = details.Known(items), tuple(item.number for item in items)
    ranges = {item.number: (item.minimum, item.maximum) for item in items}
    total, subscales = details.total(page, known, everything), with_ranges(details.subscales(page, known), ranges)
    stated = page.section("total")
    lowest, highest = range_of(total, subscales, ranges, (stated.any_of("minimum"), stated.any_of("maximum")))
    band_sets, chosen = details.band_sets(page, known)
    alpha, sd = _reliability(page.section("reliability"))
    return Scale(
        **named,
        minimum=minimum,
        maximum=maximum,
        items=items,
        answers=answers,
        answer_words=words,
        codings=_codings(page, minimum, maximum),
        reversed=frozenset(known.items(page, "reversed")),
        subscales=subscales,
        counts=details.counts(page, known, everything),
        total=total,
        bands=band_sets.get(chosen, ()),
        band_sets=band_sets,
        band_set=chosen,
        positive=details.positive(page, known),
        red_flags=details.red_flags(page, known),
        missing=details.missing(page, known),
        validity=details.validity(page, known),
        norms=details.norms(page),
        reliability=alpha,
        sd=sd,
        lowest=lowest,
        highest=highest,
        prompt=str(texts.get("prompt", "")) or page.string("prompt", ""),
    )


def _named(page: Section) -> dict[str, Any]:
    """How the scale is called, where it comes from, and by which headers it is known."""
    return {
        "key": page.string("key"),
        "name": page.string("name"),
        "title": page.string("title"),
        "version": page.string("version"),
        "licence_class": page.one_of("licence_class", LICENCES),
        "kind": page.one_of("kind", KINDS, "questionnaire"),
        "source": page.string("source"),
        "loinc": {key: str(value) for key, value in page.mapping("loinc").items()},
        "period": page.string("period", ""),
        "focus": page.words("focus", ["mood"]),
        "prefixes": tuple(normal(word) for word in page.words("prefixes", REQUIRED)),
        "total_aliases": tuple(normal(word) for word in page.words("total_aliases")),
    }


def _reliability(page: Section) -> tuple[float | None, float | None]:
    """What the size of a reliable change rests on; a number without its source is a fault."""
    alpha, sd = page.number("alpha", None), page.number("sd", None)
    if alpha is not None or sd is not None:
        page.string("source")
    page.end()
    return alpha, sd


def _answers(page: Section, *, default: Any = REQUIRED) -> tuple[dict[int, str], dict[str, int]]:
    """The answers by value, and every word that means one of them."""
    answers: dict[int, str] = {}
    words: dict[str, int] = {}
    for held in page.sections("answers", default):
        value, text = held.whole("value"), held.string("text")
        if value in answers:
            held.fault("value", f"{value} 出现了两次")
        answers[value] = text
        held.string("loinc", "")
        for word in (text, *held.words("words")):
            if words.setdefault(normal(word), value) != value:
                held.fault("words", f"“{word}”已指另一个答案")
        held.end()
    return answers, words


def _items(page: Section, minimum: int, maximum: int, *, may_have_texts: bool) -> tuple[Item, ...]:
    """The items: a list of tables, or just how many there are."""
    plain = page.any_of("items")
    if isinstance(plain, int) and not isinstance(plain, bool):
        if not 0 <= plain <= 1000:
            page.fault("items", "题数应在 0 到 1000 之间")
        return tuple(Item(number, "", minimum=minimum, maximum=maximum) for number in range(1, min(plain, 1000) + 1))
    return tuple(_item(held, minimum, maximum, may_have_texts=may_have_texts) for held in page.sections("items"))


def _item(held: Section, minimum: int, maximum: int, *, may_have_texts: bool) -> Item:
    kind = held.one_of("kind", (CHOICE, MINUTES, CLOCK, HOURS), CHOICE)
    if kind != CHOICE:
        minimum, maximum = 0, LONGEST_MINUTES[kind]
    text = held.string("text", "")
    if text and not may_have_texts:
        held.fault("text", "此量表的授权不允许随产品携带题目文字；请放到 config/scales/texts/ 下的同名文件")
    answers, words = _answers(held, default=())
    found = Item(
        number=held.whole("number"),
        text=text,
        key=held.string("key", ""),
        name=held.string("name", ""),
        kind=kind,
        minimum=held.whole("minimum", minimum),
        maximum=held.whole("maximum", maximum),
        aliases=tuple(normal(word) for word in held.words("aliases")),
        answers=answers,
        answer_words=words,
        loinc=held.string("loinc", ""),
    )
    held.end()
    return found


def _own_texts(items: tuple[Item, ...], texts: Mapping[str, Any], faults: list[str]) -> tuple[Item, ...]:
    """The college's own wording (``config/scales/texts/KEY.toml``, ``[items]`` with ``1 = "…"``) laid over."""
    page = Section(dict(texts), faults, "texts")
    page.string("prompt", "")
    own = page.section("items")
    known = {str(item.number): item for item in items}
    wording = {}
    for name in own.names():
        wording[name] = own.string(name)
        if name not in known:
            own.fault(name, "没有这一题")
    own.end()
    page.end()
    return tuple(details.worded(item, wording.get(str(item.number), item.text)) for item in items)


def _codings(page: Section, minimum: int, maximum: int) -> tuple[Coding, ...]:
    """The scale's own coding first, then those that files may use instead."""
    own = f"{minimum}-{maximum}"
    found = [Coding(own, minimum, maximum, f"{minimum}–{maximum} 计分")]
    for held in page.sections("codings", ()):
        low, high = held.whole("minimum"), held.whole("maximum")
        values: dict[int, int] = {}
        for given, meant in held.mapping("values").items():
            if not str(given).lstrip("-").isdecimal() or not isinstance(meant, int):
                held.fault("values", "应写成 { 文件里的数 = 本量表的数 }")
                continue
            values[int(given)] = meant
        if not values and high - low != maximum - minimum:
            held.fault("maximum", f"与 {own} 的档数不同，请用 values 逐一写明")
        if values and set(values) != set(range(low, high + 1)):
            held.fault("values", f"应写全 {low} 到 {high}")
        if any(not minimum <= meant <= maximum for meant in values.values()):
            held.fault("values", f"换算后应在 {own} 之内")
        found.append(Coding(held.string("key"), low, high, held.string("title", f"{low}–{high} 计分"), values))
        held.end()
    keys = [coding.key for coding in found]
    if len(keys) != len(set(keys)):
        page.fault("codings", f"key 重复，或与本量表的 {own} 相同")
    return tuple(found)
