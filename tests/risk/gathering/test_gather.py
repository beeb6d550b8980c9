"""Gathering: what the model sees of a student is what was known of him at that moment, and no more."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np

from models.moment import now
from tests.house import House
from tests.risk.gathering.known import AUTUMN, SPRING, college, gathered, value, wave, whole
from tests.risk.times import at
from tests.screening.files import gad, line, phq


def test_a_row_holds_the_totals_of_this_round_and_the_change_since_the_last(house: House, tmp_path: Path) -> None:
    _, [person, other] = college(house, 2)
    wave(house, tmp_path, SPRING, line(person, phq(4), gad(2)), line(other), when=at("2026-04-20"))
    wave(house, tmp_path, AUTUMN, line(person, phq(12), gad(5)))

    table = gathered(house, [person, other])

    assert (value(table, "phq9_total"), value(table, "phq9_change")) == (12, 8)
    assert (value(table, "gad7_total"), value(table, "gad7_change")) == (5, 3)
    assert value(table, "phq9_total", 1) == 0
    assert np.isnan(value(table, "phq9_change", 1))


def test_rows_of_one_student_differ_by_what_was_known_at_each_moment(house: House, tmp_path: Path) -> None:
    _, [person] = college(house, 1)
    before, between = at("2026-04-01"), at("2026-05-01")
    wave(house, tmp_path, SPRING, line(person, phq(4)), when=at("2026-04-20"))
    wave(house, tmp_path, AUTUMN, line(person, phq(12)))

    table = gathered(house, [person] * 3, [before, between, now()])

    assert np.isnan(table.column("phq9_total")[0])
    assert table.column("phq9_total")[1:].tolist() == [4, 12]
    assert len(set(table.people.tolist())) == 1
    assert person.number not in table.people[0]
    assert person.row.id.hex not in table.people[0]


def test_what_was_replaced_later_still_counted_then(house: House, tmp_path: Path) -> None:
    _, [person] = college(house, 1)
    wave(house, tmp_path, AUTUMN, line(person, phq(4)))
    then = now()
    wave(house, tmp_path, AUTUMN, line(person, phq(11)), when=now() + timedelta(hours=3), replace=True)

    table = gathered(house, [person] * 2, [then, now() + timedelta(hours=4)])

    assert table.column("phq9_total").tolist() == [4, 11]


def test_what_is_opened_stands_in_the_log_with_how_many_and_not_whose(house: House, tmp_path: Path) -> None:
    _, people = college(house, 3)
    wave(house, tmp_path, AUTUMN, *(line(person) for person in people))

    found = whole(house, people)

    [row] = house.log(act="risk_score")
    assert row["fields"] == ["response_set.body"]
    assert row["count"] == 6
    assert not row.get("subjects")
    assert found.facts_read > 6
