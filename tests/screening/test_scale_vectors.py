"""The shipped scales against the vectors of domain §A.16, and every edge that published code gets wrong (§0)."""

from __future__ import annotations

import numpy as np
import pytest

from app.screening.scales.scale import all_scales
from app.screening.scales.scoring import MISSING
from tests.screening.sheets import all_alike, band, lowest_but, part, part_band, scored

# --- SCL-90 ---------------------------------------------------------------------------------------


def test_scl90_all_1_is_90_without_a_positive_item_and_so_without_their_mean() -> None:
    found = scored("scl90", all_alike("scl90", 1))

    assert found.totals[0] == 90
    assert (found.counts["positive_items"][0], found.counts["negative_items"][0]) == (0, 90)
    assert np.isnan(found.counts["positive_symptom_mean"][0])
    assert (found.subscales[0] == 1).all()
    assert not found.positive[0]


def test_scl90_all_2_is_positive_by_total_and_count_though_no_factor_is_over_2() -> None:
    found = scored("scl90", all_alike("scl90", 2))

    assert found.totals[0] == 180
    assert found.counts["positive_items"][0] == 90
    assert found.counts["positive_symptom_mean"][0] == 2
    assert (found.subscales[0] == 2).all()
    assert found.positive[0]


def test_scl90_factors_are_complete_and_share_no_item() -> None:
    factors = all_scales()["scl90"].subscales
    items = sorted(number for factor in factors for number in factor.items)

    assert items == list(range(1, 91))
    assert [len(factor.items) for factor in factors] == [12, 10, 9, 13, 10, 6, 7, 6, 10, 7]


@pytest.mark.parametrize(("threes", "twos", "total", "is_positive"), [(0, 43, 133, False), (0, 44, 134, True)])
def test_scl90_is_positive_from_44_items_on(threes: int, twos: int, total: int, is_positive: bool) -> None:
    found = scored("scl90", [3] * threes + [2] * twos + [1] * (90 - threes - twos))

    assert (found.totals[0], bool(found.positive[0])) == (total, is_positive)


@pytest.mark.parametrize(("fives", "more", "total", "is_positive"), [(17, 2, 160, False), (17, 3, 161, True)])
def test_scl90_is_positive_over_160_and_not_at_160(fives: int, more: int, total: int, is_positive: bool) -> None:
    """Spread over the factors, so that none of them reaches 3."""
    high = [4, 12, 3, 9, 6, 21, 5, 14, 15, 2, 17, 11, 13, 8, 7, 16, 19][:fives]
    sheet = lowest_but("scl90", dict.fromkeys(high, 5) | {1: 1 + more})

    found = scored("scl90", sheet)

    assert (found.totals[0], bool(found.positive[0])) == (total, is_positive)
    assert np.nanmax(found.subscales[0]) < 3


def test_scl90_one_factor_at_3_is_positive_alone() -> None:
    hostility = dict.fromkeys(all_scales()["scl90"].subscale("hostility").items, 3)

    found = scored("scl90", lowest_but("scl90", hostility))

    assert part("scl90", found, "hostility") == 3
    assert found.positive[0]


# --- UPI ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("yes", "total", "category"),
    [
        ([], 0, "third"),
        ([25], 1, "first"),
        ([8], 1, "second"),
        ([16], 1, "second"),
        ([26], 1, "second"),
        ([61], 0, "second"),
        ([61, 63], 0, "first"),
        ([64], 0, "first"),
        ([5, 20, 35, 50], 0, "third"),
        ([1, 2, 3, 4, *range(6, 8), *range(9, 16), *range(17, 20), 21, 22, 23], 19, "third"),
        ([1, 2, 3, 4, *range(6, 8), *range(9, 16), *range(17, 20), 21, 22, 23, 24], 20, "second"),
        (range(1, 65), 56, "first"),
    ],
)
def test_upi_counts_56_items_and_sorts_into_three_categories(yes: list[int], total: int, category: str) -> None:
    found = scored("upi", lowest_but("upi", dict.fromkeys(yes, 1)))

    assert (found.totals[0], band("upi", found)) == (total, category)
    assert bool(found.positive[0]) is (category == "first")
    assert bool(found.flagged[0]) is (25 in yes)


