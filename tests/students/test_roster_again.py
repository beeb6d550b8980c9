"""The same roster again and again, from several offices: nothing is typed twice, nothing is lost."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.identity import ClassGroup, College
from models.student import Student
from tests.house import House
from tests.students.people import COLLEGE, GROUP, HEADER, LI, WANG, codes, known, number_of_rows, only, state


def test_the_same_file_three_times_is_one_student_each(house: House) -> None:
    house.make.roster(HEADER, [WANG, LI])
    before = state(house)

    for _ in range(2):
        receipt = house.make.roster(HEADER, [WANG, LI])
        assert (receipt["new"], receipt["changed"], receipt["unchanged"]) == (0, 0, 2)

    assert state(house) == before
    assert house.count(ClassGroup) == house.count(College) == 1


def test_the_order_of_rows_and_columns_does_not_matter(sqlite_house: House) -> None:
    sqlite_house.make.roster(HEADER, [WANG, LI])
    before = state(sqlite_house)

    receipt = sqlite_house.make.roster(HEADER[::-1], [LI[::-1], WANG[::-1]])

    assert receipt["unchanged"] == 2
    assert state(sqlite_house) == before


def test_the_minimum_row_is_a_number_a_name_a_college_and_a_class(sqlite_house: House) -> None:
    receipt = sqlite_house.make.roster(["考生号", "姓名", "学院", "班级"], [["26501199", "王小涵", COLLEGE, GROUP]])

    assert (receipt["new"], receipt["problems"]) == (1, [])
    card = known(sqlite_house, only(sqlite_house))
    assert (card.name, card.number, card.phone, card.college, card.class_name) == (
        "王小涵",
        "26501199",
        "",
        COLLEGE,
        GROUP,
    )


def test_an_empty_cell_never_erases_what_is_known(house: House) -> None:
    header = [*HEADER, "宿舍", "家长及电话", "出生日期", "性别", "学籍状态"]
    house.make.roster(header, [[*WANG, "3栋-512", "父 13911110000", "2007-03-01", "女", "休学"]])
    before = known(house, only(house))

    receipt = house.make.roster(header, [[*WANG[:4], "", "", None, " ", "", ""]])

    assert receipt["unchanged"] == 1
    assert known(house, only(house)) == before
    assert before.details["guardians"] == "父 13911110000"
    assert (before.phone, before.status) == ("13800000001", "on_leave")


def test_a_file_without_a_column_takes_nothing_away(sqlite_house: House) -> None:
    sqlite_house.make.roster([*HEADER, "宿舍"], [[*WANG, "3栋-512"]])

    sqlite_house.make.roster(HEADER[:4], [WANG[:4]])

    card = known(sqlite_house, only(sqlite_house))
    assert (card.phone, card.details) == ("13800000001", {"dormitory": "3栋-512"})


def test_details_from_several_offices_add_up(sqlite_house: House) -> None:
    sqlite_house.make.roster(HEADER[:4], [WANG[:4]])
    sqlite_house.make.roster([*HEADER[:4], "楼栋", "房间", "床位"], [[*WANG[:4], "3栋", "512", "2"]])
    sqlite_house.make.roster([*HEADER[:4], "家长及电话"], [[*WANG[:4], "母 13911110000"]])
    sqlite_house.make.roster(HEADER, [WANG])

    card = known(sqlite_house, only(sqlite_house))
    assert card.details == {"dormitory": "3栋-512-2", "guardians": "母 13911110000"}
    assert card.phone == "13800000001"


def test_a_newer_phone_replaces_the_older_and_is_found_by_search(house: House) -> None:
    house.make.roster(HEADER, [WANG])
    receipt = house.make.roster(HEADER, [[*WANG[:4], "+86 139-0000-0009"]])

    head = house.make.head()
    assert (receipt["changed"], receipt["unchanged"]) == (1, 0)
    assert known(house, only(house), head).phone == "13900000009"
    assert "找到 1 人" in head.post("/students", words="13900000009")
    assert "没有找到" in head.post("/students", words="13800000001")


def test_a_missing_phone_is_a_to_do_and_no_error(sqlite_house: House) -> None:
    receipt = sqlite_house.make.roster(HEADER, [[*WANG[:4], ""], LI])

    assert (receipt["new"], receipt["problems"], receipt["without_phone"]) == (2, [], 1)
    assert sqlite_house.count(Student, Student.has_phone.is_(False)) == 1


def test_a_wrong_phone_is_told_and_the_rest_of_the_row_goes_in_and_keeps_the_old_one(sqlite_house: House) -> None:
    sqlite_house.make.roster(HEADER, [WANG])

    receipt = sqlite_house.make.roster([*HEADER, "宿舍"], [[*WANG[:4], "1380000", "3栋-512"]])

    assert codes(receipt) == [(2, "phone_invalid")]
    card = known(sqlite_house, only(sqlite_house))
    assert (card.phone, card.details["dormitory"]) == ("13800000001", "3栋-512")


@pytest.mark.parametrize(
    "spelling",
    [
        ["２０２６０１０１００１", "王 小涵", " 信息学院 ", "软件2301", ""],
        ["'20260101001", "王小涵\u200b", "信息学院", "软件 2301", ""],
        [20260101001, "王小涵 ", "信息学院", "软件２３０１", ""],
        [20260101001.0, "\u3000王小涵", "信息学院", "软件(2301)", ""],
    ],
    ids=["wide", "apostrophe", "number", "float"],
)
def test_another_spelling_is_the_same_student_in_the_same_class(sqlite_house: House, spelling: list[object]) -> None:
    sqlite_house.make.roster(HEADER, [WANG])

    receipt = sqlite_house.make.roster(HEADER, [spelling])

    assert (receipt["unchanged"], receipt["problems"]) == (1, [])
    assert sqlite_house.count(Student) == sqlite_house.count(ClassGroup) == 1


def test_two_students_of_one_name_in_one_class_stay_two(sqlite_house: House) -> None:
    twin = ["20260101099", *WANG[1:]]

    for _ in range(2):
        sqlite_house.make.roster(HEADER, [WANG, twin])

    assert sqlite_house.count(Student) == 2
    assert number_of_rows(sqlite_house) == 2


def test_a_class_of_the_same_name_in_another_college_is_another_class(sqlite_house: House) -> None:
    sqlite_house.make.roster(HEADER, [WANG, [*LI[:2], "机电学院", GROUP, ""]])

    rows = sqlite_house.all(select(ClassGroup.name, College.name).join(College).order_by(College.name))
    assert {tuple(row) for row in rows} == {(GROUP, COLLEGE), (GROUP, "机电学院")}


def test_every_import_counts_each_row_once(house: House) -> None:
    house.make.roster(HEADER, [WANG, LI])

    receipt = house.make.roster(
        HEADER,
        [
            WANG,
            [*LI[:4], "13900000009"],
            ["20260101003", "新同学", COLLEGE, "软件2302", ""],
            ["", "无号", COLLEGE, GROUP, ""],
        ],
    )

    assert receipt["rows_read"] == receipt["rows_accepted"] + receipt["rows_rejected"] == 4
    assert receipt["rows_accepted"] == receipt["new"] + receipt["changed"] + receipt["unchanged"] == 3
    assert (receipt["new"], receipt["changed"], receipt["unchanged"], receipt["new_classes"]) == (1, 1, 1, 1)
