"""Whatever the order and the parting of the same rows, the same holds; attention never falls; nothing is forgotten."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from app.intake.problem import LONGEST_TITLE, Problem
from app.intake.sheet import Table
from app.screening.scales.scale import all_scales
from app.screening.tables import answers
from models.identity import Role, RoleGrant
from models.intake import BatchChunk, BatchStage
from models.moment import today
from models.risk import Alert
from models.screening import ResponseSet, ScreeningRound, UnplacedAnswer
from models.student import StudentNumber
from tests.house import House, xlsx
from tests.screening.brought import book, taken
from tests.screening.files import Person, enrol, phq
from tests.screening.test_attack_pages import ITEMS, handed_in, submit
from tests.screening.test_screening_pages import press, stage

RANKS = {"yellow": 1, "orange": 2, "red": 3}
HEADER = ["学号", "提交时间", *ITEMS]
_rounds = itertools.count(1)
TRIES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 24), st.integers(0, 3), st.integers(0, 3)),
    min_size=2,
    max_size=7,
    unique_by=lambda item: (item[0], item[3]),
)
"""Who, which total, which ninth answer, on which day; one try a day."""


@pytest.fixture
def people(sqlite_house: House) -> list[Person]:
    sqlite_house.make.team()
    return enrol(sqlite_house, 4)


def attention(house: House) -> dict[Any, int]:
    return {row.student_id: RANKS[row.level.value] for row in house.all(select(Alert.student_id, Alert.level))}


def holding(house: House, name: str) -> set[tuple[Any, ...]]:
    """The live sheets of a round: whose, which answers, when."""
    query = select(ResponseSet.student_id, ResponseSet.digest, ResponseSet.taken_at, ResponseSet.status)
    query = query.join(ScreeningRound, ScreeningRound.id == ResponseSet.round_id)
    return {tuple(row) for row in house.all(query.where(ScreeningRound.name == name, ResponseSet.voided_at.is_(None)))}


def brought(house: House, folder: Path, name: str, *files: list[list[Any]]) -> None:
    """Files one after the other into a round; attention to anybody only grows."""
    for rows in files:
        before = attention(house)
        taken(house, book(folder, HEADER, *rows), round_name=name, codings=["phq9=0-3"])
        after = attention(house)
        assert all(after.get(student, 0) >= rank for student, rank in before.items())


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tries=TRIES, order=st.randoms(use_true_random=False), cut=st.integers(1, 6))
def test_the_same_rows_in_any_order_and_parting_hold_the_same(
    sqlite_house: House, people: list[Person], tmp_path: Path, tries: list[Any], order: Any, cut: int
) -> None:
    rows = [
        [people[who].number, f"2026-11-0{day + 1} 08:00", *phq(max(total, ninth), ninth)]
        for who, total, ninth, day in tries
    ]
    mixed = list(rows)
    order.shuffle(mixed)
    whole, parted = f"第{next(_rounds)}批", f"第{next(_rounds)}批"

    brought(sqlite_house, tmp_path, whole, rows)
    brought(sqlite_house, tmp_path, parted, *filter(None, [mixed[:cut], mixed[cut:]]))

    assert holding(sqlite_house, whole) == holding(sqlite_house, parted)
    risen = attention(sqlite_house)
    for who, _, ninth, _ in tries:
        if ninth:
            assert risen[people[who].row.id] >= (2 if ninth >= 2 else 1)
    before = holding(sqlite_house, parted)
    brought(sqlite_house, tmp_path, parted, mixed)
    assert holding(sqlite_house, parted) == before


@pytest.mark.parametrize("rest", ["", "乱", "9", "-1"], ids=["gaps", "words", "out of range", "no answer"])
@pytest.mark.parametrize("number", ["known", "unknown", "4.40301E+17", ""])
def test_a_critical_answer_counts_whatever_else_is_wrong_with_its_row(
    sqlite_house: House, people: list[Person], tmp_path: Path, rest: str, number: str
) -> None:
    who = people[0].number if number == "known" else "2099000009" if number == "unknown" else number
    rows = [[who, "不是时间", *[rest] * 8, 2], *([person.number, "", *phq(0)] for person in people[1:])]

    taken(sqlite_house, book(tmp_path, HEADER, *rows), codings=["phq9=0-3"])

    assert (attention(sqlite_house) == {people[0].row.id: 2}) is (number == "known")
    assert sqlite_house.count(UnplacedAnswer) == int(number != "known")


def test_a_commit_that_cannot_be_written_keeps_the_file_and_says_why(sqlite_house: House) -> None:
    """Nobody left to identify an unknown student: the file was forgotten, and the critical answer with it."""
    house = sqlite_house
    _, psychologist, _ = house.make.team()
    rows = [[person.number, *phq(0)] for person in enrol(house, 2)]
    file = xlsx(["学号", *ITEMS], *rows, ["2099000009", *phq(3, 2)])
    path = handed_in(house, psychologist, (file, "a.xlsx"))
    submit(psychologist, path)
    house.work()
    ended = update(RoleGrant).where(RoleGrant.role.in_([Role.CENTRE_HEAD, Role.AFFAIRS_HEAD])).values(until=today())
    with house.door.database.writing() as session:
        session.execute(ended)
    press(psychologist, path, "commit")
    house.work()

    assert stage(house, path) is BatchStage.STALE
    assert house.count(BatchChunk) > 0
    assert house.count(ResponseSet) == 0
    assert "请重新预览" in psychologist.get(path)
    with house.door.database.writing() as session:
        session.execute(update(RoleGrant).values(until=None))
    press(psychologist, path, "preview")
    house.work()
    press(psychologist, path, "commit")
    house.work()
    assert house.count(UnplacedAnswer) == 1


def test_a_list_of_names_is_said_to_be_one_on_the_page(sqlite_house: House) -> None:
    house = sqlite_house
    _, psychologist, _ = house.make.team()
    people = enrol(house, 2)
    path = handed_in(house, psychologist, (xlsx(["学号", "姓名"], [people[0].number, people[0].name]), "名单.xlsx"))
    assert submit(psychologist, path).status == 422
    submit(psychologist, path, **{"list-0": "self_harm"})
    house.work()
    press(psychologist, path, "commit")
    house.work()
    assert attention(house) == {people[0].row.id: 2}


def test_a_wrong_coding_of_a_whole_school_names_some_cells_and_counts_the_rest() -> None:
    scale = all_scales()["scl90"]
    rows = 1_000
    held = Table("", ("",), 1, ["列"] * 90, [], range(2, rows + 2), [])
    found = answers.out_of_range(held, scale, range(90), np.ones((rows, 90), dtype=bool), 1, 5)

    assert len(found) == answers.MOST_CELLS + 1
    assert f"另有 {rows * 90 - answers.MOST_CELLS} 格" in found[-1].message


def test_a_header_as_long_as_a_page_is_not_repeated_beside_each_problem() -> None:
    assert len(Problem(1, "长" * 30_000, "x", "y").as_table()["column"]) == LONGEST_TITLE


def test_a_row_that_belongs_to_somebody_else_by_now_makes_the_preview_stale(sqlite_house: House) -> None:
    """Numbers exchanged after the preview: every count is the same, and yet the alert is another student's."""
    house = sqlite_house
    _, psychologist, _ = house.make.team()
    one, two = enrol(house, 2)
    file = xlsx(["学号", *ITEMS], [one.number, *phq(3, 1)], [two.number, *phq(0)])
    path = handed_in(house, psychologist, (file, "a.xlsx"))
    submit(psychologist, path)
    house.work()
    with house.door.database.writing() as session:
        rows = session.scalars(select(StudentNumber).where(StudentNumber.student_id.in_([one.row.id, two.row.id])))
        for row in rows.all():
            row.student_id = two.row.id if row.student_id == one.row.id else one.row.id
    press(psychologist, path, "commit")
    house.work()

    assert stage(house, path) is BatchStage.STALE
    assert house.count(Alert) == 0
