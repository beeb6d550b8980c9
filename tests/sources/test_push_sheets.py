"""Answer sheets that are pushed one by one: taken once, kept sealed, put together into one delivery."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.screening.sources import source as sources
from app.security.policy import Permission
from models import moment
from models.screening import ResponseSet
from models.source import ArrivalState, Push, ScreeningSource
from tests.screening.files import phq
from tests.sources.delivering import Delivering
from tests.sources.pushing import ACCEPTED, JSON, REFUSED, REPEATED, Pushing


def sheet(number: str, answers: list[int], index: int) -> dict[str, Any]:
    questions = {f"q{place}": str(value) for place, value in enumerate(answers, start=1)}
    return {
        "activity": "5657754",
        "name": "新生问卷",
        "index": str(index),
        "timetaken": "528",
        "submittime": "2026-11-16 10:01:59",
        **questions,
        "joinid": str(100 + index),
        "totalvalue": "15",
        "sojumpparm": number,
    }


QUESTIONS = {
    "columns": {"student_number": "sojumpparm"},
    "complete": True,
    "scales": {"phq9": {"items": [f"q{place}" for place in range(1, 10)], "coding": "0-3"}},
}


@pytest.fixture
def surveyed(centre: Delivering) -> Pushing:
    """问卷星 with a questionnaire of nine questions, mapped."""
    pushing = Pushing(centre, mapped=False)
    with centre.head.under(Permission.SOURCE_MANAGE) as access:
        row = access.find(ScreeningSource, pushing.source.id)
        sources.remember(access, row, [QUESTIONS], confirmed_by=centre.head.id)
    return pushing


def test_single_sheets_are_put_together_into_one_delivery_after_a_while(centre: Delivering, surveyed: Pushing) -> None:
    for place, person in enumerate(centre.people[:3]):
        assert surveyed.survey(sheet(person.number, phq(place + 2), place)) == ACCEPTED
    centre.work()
    assert centre.arrivals() == []

    with moment.travel(moment.now() + timedelta(minutes=11)):
        centre.work()

    assert [(row.state, row.rows) for row in centre.arrivals()] == [(ArrivalState.COMMITTED, 3)]
    assert centre.house.count(ResponseSet) == 3
    assert centre.house.count(Push, Push.body.is_not(None)) == 0


def test_a_sheet_is_taken_once_whatever_it_says_the_second_time(centre: Delivering, surveyed: Pushing) -> None:
    person = centre.people[0]

    first = surveyed.survey(sheet(person.number, phq(2), 1))
    again, changed = surveyed.survey(sheet(person.number, phq(2), 1)), surveyed.survey(sheet(person.number, phq(20), 1))

    assert (first, again, changed) == (ACCEPTED, REPEATED, REPEATED)
    assert centre.house.count(Push) == 1


def test_a_forged_survey_is_refused(centre: Delivering, surveyed: Pushing) -> None:
    assert surveyed.survey(sheet(centre.people[0].number, phq(2), 1), key="guess") == REFUSED
    assert surveyed.send(b'{"activity": "1", "index": "2", "sign": ""}', kind=JSON, headers={}) == REFUSED
    assert centre.house.count(Push) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"[1]",
        b'{"q1": {"deep": 1}}',
        b'{"q1": ' + b"9" * 6000 + b"}",
        b"[" * 90_000,
        b'"\\ud800"',
        b"\xff\xfe",
        json.dumps({"q1": "x" * 5000}).encode(),
        json.dumps({f"q{place}": 1 for place in range(3000)}).encode(),
        b" " * 1_100_000 + b'{"q1": 1}',
    ],
)
def test_json_that_is_no_sheet_is_refused(centre: Delivering, body: bytes) -> None:
    pushing = Pushing(centre)

    assert pushing.send(body, kind=JSON) == REFUSED
    assert pushing.send(body, kind=JSON, headers={}) == REFUSED


def test_odd_signs_in_a_sheet_do_no_harm(centre: Delivering) -> None:
    pushing = Pushing(centre)
    odd = b'[{"sojumpparm": "\\ud800\\u0000=1+1", "\\ud801": true, "q1": 1e400, "q2": null}]'

    assert pushing.send(odd, kind=JSON) == ACCEPTED
    with moment.travel(moment.now() + timedelta(minutes=11)):
        centre.work()

    assert len(centre.arrivals()) == 1


def test_pushed_sheets_lie_sealed(centre: Delivering, surveyed: Pushing) -> None:
    surveyed.survey(sheet(centre.people[0].number, phq(2), 1))

    [row] = centre.house.all(select(Push.body))
    assert repr(row.body) == "<sealed>"
    assert centre.people[0].number.encode() not in row.body.ciphertext
