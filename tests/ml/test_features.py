"""A table says what was known, and when; a fact from the future does not get in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.features import Direction, Feature, FeatureTable, LooksAhead, plain_table
from tests.ml.made import FEATURES, KEYS, college

ROWS = 12


@given(st.integers(0, ROWS - 1), st.integers(0, len(KEYS) - 1), st.integers(1, 10**9))
def test_a_fact_from_the_future_is_refused_by_column_and_row_without_its_value(
    row: int, column: int, late: int
) -> None:
    table, _ = college(ROWS)
    known = table.known_at.copy()
    known[row, column] = table.at[row] + np.timedelta64(late, "us")

    with pytest.raises(LooksAhead) as refused:
        replace(table, known_at=known)

    assert str(refused.value) == f"column {KEYS[column]}, row {row + 1}: was not known yet at the moment of its row"


def test_what_became_known_at_the_very_moment_of_the_row_is_known() -> None:
    table, _ = college(ROWS)

    replace(table, known_at=np.repeat(table.at[:, None], len(KEYS), axis=1))


@pytest.mark.parametrize(("value", "known"), [(np.nan, "2026-02-28"), (1.0, "NaT")])
def test_a_value_and_the_moment_of_it_come_together(value: float, known: str) -> None:
    table, _ = college(ROWS)
    values, moments = table.values.copy(), table.known_at.copy()
    values[4, 2], moments[4, 2] = value, np.datetime64(known, "us")

    with pytest.raises(ValueError, match="column support, row 5: needs a value and the moment of it"):
        replace(table, values=values, known_at=moments)


def test_an_infinite_value_is_no_value() -> None:
    table, _ = college(ROWS)
    values = table.values.copy()
    values[0, 0] = np.inf

    with pytest.raises(ValueError, match="column phq9, row 1: is not a finite number"):
        replace(table, values=values)


def test_keys_shapes_kinds_and_moments_are_checked() -> None:
    table, _ = college(ROWS)
    for wrong in (
        {"features": (FEATURES[0], *FEATURES[:-1])},
        {"people": table.people[1:]},
        {"values": table.values.astype(np.int64)},
        {"at": table.at.astype("datetime64[s]")},
        {"cohorts": np.zeros(ROWS)},
        {"at": np.full(ROWS, np.datetime64("NaT", "us"))},
    ):
        with pytest.raises(ValueError, match=r"two columns|expected|counted in microseconds|needs its moment"):
            replace(table, **wrong)


def test_codes_without_an_order_cannot_have_a_direction() -> None:
    with pytest.raises(ValueError, match="without an order"):
        Feature(key="home", meaning="", nominal=True, direction=Direction.INCREASING)


def test_columns_are_found_by_key_left_out_and_put_in_another_order() -> None:
    table, _ = college(ROWS)

    assert table.without(["age", "nobody"]).keys == tuple(key for key in KEYS if key != "age")
    turned = table.only(["home", "phq9"])
    assert turned.keys == ("home", "phq9")
    assert np.array_equal(turned.column("phq9"), table.column("phq9"))
    with pytest.raises(ValueError, match="no column nobody"):
        table.only(["nobody"])


def changed(table: FeatureTable, what: str) -> FeatureTable:
    values, known, cohorts = table.values.copy(), table.known_at.copy(), table.cohorts.copy()
    match what:
        case "value":
            values[3, 4] = np.nextafter(values[3, 4], 9)
        case "moment":
            known[3, 4] -= np.timedelta64(1, "us")
        case "gap":
            values[3, 4], known[3, 4] = np.nan, np.datetime64("NaT", "us")
        case "cohort":
            cohorts[3] = "1999"
    return replace(table, values=values, known_at=known, cohorts=cohorts)


@pytest.mark.parametrize("what", ["value", "moment", "gap", "cohort"])
def test_a_digest_changes_with_anything_a_score_rests_on_and_only_for_that_row(what: str) -> None:
    table, _ = college(ROWS)

    before, after = table.digests(), changed(table, what).digests()

    assert [row for row in range(ROWS) if before[row] != after[row]] == [3]


def test_equal_inputs_have_equal_digests_whatever_the_layout_and_the_sign_of_zero() -> None:
    table, _ = college(ROWS, gaps=0.3)
    values = np.asfortranarray(np.where(table.values == 0, -0.0, table.values))

    assert replace(table, values=values).digests() == table.digests()
    assert table.rows(np.arange(ROWS)[::-1]).digests() == table.digests()[::-1]
    assert table.only(KEYS[::-1]).digests() != table.digests()


def test_a_file_without_times_counts_as_known_at_one_moment() -> None:
    table = plain_table([FEATURES[0]], np.array([[1.0], [np.nan]]))

    assert np.isnat(table.known_at[:, 0]).tolist() == [False, True]
    assert len(set(table.people)) == 2
