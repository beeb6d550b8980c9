"""What real files did to the roster once, and must not do again."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.identity import ClassAlias, ClassGroup, Role
from models.student import Student, StudentNumber
from tests.house import House, xlsx
from tests.intake.delivery import bring_in
from tests.students.people import COLLEGE, GROUP, HEADER, codes, crowd, known, only

H = HEADER[:4]


@pytest.mark.parametrize(
    "row",
    [
        ["202600003", "别名", COLLEGE, GROUP, ""],
        ["202600003", "", COLLEGE, GROUP, ""],
        ["202600003", "学生3", COLLEGE, "", ""],
    ],
    ids=["other name", "no name", "no class"],
)
def test_a_student_whose_row_has_a_problem_is_not_taken_for_gone(sqlite_house: House, row: list[str]) -> None:
    rows = crowd(40)
    sqlite_house.make.roster(HEADER, rows)
    rows[3] = row

    receipt = sqlite_house.make.roster(HEADER, rows, complete=True)

    assert len(receipt["problems"]) == 1
    assert receipt["leaving"] == 0
    assert sqlite_house.count(Student, Student.status == "enrolled") == 40


def test_one_number_under_two_headings_is_one_number(house: House) -> None:
    for title in ("考生号", "临时号", "旧学号"):
        receipt = house.make.roster([*H, title], [["2026001", "王小涵", COLLEGE, GROUP, "2026001"]])
        assert receipt["problems"] == [], title

    assert house.count(Student) == house.count(StudentNumber) == 1
    assert known(house, only(house)).number == "2026001"


def test_a_student_who_left_stays_gone_when_the_same_file_comes_again(house: House) -> None:
    for _ in range(3):
        receipt = house.make.roster([*H, "学籍状态"], [["2026001", "王小涵", COLLEGE, GROUP, "离校"]])
        student = only(house)
        assert student.status == "left"
        assert student.left_at is not None
    assert receipt["unchanged"] == 1


def test_a_long_gone_students_new_phone_does_not_move_the_day_he_left(house: House) -> None:
    house.make.roster([*H, "学籍状态"], [["2026001", "王小涵", COLLEGE, GROUP, "毕业"]])
    left_at = only(house).left_at

    house.make.roster(HEADER, [["2026001", "王小涵", COLLEGE, GROUP, "13800000009"]])

    assert left_at is not None
    assert only(house).left_at == left_at


def test_an_old_number_given_again_changes_nothing(house: House) -> None:
    house.make.roster(H, [["旧001", "王小涵", COLLEGE, GROUP]])
    header, row = [*H, "旧学号"], ["新001", "王小涵", COLLEGE, GROUP, "旧001"]
    house.make.roster(header, [row])
    before = house.count(StudentNumber)

    for _ in range(3):
        assert house.make.roster(header, [row])["unchanged"] == 1

    assert house.count(StudentNumber) == before
    assert known(house, only(house)).number == "新001"
    assert len(house.all(select(StudentNumber.id).where(StudentNumber.until.is_(None)))) == 1


def test_a_rejected_row_does_not_shut_out_the_right_one(house: House) -> None:
    house.make.roster(H, [["2026001", "王小涵", COLLEGE, GROUP]])

    receipt = house.make.roster(
        HEADER,
        [["2026001", "李雨", COLLEGE, GROUP, ""], ["2026001", "王小涵", COLLEGE, GROUP, "13800001111"]],
    )

    assert codes(receipt) == [(2, "name_differs")]
    assert receipt["rows_accepted"] == 1
    assert known(house, only(house)).phone == "13800001111"


def test_a_long_grade_does_not_stop_a_roster(house: House) -> None:
    row = ["2026001", "王小涵", COLLEGE, GROUP, "2023级软件技术专业三年制高职普通班"]

    receipt = house.make.roster([*H, "年级"], [row])

    assert receipt["new"] == 1


def test_an_alias_of_another_class_is_a_problem_of_its_row(house: House) -> None:
    clerk, college = house.make.person(Role.REGISTRAR), house.make.college(COLLEGE)
    for name in ("软件1班", "软件2班"):
        house.make.class_group(college, name)
    header = ["班级", "别名"]
    bring_in(clerk, xlsx(header, ["软件1班", "甲班"]), name="班级.xlsx", kind="class_posts")

    for taken in ("甲班", "软件1班"):
        page = bring_in(clerk, xlsx(header, ["软件2班", taken]), name="班级.xlsx", kind="class_posts")
        assert "已导入" in page
        assert "已属于另一个班级" in page

    assert house.count(ClassAlias) == 1


def test_an_alias_in_two_colleges_comes_in_again_and_again(house: House) -> None:
    clerk = house.make.person(Role.REGISTRAR)
    for college, name in (("信息学院", "软件1班"), ("机电学院", "数控1班")):
        house.make.class_group(house.make.college(college), name)
    table = xlsx(["班级", "别名"], ["软件1班", "甲班"], ["数控1班", "甲班"])

    for _ in range(2):
        assert "已导入" in bring_in(clerk, table, name="班级.xlsx", kind="class_posts")

    assert (house.count(ClassAlias), house.count(ClassGroup)) == (2, 2)


def test_a_class_named_twice_is_told(house: House) -> None:
    clerk = house.make.person(Role.REGISTRAR)
    house.make.class_group(name="软件1班")
    for name in ("甲老师", "乙老师"):
        house.make.staff(Role.ADVISOR, name=name)

    page = bring_in(
        clerk,
        xlsx(["班级", "辅导员"], ["软件1班", "甲老师"], ["软件1班", "乙老师"]),
        name="班级.xlsx",
        kind="class_posts",
    )

    assert "班级与第 2 行相同" in page
    assert "1 任命变化" in page
