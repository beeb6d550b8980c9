"""Law 2: scoring a round beside a delivery of it: neither waits for the other in a ring, and no delivery fails."""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import select

from app.risk.hints import decisions
from app.risk.hints.decisions import HintBasis
from app.security.policy import Permission
from models.interview import EntryOrigin, InterviewEntry, InterviewStage
from models.risk_model import RiskModel
from models.screening import ScreeningRound
from models.student import Student
from tests.house import House
from tests.risk.hints.listed import CALM, listed, says
from tests.risk.scores.trained import live, score_round, shelve
from tests.screening.files import bring_in, gad, line, written

LONG_ENOUGH = 2.0
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


def test_a_decision_about_a_hint_while_a_rule_lists_its_student_does_not_fail_the_delivery(
    house: House, tmp_path: Path
) -> None:
    held = listed(house, tmp_path, [CALM, 10, 12, 14])
    calm = held.people[0]
    held.arrange({person.row.id: says(person, 3.0) for person in held.people})
    hint = held.entry(calm)
    file = written(tmp_path, line(calm, [""] * 9, gad(15)), name="second.csv")
    thread = threading.Thread(target=bring_in, args=(house, file))

    with held.staff.psychologist.under(Permission.INTERVIEW_WORK) as access:
        entry = access.find(InterviewEntry, hint.id)
        decisions.dismiss(access, entry, basis=HintBasis.UNDERSTOOD, text="已了解")
        access.session.flush()
        thread.start()
        thread.join(LONG_ENOUGH)
    thread.join()

    rule = held.entry(calm)
    assert (rule.origin, rule.stage) == (EntryOrigin.RULES, InterviewStage.LISTED)
    assert house.again(hint).stage is InterviewStage.VOID
