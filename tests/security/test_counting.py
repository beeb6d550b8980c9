"""Opening very many values only to count them: the same locks, and the log says which field and how many."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.security.access import Undecided
from app.security.actor import WORKER
from app.security.policy import Permission
from app.security.vault import Unreadable
from models.bulk import fetch_sealed
from models.case import CareTalk
from models.risk import Signal
from models.student import Student
from tests.house import House


def _details(house: House) -> None:
    house.make.students(3, 宿舍="3栋-512")


def test_values_open_in_the_order_of_the_rows_and_empty_ones_stay_empty(house: House) -> None:
    _details(house)
    without = house.make.student()

    with house.door.enter(WORKER, Permission.RISK_SCORE, writing=False) as access:
        ids, sealed = fetch_sealed(access.session, select(Student.id, Student.details).order_by(Student.id))
        texts = access.open_many_to_count(Student.details, ids, ids, sealed)

    found = dict(zip(ids, texts, strict=True))
    assert found.pop(without.id.bytes) is None
    assert all(text and "3栋-512" in text.decode() for text in found.values())
    [row] = house.log(act="risk_score")
    assert (row["fields"], row["count"]) == (["student.details"], 4)


def test_a_value_moved_to_another_row_does_not_open(house: House) -> None:
    _details(house)

    with house.door.enter(WORKER, Permission.RISK_SCORE, writing=False) as access:
        ids, sealed = fetch_sealed(access.session, select(Student.id, Student.details).order_by(Student.id))
        with pytest.raises(Unreadable):
            access.open_many_to_count(Student.details, ids, ids, [sealed[1], sealed[0], sealed[2]])


def test_a_field_the_policy_does_not_list_stays_shut(sqlite_house: House) -> None:
    with sqlite_house.door.enter(WORKER, Permission.RISK_SCORE, writing=False) as access, pytest.raises(Undecided):
        access.open_many_to_count(CareTalk.body, [], [], [])


def test_who_has_not_a_rule_over_everybody_counts_nobody(sqlite_house: House) -> None:
    advisor = sqlite_house.make.advisor()

    with advisor.under(Permission.STUDENT_READ, writing=False) as access, pytest.raises(Undecided):
        access.open_many_to_count(Student.details, [], [], [])


def test_only_the_last_column_of_such_a_read_is_a_sealed_one(sqlite_house: House) -> None:
    with sqlite_house.session() as session:
        with pytest.raises(TypeError):
            fetch_sealed(session, select(Student.id, Student.status))
        with pytest.raises(TypeError):
            fetch_sealed(session, select(Signal.id, Signal.reason, Signal.focus))
        assert fetch_sealed(session, select(Signal.id, Signal.reason)) == [[], []]
