"""重新计分: on request only; earlier scores are void, not edited; attention that a new score no longer gives stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.cli import rescore as command
from app.screening.scales import scale
from models.correction import Correction
from models.interview import InterviewEntry
from models.refusal import Refusal
from models.risk import Alert, Level, Signal
from models.screening import ResponseSet
from tests.house import Client, House
from tests.risk.people import told
from tests.screening.corrections import attention_of, holding, last_delivery, roll_back
from tests.screening.files import ROUND, Person, bring_in, enrol, line, phq, written


@contextmanager
def another_version(version: str = "2027.1", **changed: Any) -> Iterator[None]:
    """PHQ-9 in another version of its file."""
    held = scale.all_scales()
    before = held["phq9"]
    held["phq9"] = replace(before, version=version, **changed)
    try:
        yield
    finally:
        held["phq9"] = before


@pytest.fixture
def scored(house: House, tmp_path: Path) -> tuple[House, list[Person], Client]:
    """A calm student, one for the list, one with an alert by item 9, one by a high total; the head of the centre."""
    head, _, _ = house.make.team()
    people = enrol(house, 4)
    sheets = (phq(2), phq(12), phq(3, 1), phq(21))
    bring_in(house, written(tmp_path, *(line(person, found) for person, found in zip(people, sheets, strict=True))))
    return house, people, head


def test_nothing_is_scored_anew_while_versions_are_those_in_force(scored: Any) -> None:
    house, *_ = scored
    before = holding(house)

    assert command.rescore_all(house.door) == []
    assert holding(house) == before


def test_a_dry_run_tells_the_difference_without_names_and_writes_nothing(scored: Any) -> None:
    house, people, _ = scored
    before = holding(house)
    bands = scale.all_scales()["phq9"].bands
    milder = (bands[0], replace(bands[1], start=2), *bands[2:])

    with another_version(bands=milder):
        [difference] = command.rescore_all(house.door, dry_run=True)

    assert holding(house) == before
    found = difference.as_table()
    assert (found["round"], found["scale"], found["sheets"], found["unchanged"]) == (ROUND, "phq9", 4, 2)
    assert {(item["to"], item["sheets"]) for item in found["bands"]} == {(milder[1].label, 2)}
    assert found["from"] == {"2026.11 / 1": 4}
    assert not any(person.number in json.dumps(found) or person.name in json.dumps(found) for person in people)


def test_earlier_scores_are_void_and_everything_else_follows(scored: Any) -> None:
    house, people, _ = scored
    before = attention_of(house, people)
    signals = house.count(Signal, Signal.voided_at.is_(None))

    with another_version():
        [difference] = command.rescore_all(house.door)

    assert difference.unchanged == 4
    assert attention_of(house, people) == before
    assert house.count(ResponseSet, ResponseSet.voided_at.is_not(None)) == 4
    query = select(ResponseSet.scale_version).where(ResponseSet.scale == "phq9", ResponseSet.voided_at.is_(None))
    new = house.all(query)
    assert [row.scale_version for row in new] == ["2027.1"] * 4
    assert house.count(Signal, Signal.voided_at.is_(None)) == signals
    live = {row.id for row in house.all(select(ResponseSet.id).where(ResponseSet.voided_at.is_(None)))}
    assert {row.source_id for row in house.all(select(Signal.source_id))} <= live
    assert house.count(Correction) == 1
    assert told(house, "reason_added") == set()


def test_a_second_run_finds_nothing_left(scored: Any) -> None:
    house, *_ = scored
    with another_version():
        command.rescore_all(house.door)
        before = holding(house)

        assert command.rescore_all(house.door) == []

    assert holding(house) == before


def test_an_alert_that_the_new_score_no_longer_gives_stays_and_a_person_decides(scored: Any) -> None:
    house, people, _ = scored
    high = people[3]
    halved = replace(scale.all_scales()["phq9"].total, multiplier=0.5)

    with another_version(total=halved):
        [difference] = command.rescore_all(house.door)

    [(alert,)] = house.all(select(Alert).where(Alert.student_id == high.row.id))
    assert difference.critical_gone == 1
    assert (alert.ended_at, alert.level, alert.reasons_void) == (None, Level.ORANGE, True)
    assert told(house, "reasons_void") == {alert.owner_id}


def test_an_entry_of_the_list_that_nobody_works_on_goes_with_its_ground(scored: Any) -> None:
    house, people, _ = scored
    halved = replace(scale.all_scales()["phq9"].total, multiplier=0.5)

    with another_version(total=halved):
        command.rescore_all(house.door)

    assert attention_of(house, [people[1]])["listed"] == []


def test_what_a_new_version_finds_is_raised_and_listed(scored: Any) -> None:
    house, people, _ = scored
    doubled = replace(scale.all_scales()["phq9"].total, multiplier=2)

    with another_version(total=doubled):
        [difference] = command.rescore_all(house.door)

    found = attention_of(house, people)
    assert difference.critical_new == 1
    assert found["alerts"] == [(1, Level.ORANGE), (2, Level.YELLOW), (3, Level.ORANGE)]
    assert house.count(InterviewEntry, InterviewEntry.student_id == people[2].row.id) == 0


def test_a_sheet_scored_anew_goes_with_its_file(scored: Any) -> None:
    house, people, head = scored
    with another_version():
        command.rescore_all(house.door)

    roll_back(head, last_delivery(house))

    assert not any(attention_of(house, people).values())


def test_an_unknown_scale_or_round_is_refused(scored: Any) -> None:
    house, *_ = scored

    with pytest.raises(Refusal, match="不认识的量表 xyz；可用："):
        command.rescore_all(house.door, scale="xyz")
    with pytest.raises(Refusal, match="没有叫“去年”的批次"):
        command.rescore_all(house.door, round_name="去年")
