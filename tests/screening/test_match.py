"""What is joined without a person: number and name that agree, and nothing else."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.intake.problem import Problem
from models.refusal import Refusal
from tests.house import House
from tests.screening.identity import COLLEGE, GROUP, LI, OTHER, ROSTER, WANG, ZHAO, found, names, top


@pytest.fixture
def roster(house: House) -> House:
    house.make.roster(ROSTER, [WANG, LI, ZHAO])
    return house


@pytest.fixture
def known(sqlite_house: House) -> House:
    sqlite_house.make.roster(ROSTER, [WANG, LI, ZHAO])
    return sqlite_house


@pytest.mark.parametrize(
    "number",
    ["2023010101", "２０２３０１０１０１", "'2023010101", " 2023 010101 ", 2023010101, 2023010101.0],
)
def test_a_number_is_found_however_a_spreadsheet_writes_it(known: House, number: Any) -> None:
    matched = found(known, [number, "王晓涵"])

    assert names(known, matched) == ["王晓涵"]
    assert matched.how == ["number"]
    assert matched.questions == []


def test_every_number_of_a_student_finds_him_and_one_that_has_ended_still_does(roster: House) -> None:
    header = ["学号", "考生号", "录取号", "临时号", *ROSTER[1:]]
    roster.make.roster(header, [[WANG[0], "KS1", "LQ1", "LS1", *WANG[1:]]])
    roster.make.roster(["旧学号", *ROSTER], [[WANG[0], "2023999999", *WANG[1:]]])

    matched = found(roster, *[[number, "王晓涵"] for number in ("ks1", "LQ1", "ＬＳ1", "2023999999", WANG[0])])

    assert names(roster, matched) == ["王晓涵"] * 5
    assert matched.how == [*["number"] * 4, "former_number"]


def test_a_number_that_two_people_bore_is_asked_unless_the_name_says_whose_row_it_is(roster: House) -> None:
    roster.make.roster(["旧学号", *ROSTER], [[WANG[0], "2023999999", *WANG[1:]]])
    roster.make.roster(ROSTER, [[WANG[0], "钱多多", COLLEGE, OTHER, ""]])

    matched = found(roster, [WANG[0], "钱多多"], [WANG[0], "王晓涵"], [WANG[0], "孙小小"])

    assert names(roster, matched) == ["钱多多", "", ""]
    assert [question.why for question in matched.questions] == ["name_differs"] * 2
    assert top(roster, matched.questions[0]) == "王晓涵"


@pytest.mark.parametrize(
    ("on_record", "written"),
    [
        ("阿依古丽·买买提", "阿依古丽买买提"),
        ("阿依古丽·买买提", "阿依古丽•买买提"),
        ("阿依古丽·买买提", "阿依古丽．买买提"),
        ("陈国峰", "陳國峯"),
        ("張麗華", "张丽华"),
        ("吕晓", "lü xiao"),
        ("吕晓", "Lyu Xiao"),
        ("王晓涵", "WANG Xiaohan"),
        ("王晓涵", "Xiaohan Wang"),
        ("曾子墨", "Zeng Zimo"),
        ("John Smith", "SMITH, John"),
        ("王 晓 涵", "王晓涵"),
    ],
)
def test_a_name_that_differs_by_its_writing_alone_agrees(sqlite_house: House, on_record: str, written: str) -> None:
    sqlite_house.make.roster(ROSTER, [["1001", on_record, COLLEGE, GROUP, ""]])

    matched = found(sqlite_house, ["1001", written])

    assert matched.students[0] is not None
    assert matched.how[0] in {"number", "number_variant"}


def test_a_former_name_on_record_agrees(sqlite_house: House) -> None:
    sqlite_house.make.roster([*ROSTER, "曾用名"], [[*WANG, "王招弟"]])

    assert found(sqlite_house, [WANG[0], "王招弟"]).how == ["number_variant"]


@pytest.mark.parametrize("written", ["王小涵", "王晓函", "王涵晓", "李雨", "王晓", "Wang Xiaohang", "王喆"])
def test_another_name_is_a_question_and_never_a_match(known: House, written: str) -> None:
    problems: list[Problem] = []

    matched = found(known, [WANG[0], written], problems=problems)

    assert matched.students == [None]
    assert [(problem.row, problem.column, problem.code) for problem in problems] == [(2, "姓名", "name_differs")]
    assert written not in problems[0].message


def test_characters_that_are_names_of_their_own_are_asked_about(sqlite_house: House) -> None:
    sqlite_house.make.roster(ROSTER, [["1001", "陈喆", COLLEGE, GROUP, ""]])

    matched = found(sqlite_house, ["1001", "陈哲", GROUP])

    assert matched.students == [None]
    assert top(sqlite_house, matched.questions[0]) == "陈喆"
    assert matched.questions[0].candidates[0].strength == "strong"


def test_a_row_without_a_name_is_matched_by_its_number_as_before(known: House) -> None:
    assert names(known, found(known, [WANG[0], ""], [LI[0]])) == ["王晓涵", "李雨"]


@pytest.mark.parametrize("number", ["2.02301E+17", 4.40301199901010000e17])
def test_a_damaged_number_is_refused_with_the_reason_and_not_looked_up(known: House, number: Any) -> None:
    problems: list[Problem] = []

    matched = found(known, [number, "王晓涵", GROUP], problems=problems)

    assert matched.students == [None]
    assert [problem.code for problem in problems] == ["number_damaged"]
    assert "文本" in problems[0].message


def test_a_file_without_number_and_name_is_refused_and_never_joined_by_the_order_of_its_rows(known: House) -> None:
    with pytest.raises(Refusal, match="不会按行的顺序"):
        found(known, [GROUP], [GROUP], [GROUP], columns=["class"])


def test_whose_the_rows_are_never_depends_on_their_order(known: House) -> None:
    known.make.roster(["旧学号", *ROSTER], [[WANG[0], "2023999999", *WANG[1:]]])
    rows = [
        ["2023999999", "王晓涵", GROUP],
        [WANG[0], "王晓涵", GROUP],
        [LI[0], "赵一鸣", GROUP],
        [ZHAO[0], "李雨", GROUP],
        ["", "李雨", GROUP, "2005-04-02"],
    ]
    expected = dict(zip(map(tuple, rows), _fates(known, rows), strict=True))

    for order in itertools.permutations(rows):
        assert dict(zip(map(tuple, order), _fates(known, list(order)), strict=True)) == expected


def _fates(house: House, rows: list[list[Any]]) -> list[Any]:
    """What became of each row: the student, or the question and its candidates."""
    matched = found(house, *rows)
    asked = {
        question.position: (
            question.why,
            question.proposed,
            [(item.id, item.points) for item in question.candidates],
            None if question.partner is None else tuple(rows[question.partner]),
        )
        for question in matched.questions
    }
    return [student or asked[position] for position, student in enumerate(matched.students)]


NUMBERS = st.sampled_from([WANG[0], LI[0], ZHAO[0], "", "99"])
NAMES = st.sampled_from(["王晓涵", "李雨", "赵一鸣", "王小涵", ""])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(NUMBERS, NAMES), max_size=6))
def test_nothing_is_joined_unless_number_and_name_agree(known: House, rows: list[tuple[str, str]]) -> None:
    borne = {person[0]: person[1] for person in (WANG, LI, ZHAO)}

    matched = found(known, *rows)

    expected = [borne.get(number, "") if name in ("", borne.get(number)) else "" for number, name in rows]
    assert names(known, matched) == expected
    assert {question.position for question in matched.questions} == {
        place for place, name in enumerate(expected) if not name
    }
