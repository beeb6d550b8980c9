"""Several numbers per student; a number never slips from one person to another."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.student import NumberKind, Student, StudentNumber
from tests.house import House
from tests.students.people import COLLEGE, GROUP, HEADER, LI, WANG, codes, known, number_of_rows, only, state

FULL = ["学号", "考生号", "录取号", "临时号", "姓名", "学院", "班级"]


def test_any_of_his_numbers_finds_the_student(house: House) -> None:
    house.make.roster(FULL, [["2026001", "KS77", "LQ55", "LS33", "王小涵", COLLEGE, GROUP]])

    for title, number in [("学号", "2026001"), ("考生号", "ks77"), ("录取号", "LQ 55"), ("临时号", "LS33")]:
        receipt = house.make.roster([title, "姓名", "学院", "班级"], [[number, "王小涵", COLLEGE, GROUP]])
        assert receipt["unchanged"] == 1, title

    assert house.count(Student) == 1
    assert number_of_rows(house) == 4


def test_a_number_that_comes_later_is_added_to_the_same_student(house: House) -> None:
    house.make.roster(["考生号", "姓名", "学院", "班级"], [["KS77", "王小涵", COLLEGE, GROUP]])

    receipt = house.make.roster(
        ["考生号", "学号", "姓名", "学院", "班级"], [["KS77", "2026001", "王小涵", COLLEGE, GROUP]]
    )

    assert (receipt["new"], receipt["changed"]) == (0, 1)
    assert known(house, only(house)).number == "2026001"
    assert house.make.roster(HEADER, [["2026001", *WANG[1:]]])["new"] == 0


def test_all_his_numbers_find_him_in_the_search(house: House) -> None:
    house.make.roster(FULL, [["2026001", "KS77", "LQ55", "LS33", "王小涵", COLLEGE, GROUP]])
    head = house.make.head()

    for words in ("2026001", "KS77", "lq55", "ＬＳ33"):
        assert "找到 1 人" in head.post("/students", words=words), words


def test_the_old_number_finds_him_and_ends_when_the_new_one_comes(house: House) -> None:
    house.make.roster(HEADER, [WANG])

    receipt = house.make.roster(
        ["旧学号", "学号", "姓名", "学院", "班级"], [[WANG[0], "20267777", "王小涵", COLLEGE, GROUP]]
    )

    assert (receipt["new"], receipt["changed"]) == (0, 1)
    ended = house.all(select(StudentNumber.until).where(StudentNumber.until.is_not(None)))
    assert len(ended) == 1
    head = house.make.head()
    assert known(house, only(house), head).number == "20267777"
    assert "找到 1 人" in head.post("/students", words=WANG[0])


def test_a_number_with_another_name_is_a_question_and_changes_nothing(house: House) -> None:
    house.make.roster(HEADER, [WANG])
    before = state(house)

    receipt = house.make.roster(HEADER, [[WANG[0], "王晓函", "机电学院", "数控1班", "13999999999"]])

    assert codes(receipt) == [(2, "name_differs")]
    assert (receipt["rows_rejected"], receipt["new_classes"], receipt["new_colleges"]) == (1, 0, [])
    assert state(house) == before


def test_a_number_of_somebody_else_beside_ones_own_is_refused(house: House) -> None:
    house.make.roster(["学号", "考生号", *HEADER[1:]], [[WANG[0], "KS77", *WANG[1:]], [LI[0], "KS88", *LI[1:]]])
    before = state(house)

    receipt = house.make.roster(["学号", "考生号", *HEADER[1:]], [[LI[0], "KS77", *LI[1:]]])

    assert codes(receipt) == [(2, "numbers_disagree")]
    assert state(house) == before


def test_a_new_student_cannot_take_the_number_of_another(house: House) -> None:
    house.make.roster(["学号", "考生号", *HEADER[1:]], [[WANG[0], "KS77", *WANG[1:]]])
    before = state(house)

    receipt = house.make.roster(["学号", "考生号", *HEADER[1:]], [["20269999", "KS77", *LI[1:]]])

    assert codes(receipt) == [(2, "name_differs")]
    assert state(house) == before


def test_the_second_row_with_a_number_names_the_first(house: House) -> None:
    receipt = house.make.roster(HEADER, [WANG, LI, [WANG[0], "赵一鸣", COLLEGE, GROUP, ""]])

    assert codes(receipt) == [(4, "repeated")]
    assert "第 2 行" in receipt["problems"][0]["message"]
    assert house.count(Student) == number_of_rows(house) == 2


def test_a_number_that_stands_in_two_rows_under_two_headings_is_repeated(house: House) -> None:
    receipt = house.make.roster(
        ["学号", "考生号", "姓名", "学院", "班级"],
        [["2026001", "KS77", "王小涵", COLLEGE, GROUP], ["KS77", "", "李雨", COLLEGE, GROUP]],
    )

    assert codes(receipt) == [(3, "repeated")]
    assert house.count(Student) == 1


@pytest.mark.parametrize("cell", ["4.40301E+17", "4.40301e+17", 4.40301199901010000e17], ids=["E", "e", "float"])
def test_a_number_that_the_spreadsheet_rounded_is_refused_and_not_shown(sqlite_house: House, cell: object) -> None:
    receipt = sqlite_house.make.roster(HEADER, [[cell, *WANG[1:]], LI])

    assert codes(receipt) == [(2, "number_damaged")]
    assert "4.40301" not in str(receipt["problems"])
    assert "440301" not in str(receipt["problems"])
    assert sqlite_house.count(Student) == 1


def test_a_live_number_belongs_to_one_student_by_the_database_itself(house: House) -> None:
    house.make.roster(["学号", "考生号", *HEADER[1:]], [[WANG[0], "KS77", *WANG[1:]], [LI[0], "KS88", *LI[1:]]])

    rows = house.all(select(StudentNumber.index, StudentNumber.kind).where(StudentNumber.until.is_(None)))

    assert len({row.index for row in rows}) == len(rows) == 4
    assert {row.kind for row in rows} == {NumberKind.STUDENT, NumberKind.EXAM}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (["", *WANG[1:]], "number_missing"),
        ([WANG[0], "", *WANG[2:]], "name_missing"),
        ([*WANG[:2], "", *WANG[3:]], "college_missing"),
        ([*WANG[:3], " ", WANG[4]], "class_missing"),
        ([WANG[0], "王" * 61, *WANG[2:]], "too_long"),
    ],
)
def test_a_row_below_the_minimum_is_told_by_row_and_column_and_writes_nothing(
    sqlite_house: House, row: list[str], code: str
) -> None:
    receipt = sqlite_house.make.roster(HEADER, [LI, row])

    [problem] = receipt["problems"]
    assert (problem["row"], problem["code"]) == (3, code)
    assert problem["column"] in HEADER
    assert (receipt["new"], receipt["rows_rejected"]) == (1, 1)
    assert sqlite_house.count(Student) == 1


def test_no_problem_repeats_a_name_a_number_or_a_phone(sqlite_house: House) -> None:
    header = [*HEADER, "学籍状态", "出生日期"]
    sqlite_house.make.roster(HEADER, [WANG])

    receipt = sqlite_house.make.roster(
        header,
        [
            [WANG[0], "金丝雀甲", COLLEGE, GROUP, "", "", ""],
            ["20265551", "金丝雀乙", COLLEGE, GROUP, "1399999", "金丝雀态", "金丝雀日"],
            ["20265551", "金丝雀丙", COLLEGE, GROUP, "", "", ""],
            ["20265552", "", COLLEGE, GROUP, "13912345678", "", ""],
        ],
    )

    assert {code for _, code in codes(receipt)} >= {"name_differs", "phone_invalid", "repeated", "name_missing"}
    for secret in ("金丝雀", "王小涵", "1399999", "2026555", "13912345678", WANG[0]):
        assert secret not in str(receipt["problems"]), secret
