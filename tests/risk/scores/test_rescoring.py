"""When scores are made anew: after facts arrive, are corrected or objected to, and by night; one job serves a burst."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.jobs.queue import MOST_ATTEMPTS
from app.risk.scores import rescoring, scoring
from app.risk.scores import said as said_words
from app.security.actor import WORKER
from app.security.policy import Permission
from models.base import new_id
from models.identity import Role
from models.interview import InterviewEntry
from models.job import Job, JobStage
from models.moment import now, travel
from models.risk_model import ModelObjection, ObjectionStage, RiskScore
from models.screening import ResponseSet, RoundStage, ScreeningRound
from tests.house import Client, House
from tests.risk.people import talk
from tests.risk.scores.trained import live, score_round, scores, shelve, the_round
from tests.screening.corrections import roll_back
from tests.screening.files import Person, bring_in, deliveries, enrol, gad, line, phq, written
from tests.screening.test_reattribution import give


@pytest.fixture
def head(house: House) -> Client:
    return house.make.team()[0]


@pytest.fixture
def people(house: House, head: Client, tmp_path: Path) -> list[Person]:
    """Three with results, under a model, scored."""
    found = enrol(house, 3)
    shelve(house)
    bring_in(house, written(tmp_path, line(found[0]), line(found[1], phq(9)), line(found[2], phq(18), gad(15))))
    house.work()
    return found


def of(house: House, person: Person) -> list[RiskScore]:
    return scores(house, RiskScore.student_id == person.row.id)


def waiting(house: House) -> list[Job]:
    query = select(Job).where(Job.kind == rescoring.SCORE, Job.stage == JobStage.WAITING)
    return [row for (row,) in house.all(query)]


def test_results_that_come_in_are_scored_by_the_worker(house: House, people: list[Person]) -> None:
    assert {row.student_id for row in live(house)} == {person.row.id for person in people}


def test_many_deliveries_make_one_job(house: House, people: list[Person], tmp_path: Path) -> None:
    for number, person in enumerate(enrol(house, 3)):
        bring_in(house, written(tmp_path, line(person), name=f"{number}.csv"))

    assert len(waiting(house)) == 1
    house.work()
    assert len(live(house)) == 6


def test_what_rested_on_a_delivery_that_is_rolled_back_ends_and_is_kept(
    house: House, head: Client, people: list[Person]
) -> None:
    roll_back(head, deliveries(house)[0])
    house.work()

    assert live(house) == []
    assert len(scores(house)) == 3


def test_answers_given_to_another_student_take_the_score_with_them(
    house: House, head: Client, people: list[Person]
) -> None:
    [right] = enrol(house, 1)

    give(head, people[2], right)
    house.work()

    assert [row.superseded_at is None for row in of(house, people[2])] == [False]
    assert [row.superseded_at is None for row in of(house, right)] == [True]


def test_a_talk_is_heard_of_after_a_while(house: House, people: list[Person]) -> None:
    advisor = house.make.person(Role.ADVISOR, classes=[_group(house, people[0])])
    before = of(house, people[0])

    assert talk(advisor, f"/students/{people[0].row.id}").status == 200

    [job] = waiting(house)
    assert job.run_at > now()
    with travel(now() + timedelta(minutes=2)):
        house.work()
    assert len(of(house, people[0])) == len(before) + 1
    assert len(of(house, people[1])) == 1


def test_whoever_objected_with_success_has_no_live_score(house: House, people: list[Person]) -> None:
    _objection(house, people[2], ObjectionStage.UPHELD)
    with house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        at_once = said_words.said_of(access, the_round(house).id)

    score_round(house, the_round(house))

    assert set(at_once) == {people[0].row.id, people[1].row.id}
    assert {row.student_id for row in live(house)} == set(at_once)
    assert len(of(house, people[2])) == 1


def test_an_objection_that_was_upheld_while_scoring_holds_at_once(house: House, people: list[Person]) -> None:
    with house.door.enter(WORKER, Permission.RISK_SCORE, writing=False) as access:
        prepared = scoring.prepare_round(access, the_round(house).id)
    _objection(house, people[2], ObjectionStage.UPHELD)

    with house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        scoring.write_round(access, prepared)

    assert people[2].row.id not in {row.student_id for row in live(house)}


def test_an_objection_under_review_ends_no_score(house: House, people: list[Person]) -> None:
    _objection(house, people[2], ObjectionStage.OPEN)

    score_round(house, the_round(house))

    assert len(live(house)) == 3


def test_a_round_that_is_over_is_not_scored_again_but_loses_what_has_no_ground(
    house: House, head: Client, people: list[Person]
) -> None:
    _close(house)
    with house.door.database.writing() as session:
        sheets = session.scalars(select(ResponseSet).where(ResponseSet.student_id == people[0].row.id)).all()
        for sheet in sheets:
            sheet.voided_at = now()

    score_round(house, the_round(house))

    assert {row.student_id for row in live(house)} == {people[1].row.id, people[2].row.id}
    assert len(scores(house)) == 3


def test_a_closed_round_is_scored_while_talks_are_open(house: House, people: list[Person], tmp_path: Path) -> None:
    [listed] = enrol(house, 1)
    bring_in(house, written(tmp_path, line(listed, phq(12)), name="list.csv"))
    _close(house)

    house.work()

    assert len(live(house)) == 4


def test_every_night_rounds_are_scored_again_and_nothing_changes_by_itself(house: House, people: list[Person]) -> None:
    with travel(now() + timedelta(days=1)):
        house.work()

    done = [row for row in house.all(select(Job.kind)) if row.kind == rescoring.NIGHTLY]
    assert len(done) == 2
    assert [row["count"] for row in house.log(act="round_scored")] == [3, 0]
    assert len(scores(house)) == 3


def test_when_scoring_fails_for_good_the_order_by_rules_is_laid_all_the_same(
    house: House, people: list[Person], tmp_path: Path
) -> None:
    [listed] = enrol(house, 1)
    bring_in(house, written(tmp_path, line(listed, phq(12)), name="list.csv"))
    [job] = waiting(house)
    with house.door.database.writing() as session:
        session.get_one(Job, job.id).attempts = MOST_ATTEMPTS

    house.work()

    assert house.again(job).stage is JobStage.FAILED
    assert house.log(act="round_scored")[-1]["count"] == 0
    entries = [row for (row,) in house.all(select(InterviewEntry).order_by(InterviewEntry.place))]
    assert [entry.place for entry in entries] == [1, 2]
    assert entries[1].student_id == listed.row.id
    assert entries[0].weight > entries[1].weight


def test_a_job_that_is_asked_for_sooner_runs_sooner(house: House, people: list[Person]) -> None:
    round_id = the_round(house).id
    with house.door.database.writing() as session:
        rescoring.ask(session, round_id, wait=timedelta(hours=1))
        rescoring.ask(session, round_id)
        rescoring.ask(session, round_id, wait=timedelta(hours=2))

    [job] = waiting(house)
    assert job.run_at <= now()


def test_facts_that_are_rolled_back_with_their_transaction_ask_for_nothing(house: House, people: list[Person]) -> None:
    with pytest.raises(ZeroDivisionError), house.door.database.writing() as session:
        rescoring.ask(session, the_round(house).id)
        _ = 1 / 0

    assert waiting(house) == []


def _group(house: House, person: Person):  # type: ignore[no-untyped-def]
    from models.identity import ClassGroup  # noqa: PLC0415

    [(group,)] = house.all(select(ClassGroup).where(ClassGroup.id == person.row.class_id))
    return group


def _close(house: House) -> None:
    with house.door.database.writing() as session:
        session.get_one(ScreeningRound, the_round(house).id).stage = RoundStage.CLOSED


def _objection(house: House, person: Person, stage: ObjectionStage) -> None:
    with house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        row = ModelObjection(
            id=new_id(),
            student_id=person.row.id,
            stage=stage,
            owner_id=the_round(house).owner_id,
            due_at=now() + timedelta(days=15),
            raised_at=now(),
            raised_by=the_round(house).owner_id,
        )
        access.seal(row, ModelObjection.body, "不希望由模型判断")
        access.session.add(row)
