"""What must hold for every shipped scale and every sheet: order, coding, gaps, critical answers, real totals."""

from __future__ import annotations

import csv
import gzip
import os
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.screening.scales.scale import CHOICE, RedFlag, all_scales
from app.screening.scales.scoring import MISSING, codings_that_fit, recode, score, score_stated
from tests.screening.sheets import scored

SUMMED = sorted(key for key, scale in all_scales().items() if scale.total.of == "items")
CODED = sorted(key for key, scale in all_scales().items() if len(scale.codings) > 1)
FLAGS = [(key, flag) for key, scale in sorted(all_scales().items()) for flag in scale.red_flags if flag.is_critical]


def some_sheet(data: st.DataObject, key: str) -> np.ndarray:
    items = all_scales()[key].items
    return np.array([data.draw(st.integers(item.minimum, min(item.maximum, 720))) for item in items], dtype=np.int16)


@pytest.mark.parametrize("key", SUMMED)
@given(data=st.data())
@settings(max_examples=25)
def test_more_of_an_item_never_lowers_the_total_and_less_does_where_it_is_reversed(
    key: str, data: st.DataObject
) -> None:
    scale, sheet = all_scales()[key], some_sheet(data, key)
    item = data.draw(st.sampled_from(scale.items))
    more = sheet.copy()
    more[item.number - 1] = min(item.maximum, sheet[item.number - 1] + 1)

    found = scored(key, sheet.tolist(), more.tolist())

    change = found.totals[1] - found.totals[0]
    assert change <= 0 if item.number in scale.reversed else change >= 0
    assert change == 0 or item.number in scale.total.items
    assert scale.lowest <= found.totals.min() <= found.totals.max() <= scale.highest


@pytest.mark.parametrize("key", SUMMED)
def test_lowest_and_highest_are_reached(key: str) -> None:
    scale = all_scales()[key]
    low = [item.maximum if item.number in scale.reversed else item.minimum for item in scale.items]
    high = [item.minimum if item.number in scale.reversed else item.maximum for item in scale.items]

    assert scored(key, low, high).totals.tolist() == [scale.lowest, scale.highest]


@pytest.mark.parametrize("key", CODED)
@given(data=st.data())
@settings(max_examples=10)
def test_scores_do_not_depend_on_how_the_file_codes_its_answers(key: str, data: st.DataObject) -> None:
    scale, sheet = all_scales()[key], some_sheet(data, key)
    for coding in scale.codings[1:]:
        back = {meant: said for said, meant in coding.values.items()}
        shift = coding.minimum - scale.minimum
        as_filed = np.array(
            [
                back.get(value, value + shift) if item.kind == CHOICE else value
                for item, value in zip(scale.items, sheet.tolist(), strict=True)
            ]
        )

        found = recode(scale, as_filed[None, :], coding.key)

        assert np.array_equal(found[0], sheet)


@pytest.mark.parametrize("key", CODED)
def test_the_coding_is_told_by_its_ends(key: str) -> None:
    scale = all_scales()[key]
    for coding in scale.codings:
        values = np.arange(coding.minimum, coding.maximum + 1, dtype=np.int16)
        sheets = np.repeat(values[:, None], scale.size, axis=1)

        best = codings_that_fit(scale, np.tile(sheets, (10, 1)))[0]

        assert (best.minimum, best.maximum) == (coding.minimum, coding.maximum)
        assert best.reason


def test_a_slip_in_one_cell_does_not_decide_the_coding() -> None:
    values = np.tile(np.array([[0], [1], [2], [3]], dtype=np.int16), (10, 7))
    values[3, 2] = 10

    assert [coding.key for coding in codings_that_fit(all_scales()["gad7"], values)] == ["0-3"]
    assert recode(all_scales()["gad7"], values, "0-3")[3, 2] == MISSING


def test_nobody_at_the_lowest_answer_speaks_for_the_coding_that_starts_higher() -> None:
    values = np.tile(np.array([[1], [2], [3]], dtype=np.int16), (10, 9))

    fitting = codings_that_fit(all_scales()["phq9"], values)

    assert [coding.key for coding in fitting] == ["1-4", "0-3"]
    assert "没有人答 0" in fitting[1].reason


