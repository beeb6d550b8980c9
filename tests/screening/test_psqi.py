"""PSQI by its components: midnight, the gaps of published code, and another implementation's results."""

from __future__ import annotations

import numpy as np
import pytest

from app.screening.scales.scale import all_scales
from app.screening.scales.scoring import MISSING
from tests.screening.sheets import part, scored

KEYS = [item.key for item in all_scales()["psqi"].items]
QUIET = {
    **dict.fromkeys(KEYS, 0),
    "to_bed": 23 * 60,
    "latency": 20,
    "up": 7 * 60,
    "slept": 7 * 60,
    "wait": 1,
    "quality": 1,
    "sleepy": 1,
    "energy": 1,
}


def sheet(**other: int) -> list[int]:
    return [{**QUIET, **other}[key] for key in KEYS]


def test_the_vector_of_the_domain_page() -> None:
    found = scored("psqi", sheet(wake=1, toilet=1, breath=1, cough=1))

    assert found.subscales[0].tolist() == [1, 1, 1, 0, 1, 0, 1]
    assert found.totals[0] == 5
    assert found.totals.dtype == np.float64
    assert found.at_least[0] == 5


@pytest.mark.parametrize(
    ("percent", "score"), [(85, 0), (84.5, 1), (84, 1), (75, 1), (74.5, 2), (65, 2), (64.5, 3), (10, 3)]
)
def test_no_efficiency_falls_between_two_scores(percent: float, score: int) -> None:
    """200 minutes in bed: half a percent is a minute."""
    found = scored("psqi", sheet(to_bed=0, up=200, slept=int(percent * 2)))

    assert part("psqi", found, "c_efficiency") == score


@pytest.mark.parametrize(("to_bed", "up"), [(23 * 60, 7 * 60), (0, 8 * 60), (20 * 60, 4 * 60), (8 * 60, 16 * 60)])
def test_time_in_bed_runs_over_midnight(to_bed: int, up: int) -> None:
    found = scored("psqi", sheet(to_bed=to_bed, up=up, slept=6 * 60))

    assert part("psqi", found, "c_efficiency") == 1


def test_no_time_in_bed_is_no_efficiency_and_no_total() -> None:
    found = scored("psqi", sheet(to_bed=300, up=300))

    assert np.isnan(part("psqi", found, "c_efficiency"))
    assert np.isnan(found.totals[0])
    assert not found.complete[0]


@pytest.mark.parametrize(("minutes", "score"), [(421, 0), (420, 1), (360, 1), (359, 2), (300, 2), (299, 3)])
def test_hours_of_sleep(minutes: int, score: int) -> None:
    assert part("psqi", scored("psqi", sheet(slept=minutes)), "c_duration") == score


@pytest.mark.parametrize(("minutes", "wait", "score"), [(15, 0, 0), (16, 0, 1), (30, 1, 1), (31, 1, 2), (61, 3, 3)])
def test_time_to_fall_asleep(minutes: int, wait: int, score: int) -> None:
    assert part("psqi", scored("psqi", sheet(latency=minutes, wait=wait)), "c_latency") == score


@pytest.mark.parametrize("lost", range(18))
def test_a_gap_leaves_no_total_and_the_bounds_hold_the_true_one(lost: int) -> None:
    whole = sheet(wake=2, medicine=3)
    holed = whole.copy()
    holed[lost] = MISSING

    true, found = scored("psqi", whole), scored("psqi", holed)

    assert np.isnan(found.totals[0])
    assert found.at_least[0] <= true.totals[0] <= found.at_most[0]
