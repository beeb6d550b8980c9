"""Change between two results: reliable, not reliable, or nobody can tell."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.screening.change import Change, Point, between, index, position
from app.screening.scales.scale import Scale
from tests.screening.shapes import shaped

PHQ = shaped("phq", 9, 0, 3, reliability=0.86, sd=4.5)
"""Standard error of a difference: 4.5 x sqrt(2 x 0.14) = 2.38; reliable from 4.67, that is 5 points."""
WHO5 = shaped("who5", 5, 0, 5, reliability=0.86, sd=4.5)


def point(total: float | None, *, version: str = "2026.11", doubtful: bool = False) -> Point:
    return Point(total=total, version=version, doubtful=doubtful)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (10, 14, Change.SAME),
        (10, 15, Change.WORSE),
        (15, 11, Change.SAME),
        (15, 10, Change.BETTER),
        (7, 7, Change.SAME),
    ],
)
def test_a_change_is_one_from_the_scales_own_error_on(before: float, after: float, found: Change) -> None:
    assert between(PHQ, point(before), point(after)).change is found


def test_the_index_is_that_of_jacobson_and_truax() -> None:
    assert index(PHQ, 10, 15) == pytest.approx(5 / (math.sqrt(2) * 4.5 * math.sqrt(1 - 0.86)))


def test_on_a_scale_of_well_being_more_is_better(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.screening.change.higher_is_better", lambda scale: scale is WHO5)

    assert between(WHO5, point(10), point(15)).change is Change.BETTER
    assert between(WHO5, point(15), point(10)).change is Change.WORSE


@pytest.mark.parametrize(
    ("scale", "before", "after", "why"),
    [
        (PHQ, point(None), point(9), "没有两次总分"),
        (PHQ, point(9), point(9, doubtful=True), "作答质量存疑"),
        (PHQ, point(9, version="2025.1"), point(20), "量表版本不同"),
        (shaped("bare", 9, 0, 3), point(9), point(27), "量表没有信度资料"),
        (shaped("perfect", 9, 0, 3, reliability=1.0, sd=4.0), point(9), point(27), "量表没有信度资料"),
        (None, point(9), point(27), "没有两次总分"),
    ],
)
def test_where_nobody_can_tell_that_is_said_with_the_reason(
    scale: Scale | None, before: Point, after: Point, why: str
) -> None:
    found = between(scale, before, after)

    assert (found.change, found.why) == (Change.UNKNOWN, why)


@given(st.integers(0, 27), st.integers(0, 27))
def test_there_and_back_again_is_the_opposite_change(before: int, after: int) -> None:
    opposite = {Change.BETTER: Change.WORSE, Change.WORSE: Change.BETTER, Change.SAME: Change.SAME}

    there, back = between(PHQ, point(before), point(after)), between(PHQ, point(after), point(before))

    assert back.change is opposite[there.change]


def test_a_total_lies_by_its_norm_or_else_by_its_range() -> None:
    norm: Any = SimpleNamespace(total=SimpleNamespace(mean=5.0, sd=4.0))

    by_norm, by_range = position(shaped("normed", 9, 0, 3, norm=norm), 13), position(PHQ, 13.5)

    assert by_norm is not None
    assert (by_norm.by, by_norm.value) == ("norm", 2.0)
    assert "标准差" in by_norm.words
    assert by_range is not None
    assert (by_range.by, by_range.value) == ("range", 50.0)
    assert by_range.words == "50%（占分数范围）"
