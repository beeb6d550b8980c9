"""Single sources: what a sheet, a tag, an alert, a re-test says, and what it must not be taken to say."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from app.cases import triage
from app.risk.gathering.cohort import cohorts
from app.risk.gathering.facts import moments
from app.security.policy import Permission, Purpose
from app.students import tags
from models.identity import ClassGroup, College
from models.moment import now, travel
from models.risk import Alert
from models.student import FormerStatus, Student
from tests.house import House
from tests.risk.gathering.known import AUTUMN, college, gathered, value, wave
from tests.risk.times import again, at
from tests.screening.files import Person, bring_in, line, phq, written

SCL90 = ["学号", "姓名", *(f"SCL{item}" for item in range(1, 91))]


def test_a_flagged_answer_counts_and_several_flags_of_one_item_are_one(house: House, tmp_path: Path) -> None:
    _, people = college(house, 2)
    wave(house, tmp_path, AUTUMN, line(people[0], phq(9, 3)), line(people[1], phq(9)))

    assert gathered(house, people).column("red_flags").tolist() == [1, 0]


def test_doubtful_answers_give_no_total_and_are_never_taken_for_low(house: House, tmp_path: Path) -> None:
    _, people = college(house, 2)
    lines = [[people[0].number, people[0].name, *[3] * 90], [people[1].number, people[1].name, *[1, 2, 3] * 30]]
    bring_in(house, written(tmp_path, *lines, header=SCL90), round_name=AUTUMN, scales=("scl90",))

    table = gathered(house, people)

    assert table.column("doubtful").tolist() == [1, 0]
    assert np.isnan(table.column("scl90_total")[0])
    assert np.isnan(table.column("scl90_highest")[0])
    assert table.column("red_flags")[0] > 0
    assert table.column("scl90_total")[1] == 180
    assert table.column("scl90_highest")[1] == 2.5


def test_a_tag_counts_from_the_next_day_until_the_day_after_it_ended(house: House) -> None:
    _, [person] = college(house, 1)
    with travel(at("2026-05-04", "15:00")):
        _tag(house, person.row.id, given=True)
    with travel(at("2026-09-01", "15:00")):
        _tag(house, person.row.id, given=False)
    moments_asked = [at("2026-05-04", "18:00"), at("2026-05-05"), at("2026-09-01", "18:00"), at("2026-09-02")]

    table = gathered(house, [person] * 4, moments_asked, domains=frozenset({"registry"}))

    assert table.column("internship").tolist() == [0, 1, 1, 0]
    assert "internship" not in gathered(house, [person], domains=frozenset()).keys


def _tag(house: House, student_id: object, *, given: bool) -> None:
    pairs = [(student_id, "internship")]
    with house.console(Permission.ROSTER_IMPORT, Purpose.ADMINISTRATION) as access:
        tags.write(access, pairs if given else [], [] if given else pairs)  # type: ignore[arg-type]


def _status(house: House, person: Person, word: str, when: str) -> None:
    """A roster gives another status."""
    with house.session() as session:
        group = session.get_one(ClassGroup, person.row.class_id)
        college_name = session.get_one(College, group.college_id).name
    with travel(at(when)):
        row = [person.number, person.name, college_name, group.name, word]
        house.make.roster(["学号", "姓名", "学院", "班级", "学籍状态"], [row])


def test_leave_return_and_internship_are_known_from_when_the_roster_said_so(house: House) -> None:
    _, [person] = college(house, 1)
    _status(house, person, "休学", "2026-04-01")
    _status(house, person, "在校", "2026-06-01")
    _status(house, person, "校外实习", "2026-09-01")
    _status(house, person, "在校", "2026-10-01")
    days = ["2026-03-20", "2026-04-20", "2026-06-20", "2026-09-20", "2026-10-20"]

    table = gathered(house, [person] * 5, [at(day) for day in days], domains=frozenset({"registry"}))

    assert table.column("returned").tolist() == [0, 0, 1, 1, 1]
    assert table.column("internship").tolist() == [0, 0, 0, 1, 0]
    assert house.count(FormerStatus) == 4


def test_a_status_whose_beginning_nobody_kept_is_not_used(house: House) -> None:
    _, [person] = college(house, 1)
    with house.door.database.writing() as session:
        student = session.get_one(Student, person.row.id)
        student.status, student.status_since = "internship", None

    assert value(gathered(house, [person], domains=frozenset({"registry"})), "internship") == 0


def test_a_disproved_alert_no_longer_counts_and_counts_in_nobodys_favour(house: House) -> None:
    head, [person] = college(house, 1)
    row = house.make.alert(person.row, rule="report.urgent")
    then = now()
    with travel(then + timedelta(hours=3)), again(head).under(Permission.ALERT_TRIAGE) as access:
        triage.disprove(access, access.find(Alert, row.id), basis="已当面核实")

    table = gathered(house, [person] * 2, [then + timedelta(hours=1), then + timedelta(hours=4)])

    assert table.column("alert_level")[0] == 3
    assert np.isnan(table.column("alert_level")[1])


def test_a_value_knows_when_it_became_known(house: House, tmp_path: Path) -> None:
    _, [person] = college(house, 1)
    wave(house, tmp_path, AUTUMN, line(person, phq(4)), when=now() - timedelta(hours=5))

    table = gathered(house, [person])

    column = table.keys.index("phq9_total")
    assert table.known_at[0, column] <= table.at[0] - np.timedelta64(4, "h")
    again_later = gathered(house, [person], now() + timedelta(hours=6))
    assert again_later.digests() == table.digests()


def test_the_same_facts_give_the_same_inputs_a_night_later_and_a_new_fact_others(house: House, tmp_path: Path) -> None:
    _, [person] = college(house, 1)
    wave(house, tmp_path, AUTUMN, line(person, phq(4)))
    tonight = gathered(house, [person]).digests()

    tomorrow = gathered(house, [person], now() + timedelta(days=1)).digests()
    house.make.alert(person.row)
    after = gathered(house, [person], now() + timedelta(days=1)).digests()

    assert tonight == tomorrow
    assert after != tomorrow


@pytest.mark.parametrize(
    ("grade", "when", "expected"),
    [
        ("2026", "2026-11-16T00:00", "1"),
        ("2026级", "2026-11-16T00:00", "1"),
        ("2026级", "2027-05-01T00:00", "1"),
        ("2024", "2026-08-31T00:00", "2"),
        ("2024", "2026-09-01T00:00", "3"),
        ("大一", "2026-11-16T00:00", "大一"),
        ("2027", "2026-11-16T00:00", ""),
        ("2001", "2026-11-16T00:00", ""),
        ("", "2026-11-16T00:00", ""),
    ],
)
def test_the_cohort_is_the_year_of_study_at_that_moment(grade: str, when: str, expected: str) -> None:
    assert cohorts(np.array([grade]), moments([when])).tolist() == [expected]


def test_the_cohort_comes_from_the_class(house: House) -> None:
    _, [person] = college(house, 1)
    with house.door.database.writing() as session:
        session.get_one(ClassGroup, person.row.class_id).grade = "2025级"

    assert gathered(house, [person]).cohorts.tolist() == ["2"]
    assert value(gathered(house, [person]), "listed_before") == 0
