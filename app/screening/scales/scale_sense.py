"""Whether what a scale file says can be true together: each part may be well written and the whole impossible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.screening.scales.scale_parts import CHOICE, Band, Check
from app.screening.scales.scale_whole import Scale
from config import catalogue

LONGEST = {"key": 24, "version": 16, "norm": 24, "coding": 16}
"""As wide as the columns that keep them with every score."""


def senseless(scale: Scale) -> list[str]:
    """Every contradiction inside one scale, in the words of its file."""
    return [
        *_names(scale),
        *_items(scale),
        *_sums(scale),
        *_bands(scale),
        *_checks(scale),
        *_flags(scale),
        *_numbers(scale),
    ]


def _names(scale: Scale) -> Iterator[str]:
    if not scale.key.isascii() or not scale.key.isidentifier() or scale.key != scale.key.lower():
        yield "key：只用小写英文字母、数字和下划线"
    named = {
        "key": [scale.key],
        "version": [scale.version],
        "norm": [norm.key for norm in scale.norms],
        "coding": [coding.key for coding in scale.codings],
    }
    for what, words in named.items():
        for word in words:
            if len(word) > LONGEST[what]:
                yield f"{what}：“{word}”超过 {LONGEST[what]} 个字符"
    for what, keys in {
        "subscales": [held.key for held in scale.subscales],
        "counts": [held.key for held in scale.counts],
        "norms": [norm.key for norm in scale.norms],
    }.items():
        yield from (f"{what}：key “{key}”出现了两次" for key in _twice(keys))


def _twice(words: Iterable[str]) -> list[str]:
    held = list(words)
    return sorted({word for word in held if held.count(word) > 1})


def _items(scale: Scale) -> Iterator[str]:
    if [item.number for item in scale.items] != list(range(1, scale.size + 1)):
        yield "items：应从 1 连续编号"
    if not scale.items and not scale.is_import_only:
        yield "items：一道题也没有"
    if scale.minimum >= scale.maximum:
        yield "minimum：应小于 maximum"
    elif not scale.is_import_only and set(scale.answers) != set(range(scale.minimum, scale.maximum + 1)):
        yield "answers：应覆盖 minimum 到 maximum 的每一个整数，不多不少"
    if scale.minimum < 0:
        yield "minimum：不能小于 0"
    for item in scale.items:
        if item.minimum >= item.maximum:
            yield f"items[{item.number}].minimum：应小于 maximum"
        if item.answers and set(item.answers) != set(range(item.minimum, item.maximum + 1)):
            yield f"items[{item.number}].answers：应覆盖本题的每一个分值"
    yield from (f"items：key “{key}”出现了两次" for key in _twice(item.key for item in scale.items if item.key))
    choice = {item.number for item in scale.items if item.kind == CHOICE}
    if not scale.reversed <= choice:
        yield "reversed：只有选择题可以反向计分"


def _sums(scale: Scale) -> Iterator[str]:
    if scale.total.of == "items" and not scale.total.items and not scale.is_import_only:
        yield "total.items：总分没有包含任何题"
    if scale.total.of == "items" and not scale.items:
        yield 'total.of：没有题目的量表应写 "stated" 或 "none"'
    if scale.total.of == "subscales" and not scale.subscales:
        yield "total.of：没有分量表可以相加"
    if scale.total.of == "stated" and scale.lowest >= scale.highest:
        yield "total.minimum：请写明总分的最小值 minimum 和最大值 maximum"
    minutes = {item.number for item in scale.items if item.kind != CHOICE}
    if scale.total.of == "items" and minutes & set(scale.total.items):
        yield "total.items：时间题不能直接相加，请用分量表的 cuts"
    if scale.total.multiplier <= 0 or any(held.multiplier <= 0 for held in scale.subscales):
        yield "multiplier：应大于 0"
    for held in scale.subscales:
        scores = [cut.score for cut in held.cuts]
        if scores != sorted(set(scores)) or any(score < 0 for score in scores):
            yield f"subscales：{held.key} 的 cuts 应按分数递增"
        if held.efficiency and not held.cuts:
            yield f"subscales：{held.key} 的 efficiency 需要 cuts"


def _bands(scale: Scale) -> Iterator[str]:
    for name, bands in scale.band_sets.items():
        place = f"band_sets.{name}" if name else "bands"
        if not scale.has_total and not any(band.when for band in bands):
            if bands:
                yield f"{place}：没有总分的量表只能用条件（any/all）分类"
            continue
        demanded = scale.total.of != "stated" and not any(held.bands for held in scale.subscales)
        yield from _one_set(place, bands, scale.lowest, scale.highest, demanded=demanded)
    for held in scale.subscales:
        yield from _one_set(f"subscales.{held.key}.bands", held.bands, held.lowest, held.highest, demanded=False)


def _one_set(place: str, bands: tuple[Band, ...], lowest: float, highest: float, *, demanded: bool) -> Iterator[str]:
    yield from (f"{place}：key “{key}”出现了两次" for key in _twice(band.key for band in bands))
    if any(band.when for band in bands):
        if bands[0].when or not all(band.when for band in bands[1:]):
            yield f"{place}：第一类不写条件，其余每类都要写（由轻到重）"
        return
    starts = [band.start for band in bands]
    if demanded and not bands:
        yield f"{place}：一个分段也没有"
    if bands and (starts != sorted(set(starts)) or starts[0] != lowest or bands[0].op != ">="):
        yield f"{place}：应从最低分 {lowest:g} 开始递增"
    if any(start > highest or (start == highest and band.op == ">") for start, band in zip(starts, bands, strict=True)):
        yield f"{place}：有分段超出最高分 {highest:g}"


def _checks(scale: Scale) -> Iterator[str]:
    for place, checks in _all_checks(scale):
        for check in checks:
            yield from (f"{place}：{fault}" for fault in _one_check(scale, check))


def _all_checks(scale: Scale) -> Iterator[tuple[str, tuple[Check, ...]]]:
    yield "positive", scale.positive.checks
    for bands in scale.band_sets.values():
        yield from (("bands", band.when.checks) for band in bands if band.when)
    yield from (("validity.contradictions", held.checks) for held in scale.validity.contradictions)


def _one_check(scale: Scale, check: Check) -> Iterator[str]:
    measure, _, name = check.measure.partition(" ")
    if measure == "subscale" and name not in {held.key for held in scale.subscales}:
        yield f"没有分量表 {name}"
    if measure == "count" and name not in {held.key for held in scale.counts}:
        yield f"没有计数 {name}"
    if measure == "highest_factor" and not any(held.is_factor for held in scale.subscales):
        yield "没有分量表，不能用 highest_factor"
    if measure == "total" and not scale.has_total:
        yield "本量表没有总分"
    if measure == "total" and scale.has_total and not reachable(check, scale.lowest, scale.highest):
        yield f"总分到不了 {check.op} {check.value:g}（{scale.lowest:g}–{scale.highest:g}）"
    if measure == "item":
        item = scale.items[int(name) - 1]
        if not reachable(check, item.minimum, item.maximum):
            yield f"第 {name} 题到不了 {check.op} {check.value:g}（{item.minimum}–{item.maximum}）"


def reachable(check: Check, lowest: float, highest: float) -> bool:
    """Whether some value meets the check, and not every value does."""
    if check.op in {">=", ">"}:
        end = highest if check.op == ">=" else highest - 1
        return lowest < check.value + (check.op == ">") and check.value <= end
    if check.op == "==":
        return lowest <= check.value <= highest
    start = lowest if check.op == "<=" else lowest + 1
    return start <= check.value < highest + (check.op == "<")


def _flags(scale: Scale) -> Iterator[str]:
    points = set(catalogue.table("focus"))
    for flag in scale.red_flags:
        item = scale.items[flag.item - 1]
        if not reachable(Check("", flag.op, flag.value), item.minimum, item.maximum):
            yield f"red_flags：第 {flag.item} 题答不出 {flag.op} {flag.value}，或每个答案都算"
        yield from (f"red_flags：关注要点“{word}”不在 focus.toml 里" for word in flag.focus if word not in points)
    yield from (f"focus：关注要点“{word}”不在 focus.toml 里" for word in scale.focus if word not in points)


def _numbers(scale: Scale) -> Iterator[str]:
    if scale.reliability is not None and not 0 < scale.reliability < 1:
        yield "reliability.alpha：应在 0 和 1 之间"
    if scale.sd is not None and scale.sd <= 0:
        yield "reliability.sd：应大于 0"
    for norm in scale.norms:
        known = {held.key for held in scale.subscales}
        yield from (f"norms.{norm.key}：没有分量表 {name}" for name in norm.subscales if name not in known)
        moments = [*norm.subscales.values(), *([norm.total] if norm.total else [])]
        if any(held.sd <= 0 for held in moments):
            yield f"norms.{norm.key}：标准差应大于 0"
    lie = scale.validity.lie
    if lie and not 1 <= lie.at_least <= len(lie.items):
        yield "validity.lie.at_least：应在 1 到题数之间"
    if scale.missing.rule == "mean" and scale.subscales:
        yield "missing.rule：有分量表的量表不能用 mean 补缺"
    if scale.missing.rule == "mean" and not 1 <= scale.missing.at_most < max(scale.size, 1):
        yield "missing.at_most：应写明最多可缺几题"
