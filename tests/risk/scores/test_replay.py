"""Replaying scores: bit for bit the same, and whatever was edited since is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from app.risk.scores.replay import Differs, Replayed, replay, replay_all
from app.security.actor import WORKER
from app.security.policy import Permission
from models.base import new_id
from models.risk_model import ModelStage, RiskModel, RiskScore
from models.sealed import Sealed
from tests.house import House
from tests.risk.scores.trained import model_of, score_round, scores, shelve, the_round
from tests.screening.files import bring_in, enrol, gad, line, phq, written


@pytest.fixture
def row(house: House, tmp_path: Path) -> RiskScore:
    """The score of one of three students."""
    house.make.team()
    people = enrol(house, 3)
    answers = [line(person, phq(7 * place), gad(5 * place)) for place, person in enumerate(people)]
    bring_in(house, written(tmp_path, *answers))
    shelve(house)
    score_round(house, the_round(house))
    return scores(house, RiskScore.student_id == people[1].row.id)[0]


def replayed(house: House, row: RiskScore) -> Replayed:
    with house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        found = replay(access, row.id)
    assert found is not None
    return found


def edit(house: House, row: RiskScore, **columns: Any) -> None:
    with house.door.database.writing() as session:
        session.execute(update(RiskScore).where(RiskScore.id == row.id).values(**columns))


def rewrite(house: House, row: RiskScore, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the body as somebody could who holds the keys."""
    with house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        held = access.session.get_one(RiskScore, row.id)
        body = access.open_json(held, RiskScore.body)
        change(body)
        access.seal_json(held, RiskScore.body, body)


def test_every_score_replays_to_the_last_bit(house: House, row: RiskScore) -> None:
    with house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        found = replay_all(access, row.round_id)

    assert replayed(house, row).same
    assert (found.count, found.same, found.different) == (3, 3, [])


def test_a_score_of_a_retired_model_replays_when_another_is_in_use(house: House, row: RiskScore) -> None:
    with house.door.database.writing() as session:
        session.execute(update(RiskModel).values(stage=ModelStage.RETIRED))
    shelve(house, model_of(8))
    score_round(house, the_round(house))

    with house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        found = replay_all(access)

    assert (found.count, found.same) == (6, 6)


def test_a_model_that_leans_on_the_rules_replays_too(house: House, tmp_path: Path) -> None:
    house.make.team()
    people = enrol(house, 3)
    bring_in(house, written(tmp_path, *(line(person, phq(8 * place)) for place, person in enumerate(people))))
    shelve(house, model_of(few=True))
    score_round(house, the_round(house))
    score_round(house, the_round(house))

    with house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        found = replay_all(access)

    assert (found.count, found.same) == (3, 3)


def test_a_score_that_does_not_exist_is_not_replayed(house: House, row: RiskScore) -> None:
    with house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        assert replay(access, new_id()) is None


def test_an_edited_digest_is_noticed(house: House, row: RiskScore) -> None:
    edit(house, row, inputs=bytes(32))

    assert replayed(house, row).differs == (Differs.INPUTS,)


def test_another_model_behind_a_score_is_noticed(house: House, row: RiskScore) -> None:
    other = shelve(house, model_of(8), stage=ModelStage.TRAINED)

    edit(house, row, model_id=other.id)

    assert Differs.MODEL in replayed(house, row).differs
    assert Differs.SCORE in replayed(house, row).differs


def test_another_moment_or_another_rulebook_is_noticed(house: House, row: RiskScore) -> None:
    edit(house, row, at=row.at - timedelta(seconds=1))
    moved = replayed(house, row).differs
    edit(house, row, at=row.at, rules_version="2020/1")

    assert moved == (Differs.FACTS,)
    assert replayed(house, row).differs == (Differs.FACTS,)


def test_a_body_of_another_student_does_not_open(house: House, row: RiskScore) -> None:
    other = next(held for held in scores(house) if held.id != row.id)
    with house.session() as session:
        body = session.query(RiskScore.body).filter(RiskScore.id == other.id).scalar()

    edit(house, row, body=body)

    assert replayed(house, row).differs == (Differs.BODY,)


def test_a_damaged_body_is_noticed_and_hides_no_other(house: House, row: RiskScore) -> None:
    with house.session() as session:
        raw = bytearray(session.query(RiskScore.body).filter(RiskScore.id == row.id).scalar().ciphertext)
    raw[-1] ^= 1

    edit(house, row, body=Sealed(bytes(raw)))

    with house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        found = replay_all(access)
    assert [(one.score_id, one.differs) for one in found.different] == [(row.id, (Differs.BODY,))]
    assert found.same == 2


def _more(body: dict[str, Any]) -> None:
    body["log_odds"] = (float.fromhex(body["log_odds"]) - 1).hex()


def _part(body: dict[str, Any]) -> None:
    body["contributions"]["phq9_total"] = (0.25).hex()


def _band(body: dict[str, Any]) -> None:
    body["band"] = "first"


def _input(body: dict[str, Any]) -> None:
    body["inputs"]["phq9_total"][0] = (27.0).hex()


def _later(body: dict[str, Any]) -> None:
    body["inputs"]["phq9_total"][1] = "2099-01-01T00:00:00.000000"


def _hidden(body: dict[str, Any]) -> None:
    body["inputs"]["another_thing"] = [(1.0).hex(), "2020-01-01T00:00:00.000000"]


def _nonsense(body: dict[str, Any]) -> None:
    body["inputs"]["phq9_total"] = ["seven", "yesterday"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_more, {Differs.SCORE}),
        (_part, {Differs.CONTRIBUTIONS}),
        (_band, {Differs.WORDS}),
        (_input, {Differs.INPUTS, Differs.SCORE, Differs.CONTRIBUTIONS, Differs.WORDS}),
        (_later, {Differs.INPUTS}),
        (_hidden, {Differs.INPUTS}),
        (_nonsense, {Differs.INPUTS}),
        (lambda body: body["reasons"].clear(), {Differs.WORDS}),
        (lambda body: body.pop("base"), {Differs.BODY}),
        (lambda body: body.update(v=2), {Differs.BODY}),
        (lambda body: body.update(model="00" * 32), {Differs.MODEL}),
        (lambda body: body.update(cohort="3"), {Differs.INPUTS}),
    ],
    ids=lambda held: held.__name__.strip("_") if callable(held) else "",
)
def test_an_edited_body_is_noticed_even_when_it_was_sealed_again(
    sqlite_house: House, tmp_path: Path, change: Callable[[dict[str, Any]], None], expected: set[Differs]
) -> None:
    sqlite_house.make.team()
    [person] = enrol(sqlite_house, 1)
    bring_in(sqlite_house, written(tmp_path, line(person, phq(7), gad(5))))
    shelve(sqlite_house)
    score_round(sqlite_house, the_round(sqlite_house))
    [row] = scores(sqlite_house)

    rewrite(sqlite_house, row, change)

    assert set(replayed(sqlite_house, row).differs) == expected


def test_numbers_are_kept_as_hexadecimal_and_unknown_values_are_left_out(house: House, row: RiskScore) -> None:
    with house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        body = json.loads(access.open(access.session.get_one(RiskScore, row.id), RiskScore.body))

    assert body["inputs"]["phq9_total"][0] == (7.0).hex()
    assert "phq9_change" not in body["inputs"]
    total = float.fromhex(body["base"])
    for key in json.loads(house.all(RiskModel.__table__.select())[0].features):
        total += float.fromhex(body["contributions"].get(key, "0x0p+0"))
    assert total.hex() == body["log_odds"]
