"""Scoring a round: everybody who takes part, kept so that it can be replayed, and nothing else touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from app.risk.model import scoring
from app.risk.model.said import Band
from app.security.actor import WORKER
from app.security.policy import Permission
from models.base import Base
from models.interview import InterviewEntry
from models.risk_model import ModelStage, RiskScore
from models.screening import ScreeningRound
from tests.house import House
from tests.risk.model.trained import live, model_of, score_round, scores, shelve, the_round
from tests.screening.files import NOT_LIVE, Person, bring_in, enrol, gad, line, phq, written
from tests.screening.files import live as everything


@pytest.fixture
def people(house: House) -> list[Person]:
    house.make.team()
    return enrol(house, 4)


@pytest.fixture
def round_(house: House, people: list[Person], tmp_path: Path) -> ScreeningRound:
    """Calm, middling, heavy; and one who did not take part."""
    calm, middling, heavy, _ = people
    bring_in(house, written(tmp_path, line(calm), line(middling, phq(9), gad(8)), line(heavy, phq(19), gad(18))))
    return the_round(house)


def test_everybody_with_a_sheet_is_scored_and_nobody_else(
    house: House, people: list[Person], round_: ScreeningRound
) -> None:
    model = shelve(house)

    score_round(house, round_)

    rows = live(house)
    assert {row.student_id for row in rows} == {person.row.id for person in people[:3]}
    assert {(row.round_id, row.model_id, row.shadow) for row in rows} == {(round_.id, model.id, False)}


def test_the_bands_follow_the_answers_and_come_with_reasons(
    house: House, people: list[Person], round_: ScreeningRound
) -> None:
    shelve(house)
    score_round(house, round_)

    with house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        said = scoring.said_of(access, round_.id)
        newest = scoring.latest(access, [person.row.id for person in people])

    calm, middling, heavy = (said[person.row.id] for person in people[:3])
    assert heavy.band is Band.FIRST
    assert calm.band is Band.USUAL
    assert (calm.log_odds or 0) < (middling.log_odds or 0) < (heavy.log_odds or 0)
    assert "PHQ-9 总分较高" in heavy.reasons
    assert newest == said
