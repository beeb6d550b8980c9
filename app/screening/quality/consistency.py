"""Cronbach's alpha of a batch, as an alarm: are some items turned the wrong way?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.screening.quality.traits import traits
from app.screening.scales.scale import Scale
from app.screening.scales.scoring import MISSING, Answers
from config import catalogue

AT_ONCE = 8_192
"""Sheets multiplied at once."""


def together(scale: Scale, answers: Answers, expected: float | None) -> tuple[float | None, str | None]:
    told, held = catalogue.table("validity")["alpha"], traits(scale)
    columns = list(held.columns)
    chosen = answers if len(columns) == answers.shape[1] else answers[:, columns]
    whole = chosen[(chosen != MISSING).all(axis=1)]
    if len(whole) < told["sheets"] or len(columns) < 3:
        return None, None
    signs = np.array([-1.0 if place + 1 in held.reversed else 1.0 for place in columns])
    spread = _spread(whole) * np.outer(signs, signs)
    alpha = _alpha(spread)
    if alpha is None:
        return None, None
    return round(alpha, 3), _alarm(spread, alpha, expected, held.reversed, columns)


def alpha_of(answers: NDArray[Any], reversed_items: Iterable[int] = ()) -> float | None:
    """Cronbach's alpha of complete sheets x items, items counted from 1."""
    signs = np.ones(answers.shape[1])
    signs[[item - 1 for item in reversed_items]] = -1
    return _alpha(_spread(answers) * np.outer(signs, signs))


def _spread(whole: NDArray[Any]) -> NDArray[np.float64]:
    """Covariances of the items, some sheets at a time: small numbers in single precision, their sums in double."""
    mean = whole.mean(axis=0, dtype=np.float64).astype(np.float32)
    found = np.zeros((whole.shape[1], whole.shape[1]))
    for start in range(0, len(whole), AT_ONCE):
        away = whole[start : start + AT_ONCE].astype(np.float32) - mean
        found += away.T @ away
    return found / (len(whole) - 1)


def _alpha(spread: NDArray[np.float64]) -> float | None:
    items, total = len(spread), float(spread.sum())
    return None if total <= 0 else items / (items - 1) * (1 - float(np.trace(spread)) / total)


def against_the_rest(spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation of each item with the sum of the others; ``nan`` where nobody differs."""
    own = np.diag(spread)
    towards = spread.sum(axis=1) - own
    rest = spread.sum() - 2 * spread.sum(axis=1) + own
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(towards / np.sqrt(own * rest))


def _alarm(
    spread: NDArray[np.float64], alpha: float, expected: float | None, turned: frozenset[int], columns: list[int]
) -> str | None:
    """Words for the round page: which items look as if they were turned the wrong way, or that alpha is low."""
    told = catalogue.table("validity")["alpha"]
    negative = [place for place, value in enumerate(against_the_rest(spread)) if value < 0]
    declared = [place for place, column in enumerate(columns) if column + 1 in turned]
    best, suspects = alpha, list[int]()
    for others in (declared, negative):
        flipped = _flipped(spread, others)
        if others and flipped is not None and flipped > best:
            best, suspects = flipped, others
    if suspects and best - alpha >= told["gain"]:
        named = "、".join(str(columns[place] + 1) for place in suspects)
        return (
            f"第 {named} 题与其他题目方向不一致：现在内部一致性为 {alpha:.2f}，把这些题反过来计为 {best:.2f}。"
            "文件里的反向题可能已经转换过，或漏了转换，请核对来源的计分方式。"
        )
    if negative:
        named = "、".join(str(columns[place] + 1) for place in negative)
        return f"第 {named} 题与其余题目呈负相关，请核对这些题的列是否对应正确、是否需要反向计分。"
    if expected is not None and alpha < expected - told["below"]:
        return f"内部一致性为 {alpha:.2f}，明显低于该量表的 {expected:.2f}，请核对列的对应和编码。"
    return None


def _flipped(spread: NDArray[np.float64], places: list[int]) -> float | None:
    signs = np.ones(len(spread))
    signs[places] = -1
    return _alpha(spread * np.outer(signs, signs))
