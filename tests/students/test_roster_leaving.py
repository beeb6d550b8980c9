"""Who has left: only by a file declared complete, only in its colleges, never many at once."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.identity import Role
from models.refusal import Refusal
from models.student import Student
from tests.house import House, xlsx
from tests.students.people import COLLEGE, GROUP, HEADER, WANG, crowd, only, state


def left(house: House) -> int:
    return house.count(Student, Student.status == "left", Student.left_at.is_not(None))


def test_somebody_missing_from_an_ordinary_file_stays(sqlite_house: House) -> None:
    sqlite_house.make.roster(HEADER, crowd(40))

    receipt = sqlite_house.make.roster(HEADER, crowd(1))

    assert receipt["leaving"] == 0
    assert sqlite_house.count(Student, Student.status == "enrolled", Student.left_at.is_(None)) == 40


def test_somebody_missing_from_a_complete_file_has_left(house: House) -> None:
    house.make.roster(HEADER, crowd(40))

    receipt = house.make.roster(HEADER, crowd(39), complete=True)

    assert receipt["leaving"] == left(house) == 1
    assert house.count(Student) == 40


@pytest.mark.parametrize(("there", "missing"), [(20, 1), (40, 2), (100, 5)])
def test_five_per_cent_may_leave_at_once(sqlite_house: House, there: int, missing: int) -> None:
    sqlite_house.make.roster(HEADER, crowd(there))

    receipt = sqlite_house.make.roster(HEADER, crowd(there - missing), complete=True)

    assert receipt["leaving"] == left(sqlite_house) == missing


@pytest.mark.parametrize(("there", "missing"), [(19, 1), (39, 2), (100, 6), (2, 1)])
def test_more_than_five_per_cent_refuse_the_file_in_words_and_change_nothing(
    sqlite_house: House, there: int, missing: int
) -> None:
    sqlite_house.make.roster(HEADER, crowd(there))
    before = state(sqlite_house)

    with pytest.raises(Refusal, match=f"有 {missing} 人离校，超过在册人数的 5%"):
        sqlite_house.make.roster(HEADER, [*crowd(there - missing), WANG], complete=True)

    assert state(sqlite_house) == before


def test_a_complete_file_of_one_college_says_nothing_about_another(house: House) -> None:
    house.make.roster(HEADER, crowd(10, college="机电学院", first=100))
    house.make.roster(HEADER, crowd(20))

    receipt = house.make.roster(HEADER, crowd(19), complete=True)

    assert receipt["leaving"] == left(house) == 1
    with house.session() as session:
        [gone] = session.scalars(select(Student).where(Student.status == "left")).all()
        assert gone.college.name == COLLEGE


def test_somebody_who_moved_to_another_college_has_not_left_the_first(sqlite_house: House) -> None:
    sqlite_house.make.roster(HEADER, crowd(30))
    sqlite_house.make.roster(HEADER, crowd(30, college="机电学院", first=100))
    moved = [*crowd(1)[0][:2], "机电学院", "数控1班", ""]

    receipt = sqlite_house.make.roster(
        HEADER, [*crowd(29, first=1), *crowd(30, college="机电学院", first=100), moved], complete=True
    )

    assert (receipt["leaving"], receipt["moved_class"]) == (0, 1)
    assert left(sqlite_house) == 0


def test_whoever_stands_in_a_later_file_again_is_back(house: House) -> None:
    house.make.roster(HEADER, crowd(20))
    house.make.roster(HEADER, crowd(19), complete=True)

    receipt = house.make.roster(HEADER, crowd(20))

    assert receipt["changed"] == 1
    assert house.count(Student, Student.status == "enrolled", Student.left_at.is_(None)) == 20


def test_the_same_complete_file_twice_is_the_same(house: House) -> None:
    house.make.roster(HEADER, crowd(20))
    house.make.roster(HEADER, crowd(19), complete=True)
    before = state(house)

    receipt = house.make.roster(HEADER, crowd(19), complete=True)

    assert (receipt["leaving"], receipt["unchanged"]) == (0, 19)
    assert state(house) == before


@pytest.mark.parametrize(("word", "status"), [("毕业", "graduated"), ("退学", "withdrawn"), ("转学", "transferred")])
def test_somebody_who_went_another_way_keeps_his_word_for_it(sqlite_house: House, word: str, status: str) -> None:
    header = [*HEADER, "学籍状态"]
    sqlite_house.make.roster(HEADER, crowd(20))
    sqlite_house.make.roster(header, [[*crowd(1)[0], word]])

    receipt = sqlite_house.make.roster(HEADER, crowd(19, first=1), complete=True)

    assert receipt["leaving"] == 0
    assert sqlite_house.count(Student, Student.status == status, Student.left_at.is_not(None)) == 1


@pytest.mark.parametrize(
    ("word", "status"), [("休学", "on_leave"), ("参军保留学籍", "reserved"), ("顶岗实习", "internship")]
)
def test_somebody_away_for_a_time_is_still_a_student(sqlite_house: House, word: str, status: str) -> None:
    sqlite_house.make.roster([*HEADER, "学籍状态"], [[*WANG, word]])

    student = only(sqlite_house)
    assert (student.status, student.left_at) == (status, None)


def test_an_unknown_word_for_the_status_is_told_and_leaves_the_old_one(sqlite_house: House) -> None:
    sqlite_house.make.roster([*HEADER, "学籍状态"], [[*WANG, "休学"]])

    receipt = sqlite_house.make.roster([*HEADER, "学籍状态"], [[*WANG, "飞了"]])

    assert [problem["code"] for problem in receipt["problems"]] == ["status_unknown"]
    assert only(sqlite_house).status == "on_leave"


def test_the_desk_shows_how_many_would_leave_before_they_do(sqlite_house: House) -> None:
    sqlite_house.make.roster(HEADER, crowd(20))
    clerk = sqlite_house.make.person(Role.REGISTRAR)

    page = clerk.post("/roster", kind="roster", upload=(xlsx(HEADER, *crowd(19)), "全.xlsx"), complete="y")
    sqlite_house.work()
    path = page.response.request.path

    assert "1 标为离校" in clerk.get(path)
    assert left(sqlite_house) == 0
    clerk.post(f"{path}/commit", version=clerk.get(path).value("version"))
    sqlite_house.work()
    assert left(sqlite_house) == 1


def test_the_desk_refuses_half_a_college_that_calls_itself_complete(sqlite_house: House) -> None:
    sqlite_house.make.roster(HEADER, crowd(20))
    clerk = sqlite_house.make.person(Role.REGISTRAR)

    page = clerk.post("/roster", kind="roster", upload=(xlsx(HEADER, *crowd(10)), "半.xlsx"), complete="y")
    sqlite_house.work()

    page = clerk.get(page.response.request.path)
    assert "会有 10 人离校" in page
    assert "没有导入" in page
    assert left(sqlite_house) == 0


def test_the_to_do_counts_missing_phones_and_advisors_by_class(sqlite_house: House) -> None:
    clerk, group = sqlite_house.make.person(Role.REGISTRAR), sqlite_house.make.class_group(name=GROUP)
    sqlite_house.make.student(group, phone="")
    sqlite_house.make.student(group, phone="13800001234")
    assert f"{GROUP} 2 1 待任命" in clerk.get("/roster/todo")

    sqlite_house.make.advisor(group)

    assert f"{GROUP} 2 1 有" in clerk.get("/roster/todo")
