"""The order of the list: alerts first, then the model, the rules where it is silent, the lot by lot."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.risk.hints.ordering import Waiting, in_order
from app.risk.scores.said import Band, Said
from models.interview import EntryOrigin
from tests.house import House
from tests.risk.hints.listed import heard, listed, says

DUE = datetime(2026, 12, 11, tzinfo=UTC)


def entry(number: int, weight: int = 1, origin: EntryOrigin = EntryOrigin.RULES) -> Waiting:
    return Waiting(UUID(int=number), UUID(int=1000 + number), weight, DUE, origin)


def said(of: Waiting, log_odds: float | None) -> Said:
    return Said(of.student_id, Band.USUAL, "", log_odds, ())


def numbers(ordered: list[Waiting]) -> list[int]:
    return [one.id.int for one in ordered]


def test_without_a_model_the_heavier_reasons_come_first() -> None:
    found = in_order([entry(1, 2), entry(2, 9), entry(3, 5), entry(4, 5)], {})

    assert numbers(found) == [2, 3, 4, 1]


def test_the_model_orders_those_it_knows_whatever_their_weight() -> None:
    light, heavy = entry(1, 1), entry(2, 9)

    found = in_order([light, heavy], {light.student_id: said(light, 2.0), heavy.student_id: said(heavy, -1.0)})

    assert numbers(found) == [1, 2]


def test_an_open_alert_stands_above_everything_the_model_says() -> None:
    rows = [entry(number) for number in range(1, 6)]
    spoken = {row.student_id: said(row, float(row.id.int)) for row in rows}

    found = in_order(rows, spoken, alerted={rows[0].student_id})

    assert numbers(found) == [1, 5, 4, 3, 2]


def test_whom_the_model_does_not_know_stands_where_his_reasons_stand_among_the_others() -> None:
    rows = [entry(number, weight) for number, weight in ((1, 10), (2, 8), (3, 6), (4, 4), (5, 2))]
    spoken = {row.student_id: said(row, -float(row.id.int)) for row in rows if row.id.int != 3}

    assert numbers(in_order(rows, spoken)) == [1, 2, 3, 4, 5]


def test_a_hint_the_model_no_longer_speaks_of_stands_in_the_middle_and_not_at_the_end() -> None:
    rows = [entry(number, 10 - number) for number in range(1, 5)] + [entry(9, 0, EntryOrigin.MODEL)]

    assert numbers(in_order(rows, {})).index(9) == 2


def test_whoever_was_drawn_stands_by_lot_and_not_by_what_the_model_says() -> None:
    rows = [entry(number, 10 - number) for number in range(1, 5)] + [entry(9, 0, EntryOrigin.AUDIT)]
    spoken = {row.student_id: said(row, 0.0 if row.id.int < 9 else -9.0) for row in rows}

    first = in_order(rows, spoken, lots={rows[-1].student_id: 0.01})
    last = in_order(rows, spoken, lots={rows[-1].student_id: 0.99})

    assert (numbers(first).index(9), numbers(last).index(9)) == (0, 4)


rows_of_a_list = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.sampled_from(list(EntryOrigin)),
        st.one_of(st.none(), st.floats(-9, 9)),
        st.booleans(),
        st.floats(0, 1),
    ),
    max_size=25,
)


@given(rows_of_a_list, st.randoms(use_true_random=False))
def test_the_order_is_total_and_does_not_depend_on_how_the_rows_came(held: list[tuple], chance: object) -> None:  # type: ignore[type-arg]
    rows = [entry(number, weight, origin) for number, (weight, origin, *_) in enumerate(held, start=1)]
    spoken = {row.student_id: said(row, log) for row, (_, _, log, speaks, _) in zip(rows, held, strict=True) if speaks}
    lots = {row.student_id: lot for row, (*_, lot) in zip(rows, held, strict=True)}
    alerted = {row.student_id for row in rows if row.weight % 7 == 0}
    shuffled = list(rows)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]

    found = in_order(rows, spoken, alerted=alerted, lots=lots)

    assert found == in_order(shuffled, spoken, alerted=alerted, lots=lots)
    assert sorted(numbers(found)) == sorted(numbers(rows))
    assert all(first.student_id in alerted or then.student_id not in alerted for first, then in pairwise(found))


@given(rows_of_a_list)
def test_nobody_comes_last_because_the_model_does_not_know_him(held: list[tuple]) -> None:  # type: ignore[type-arg]
    rows = [entry(number, weight) for number, (weight, *_) in enumerate(held, start=1)]
    spoken = {row.student_id: said(row, log) for row, (_, _, log, speaks, _) in zip(rows, held, strict=True) if speaks}
    known = {row.student_id for row in rows if (word := spoken.get(row.student_id)) and word.log_odds is not None}

    found = in_order(rows, spoken)

    assert not known or found[-1].student_id in known


def test_places_are_written_from_one_and_an_open_page_stays_fresh(house: House, tmp_path: Path) -> None:
    held = listed(house, tmp_path, [10, 14, 19])
    low, middle, high = held.people

    held.arrange(heard(says(low, 2.0), says(middle, 1.0), says(high, 0.0)))

    assert held.order() == [low.row.id, middle.row.id, high.row.id]
    assert [(row.place, row.version) for row in held.entries()] == [(1, 1), (2, 1), (3, 1)]


def test_the_page_follows_the_proposed_order_and_the_deadline_on_request(sqlite_house: House, tmp_path: Path) -> None:
    held = listed(sqlite_house, tmp_path, [10, 19])
    mild, heavy = held.people
    held.arrange(heard(says(mild, 2.0), says(heavy, 0.0)))
    ids = {person: str(held.entry(person).id) for person in (mild, heavy)}

    proposed = held.staff.psychologist.get(f"/interviews?round={held.round().id}").html
    by_due = held.staff.psychologist.get(f"/interviews?round={held.round().id}&order=due").html

    assert proposed.index(ids[mild]) < proposed.index(ids[heavy])
    assert by_due.index(ids[heavy]) < by_due.index(ids[mild])


@pytest.mark.parametrize("words", ["目前没有使用中的模型", "名单按筛查规则排列"])
def test_without_a_model_the_page_says_so(sqlite_house: House, tmp_path: Path, words: str) -> None:
    held = listed(sqlite_house, tmp_path, [10])

    assert words in held.staff.psychologist.get("/interviews")
