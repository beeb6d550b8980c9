"""Whose a critical answer may be: offered with reasons, masked, and a person says so in two steps."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from models.risk import Alert
from models.screening import UnplacedAnswer
from tests.house import House
from tests.risk.people import Staffed, staffed
from tests.screening.files import Person, bring_in, enrol, gad, phq, written


@pytest.fixture
def people(house: House) -> Staffed:
    return staffed(house)


@pytest.fixture
def person(house: House, people: Staffed) -> Person:
    return enrol(house, 1, people.group)[0]


def unplaced(house: House, folder: Path, number: str, name: str) -> UnplacedAnswer:
    """A sheet with item 9 at 3 under this number and name."""
    bring_in(house, written(folder, [number, name, *phq(6, 3), *gad(0)]))
    [(row,)] = house.all(select(UnplacedAnswer))
    return row  # type: ignore[no-any-return]


def test_whoever_bears_the_name_is_offered_masked_with_the_reason(
    house: House, people: Staffed, person: Person, tmp_path: Path
) -> None:
    answer = unplaced(house, tmp_path, "99990001", person.name)

    page = people.head.get(f"/unplaced/{answer.id}")

    assert "姓名相同" in page
    assert f'value="{person.row.id.hex}"' in page.html
    assert page.html.count(person.name) == 1
    assert person.number not in page.html


def test_a_mistyped_number_of_the_same_person_is_said_to_be_near(
    house: House, people: Staffed, person: Person, tmp_path: Path
) -> None:
    answer = unplaced(house, tmp_path, person.number[:-1] + "x", person.name)

    assert "姓名相同" in people.head.get(f"/unplaced/{answer.id}")


def test_picking_one_shows_who_he_is_before_anything_happens(
    house: House, people: Staffed, person: Person, tmp_path: Path
) -> None:
    answer = unplaced(house, tmp_path, "99990001", person.name)

    page = people.head.post(f"/unplaced/{answer.id}", chosen=person.row.id.hex, version="1")

    assert "选中的学生是" in page
    assert house.count(Alert) == 0
    assert house.again(answer).stage == "open"


def test_confirmed_the_alert_is_raised_for_whoever_was_picked(
    house: House, people: Staffed, person: Person, tmp_path: Path
) -> None:
    answer = unplaced(house, tmp_path, "99990001", person.name)

    people.head.post(f"/unplaced/{answer.id}", chosen=person.row.id.hex, confirmed=str(person.row.id), version="1")

    [(raised,)] = house.all(select(Alert))
    assert raised.student_id == person.row.id
    assert house.again(answer).student_id == person.row.id


def test_somebody_who_was_not_offered_cannot_be_picked(
    house: House, people: Staffed, person: Person, tmp_path: Path
) -> None:
    answer = unplaced(house, tmp_path, "99990001", person.name)

    for picked in (people.student.id.hex, "00" * 16, "x"):
        page = people.head.post(f"/unplaced/{answer.id}", chosen=picked, confirmed=str(people.student.id), version="1")
        assert page.status == 422

    assert house.count(Alert) == 0


def test_neither_a_number_nor_a_choice_is_refused_in_words(
    house: House, people: Staffed, person: Person, tmp_path: Path
) -> None:
    answer = unplaced(house, tmp_path, "99990001", person.name)

    page = people.head.post(f"/unplaced/{answer.id}", number=" ", version="1")

    assert page.status == 422
    assert "从可能的学生中选一位" in page
