"""Curves add up exactly, and a directed one never turns, to the last bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml.shape import NotMonotone, Shape, centred, flat, ordered, per_code, polyline, steps, total

PLACES = st.lists(st.integers(-40, 40), min_size=2, max_size=8, unique=True).map(lambda own: np.sort(own) / 4)
HEIGHT = st.floats(-3, 3, allow_subnormal=False)
ANYWHERE = np.concatenate([np.linspace(-12, 12, 193), [-1e9, 1e9, np.nan, 1e308, -1e308]])


@st.composite
def curves(draw: st.DrawFn, *, rising: bool = False) -> Shape:
    places = draw(PLACES)
    straight = draw(st.booleans())
    size = len(places) + (0 if straight else 1)
    heights = np.array(draw(st.lists(HEIGHT, min_size=size, max_size=size)))
    if rising:
        heights = np.cumsum(np.abs(heights))
    return polyline(places, heights) if straight else steps(places, heights)


@given(st.lists(curves(), min_size=1, max_size=4))
def test_the_sum_of_curves_is_their_sum_everywhere(own: list[Shape]) -> None:
    assert np.allclose(total(own)(ANYWHERE), np.sum([one(ANYWHERE) for one in own], axis=0), rtol=0, atol=1e-11)


@given(st.lists(curves(rising=True), min_size=1, max_size=4), st.sampled_from([1, -1]))
def test_a_directed_curve_never_turns_not_by_a_bit(own: list[Shape], sign: int) -> None:
    whole = ordered(total(own).times(sign).raised(-0.1), sign, "x")
    near = np.concatenate([whole.breaks, np.nextafter(whole.breaks, 99), np.nextafter(whole.breaks, -99), ANYWHERE])
    values = np.sort(near[~np.isnan(near)])

    assert (np.diff(whole(values)) * sign >= 0).all()


@given(curves(rising=True))
def test_a_curve_against_its_direction_is_a_mistake_of_ours(own: Shape) -> None:
    if own(ANYWHERE[:-3]).max() - own(ANYWHERE[:-3]).min() > 1e-6:
        with pytest.raises(NotMonotone, match="phq9"):
            ordered(own, -1, "phq9")
    assert ordered(own, 0, "phq9") is own


def test_a_value_on_a_threshold_goes_left_as_in_the_trees() -> None:
    assert steps(np.array([1.0, 2.0]), np.array([5.0, 6.0, 7.0]))(np.array([1.0, 1.1, 2.0, 2.1])).tolist() == [
        5,
        6,
        6,
        7,
    ]


def test_lines_are_straight_between_knots_and_flat_outside() -> None:
    line = polyline(np.array([0.0, 2.0, 4.0]), np.array([0.0, 1.0, 5.0]))

    assert line(np.array([-9.0, 0.0, 1.0, 2.0, 3.0, 4.0, 99.0])).tolist() == [0, 0, 0.5, 1, 3, 5, 5]


def test_what_is_not_known_has_no_effect() -> None:
    own = per_code(np.array([1.0, 4.0]), np.array([0.5, -0.5]))
    unknown: NDArray[np.float64] = np.array([np.nan, 2.0, 9.0])

    assert own(unknown).tolist() == [0, 0, 0]
    assert not own.knows(unknown).any()
    assert steps(np.array([1.0]), np.array([1.0, 2.0]))(np.array([np.nan])).tolist() == [0]
    assert flat()(unknown).tolist() == flat(nominal=True)(unknown).tolist() == [0, 0, 0]


@given(curves(), st.lists(st.floats(0.1, 9), min_size=6, max_size=6))
def test_a_centred_curve_averages_nothing_over_the_known(own: Shape, weights: list[float]) -> None:
    values = np.array([-3.0, 0.0, 1.0, np.nan, 2.0, 8.0])

    middled, middle = centred(own, values, np.array(weights))

    known = ~np.isnan(values)
    assert abs(np.average(middled(values)[known], weights=np.array(weights)[known])) < 1e-9
    assert np.allclose(middled(values)[known] + middle, own(values)[known])


def test_a_hair_of_rounding_is_lifted_and_more_is_not() -> None:
    own = steps(np.array([0.0]), np.array([1.0, 1.0 - 1e-12]))

    assert ordered(own, 1, "x")(np.array([-1.0, 1.0])).tolist() == [1, 1]
    with pytest.raises(NotMonotone):
        ordered(replace(own, levels=np.array([1.0, 0.99])), 1, "x")