@pytest.mark.parametrize(("key", "flag"), FLAGS, ids=[f"{key}-{flag.item}-{flag.value}" for key, flag in FLAGS])
def test_a_critical_answer_is_flagged_whatever_else_is_missing(key: str, flag: RedFlag) -> None:
    """Every answer to the item x everything else lowest, highest, absent, or one other item absent."""
    scale, number = all_scales()[key], flag.item
    values = range(scale.items[number - 1].minimum, scale.items[number - 1].maximum + 1)
    others = [item for item in scale.items if item.number != number]
    shapes = [dict.fromkeys(range(1, scale.size + 1), MISSING), {item.number: item.minimum for item in others}]
    shapes += [shapes[1] | {item.number: MISSING} for item in others]
    critical = [held for held in scale.red_flags if held.item == number and held.is_critical]
    for value, shape in product(values, shapes):
        sheet = [value if place == number else shape[place] for place in range(1, scale.size + 1)]
        expected = any(held.meets(value) for held in critical)
        assert bool(scored(key, sheet).flagged[0]) is expected


@pytest.mark.parametrize("key", SUMMED)
@given(data=st.data())
@settings(max_examples=15)
def test_the_bounds_of_a_holed_sheet_hold_the_total_of_the_whole_one(key: str, data: st.DataObject) -> None:
    whole = some_sheet(data, key)
    holed = whole.copy()
    holed[data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=5))] = MISSING

    found = scored(key, whole.tolist(), holed.tolist())

    assert np.isnan(found.totals[1])
    assert not found.complete[1]
    assert found.at_least[1] <= found.totals[0] <= found.at_most[1]
    assert found.at_least[0] == found.totals[0] == found.at_most[0]


def test_what_a_source_states_is_banded_as_far_as_it_can_be_known() -> None:
    phq9, scl90 = all_scales()["phq9"], all_scales()["scl90"]

    totals = score_stated(phq9, np.array([3.0, 12.0, 24.0, np.nan]), None)
    factors = np.full((2, 10), 1.2)
    factors[1, 3] = 3.1
    stated = score_stated(scl90, None, factors)

    assert totals.bands.tolist() == [0, 2, 4, -1]
    assert totals.positive.tolist() == [False, True, True, False]
    assert totals.at_least.tolist() == [3, 12, 24, 0]
    assert not totals.flagged.any()
    assert stated.positive.tolist() == [False, True]
    assert np.isnan(stated.totals).all()


def test_a_stated_upi_total_never_proves_the_lowest_category() -> None:
    found = score_stated(all_scales()["upi"], np.array([3.0, 30.0]), None)

    assert found.bands.tolist() == [-1, 2]


def test_dass42_agrees_with_the_totals_of_5000_people_in_public_data() -> None:
    folder = os.environ.get("XINYU_REFERENCE_DATA")
    if not folder:
        pytest.skip("XINYU_REFERENCE_DATA is not set")
    with gzip.open(Path(folder) / "dass42" / "dass42_5000.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    columns = [name for name in rows[0] if name.startswith("dass") and "_" in name]
    values = np.array([[int(row[name]) for name in columns] for row in rows], dtype=np.int16)
    scale = all_scales()["dass42"]

    coding = codings_that_fit(scale, values)[0]
    found = score(scale, recode(scale, values, coding.key))

    assert (len(rows), coding.key) == (5000, "1-4")
    parts = {number: held.key[0].upper() for held in scale.subscales for number in held.items}
    assert [name[-1] for name in columns] == [parts[number] for number in range(1, 43)]
    for place, name in enumerate(("Depression", "Anxiety", "Stress")):
        theirs = np.array([float(row[name]) for row in rows])
        assert np.array_equal(found.subscales[:, place] + 14, theirs)
    assert np.array_equal(found.totals + 42, [float(row["dasssum"]) for row in rows])
