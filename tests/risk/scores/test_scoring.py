"""Scoring a round: everybody who takes part, kept so that it can be replayed, and nothing else touched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.risk.scores import said as said_words
from app.risk.scores import scoring
from app.risk.scores.said import Band
from app.security.actor import WORKER
from app.security.policy import Permission
from models.base import Base
from models.interview import InterviewEntry
from models.risk_model import ModelStage, RiskScore
from models.screening import ScreeningRound
from tests.house import House
from tests.risk.scores.trained import live, model_of, score_round, scores, shelve, the_round
from tests.screening.files import NOT_LIVE, Person, _bare, bring_in, enrol, gad, line, phq, written
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
        said = said_words.said_of(access, round_.id)
        newest = said_words.latest(access, [person.row.id for person in people])

    calm, middling, heavy = (said[person.row.id] for person in people[:3])
    assert heavy.band is Band.FIRST
    assert calm.band is Band.USUAL
    assert (calm.log_odds or 0) < (middling.log_odds or 0) < (heavy.log_odds or 0)
    assert "PHQ-9 总分较高" in heavy.reasons
    assert newest == said


def test_what_has_not_changed_is_not_scored_again(house: House, round_: ScreeningRound) -> None:
    shelve(house)
    score_round(house, round_)

    score_round(house, round_)

    assert len(scores(house)) == 3
    assert [row["count"] for row in house.log(act="round_scored")] == [3, 0]


def test_new_facts_write_a_new_score_and_the_earlier_one_stays_in_the_table(
    house: House, people: list[Person], round_: ScreeningRound, tmp_path: Path
) -> None:
    shelve(house)
    score_round(house, round_)

    bring_in(house, written(tmp_path, line(people[0], phq(17), gad(15)), name="again.csv"), replace=True)
    score_round(house, round_)

    first, second = scores(house, RiskScore.student_id == people[0].row.id)
    assert first.superseded_at == second.scored_at
    assert second.superseded_at is None
    assert len(scores(house)) == 4


def test_scoring_changes_nothing_but_scores_and_places_on_the_list(
    house: House, people: list[Person], round_: ScreeningRound, tmp_path: Path
) -> None:
    bring_in(house, written(tmp_path, line(people[3], phq(16, ninth=2)), name="critical.csv"))
    shelve(house)
    shelve(house, model_of(8), stage=ModelStage.SHADOW)
    before, ruled = everything(house), entries(house)

    score_round(house, round_)

    after = everything(house)
    assert {name for name in after if after[name] != before[name]} <= {"risk_score", "interview_entry", "notice"}
    assert {table.name for table in Base.metadata.sorted_tables} - NOT_LIVE == set(after)
    assert all(before["notice"].count(row) <= after["notice"].count(row) for row in before["notice"])
    assert ruled
    assert ruled.items() <= entries(house).items()


def entries(house: House) -> dict[Any, tuple[Any, ...]]:
    """The list, but for the order in which it is worked."""
    order = {"place", "version"}
    columns = [column for column in InterviewEntry.__table__.c if column.name not in order]
    return {row.id: tuple(map(_bare, row)) for row in house.all(select(*columns))}


def test_a_shadow_is_kept_apart_and_nobody_hears_its_word(
    house: House, people: list[Person], round_: ScreeningRound
) -> None:
    shadow = shelve(house, model_of(8), stage=ModelStage.SHADOW)

    score_round(house, round_)

    assert {(row.model_id, row.shadow) for row in live(house)} == {(shadow.id, True)}
    with house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        assert said_words.said_of(access, round_.id) == {}
        assert said_words.latest(access, [person.row.id for person in people]) == {}


def test_a_model_that_comes_out_of_its_shadow_says_everything_once_more(house: House, round_: ScreeningRound) -> None:
    model = shelve(house, stage=ModelStage.SHADOW)
    score_round(house, round_)
    with house.door.database.writing() as session:
        session.get_one(type(model), model.id).stage = ModelStage.ACTIVE

    score_round(house, round_)

    assert [row.shadow for row in live(house)] == [False] * 3
    assert len(scores(house)) == 6


def test_without_a_model_nothing_is_written_and_the_order_by_rules_is_told(
    house: House, round_: ScreeningRound
) -> None:
    score_round(house, round_)

    assert scores(house) == []
    [told] = house.log(act="round_scored")
    assert (told["object"], told["count"]) == (round_.id.hex, 0)


def test_a_score_names_its_model_its_rules_and_its_moment(house: House, round_: ScreeningRound) -> None:
    model = shelve(house)
    score_round(house, round_)

    for row in scores(house):
        assert (row.model_id, row.rules_version) == (model.id, model.rules_version)
        assert row.at <= row.scored_at


def test_the_log_counts_what_a_whole_round_was_opened_for_and_names_nobody(
    house: House, round_: ScreeningRound
) -> None:
    shelve(house)

    score_round(house, round_)

    opened = [row for row in house.log(act="risk_score") if "response_set.body" in row["fields"]]
    assert opened
    assert {tuple(row["subjects"]) for row in opened} == {()}


def test_equal_inputs_of_two_students_do_not_look_alike(house: House, people: list[Person], tmp_path: Path) -> None:
    bring_in(house, written(tmp_path, *(line(person, phq(9)) for person in people)))
    shelve(house)

    score_round(house, the_round(house))

    assert len({row.inputs for row in live(house)}) == len(people)


def test_nothing_of_a_score_can_be_read_in_the_database(sqlite_house: House, tmp_path: Path) -> None:
    sqlite_house.make.team()
    [person] = enrol(sqlite_house, 1)
    bring_in(sqlite_house, written(tmp_path, line(person, phq(19))))
    shelve(sqlite_house)

    score_round(sqlite_house, the_round(sqlite_house))

    raw = Path(sqlite_house.door.database.url.database or "").read_bytes()
    assert "PHQ-9 总分较高".encode() not in raw
    assert b"log_odds" not in raw


def test_an_older_look_never_overwrites_a_newer_one(
    house: House, people: list[Person], round_: ScreeningRound, tmp_path: Path
) -> None:
    shelve(house)
    with house.door.enter(WORKER, Permission.RISK_SCORE, writing=False) as access:
        slow = scoring.prepare_round(access, round_.id)
    bring_in(house, written(tmp_path, line(people[0], phq(17), gad(15)), name="again.csv"), replace=True)
    score_round(house, round_)

    with house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        scoring.write_round(access, slow)

    assert len(scores(house)) == 3
    with house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        assert said_words.said_of(access, round_.id)[people[0].row.id].band is not Band.USUAL


def test_a_model_that_was_retired_meanwhile_writes_nothing(house: House, round_: ScreeningRound) -> None:
    model = shelve(house)
    with house.door.enter(WORKER, Permission.RISK_SCORE, writing=False) as access:
        prepared = scoring.prepare_round(access, round_.id)
    with house.door.database.writing() as session:
        session.get_one(type(model), model.id).stage = ModelStage.RETIRED

    with house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        scoring.write_round(access, prepared)

    assert scores(house) == []


def test_a_model_that_calls_everybody_calm_takes_nothing_from_anybody(
    house: House, people: list[Person], round_: ScreeningRound, tmp_path: Path
) -> None:
    lulling = replace(model_of(), base=-60.0)
    bring_in(house, written(tmp_path, line(people[3], phq(16, ninth=2)), name="critical.csv"))
    before, ruled = everything(house), entries(house)
    shelve(house, lulling)

    house.work()

    with house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        assert {said.band for said in said_words.said_of(access, round_.id).values()} == {Band.USUAL}
    after = everything(house)
    assert ruled.items() <= entries(house).items()
    assert all(after[name] == before[name] for name in ("alert", "duty", "signal", "response_set", "retest"))
