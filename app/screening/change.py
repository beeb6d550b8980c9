"""Change over time: is a difference more than the scale's own error, and where does a total lie.

Between two totals of one scale: the reliable change index (Jacobson & Truax
1991), from the reliability and standard deviation that the scale's file
states; without them, or between versions or doubtful sheets, nobody can tell,
and that is what is said. Between scales there is no such index: a total is
placed by its norm, or else by its range, and called a rough comparison.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from app.screening.quality.traits import higher_is_better
from app.screening.scales.scale import Scale
from config import catalogue


class Change(StrEnum):
    """What became of a student between two rounds, as a hint."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One result to compare."""

    total: float | None
    version: str
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """A change, and why nobody can tell where that is so."""

    change: Change
    why: str = ""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a total lies: in standard deviations of a norm, or in percent of the range. Higher is more trouble."""

    by: str
    value: float

    @property
    def words(self) -> str:
        if self.by == "norm":
            return f"{self.value:+.1f} 个标准差（与常模相比）"
        return f"{self.value:.0f}%（占分数范围）"


def index(scale: Scale, before: float, after: float) -> float | None:
    """The reliable change index: the difference in standard errors of a difference. Positive is more trouble."""
    reliability, spread = scale.reliability, scale.sd
    if not reliability or not spread or not 0 < reliability < 1:
        return None
    error = spread * math.sqrt(2 * (1 - reliability))
    found: float = (after - before) / error
    return -found if higher_is_better(scale) else found


def between(scale: Scale | None, before: Point, after: Point) -> Verdict:
    """What changed from one result to the next."""
    if scale is None or before.total is None or after.total is None:
        return Verdict(Change.UNKNOWN, "没有两次总分")
    if before.doubtful or after.doubtful:
        return Verdict(Change.UNKNOWN, "作答质量存疑")
    if before.version != after.version:
        return Verdict(Change.UNKNOWN, "量表版本不同")
    found = index(scale, before.total, after.total)
    if found is None:
        return Verdict(Change.UNKNOWN, "量表没有信度资料")
    if abs(found) < catalogue.table("validity")["change"]["rci"]:
        return Verdict(Change.SAME)
    return Verdict(Change.WORSE if found > 0 else Change.BETTER)


def position(scale: Scale, total: float) -> Position | None:
    """Where a total lies among people (its norm), or at least within its range."""
    sign = -1.0 if higher_is_better(scale) else 1.0
    norm = scale.norm.total if scale.norm is not None else None
    if norm is not None and norm.sd > 0:
        return Position("norm", sign * (total - norm.mean) / norm.sd)
    lowest, highest = span(scale)
    if highest <= lowest:
        return None
    share = (total - lowest) / (highest - lowest)
    return Position("range", 100 * (1 - share if sign < 0 else share))


def span(scale: Scale) -> tuple[float, float]:
    """Lowest and highest total."""
    return float(scale.lowest), float(scale.highest)
