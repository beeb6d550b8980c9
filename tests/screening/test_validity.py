"""Careless answers: what is doubted, what is left alone, and that nothing is hidden by it."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli import bench_validity
from app.screening.quality.validity import CODES, assess, quality
from app.screening.scales.scale import Scale, all_scales
from app.screening.scales.scoring import MISSING, score
from app.web.words import label
from config import catalogue
from tests.screening.shapes import contradiction, lie, shaped

PHQ9 = all_scales()["phq9"]
SDS = shaped("sds", 20, 1, 4, turned=(2, 5, 6, 11, 12, 14, 16, 17, 18, 20))
SCL90 = shaped("scl90", 90, 1, 5)
UPI = shaped("upi", 64, 0, 1, validity=lie((5, 20, 35, 50), 4))
CLAIMS = (82, 84, 86, 88, 90, 92, 94, 96, 98, 100)
MHT = shaped("mht", 100, 0, 1, validity=lie(CLAIMS, 7))


def sheets(*rows: Any) -> np.ndarray[Any, Any]:
    return np.array(rows, dtype=np.int16)


def doubts(scale: Scale, row: Any, **more: Any) -> list[str]:
    """Why one sheet is doubted."""
    return assess(scale, sheets(row), **more).of(0)


@pytest.mark.parametrize("key", ["phq9", "gad7"])
def test_a_healthy_student_with_no_trouble_at_all_is_believed(key: str) -> None:
    scale = all_scales()[key]

    assert doubts(scale, [scale.minimum] * scale.size, seconds=np.array([60.0])) == []


@pytest.mark.parametrize("value", [1, 2, 3, 4])
def test_every_straight_line_on_sds_is_doubted(value: int) -> None:
    assert doubts(SDS, [value] * 20) == ["straight_line"]


def test_a_line_that_is_nearly_straight_is_one() -> None:
    assert doubts(SCL90, [3] * 86 + [1, 2, 4, 5]) == ["straight_line"]
    assert "straight_line" not in doubts(SCL90, [3] * 85 + [1, 2, 4, 5, 1])


def test_no_trouble_throughout_ninety_items_is_believed_and_any_other_answer_is_not() -> None:
    assert doubts(SCL90, [1] * 90) == []
    assert doubts(SCL90, [2] * 90) == ["straight_line"]


def test_a_run_that_the_rest_of_the_sheet_does_not_explain_is_doubted() -> None:
    lively = [1, 2, 1, 3, 1, 1, 2, 4, 1, 2] * 5

    assert doubts(SCL90, [*lively, *[3] * 40]) == ["long_string"]
    assert doubts(SCL90, [*lively, *lively[:40]]) == []


@pytest.mark.parametrize(("seconds", "found"), [(17.9, ["too_fast"]), (18.0, []), (np.nan, []), (0.0, [])])
def test_less_than_two_seconds_an_item_is_too_fast(seconds: float, found: list[str]) -> None:
    assert doubts(PHQ9, [0, 1, 0, 2, 0, 0, 1, 0, 0], seconds=np.array([seconds])) == found


def test_all_four_lie_items_of_upi_are_one_too_many_and_three_are_not() -> None:
    row = [0] * 64
    for item in (5, 20, 35):
        row[item - 1] = 1
    assert doubts(UPI, row) == []

    row[50 - 1] = 1

    assert doubts(UPI, row) == ["lie_items"]


@pytest.mark.parametrize(("claimed", "found"), [(6, []), (7, ["lie_items"])])
def test_seven_of_ten_validity_items_of_mht_make_it_doubtful(claimed: int, found: list[str]) -> None:
    row = [0] * 100
    for item in CLAIMS[:claimed]:
        row[item - 1] = 1

    assert doubts(MHT, row) == found


def test_two_answers_that_cannot_both_be_true_are_doubted() -> None:
    scale = shaped("pair", 8, 0, 3, validity=contradiction(("item 1", ">=", 2), ("item 4", ">=", 2)))

    assert doubts(scale, [3, 0, 0, 2, 0, 0, 1, 0]) == ["contradiction"]
    assert doubts(scale, [3, 0, 0, 1, 0, 0, 1, 0]) == []


def test_what_the_source_calls_void_is_doubted_whatever_it_is() -> None:
    totals_only = shaped("stated", 4, 0, 1, licence_class="import_only")

    assert doubts(totals_only, [MISSING] * 4, said_invalid=np.array([True])) == ["said_invalid"]


def test_a_sheet_copied_within_a_batch_is_found_and_a_common_one_is_not() -> None:
    chance = np.random.default_rng(3)
    honest = bench_validity.careful_answers(PHQ9, 60, chance)
    honest[:8] = 0
    scl90 = bench_validity.careful_answers(SCL90, 60, chance)
    scl90[50:] = scl90[50]

    assert "copied" not in assess(PHQ9, honest).reasons
    assert np.flatnonzero(assess(SCL90, scl90).reasons["copied"]).tolist() == list(range(50, 60))


def test_in_a_handful_of_sheets_equal_ones_say_nothing() -> None:
    assert (
        "copied"
        not in assess(
            SCL90, np.tile(bench_validity.careful_answers(SCL90, 1, np.random.default_rng(1)), (9, 1))
        ).reasons
    )


@given(row=st.lists(st.integers(-1, 3), min_size=9, max_size=9), seconds=st.floats(0, 100))
def test_doubt_never_changes_what_is_critical(row: list[int], seconds: float) -> None:
    answers = sheets(row, row)
    before = score(PHQ9, answers.astype(np.int8)).flagged.tolist()

    assess(PHQ9, answers, seconds=np.array([seconds, np.nan]), said_invalid=np.array([True, False]))

    assert score(PHQ9, answers.astype(np.int8)).flagged.tolist() == before == [row[8] >= 1] * 2
    assert answers.tolist() == [row, row]


@given(row=st.lists(st.integers(-1, 4), min_size=20, max_size=20))
def test_a_sheet_is_doubted_or_not_whoever_stands_beside_it(row: list[int]) -> None:
    row = [max(value, 1) if value != MISSING else MISSING for value in row]
    alone, beside = assess(SDS, sheets(row)), assess(SDS, sheets([2] * 20, row, [1] * 20))

    assert alone.of(0) == beside.of(1)


def test_no_sheets_are_no_doubts() -> None:
    found = assess(PHQ9, np.empty((0, 9), dtype=np.int16), seconds=np.empty(0))

    assert (len(found.doubtful), found.reasons) == (0, {})
    assert quality(PHQ9, np.empty((0, 9), dtype=np.int16), found).alpha is None


def test_every_reason_has_its_words() -> None:
    assert set(catalogue.table("words")["validity"]) == set(CODES)
    assert all(label(code, "validity") for code in CODES)


def test_a_hundred_thousand_sheets_take_no_time_worth_speaking_of() -> None:
    scale = shaped("sixteen", 16, 0, 3)
    answers = bench_validity.careful_answers(scale, 100_000, np.random.default_rng(1))
    bare, took = [], []
    for _ in range(3):
        start = time.perf_counter()
        for _pass in range(4):
            np.sort(answers, axis=0)
        middle = time.perf_counter()
        assess(scale, answers)
        bare.append(middle - start)
        took.append(time.perf_counter() - middle)

    assert min(took) < 4 * min(bare)


def test_the_checks_find_what_their_note_says_and_doubt_hardly_anybody_else() -> None:
    found = bench_validity.measure(SDS, 4_000, np.random.default_rng(7))
    long = bench_validity.measure(SCL90, 4_000, np.random.default_rng(7))

    assert found["found"]["straight"] == found["found"]["too_fast"] == 1.0
    assert long["found"]["long_string"] > 0.7
    assert long["found"]["copied"] > 0.9
    for row in (found, long, bench_validity.measure(PHQ9, 4_000, np.random.default_rng(7))):
        assert row["false_alarms"] - row["by_reason"]["too_fast"] < 0.005