def test_upi_is_of_16_bodily_40_mental_and_4_lie_items() -> None:
    scale = all_scales()["upi"]

    assert [len(held.items) for held in scale.subscales] == [16, 40]
    assert sorted(number for held in scale.subscales for number in held.items) == sorted(scale.total.items)
    assert scale.validity.lie is not None
    assert (scale.validity.lie.items, scale.validity.lie.at_least) == ((5, 20, 35, 50), 4)


# --- SAS, SDS -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "total", "expected"), [(1, 43, "minimal"), (4, 81, "severe")])
def test_sas_all_alike(value: int, total: int, expected: str) -> None:
    found = scored("sas", all_alike("sas", value))

    assert (found.totals[0], band("sas", found)) == (total, expected)


@pytest.mark.parametrize("value", [1, 2, 3, 4])
def test_sds_all_alike_is_62_whatever_the_answer(value: int) -> None:
    found = scored("sds", all_alike("sds", value))

    assert (found.totals[0], band("sds", found)) == (62, "mild")
    assert not all_scales()["sds"].validity.uniform_is_plausible


@pytest.mark.parametrize(
    ("raw", "standard", "expected"),
    [(41, 51, "minimal"), (42, 52, "borderline"), (43, 53, "mild"), (80, 100, "severe")],
)
def test_sds_raw_42_is_borderline_and_not_yet_a_hint(raw: int, standard: int, expected: str) -> None:
    scale, more = all_scales()["sds"], raw - 20
    turned = [min(3, max(0, more - 3 * place)) for place in range(20)]
    sheet = [4 - up if place + 1 in scale.reversed else 1 + up for place, up in enumerate(turned)]

    found = scored("sds", sheet)

    assert (found.totals[0], band("sds", found)) == (standard, expected)
    assert bool(found.positive[0]) is (standard >= 53)


# --- DASS, WHO-5, K10, C-SSRS -----------------------------------------------------------------------


def test_dass21_all_1_is_14_in_each_part() -> None:
    found, scale = scored("dass21", all_alike("dass21", 1)), all_scales()["dass21"]

    assert found.subscales[0].tolist() == [14, 14, 14]
    assert [part_band(scale, found, held.key) for held in scale.subscales] == ["moderate", "moderate", "normal"]


@pytest.mark.parametrize(("raw", "total", "is_positive"), [(12, 48, True), (13, 52, False)])
def test_who5_below_50_is_a_hint(raw: int, total: int, is_positive: bool) -> None:
    found = scored("who5", [min(5, max(0, raw - 5 * place)) for place in range(5)])

    assert (found.totals[0], bool(found.positive[0])) == (total, is_positive)


def test_k10_keeps_both_sets_of_bands_and_uses_a() -> None:
    scale = all_scales()["k10"]

    assert [band.start for band in scale.bands] == [10, 20, 25, 30]
    assert [band.start for band in scale.band_sets["B"]] == [10, 16, 22, 30]


@pytest.mark.parametrize(
    ("answers", "level"),
    [
        ([0, 0, MISSING, MISSING, MISSING, 0], "none"),
        ([1, 0, MISSING, MISSING, MISSING, 0], "low"),
        ([0, 1, 0, 0, 0, 0], "low"),
        ([0, 1, 1, 0, 0, 0], "moderate"),
        ([0, 0, MISSING, MISSING, MISSING, 1], "moderate"),
        ([0, 1, 0, 1, 0, 0], "high"),
        ([0, 1, 0, 0, 1, 0], "high"),
        ([0, 0, MISSING, MISSING, MISSING, 2], "high"),
        ([MISSING, 1, 1, 1, 1, 2], ""),
    ],
)
def test_cssrs_levels_follow_its_table(answers: list[int], level: str) -> None:
    found = scored("cssrs", answers)

    assert band("cssrs", found) == level
    assert bool(found.flagged[0]) is (level != "none")
    assert np.isnan(found.totals[0])


def test_what_a_source_says_is_never_incomplete() -> None:
    found = scored("source_statement", [MISSING] * 4, [MISSING, 1, MISSING, MISSING], [0, 0, 0, 0])

    assert found.complete.all()
    assert found.flagged.tolist() == [False, True, False]
