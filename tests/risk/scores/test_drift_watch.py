"""Drift: a round that is like the one before says nothing, a changed one is told to the head of the centre, once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from app.risk.scores import drift_watch
from app.security.actor import WORKER
from app.security.policy import Permission
from models.moment import now, travel
from models.notice import Notice
from models.risk_model import RiskModel
from models.screening import RoundStage, ScreeningRound
from tests.house import Client, House
from tests.risk.gathering.known import AUTUMN, SPRING, college, talked, wave
from tests.risk.scores.trained import shelve
from tests.risk.times import at
from tests.screening.files import Person, enrol, gad, line, phq

MANY = 120
APRIL, MAY = at("2026-04-06"), at("2026-05-04")


@pytest.fixture
def spring(house: House, tmp_path: Path) -> tuple[Client, list[Person]]:
    """A round of last spring, those on its list talked to, and a model that learned until May."""
    head, people = college(house, MANY)
    wave(house, tmp_path, SPRING, *_answers(people, seed=1), when=APRIL)
    model = shelve(house)
    with house.door.database.writing() as session:
        session.get_one(RiskModel, model.id).trained_until = MAY
    return head, people


def _answers(people: list[Person], *, seed: int, more: int = 0) -> list[list[Any]]:
    rng = np.random.default_rng(seed)
    return [
        line(person, phq(min(24, int(rng.integers(0, 14)) + more)), gad(int(rng.integers(0, 12)))) for person in people
    ]


def _round(house: House, name: str, stage: RoundStage = RoundStage.CLOSED) -> ScreeningRound:
    with house.door.database.writing() as session:
        row = session.scalars(select(ScreeningRound).where(ScreeningRound.name == name)).one()
        row.stage = stage
    return row


def _drift(house: House, name: str, *, model: bool = True) -> dict[str, Any]:
    with house.door.enter(WORKER, Permission.RISK_SCORE, writing=False) as access:
        used = access.session.scalar(select(RiskModel.id)) if model else None
        round_id = access.session.scalar(select(ScreeningRound.id).where(ScreeningRound.name == name))
        assert round_id is not None
        return drift_watch.drift_of(access, used, round_id)


def test_a_round_like_the_one_before_says_nothing(
    house: House, spring: tuple[Client, list[Person]], tmp_path: Path
) -> None:
    wave(house, tmp_path, AUTUMN, *_answers(spring[1], seed=2))

    found = _drift(house, AUTUMN)

    assert (found["found"], found["trouble"]) == (False, "")
    assert found["checks"]


def test_a_round_whose_answers_have_moved_is_told_in_words_and_names_nobody(
    house: House, spring: tuple[Client, list[Person]], tmp_path: Path
) -> None:
    wave(house, tmp_path, AUTUMN, *_answers(spring[1], seed=2, more=6))

    found = _drift(house, AUTUMN)

    assert found["found"]
    assert any("PHQ-9 总分" in words for words in found["words"])
    assert not any(person.number in str(found) or person.row.id.hex in str(found) for person in spring[1])


def test_a_missing_questionnaire_is_drift_of_what_is_missing(
    house: House, spring: tuple[Client, list[Person]], tmp_path: Path
) -> None:
    others = enrol(house, MANY)
    answers = [[*row[:-7], *[""] * 7] for row in _answers(others, seed=2)]
    wave(house, tmp_path, AUTUMN, *answers)

    found = _drift(house, AUTUMN)

    assert any("缺失" in words and "GAD-7" in words for words in found["words"])


def test_the_rounds_it_learned_from_are_compared_whole_and_not_those_who_were_talked_to(
    house: House, spring: tuple[Client, list[Person]], tmp_path: Path
) -> None:
    head, people = spring
    with travel(APRIL + timedelta(days=7)):
        again = Client(house, head.staff, head.role)
        for person in _listed(house, people):
            talked(house, again, person)
    wave(house, tmp_path, AUTUMN, *_answers(people, seed=2))

    found = _drift(house, AUTUMN)

    assert found["rows_before"] == MANY
    assert not [check for check in found["checks"] if check["found"] and check["key"] in {"phq9_total", "gad7_total"}]


def test_without_a_model_the_round_before_is_what_it_is_compared_with(
    house: House, spring: tuple[Client, list[Person]], tmp_path: Path
) -> None:
    wave(house, tmp_path, AUTUMN, *_answers(spring[1], seed=2, more=6))

    first, second = _drift(house, SPRING, model=False), _drift(house, AUTUMN, model=False)

    assert (first["found"], first["words"]) == (False, ["还没有可以比较的批次。"])
    assert not _drift(house, SPRING)["found"]
    assert second["found"]


def test_outcomes_that_do_not_come_true_any_more_are_told(
    house: House, spring: tuple[Client, list[Person]], tmp_path: Path
) -> None:
    head, people = spring
    wave(house, tmp_path, AUTUMN, *[line(person, phq(17), gad(14)) for person in people[:60]])
    for person in people[:60]:
        talked(house, head, person, "C")

    found = _drift(house, AUTUMN)

    [check] = [check for check in found["checks"] if check["kind"] == "calibration"]
    assert (check["found"], check["after"]) == (True, 0.0)


def test_the_head_hears_of_it_once_per_round_and_only_when_collecting_is_over(
    house: House, spring: tuple[Client, list[Person]], tmp_path: Path
) -> None:
    wave(house, tmp_path, AUTUMN, *_answers(spring[1], seed=2, more=6))
    house.work()
    running = _told(house)

    _round(house, AUTUMN)
    for day in (1, 2, 3):
        with travel(now() + timedelta(days=day)):
            house.work()

    assert running == []
    assert [(row.recipient_id, row.object_id) for row in _told(house)] == [(spring[0].id, _round(house, AUTUMN).id)]


def _told(house: House) -> list[Notice]:
    return [row for (row,) in house.all(select(Notice).where(Notice.kind == drift_watch.NOTICE))]


def _listed(house: House, people: list[Person]) -> list[Person]:
    from models.interview import InterviewEntry  # noqa: PLC0415

    held = {row.student_id for row in house.all(select(InterviewEntry.student_id))}
    return [person for person in people if person.row.id in held]
