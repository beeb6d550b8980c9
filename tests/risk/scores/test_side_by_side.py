"""Law 2: scoring a round beside a delivery of it: neither waits for the other in a ring, and no delivery fails."""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import select

from models.risk_model import RiskModel
from models.screening import ScreeningRound
from models.student import Student
from tests.house import House
from tests.risk.hints.listed import listed
from tests.risk.scores.trained import live, score_round, shelve

LONG_ENOUGH = 3.0
"""Seconds in which a scoring that waits for nothing would have come to its rows."""


def test_a_scoring_that_waits_for_a_delivery_of_its_round_holds_neither_students_nor_models(
    house: House, tmp_path: Path
) -> None:
    held = listed(house, tmp_path, [10, 12, 14])
    shelve(house)
    row = held.round()
    thread = threading.Thread(target=score_round, args=(house, row))

    with house.door.database.writing() as session:
        session.get_one(ScreeningRound, row.id, with_for_update=True)
        thread.start()
        thread.join(LONG_ENOUGH)
        students = select(Student.id).where(Student.id.in_(held.students())).with_for_update(nowait=True)
        assert len(session.scalars(students).all()) == len(held.people)
        models = select(RiskModel.id).with_for_update(nowait=True)
        assert len(session.scalars(models).all()) == 1
    thread.join()

    assert len(live(house)) == len(held.people)
