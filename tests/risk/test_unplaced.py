"""Critical answers without a student: somebody must find out whose they are, and then they raise."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from models.identity import Role
from models.risk import Alert, Duty, Level, Signal
from models.screening import UnplacedAnswer
from tests.house import House
from tests.risk.people import Staffed, staffed, told
from tests.screening.files import Person, bring_in, enrol, gad, line, phq, written

LINE = ["26990001", "陌路人", *phq(6, 3), *gad(0)]


@pytest.fixture
def people(sqlite_house: House) -> Staffed:
    return staffed(sqlite_house)


@pytest.fixture
def person(sqlite_house: House, people: Staffed) -> Person:
    return enrol(sqlite_house, 1, people.group)[0]


@pytest.fixture
def answer(sqlite_house: House, person: Person, tmp_path: Path) -> UnplacedAnswer:
    """A sheet with item 9 at 3 under a number that nobody bears."""
    bring_in(sqlite_house, written(tmp_path, LINE))
    [(row,)] = sqlite_house.all(select(UnplacedAnswer))
    return row


def test_it_stands_open_with_an_owner_and_a_time_and_the_owner_is_told(
    sqlite_house: House, people: Staffed, answer: UnplacedAnswer
) -> None:
    assert (answer.stage, answer.owner_id) == ("open", people.head.id)
    assert answer.due_at > answer.raised_at
    assert told(sqlite_house, "identify") == {people.head.id}
    assert sqlite_house.count(Alert) == 0


def test_its_name_number_and_answers_stand_nowhere_in_the_database(sqlite_house: House, answer: UnplacedAnswer) -> None:
    folder = Path(sqlite_house.door.database.url.database or "").parent
    stored = b"".join(path.read_bytes() for path in folder.glob("xinyu.db*"))

    for words in ("陌路人", "26990001"):
        assert words.encode() not in stored


def test_naming_the_student_asks_once_more_before_anything_happens(
    sqlite_house: House, people: Staffed, person: Person, answer: UnplacedAnswer
) -> None:
    page = people.head.post(f"/unplaced/{answer.id}", number=person.number, version="1")

    assert page.status == 200
    assert str(person.row.id) in page.html
    assert sqlite_house.again(answer).stage == "open"
    assert sqlite_house.count(Alert) == 0


def test_confirmed_it_raises_what_it_should_have_raised(
    sqlite_house: House, people: Staffed, person: Person, answer: UnplacedAnswer
) -> None:
    people.head.post(f"/unplaced/{answer.id}", number=person.number, version="1", confirmed=str(person.row.id))

    [(raised,)] = sqlite_house.all(select(Alert))
    placed = sqlite_house.again(answer)
    assert (raised.student_id, raised.level) == (person.row.id, Level.ORANGE)
    assert (placed.stage, placed.student_id) == ("placed", person.row.id)
    assert sqlite_house.make.duties(raised)["contact"].owner_id == people.advisor.id
    assert sqlite_house.count(Signal, Signal.source_kind == "unplaced_answer") == sqlite_house.count(Signal)


def test_a_confirmation_of_somebody_else_raises_nothing(
    sqlite_house: House, people: Staffed, person: Person, answer: UnplacedAnswer
) -> None:
    page = people.head.post(
        f"/unplaced/{answer.id}", number=person.number, version="1", confirmed=str(people.student.id)
    )

    assert page.status == 200
    assert sqlite_house.count(Alert) == 0
    assert sqlite_house.again(answer).stage == "open"


def test_a_number_nobody_bears_is_refused_in_words(
    sqlite_house: House, people: Staffed, answer: UnplacedAnswer
) -> None:
    page = people.head.post(f"/unplaced/{answer.id}", number="000000", version="1")

    assert page.status == 422
    assert "名册里没有这个号码" in page
    assert sqlite_house.again(answer).version == 1


def test_placing_it_twice_raises_once(
    sqlite_house: House, people: Staffed, person: Person, answer: UnplacedAnswer
) -> None:
    said = {"number": person.number, "confirmed": str(person.row.id)}
    people.head.post(f"/unplaced/{answer.id}", version="1", **said)

    page = people.head.post(f"/unplaced/{answer.id}", version=str(sqlite_house.again(answer).version), **said)

    assert page.status == 422
    assert sqlite_house.count(Signal) == 1
    assert sqlite_house.count(Duty) == 2


@pytest.mark.parametrize("basis", ["", "测试", "字" * 501])
def test_nobody_dismisses_it_without_saying_why(
    sqlite_house: House, people: Staffed, answer: UnplacedAnswer, basis: str
) -> None:
    page = people.head.post(f"/unplaced/{answer.id}/dismiss", basis=basis, version="1")

    assert page.status == 422
    assert sqlite_house.again(answer).stage == "open"


def test_dismissed_with_a_reason_it_raises_nothing_and_stays_on_record(
    sqlite_house: House, people: Staffed, answer: UnplacedAnswer, tmp_path: Path
) -> None:
    people.head.post(f"/unplaced/{answer.id}/dismiss", basis="外校测试数据，已与平台核对", version="1")
    bring_in(sqlite_house, written(tmp_path, LINE))

    assert sqlite_house.again(answer).stage == "dismissed"
    assert sqlite_house.count(UnplacedAnswer) == 1
    assert sqlite_house.count(Alert) == 0
    assert len(sqlite_house.log(act="answer_dismissed")) == 1


def test_the_known_student_beside_it_is_raised_all_the_same(
    sqlite_house: House, people: Staffed, person: Person, tmp_path: Path
) -> None:
    bring_in(sqlite_house, written(tmp_path, LINE, line(person, phq(3, 1))))

    assert sqlite_house.count(Alert) == 1
    assert sqlite_house.count(UnplacedAnswer) == 1


@pytest.mark.parametrize("role", [Role.ADVISOR, Role.REGISTRAR])
def test_it_is_the_business_of_centre_and_student_affairs_only(
    sqlite_house: House, answer: UnplacedAnswer, role: Role
) -> None:
    outsider = sqlite_house.make.person(role)

    for path in ("/unplaced", f"/unplaced/{answer.id}", f"/unplaced/{uuid4()}"):
        assert outsider.get(path).status == 403
