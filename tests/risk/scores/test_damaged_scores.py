"""Law 2: a score that does not open takes nothing from anybody, neither on a page nor in a job."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import update

from app.jobs.queue import MOST_ATTEMPTS
from app.risk.scores import rescoring, said
from app.security.actor import WORKER
from app.security.policy import Permission
from app.security.vault import Unreadable
from models.interview import InterviewEntry
from models.job import Job
from models.risk_model import RiskScore
from models.sealed import Sealed
from tests.house import House
from tests.risk.hints.listed import Listed, listed
from tests.risk.scores.trained import live, score_round, shelve
from tests.screening.files import bring_in, gad, line, written


@pytest.fixture
def held(sqlite_house: House, tmp_path: Path) -> Listed:
    """Twelve students on the list and scored; the score of the first is damaged."""
    held = listed(sqlite_house, tmp_path, [10, 12, 14] * 4)
    calm = [line(person, [""] * 9, gad(place % 4)) for place, person in enumerate(held.people)]
    bring_in(sqlite_house, written(tmp_path, *calm, name="second.csv"))
    shelve(sqlite_house)
    score_round(sqlite_house, held.round())
    damage(sqlite_house, held.people[0].row.id)
    return held


def damage(house: House, student_id: UUID) -> None:
    [row] = live(house, RiskScore.student_id == student_id)
    with house.session() as session:
        raw = bytearray(session.query(RiskScore.body).filter(RiskScore.id == row.id).scalar().ciphertext)
    raw[-1] ^= 1
    with house.door.database.writing() as session:
        session.execute(update(RiskScore).where(RiskScore.id == row.id).values(body=Sealed(bytes(raw))))


def test_the_list_and_the_entry_open_although_a_score_does_not(held: Listed) -> None:
    person, psychologist = held.people[0], held.staff.psychologist

    page = psychologist.get(f"/interviews?round={held.round().id}")

    assert page.status == 200
    assert page.links(f"/interviews/{held.entry(person).id}")
    entry = psychologist.get(f"/interviews/{held.entry(person).id}")
    assert entry.status == 200
    assert "PHQ-9" in entry


def test_the_objection_of_such_a_student_can_be_reviewed(held: Listed) -> None:
    held.staff.psychologist.post(f"/students/{held.people[0].row.id}/objection", text="不愿意")
    [address] = set(held.staff.head.get("/objections").links(r"/objections/[0-9a-f-]{36}"))

    assert held.staff.head.get(address).status == 200


def test_the_others_are_ordered_and_he_stands_by_the_rules(held: Listed) -> None:
    with held.house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        spoken = said.said_of(access, held.round().id)

    score_round(held.house, held.round())

    assert set(spoken) == {person.row.id for person in held.people[1:]}
    assert len(held.entries(InterviewEntry.place.is_not(None))) == len(held.people)


def test_what_opens_keeps_its_order_and_only_what_is_damaged_is_missing() -> None:
    def opened(some: Sequence[int]) -> list[str | None]:
        if {3, 9} & set(some):
            raise Unreadable("risk_score.body")
        return [str(row) for row in some]

    found = said.readable(opened, range(12))

    assert found == [None if row in {3, 9} else str(row) for row in range(12)]


def test_when_scoring_fails_for_good_the_rules_order_and_the_page_says_so(held: Listed) -> None:
    with held.house.door.database.writing() as session:
        rescoring.ask(session, held.round().id)
    with held.house.door.database.writing() as session:
        session.execute(update(Job).where(Job.kind == rescoring.SCORE).values(attempts=MOST_ATTEMPTS))
    assert held.order() != _by_the_rules(held)

    held.house.work()

    assert held.order() == _by_the_rules(held)
    assert "模型提示这一次没有算成" in held.staff.psychologist.get(f"/interviews?round={held.round().id}")


def _by_the_rules(held: Listed) -> list[UUID]:
    """Students in the order of the rules alone: the heavier reasons first."""
    return [entry.student_id for entry in sorted(held.entries(), key=lambda entry: (-entry.weight, entry.id))]
