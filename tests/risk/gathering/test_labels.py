"""What the model learns from: ended interviews as of their listing, weighted by the chance of having been asked."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update

from app.risk.gathering import labels
from app.risk.gathering.labels import Labelled
from app.security.actor import WORKER
from app.security.policy import Permission
from models.interview import EntryOrigin, InterviewEntry, InterviewStage
from models.moment import now, travel
from models.screening import ResponseSet
from tests.house import Client, House
from tests.risk.gathering.known import AUTUMN, college, entry_of, gathered, talked, wave
from tests.screening.files import Person, gad, line, phq

HOUR = timedelta(hours=1)


def learned(house: House, until: object = None) -> Labelled:
    with house.door.enter(WORKER, Permission.RISK_SCORE, writing=False) as access:
        return labels.labelled(access, until=until or now())  # type: ignore[arg-type]


def listed(house: House, folder: Path, count: int, **more: int) -> tuple[Client, list[Person]]:
    """People whom the rules have put on the list of this round, one a little further up than the one before."""
    head, people = college(house, count)
    lines = [line(person, phq(10 + place), gad(2)) for place, person in enumerate(people)]
    wave(house, folder, AUTUMN, *lines)
    return head, people


def _drawn(house: House, person: Person, share: float) -> None:
    """The entry is one drawn by lot."""
    with house.door.database.writing() as session:
        session.execute(
            update(InterviewEntry)
            .where(InterviewEntry.student_id == person.row.id)
            .values(origin=EntryOrigin.AUDIT, share=share, weight=0)
        )


def test_the_sheets_that_listed_somebody_were_known_when_he_was_listed(house: House, tmp_path: Path) -> None:
    head, people = listed(house, tmp_path, 3)
    for person in people:
        talked(house, head, person, "B")
    found = learned(house)

    recorded = dict(house.all(select(ResponseSet.student_id, ResponseSet.recorded_at)))
    assert [recorded[student] <= at for student, at in zip(found.students, found.at, strict=True)] == [True] * 3
    table = gathered(house, people, [found.at[found.students.index(person.row.id)] for person in people])
    assert table.column("phq9_total").tolist() == [10, 11, 12]


def test_a_and_b_needed_the_talk_and_c_did_not(house: House, tmp_path: Path) -> None:
    head, people = listed(house, tmp_path, 3)
    for person, result in zip(people, "ABC", strict=True):
        talked(house, head, person, result)

    found = learned(house)

    by_student = dict(zip(found.students, found.labels.tolist(), strict=True))
    assert [by_student[person.row.id] for person in people] == [1, 1, 0]
    assert found.weights.tolist() == [1, 1, 1]
    assert set(found.origins) == {"rules"}
    rules = dict(zip(found.students, found.rules.tolist(), strict=True))
    assert [rules[person.row.id] for person in people] == [1, 2, 3]
    assert len(set(found.rounds)) == 1


def test_who_was_not_reached_or_declined_is_counted_and_not_learned_from(house: House, tmp_path: Path) -> None:
    head, people = listed(house, tmp_path, 4)
    talked(house, head, people[0], None, InterviewStage.NOT_REACHED)
    talked(house, head, people[1], None, InterviewStage.DECLINED)
    talked(house, head, people[2], "C")

    found = learned(house)

    assert found.students == [people[2].row.id]
    assert {name: count for name, count in found.counts.items() if count} == {
        "not_reached": 1,
        "declined": 1,
        "done": 1,
        "open": 1,
    }


def test_an_entry_that_is_void_is_nothing(house: House, tmp_path: Path) -> None:
    _, [person] = listed(house, tmp_path, 1)
    wave(house, tmp_path, AUTUMN, line(person, phq(2)), replace=True)

    assert not {name for name, count in learned(house).counts.items() if count}


def test_who_was_drawn_by_lot_stands_for_all_whom_the_lot_passed_over(house: House, tmp_path: Path) -> None:
    head, people = listed(house, tmp_path, 2)
    _drawn(house, people[0], 0.02)
    for person in people:
        talked(house, head, person, "C")

    found = learned(house)

    drawn, by_rules = (found.students.index(person.row.id) for person in people)
    assert found.weights[drawn] == pytest.approx(50)
    assert found.weights[by_rules] == 1
    assert (found.rules[drawn], found.rules[by_rules]) == (0, 2)
    assert sorted(found.origins) == ["audit", "rules"]


def test_an_outcome_written_later_is_not_learned_from_yet(house: House, tmp_path: Path) -> None:
    head, [person] = listed(house, tmp_path, 1)
    then = now()
    with travel(then + HOUR):
        talked(house, head, person, "A")

    assert learned(house, until=then).counts["open"] == 1
    assert len(learned(house, until=then).labels) == 0
    assert len(learned(house, until=then + 2 * HOUR).labels) == 1


def test_the_days_until_it_showed_run_from_the_listing_to_the_talk_or_an_alert_before(
    house: House, tmp_path: Path
) -> None:
    head, people = listed(house, tmp_path, 3)
    with travel(now() + timedelta(days=2)):
        house.make.alert(people[1].row)
    with travel(now() + timedelta(days=4)):
        for person, result in zip(people, "BAC", strict=True):
            talked(house, head, person, result)

    found = learned(house, until=now() + timedelta(days=5))

    days = dict(zip(found.students, found.event_days.tolist(), strict=True))
    assert days[people[0].row.id] == pytest.approx(4, abs=0.01)
    assert days[people[1].row.id] == pytest.approx(2, abs=0.01)
    assert np.isnan(days[people[2].row.id])


def test_the_results_are_opened_to_count_and_name_nobody(house: House, tmp_path: Path) -> None:
    head, people = listed(house, tmp_path, 2)
    for person in people:
        talked(house, head, person, "B")

    learned(house)

    [row] = house.log(act="risk_score")
    assert (row["fields"], row["count"]) == (["interview_entry.outcome"], 2)
    assert not row.get("subjects")
    assert entry_of(house, people[0]).ended_at is not None


def test_groups_are_what_the_roster_says_and_empty_where_it_says_nothing(house: House) -> None:
    group = house.make.class_group(house.make.college("信息学院"))
    woman = house.make.student(group, 性别="女", 宿舍="3栋-512-2")
    man = house.make.student(group, 性别="男")
    unknown = house.make.student(group)

    with house.door.enter(WORKER, Permission.RISK_SCORE, writing=False) as access:
        found = labels.groups_of(access, [man.id, woman.id, unknown.id, woman.id])

    assert set(found) == {"sex", "grade", "college", "boarding"}
    assert found["sex"].tolist() == ["男", "女", "", "女"]
    assert found["college"].tolist() == ["信息学院"] * 4
    assert found["boarding"].tolist() == ["没有登记宿舍", "登记了宿舍", "没有登记宿舍", "登记了宿舍"]
