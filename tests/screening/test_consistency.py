"""Cronbach's alpha of a batch as an alarm for items that are turned the wrong way."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli import bench_validity
from app.screening.quality.consistency import alpha_of
from app.screening.quality.validity import BatchQuality, assess, quality
from app.screening.scales.scale import Scale
from tests.screening.shapes import shaped

REFERENCE = os.environ.get("XINYU_REFERENCE_DATA")
real_data = pytest.mark.skipif(REFERENCE is None, reason="XINYU_REFERENCE_DATA names no folder of public data")
PSS10 = shaped("pss10", 10, 0, 4, turned=(4, 5, 7, 8), reliability=0.84)


def pss10() -> np.ndarray[Any, Any]:
    """Ten answers of 223 students, as given."""
    path = Path(REFERENCE or "") / "ukm" / "Psychological_aspects.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if all(row.values())]
    return np.array([[int(row[f"S{number}"]) for number in range(1, 11)] for row in rows], dtype=np.int16)


def checked(scale: Scale, answers: np.ndarray[Any, Any]) -> BatchQuality:
    return quality(scale, answers, assess(scale, answers))


@real_data
def test_alpha_of_223_real_students_is_what_is_known_of_them() -> None:
    answers = pss10()

    right, missed = alpha_of(answers, (4, 5, 7, 8)), alpha_of(answers)

    assert right is not None
    assert missed is not None
    assert (round(right, 3), round(missed, 3)) == (0.834, 0.754)


@real_data
def test_real_answers_that_were_turned_before_raise_the_alarm_and_name_the_items() -> None:
    answers = pss10()
    turned = answers.copy()
    turned[:, [3, 4, 6, 7]] = 4 - turned[:, [3, 4, 6, 7]]

    as_given, already = checked(PSS10, answers), checked(PSS10, turned)

    assert as_given.alarm is None
    assert already.alarm is not None
    assert "第 4、5、7、8 题" in already.alarm


def test_one_item_the_wrong_way_round_is_named() -> None:
    scale = shaped("seven", 7, 0, 3)
    answers = bench_validity.careful_answers(scale, 400, np.random.default_rng(5))
    answers[:, 2] = 3 - answers[:, 2]

    alarm = checked(scale, answers).alarm

    assert alarm is not None
    assert "第 3 题" in alarm


def test_columns_that_have_nothing_to_do_with_each_other_are_far_below_what_is_known_of_the_scale() -> None:
    scale = shaped("loose", 10, 0, 4, reliability=0.85)
    answers = np.random.default_rng(2).integers(0, 5, (400, 10)).astype(np.int16)
    answers[:, 1:] += 0

    found = checked(scale, answers)

    assert found.alpha is not None
    assert found.alpha < 0.5
    assert found.alarm is not None


@pytest.mark.parametrize("sheets", [0, 1, 29])
def test_a_few_sheets_have_no_alpha(sheets: int) -> None:
    found = checked(PSS10, np.zeros((sheets, 10), dtype=np.int16))

    assert (found.alpha, found.alarm) == (None, None)


def test_a_batch_in_which_nobody_differs_has_no_alpha_and_no_alarm() -> None:
    found = checked(shaped("same", 9, 0, 3), np.zeros((50, 9), dtype=np.int16))

    assert (found.alpha, found.alarm) == (None, None)


@given(st.integers(0, 2**32 - 1))
def test_alpha_is_the_textbooks(seed: int) -> None:
    answers = np.random.default_rng(seed).integers(0, 4, (40, 6)).astype(np.int16)
    variances, total = answers.var(axis=0, ddof=1).sum(), answers.sum(axis=1).var(ddof=1)

    assert alpha_of(answers) == pytest.approx(6 / 5 * (1 - variances / total), abs=1e-5)


def test_the_quality_of_a_batch_can_be_kept_as_json() -> None:
    held = checked(PSS10, np.full((40, 10), 2, dtype=np.int16)).as_table()

    assert held["doubtful"] == held["reasons"]["straight_line"] == 40
    assert type(held["doubtful"]) is int
