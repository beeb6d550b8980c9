"""A score is the sum of its reasons; more burden never scores lower; where it would guess it abstains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from ml.blend import LINES
from ml.model import Model, reasons
from tests.ml.made import FEATURES, KEYS, college, gappy_model, model, of

NAN = float("nan")
MODELS = pytest.mark.parametrize("made", [model, gappy_model])
Made = Callable[[], Model]
RANGES = {"phq9": (0, 27), "gad7": (0, 21), "support": (-300, 300), "age": (16, 27), "grade_point": (0.5, 4.5),
          "home": (0, 8), "constant": (-3, 9)}  # fmt: skip
LOW, HIGH = np.array([RANGES[key] for key in KEYS], dtype=float).T


@st.composite
def people(draw: st.DrawFn) -> NDArray[np.float64]:
    shares = draw(arrays.arrays(float, (20, len(KEYS)), elements=st.floats(0, 1, width=32)))
    gaps = draw(arrays.arrays(bool, (20, len(KEYS))))
    values = LOW + shares * (HIGH - LOW)
    values[:, 5] = np.round(values[:, 5])
    return np.where(gaps, NAN, values)


@MODELS
@given(people())
def test_the_score_is_the_sum_of_its_reasons_to_the_last_bit(made: Made, values: NDArray[np.float64]) -> None:
    scored = made().score(of(values))

    for row in range(len(values)):
        found = made().base
        for contribution in scored.contributions[row].tolist():
            found += contribution
        assert found == scored.would_say[row]
        assert scored.abstains[row] != "" or found == scored.log_odds[row]


@MODELS
@given(people(), st.sampled_from([0, 1, 2]), st.floats(0, 50))
def test_raising_one_symptom_never_lowers_the_risk(
    made: Made, values: NDArray[np.float64], column: int, more: float
) -> None:
    """Every row, beyond the learned range too; for a decreasing column raising it never raises the risk."""
    raised = values.copy()
    raised[:, column] += more

    change = made().score(of(raised)).would_say - made().score(of(values)).would_say

    assert (change * FEATURES[column].direction.sign >= 0).all()


@MODELS
@given(people())
def test_what_is_not_known_contributes_exactly_nothing(made: Made, values: NDArray[np.float64]) -> None:
    contributions = made().score(of(values)).contributions

    assert (contributions[np.isnan(values)] == 0).all()
    assert (contributions[values[:, 5] > 5, 5] == 0).all()  # a code never seen
    assert (contributions[:, 6] == 0).all()  # a column that is always the same


@pytest.mark.parametrize(("made", "seed", "gaps"), [(model, 0, 0.0), (gappy_model, 1, 0.1)])
def test_contributions_average_nothing_over_those_known(made: Made, seed: int, gaps: float) -> None:
    table, _ = college(900, seed=seed, gaps=gaps)

    contributions = made().score(table).contributions

    for column in range(len(KEYS)):
        assert abs(contributions[~np.isnan(table.values[:, column]), column].mean()) < 1e-9


@MODELS
def test_without_gaps_the_curves_say_what_the_calibrated_blend_of_the_parts_says(made: Made) -> None:
    """The trees by their own ``decision_function``, the bent lines by their own curves, then Platt's two numbers."""
    table, _ = college(5000, seed=9)
    own = made()
    parts = own.parts
    trees = parts.forest.estimator.decision_function(parts.forest.inputs(table.values))
    mean = LINES * parts.ramps.log_odds(table.values) + (1 - LINES) * trees
    blend = parts.slope * mean + parts.intercept

    assert np.abs(own.score(table).would_say - blend).max() < 1e-9


def test_a_score_does_not_depend_on_who_else_is_asked_about_nor_on_the_order_of_columns() -> None:
    table, _ = college(70_000, seed=4, gaps=0.1)

    whole = model().score(table)

    some = np.array([0, 3, 65_535, 65_536, 69_999])
    alone = model().score(table.rows(some).only(KEYS[::-1]))
    assert np.array_equal(whole.log_odds[some], alone.log_odds, equal_nan=True)
    assert np.array_equal(whole.contributions[some], alone.contributions)


def known(**values: float) -> list[float]:
    return [values.get(key, NAN) for key in KEYS]


USUAL = {"phq9": 8.0, "gad7": 5.0, "support": 40.0, "age": 20.0, "grade_point": 3.0, "home": 1.0, "constant": 3.0}
ASKED = {
    "": USUAL,
    "core": {**USUAL, "phq9": NAN, "gad7": NAN},
    "range": {**USUAL, "phq9": 28.0},
    "missing": {"gad7": 5.0, "constant": 3.0},
}


@pytest.mark.parametrize("why", list(ASKED))
def test_it_abstains_and_says_why_but_keeps_its_reasons(why: str) -> None:
    scored = model().score(of(np.array([known(**ASKED[why])])))

    assert scored.abstains.tolist() == [why]
    assert np.isnan(scored.log_odds[0]) == np.isnan(scored.probability[0]) == (why != "")
    assert scored.contributions.any()


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [("age", 29.0, "range"), ("age", 27.0, ""), ("support", 400.0, ""), ("home", 70.0, ""), ("constant", 9.0, "")],
)
def test_far_outside_what_it_learned_from_it_abstains_only_where_there_is_no_direction(
    key: str, value: float, why: str
) -> None:
    assert model().score(of(np.array([known(**{**USUAL, key: value})]))).abstains.tolist() == [why]


@pytest.mark.parametrize(("cohort", "why"), [("2025", ""), ("2024", ""), ("2019", "cohort"), ("", "cohort")])
def test_it_abstains_for_a_cohort_it_never_saw(cohort: str, why: str) -> None:
    table = of(np.array([known(**USUAL)]), cohorts=np.array([cohort]))

    assert model().score(table).abstains.tolist() == [why]
    assert replace(model(), cohorts=frozenset()).score(table).abstains.tolist() == [""]


def test_a_table_without_a_column_it_rests_on_is_refused_by_name() -> None:
    table, _ = college(5)

    with pytest.raises(ValueError, match="no column support"):
        model().score(table.without(["support"]))


@settings(max_examples=30)
@given(people())
def test_reasons_are_the_largest_contributions_in_words(values: NDArray[np.float64]) -> None:
    scored = model().score(of(values))
    for row in range(len(values)):
        own = reasons(model(), scored, row)

        sizes = [abs(reason.contribution) for reason in own]
        assert sizes == sorted(sizes, reverse=True)
        assert all(size >= 0.1 for size in sizes)
        assert len(own) <= 3
        for reason in own:
            assert reason.contribution == scored.contributions[row, KEYS.index(reason.key)]
            assert reason.raises == (reason.contribution > 0)


def test_a_reason_speaks_the_words_of_its_column() -> None:
    scored = model().score(of(np.array([known(**{**USUAL, "phq9": 25.0}), known(**{**USUAL, "phq9": 0.0})])))

    assert reasons(model(), scored, 0)[0].words == "PHQ-9 总分较高"
    assert {reason.words for reason in reasons(model(), scored, 1)} & {"PHQ-9 总分较低"}


def test_about_one_in_twenty_is_first_and_one_in_seven_soon() -> None:
    table, _ = college(900)
    said = model().score(table).log_odds
    first, soon = model().cuts

    assert 0.03 < (said > first).mean() <= 0.05
    assert 0.12 < (said > soon).mean() <= 0.15
