"""Scoring against the vectors of domain §A.16, every total and every band edge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.screening.scales.scale import Scale, all_scales
from app.screening.scales.scoring import MISSING, Scores, score

PHQ9, GAD7 = all_scales()["phq9"], all_scales()["gad7"]
BANDS = {
    "phq9": {
        "minimal": range(5),
        "mild": range(5, 10),
        "moderate": range(10, 15),
        "moderately_severe": range(15, 20),
        "severe": range(20, 28),
    },
    "gad7": {"minimal": range(5), "mild": range(5, 10), "moderate": range(10, 15), "severe": range(15, 22)},
}


def scored(scale: Scale, *sheets: Sequence[int]) -> Scores:
    return score(scale, np.array(sheets, dtype=np.int8).reshape(len(sheets), scale.size))


def band(scale: Scale, found: Scores, place: int = 0) -> str:
    return scale.bands[found.bands[place]].key


def with_total(scale: Scale, total: int) -> list[int]:
    """Answers with this total, the first items highest."""
    return [min(3, max(0, total - 3 * place)) for place in range(scale.size)]


@pytest.mark.parametrize(
    ("answers", "total", "expected", "flagged"),
    [
        pytest.param([1] * 9, 9, "mild", True, id="PHQ-9 all 1"),
        pytest.param([3, 3, 3, 0, 0, 0, 0, 0, 0], 9, "mild", False, id="PHQ-9 items 1-3 = 3"),
        pytest.param([0] * 9, 0, "minimal", False, id="PHQ-9 nothing"),
        pytest.param([3] * 9, 27, "severe", True, id="PHQ-9 everything"),
        pytest.param([0, 0, 0, 0, 0, 0, 0, 0, 1], 1, "minimal", True, id="PHQ-9 item 9 alone"),
    ],
)
def test_phq9_scores_as_the_vectors_say(answers: list[int], total: int, expected: str, flagged: bool) -> None:
    found = scored(PHQ9, answers)

    assert found.totals[0] == total
    assert band(PHQ9, found) == expected
    assert bool(found.flagged[0]) is flagged


def test_gad7_sum_15_is_severe() -> None:
    found = scored(GAD7, [3, 3, 3, 3, 3, 0, 0])

    assert (found.totals[0], band(GAD7, found), found.flagged[0]) == (15, "severe", False)


@pytest.mark.parametrize("key", ["phq9", "gad7"])
def test_every_total_has_its_band_and_is_positive_from_10_on(key: str) -> None:
    scale = all_scales()[key]
    totals = list(range(scale.highest + 1))

    found = scored(scale, *(with_total(scale, total) for total in totals))

    assert found.totals.tolist() == totals
    assert found.positive.tolist() == [total >= 10 for total in totals]
    for total in totals:
        assert total in BANDS[key][band(scale, found, total)]
        assert scale.band_of(total).key == band(scale, found, total)


@given(answers=st.lists(st.integers(0, 3), min_size=9, max_size=9), item=st.integers(0, 8))
def test_more_of_any_item_never_scores_less(answers: list[int], item: int) -> None:
    more = answers.copy()
    more[item] = min(3, more[item] + 1)

    found = scored(PHQ9, answers, more)

    assert found.totals[1] - found.totals[0] == more[item] - answers[item]
    assert found.bands[1] >= found.bands[0]
    assert found.positive[1] >= found.positive[0]
    assert found.flagged[1] >= found.flagged[0]


@given(answers=st.lists(st.integers(0, 3), min_size=9, max_size=9), lost=st.sets(st.integers(0, 8), min_size=1))
def test_a_missing_answer_leaves_no_total_and_says_what_it_is_at_least(answers: list[int], lost: set[int]) -> None:
    held = [MISSING if item in lost else value for item, value in enumerate(answers)]

    found = scored(PHQ9, held)

    assert np.isnan(found.totals[0])
    assert found.bands[0] == -1
    assert not found.positive[0]
    assert found.at_least[0] == sum(value for item, value in enumerate(answers) if item not in lost)


@pytest.mark.parametrize("value", [1, 2, 3])
@pytest.mark.parametrize("missing", range(8))
def test_item_9_is_critical_on_an_incomplete_sheet_too(value: int, missing: int) -> None:
    answers = [0] * 8 + [value]
    answers[missing] = MISSING

    found = scored(PHQ9, answers)

    assert found.flagged[0]
    assert np.isnan(found.totals[0])


def test_a_missing_item_9_is_not_a_critical_answer() -> None:
    found = scored(PHQ9, [3] * 8 + [MISSING])

    assert not found.flagged[0]
    assert found.at_least[0] == 24


def test_many_sheets_score_as_each_would_alone() -> None:
    sheets = [[0] * 9, [MISSING] * 9, [3] * 9, [1] * 9]

    together = scored(PHQ9, *sheets)

    for place, sheet in enumerate(sheets):
        alone = scored(PHQ9, sheet)
        assert together.at_least[place] == alone.at_least[0]
        assert together.bands[place] == alone.bands[0]
        assert together.flagged[place] == alone.flagged[0]


def test_no_sheets_are_no_scores() -> None:
    found = score(PHQ9, np.empty((0, 9), dtype=np.int8))

    assert len(found.totals) == len(found.bands) == len(found.flagged) == 0


def test_the_shipped_scales_are_as_the_domain_page_states() -> None:
    assert (PHQ9.size, PHQ9.minimum, PHQ9.maximum, PHQ9.highest) == (9, 0, 3, 27)
    assert (GAD7.size, GAD7.minimum, GAD7.maximum, GAD7.highest) == (7, 0, 3, 21)
    assert [tuple(flag) for flag in PHQ9.red_flags] == [(9, 1)]
    assert GAD7.red_flags == ()
