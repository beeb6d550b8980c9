"""A stored result as the centre reads it: a hint in words, never a diagnosis (law 7).

Written from what the sheet itself holds, so that a result stays readable when
its scale's file has another version or is gone. Of a sheet's body: ``answers``,
``total``, ``band`` (key), ``label`` (of the band), ``subscales`` (key → value),
``doubtful`` (codes), ``stated`` (what the source said, heading → words).
"""

from __future__ import annotations

from typing import Any

from app.screening.scales.scale import Scale, all_scales
from app.web.words import label
from models.screening import SheetStatus, SheetValidity

DOUBTFUL = "作答质量存疑，建议重测"


def title_of(key: str) -> str:
    """The scale's name, or its key if its file is gone."""
    scale = all_scales().get(key)
    return scale.title if scale is not None else key


def result_lines(row: Any, held: dict[str, Any]) -> tuple[str, ...]:
    """Everything the centre reads of one sheet, line by line."""
    scale = all_scales().get(row.scale)
    lines = [result_words(scale, row, held), subscale_words(scale, held), stated_words(scale, held)]
    if row.validity is SheetValidity.DOUBTFUL:
        lines.append(doubt_words(held))
    return tuple(line for line in lines if line)


def doubt_words(held: dict[str, Any]) -> str:
    why = "、".join(label(code, "validity") for code in held.get("doubtful", ()))
    return f"{DOUBTFUL}：{why}" if why else DOUBTFUL


def result_words(scale: Scale | None, row: Any, held: dict[str, Any]) -> str:
    """Total, band and critical items; whether the total is the source's own, or that of another version."""
    critical = critical_words(scale, held.get("answers"))
    if held.get("total") is None:
        alone = "" if held.get("stated") or _is_statement(scale) else "作答不完整，不计总分"
        return "；".join(part for part in (alone, critical) if part)
    band = band_label(scale, held)
    given = "来源给出总分" if row.status is SheetStatus.STATED else "总分"
    total = f"{given} {held['total']:g}" + (f"，筛查提示：{band}" if band else "")
    older = f"（{row.scale_version} 版量表）" if scale is not None and row.scale_version != scale.version else ""
    return "；".join(part for part in (total + older, critical) if part)


def band_label(scale: Scale | None, held: dict[str, Any]) -> str:
    """The band in the words of its day; an older sheet without them in those of the scale's file."""
    if held.get("label"):
        return str(held["label"])
    bands = scale.bands if scale is not None else ()
    return next((band.label for band in bands if band.key == held.get("band")), "")


def critical_words(scale: Scale | None, answers: list[int | None] | None) -> str:
    if scale is None or not answers:
        return ""
    found: list[str] = []
    for item, value in scale.red_flags:
        answer = answers[item - 1] if item <= len(answers) else None
        words = f"第 {item} 题 {answer} 分"
        if answer is not None and answer >= value and words not in found:
            found.append(words)
    return f"关键题提示：{'、'.join(found)}" if found else ""


def subscale_words(scale: Scale | None, held: dict[str, Any]) -> str:
    values = held.get("subscales") or {}
    names = {part.key: part.name for part in (scale.subscales if scale is not None else ())}
    return "，".join(f"{names.get(key, key)} {value:g}" for key, value in values.items() if value is not None)


def stated_words(scale: Scale | None, held: dict[str, Any]) -> str:
    """What the source gave without answers that could be scored."""
    stated = held.get("stated") or {}
    parts = [f"{heading} {words}" for heading, words in stated.items()]
    if not parts and _is_statement(scale):
        parts = _answers_in_words(scale, held.get("answers") or [])
    return f"来源给出：{'；'.join(parts)}" if parts else ""


def _is_statement(scale: Scale | None) -> bool:
    return scale is not None and scale.is_import_only


def _answers_in_words(scale: Any, answers: list[int | None]) -> list[str]:
    found = []
    for item, value in zip(scale.items, answers, strict=False):
        if value:
            own = getattr(item, "answers", None) or scale.answers
            found.append(f"{getattr(item, 'label', item.text)}：{own.get(value, value)}")
    return found
