"""Coverage of a round against a hand count: asked, done, declined, away, missing; and whose numbers one sees."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from app.screening.rounds import cohort
from app.screening.rounds.cohort import Cohort
from app.screening.rounds.coverage import Line
from app.screening.rounds.round_sheet import HEADER
from models.identity import ClassGroup, College, Role
from models.moment import today
from models.student import StudentTag
from tests.house import Client, House, Page
from tests.screening.files import Person, bring_in, enrol, line, phq, written
from tests.screening.rounds import done, new_round


class Town:
    """Two colleges with three classes, a round about two of them, and people who did this or that."""

    def __init__(self, house: House, head: Client, folder: Path) -> None:
        make = house.make
        self.nursing, self.trade = make.college("护理学院"), make.college("商贸学院")
        self.first, self.second = make.class_group(self.nursing, "护理1"), make.class_group(self.nursing, "护理2")
        self.third = make.class_group(self.trade, "商贸1")
        self.people = {group.id: enrol(house, count, group) for group, count in ((self.first, 5), (self.second, 3))}
        self.strangers = enrol(house, 2, self.third)
        self.round = new_round(house, head, colleges=[str(self.nursing.id)])
        a, b = self.people[self.first.id], self.people[self.second.id]
        done(house, folder, self.round, a[0], a[1], b[0], self.strangers[0])
        paste(head, self.round.id, a[2].number, kind="declined")
        paste(head, self.round.id, f"{a[3].number}\t账号无法登录\n{b[1].number} 请假", kind="declined")


def paste(person: Client, round_id: Any, numbers: str, *, kind: str) -> Page:
    return person.post(f"/rounds/{round_id}/absences", kind=kind, numbers=numbers)


@pytest.fixture
def town(house: House, tmp_path: Path) -> tuple[House, Town, Client]:
    head, _, _ = house.make.team()
    return house, Town(house, head, tmp_path), head


def test_the_numbers_are_those_of_a_hand_count(town: tuple[House, Town, Client]) -> None:
    _, held, head = town

    page = head.get(f"/rounds/{held.round.id}/coverage")

    assert "护理1 5 2 40.0% 1 1 1" in page
    assert "护理2 3 1 33.3% 0 1 1" in page
    assert "合计 8 3 37.5% 1 2 2" in page
    assert "不在范围内的结果 1 人" in page
    assert "商贸1" not in page


def test_a_second_scale_or_a_replaced_sheet_counts_nobody_twice(house: House, tmp_path: Path) -> None:
    head, _, _ = house.make.team()
    row = new_round(house, head)
    [person] = enrol(house, 1)
    done(house, tmp_path, row, person)
    bring_in(house, written(tmp_path, line(person, phq(5))), round_name=row.name, replace=True)

    assert "合计 1 1 100.0% 0 0 0" in head.get(f"/rounds/{row.id}/coverage")


def test_a_college_lead_and_an_advisor_see_their_own_and_nothing_else(town: tuple[House, Town, Client]) -> None:
    house, held, _ = town
    lead = house.make.person(Role.COLLEGE_LEAD, college=held.nursing)
    elsewhere = house.make.person(Role.COLLEGE_LEAD, college=held.trade)
    advisor = house.make.advisor(held.second)
    path = f"/rounds/{held.round.id}/coverage"

    assert "合计 8 3 37.5% 1 2 2" in lead.get(path)
    assert "范围内没有学生" in elsewhere.get(path)
    assert "不在范围内的结果 1 人" in elsewhere.get(path)
    mine = advisor.get(path)
    assert "合计 3 1 33.3% 0 1 1" in mine
    assert "护理1" not in mine
    assert "不在范围内" not in mine


def test_the_workbook_carries_the_same_numbers_and_says_that_they_are_internal(
    town: tuple[House, Town, Client],
) -> None:
    house, held, _ = town
    lead = house.make.person(Role.COLLEGE_LEAD, college=held.nursing)

    answer = lead.get(f"/rounds/{held.round.id}/coverage.xlsx").response

    book = load_workbook(BytesIO(answer.get_data()))
    rows = [list(row) for row in book["按班级"].iter_rows(values_only=True)]
    assert rows[0][0] == "秋季普查 完成情况"
    assert str(rows[1][0]).startswith("内部资料 · 履职报送")
    assert rows[2] == ["学院", "班级", *HEADER]
    assert rows[3:] == [
        ["护理学院", "护理1", 5, 2, "40.0%", 1, 1, 1],
        ["护理学院", "护理2", 3, 1, "33.3%", 0, 1, 1],
        ["合计", None, 8, 3, "37.5%", 1, 2, 2],
    ]
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_class_called_like_a_formula_stays_a_name(sqlite_house: House) -> None:
    house = sqlite_house
    head, _, _ = house.make.team()
    enrol(house, 1, house.make.class_group(name="=1+1"))
    row = new_round(house, head)

    raw = head.get(f"/rounds/{row.id}/coverage.xlsx").response.get_data()

    cell = load_workbook(BytesIO(raw))["按班级"]["B4"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_nobody_of_whom_nothing_is_asked_is_missing(house: House) -> None:
    head, _, _ = house.make.team()
    group = house.make.class_group(name="甲班")
    for status in ("在校", "校外实习", "休学", "保留学籍", "未报到", "退学"):
        house.make.student(group, 学籍状态=status)

    row = new_round(house, head)

    assert "合计 2 0 0.0% 0 0 2" in head.get(f"/rounds/{row.id}/coverage")


# --- cohorts ---------------------------------------------------------------------------------


def _sized(house: House, chosen: Cohort) -> int:
    with house.session() as session:
        counted = sum(count for _, _, count in cohort.by_class(session, chosen))
        assert counted == cohort.size(session, chosen)
        return counted


def test_units_add_up_and_grades_and_tags_narrow(house: House) -> None:
    make = house.make
    colleges: list[College] = [make.college(), make.college()]
    classes = [_group(house, college, grade) for college in colleges for grade in ("2025", "2026")]
    people = [enrol(house, 2, group) for group in classes]
    _tag(house, people[0][0], "aid"), _tag(house, people[3][1], "aid")
    _tag(house, people[3][0], "aid", ended=True)

    assert _sized(house, Cohort()) == 8
    assert _sized(house, Cohort(colleges=(colleges[0].id,))) == 4
    assert _sized(house, Cohort(colleges=(colleges[0].id,), classes=(classes[3].id,))) == 6
    assert _sized(house, Cohort(grades=("2026",))) == 4
    assert _sized(house, Cohort(colleges=(colleges[0].id,), grades=("2026",))) == 2
    assert _sized(house, Cohort(tags=("aid",))) == 2
    assert _sized(house, Cohort(grades=("2025",), tags=("aid",))) == 1
    chosen = Cohort((colleges[0].id,), (classes[1].id,), ("2025",), ("aid",))
    assert cohort.read(chosen.as_text()) == chosen
    assert cohort.read("{}").is_everybody


def _group(house: House, college: College, grade: str) -> ClassGroup:
    row = house.make.class_group(college)
    with house.door.database.writing() as session:
        session.get_one(ClassGroup, row.id).grade = grade
    return row


def _tag(house: House, person: Person, tag: str, *, ended: bool = False) -> None:
    row = StudentTag(student_id=person.row.id, tag=tag, since=today(), until=today() if ended else None)
    house.make._add(row)


def test_a_share_of_nobody_is_no_number() -> None:
    assert Line("空班", 0, 0, 0, 0).percent == "--"
