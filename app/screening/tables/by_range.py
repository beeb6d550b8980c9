"""How a file codes its answers, whether its factors are sums or means: told by the range of the values, with a reason.

Decided only where the values leave one reading. Where two fit, a person says
which, because the wrong one turns 没有 into 很轻 for a whole school.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.screening.scales.scale import Coding, Scale, Subscale
from app.screening.scales.scoring import MISSING
from app.screening.tables.answers import UNUSABLE, Raw, usual_codes
from models.refusal import Unclear

FITS = 0.98
"""Share of the values that a coding must hold for the file to be coded so; the rest are slips of single cells."""
FEW = 30
"""Answer sheets below which the absence of an answer proves nothing."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was decided, and why; or the question that is left."""

    key: str | None
    reason: str
    question: str | None = None


def coding_of(scale: Scale, raw: Raw, stated: str | None) -> Choice:
    """The coding of a file: what the mapping states, or what the values leave no doubt about."""
    first = scale.codings[0].key
    choice = np.array([item.kind == "choice" for item in scale.items])
    numbers = raw.values[:, choice][~raw.worded[:, choice]]
    numbers = numbers[(numbers != MISSING) & (numbers != UNUSABLE)]
    if stated is not None:
        return Choice(stated, "由映射指定")
    if not len(numbers):
        return Choice(first, "按选项文字识别")
    fitting = [coding for coding in scale.codings if _share(coding, numbers) >= FITS]
    if not fitting:
        return _closest(scale, numbers)
    if len(fitting) == 1:
        return Choice(fitting[0].key, f"数值在 {fitting[0].minimum}–{fitting[0].maximum} 之间")
    return _between(scale, fitting, numbers, sheets=len(raw.values))


def _share(coding: Coding, numbers: NDArray[np.int16]) -> float:
    return float(np.mean((numbers >= coding.minimum) & (numbers <= coding.maximum)))


def _closest(scale: Scale, numbers: NDArray[np.int16]) -> Choice:
    """No coding holds nearly all values: the scale's own, and every cell outside it is a problem of that cell."""
    best = max(scale.codings, key=lambda coding: _share(coding, numbers))
    return Choice(best.key, f"多数数值在 {best.minimum}–{best.maximum} 之间")


def _between(scale: Scale, fitting: list[Coding], numbers: NDArray[np.int16], *, sheets: int) -> Choice:
    """Two codings hold nearly every value: the only one that holds each, or the one whose lowest answer occurs.

    In any class somebody ticks 没有. A value that only the other coding knows is
    no slip in a small file: thrown out, it would be the 几乎每天 of item 9.
    """
    lowest = int(numbers.min())
    whole = [coding for coding in fitting if _share(coding, numbers) == 1]
    if len(whole) == 1 and whole[0].minimum == lowest:
        return Choice(whole[0].key, f"数值都在 {whole[0].minimum}–{whole[0].maximum} 之间")
    shown = [coding for coding in fitting if coding.minimum == lowest]
    own = next((coding for coding in fitting if coding is scale.codings[0]), None)
    if own is not None and own in whole and (own in shown or sheets < FEW):
        return Choice(own.key, f"数值在 {own.minimum}–{own.maximum} 之间")
    if own is None and len(shown) == 1:
        return Choice(shown[0].key, f"最低分是 {lowest}")
    names = "、".join(coding.key for coding in fitting)
    return Choice(None, "", f"{scale.name} 的作答可能是 {names} 中的任一种记分方式，请指定。")


# --- sums or means ------------------------------------------------------------------------------


def factors_of(scale: Scale, columns: dict[str, NDArray[np.float64]], coding: str | None, stated: str | None) -> Choice:
    """Whether factor scores are sums or means of their items, over all factors together (practice §1.2)."""
    if stated is not None:
        return Choice(stated, "由映射指定")
    held = next(item for item in scale.codings if coding is None or item.key == coding)
    subscales = {subscale.key: subscale for subscale in scale.subscales}
    known = [
        (subscales[key], values[np.isfinite(values) & ~np.isin(values, list(usual_codes()))])
        for key, values in columns.items()
    ]
    known = [(subscale, values) for subscale, values in known if len(values)]
    if not known:
        return Choice("means", "没有数值")
    fitting = [
        name for name in kinds_of(scale) if all(_lies(values, held, subscale, name) for subscale, values in known)
    ]
    broken = any(np.any(np.abs(values - np.rint(values)) > 1e-6) for _, values in known)
    if broken and "means" in fitting:
        return Choice("means", "有小数，且都在单题分值范围内，是均分")
    if not fitting:
        raise Unclear(f"{scale.name} 的因子分既不像均分也不像各题之和，请核对列的含义。")
    names = [_KIND_WORDS[name] for name in fitting]
    if len(fitting) == 1:
        return Choice(fitting[0], f"数值只可能是{names[0]}")
    return Choice(None, "", f"{scale.name} 的因子分可能是{'，也可能是'.join(names)}，请指定。")


KINDS = ("means", "sums", "scores")
"""What factor scores may be; ``scores`` only where the scale multiplies its sums (DASS-21)."""
_KIND_WORDS = {"means": "均分", "sums": "各题之和", "scores": "各题之和乘系数后的得分"}


def kinds_of(scale: Scale) -> tuple[str, ...]:
    """What the factor scores of a scale may be."""
    return KINDS if any(subscale.multiplier != 1 for subscale in scale.subscales) else KINDS[:2]


def _lies(values: NDArray[np.float64], coding: Coding, subscale: Subscale, kind: str) -> bool:
    times = subscale.multiplier if kind == "scores" else 1
    count = 1 if kind == "means" else len(subscale.items)
    raw = values / times
    inside = (raw >= coding.minimum * count - 1e-6) & (raw <= coding.maximum * count + 1e-6)
    if times != 1:
        inside &= np.abs(raw - np.rint(raw)) < 1e-6
    return bool(np.mean(inside) >= FITS)
