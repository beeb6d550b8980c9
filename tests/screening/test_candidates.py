"""Rows without a certain student: who it may be and why, for a person to decide; never more than that."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.intake.problem import Problem
from app.screening.matching import candidates
from app.security.policy import Permission
from app.students.naming import class_text
from config import catalogue
from models.identity import ClassAlias, ClassGroup
from tests.house import House
from tests.screening.identity import COLLEGE, GROUP, LI, OTHER, ROSTER, WANG, ZHAO, found, grounds, names, top

FACE = ("student.name", "student.details")


@pytest.fixture
def known(sqlite_house: House) -> House:
    sqlite_house.make.roster(ROSTER, [WANG, LI, ZHAO])
    return sqlite_house


def test_name_class_and_birth_date_propose_but_do_not_match(known: House) -> None:
    matched = found(known, ["", "王晓涵", GROUP, "2005年3月1日"])

    [question] = matched.questions
    assert matched.students == [None]
    assert question.proposed == question.candidates[0].id
    assert (top(known, question), question.candidates[0].strength) == ("王晓涵", "strong")
    assert grounds(question) == {"name", "class", "birth_date"}


def test_a_name_alone_proposes_nobody(known: House) -> None:
    [question] = found(known, ["王晓涵"], columns=["name"]).questions

    assert question.proposed is None
    assert (top(known, question), question.candidates[0].strength) == ("王晓涵", "possible")


def test_two_of_one_name_in_one_class_are_both_shown_and_none_is_proposed(known: House) -> None:
    known.make.roster(ROSTER, [["2023010109", *WANG[1:4], ""]])

    [question] = found(known, ["", "王晓涵", GROUP]).questions

    assert len(question.candidates) == 2
    assert question.proposed is None


def test_the_birth_date_tells_two_of_one_name_apart(known: House) -> None:
    known.make.roster(ROSTER, [["2023010109", *WANG[1:4], "2004-01-01"]])

    [question] = found(known, ["", "王晓涵", GROUP, "2004-01-01"]).questions

    assert question.candidates[0].number.endswith("0109")
    assert question.proposed == question.candidates[0].id


@pytest.mark.parametrize("number", [260001, "260001", "２６０００１"])
def test_a_number_that_lost_its_zeros_is_a_question_with_its_student(known: House, number: Any) -> None:
    problems: list[Problem] = []

    matched = found(known, [number, "赵一鸣", GROUP], problems=problems)

    [question] = matched.questions
    assert matched.students == [None]
    assert (question.why, top(known, question)) == ("lost_zeros", "赵一鸣")
    assert question.proposed == question.candidates[0].id
    assert problems[0].code == "lost_zeros"
    assert "文本" in problems[0].message


@pytest.mark.parametrize(
    ("name", "ground"),
    [("王小涵", "sound"), ("王晓寒", "sound"), ("王晓晗", "sound"), ("王晓冉", "one_sign"), ("王晓", "one_sign")],
)
def test_a_mistyped_name_is_found_in_its_class(known: House, name: str, ground: str) -> None:
    [question] = found(known, ["", name, GROUP, "2005-03-01"]).questions

    assert top(known, question) == "王晓涵"
    assert ground in grounds(question)
    assert question.proposed is None


def test_a_mistyped_number_speaks_for_the_one_of_this_name(known: House) -> None:
    known.make.roster(ROSTER, [["2023029999", "王晓涵", COLLEGE, OTHER, ""]])

    [question] = found(known, ["2023010107", "王晓涵"]).questions

    assert "number_near" in grounds(question)
    assert question.candidates[0].class_name == GROUP


def test_a_class_is_known_by_its_other_names(known: House) -> None:
    with known.console(Permission.ROSTER_IMPORT) as access:
        [group] = access.session.scalars(select(ClassGroup).where(ClassGroup.name == GROUP)).all()
        alias = class_text("23级软件技术1班")
        access.session.add(ClassAlias(class_id=group.id, college_id=group.college_id, alias=alias))

    [question] = found(known, ["", "王晓涵", "23级软件技术（1）班", "2005-03-01"]).questions

    assert grounds(question) == {"name", "class", "birth_date"}


def test_whoever_is_on_leave_or_has_left_is_shown_with_that_fact(known: House) -> None:
    header = [*ROSTER, "学籍状态"]
    known.make.roster(header, [[*WANG, "休学"], [*LI, "退学"]])

    asked = found(known, ["", "王晓涵", GROUP, "2005-03-01"], ["", "李雨", GROUP, "2005-04-02"]).questions

    assert [question.candidates[0].status for question in asked] == ["on_leave", "withdrawn"]
    assert "gone" in grounds(asked[1])


def test_one_who_came_back_under_a_new_number_comes_before_his_old_file(known: House) -> None:
    known.make.roster([*ROSTER, "学籍状态"], [[*WANG, "退学"]])
    known.make.roster(ROSTER, [["2024010101", "王晓涵", COLLEGE, OTHER, "2005-03-01"]])

    [question] = found(known, ["", "王晓涵", "", "2005-03-01"]).questions

    assert [candidate.status for candidate in question.candidates] == ["enrolled", "withdrawn"]


def test_crossed_numbers_are_proposed_together_by_name(known: House) -> None:
    problems: list[Problem] = []

    matched = found(known, [WANG[0], "李雨", GROUP], [LI[0], "王晓涵", GROUP], [ZHAO[0], "赵一鸣"], problems=problems)

    assert names(known, matched) == ["", "", "赵一鸣"]
    first, second = matched.questions
    assert (first.why, first.partner, second.partner) == ("swapped", 1, 0)
    assert [top(known, question) for question in (first, second)] == ["李雨", "王晓涵"]
    assert [question.proposed for question in (first, second)] == [first.candidates[0].id, second.candidates[0].id]
    assert [problem.code for problem in problems] == ["swapped", "swapped"]
    assert "第 3 行" in problems[0].message


def test_what_a_person_decided_holds_for_every_row_that_says_the_same(known: House) -> None:
    rows = [["", "王小涵", GROUP], ["", " 王小涵", GROUP], ["", "路人", GROUP]]
    asked = found(known, *rows).questions
    chosen, nobody = asked[0].key, asked[2].key
    problems: list[Problem] = []

    matched = found(known, *rows, decisions={chosen: asked[0].candidates[0].id, nobody: None}, problems=problems)

    assert names(known, matched) == ["王晓涵", "王晓涵", ""]
    assert matched.how == ["decided", "decided", ""]
    assert matched.questions == []
    assert [(problem.row, problem.code) for problem in problems] == [(4, "decided_nobody")]


def test_a_decision_for_somebody_unknown_is_asked_again(known: House) -> None:
    [question] = found(known, ["", "王晓涵"]).questions

    again = found(known, ["", "王晓涵"], decisions={question.key: "00" * 16})

    assert again.students == [None]
    assert len(again.questions) == 1


def test_no_problem_and_no_key_repeats_what_the_row_says(known: House) -> None:
    problems: list[Problem] = []

    matched = found(
        known,
        [WANG[0], "金丝雀"],
        ["8888888", "金丝雀", GROUP],
        [260001, "赵一鸣"],
        [LI[0], "王晓涵"],
        problems=problems,
    )

    told = str(problems) + str([question.as_table() for question in matched.questions])
    for secret in ("金丝雀", "8888888", "260001", "王晓涵", "赵一鸣", "2023010101"):
        assert secret not in told, secret


def test_names_are_opened_for_the_rows_left_over_and_leave_one_entry(known: House) -> None:
    found(known, [WANG[0], "王晓涵"], [LI[0], "李雨"])
    assert known.log(act="screening_import") == []

    found(known, [WANG[0], "李雨", GROUP], ["", "王小涵", GROUP], ["", "路人", GROUP])

    [entry] = known.log(act="screening_import")
    assert {"student.name", "student.details"} <= set(entry["fields"]) <= {*FACE, "student_number.number"}


def test_far_too_many_unknown_rows_are_all_listed_and_the_first_are_asked_about(
    known: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(catalogue.table("matching"), "most_questions", 3)
    problems: list[Problem] = []

    matched = found(known, *[[str(700 + place), "路人"] for place in range(5)], problems=problems)

    assert len(matched.questions) == 3
    assert [problem.code for problem in problems] == ["too_many_unmatched", *["student_unknown"] * 5]
    assert "请先更新名册" in problems[0].message


@pytest.mark.parametrize("words", [WANG[0], "王晓涵", "wangxiaohan", GROUP])
def test_the_search_for_whose_it_is_finds_by_number_name_and_class_and_masks(known: House, words: str) -> None:
    psychologist = known.make.psychologist()
    with psychologist.under(Permission.SCREENING_IMPORT, writing=False) as access:
        hits = candidates.search(access, words)

    assert "王*涵" in [hit.name for hit in hits]
    assert not any("王晓涵" in str(hit.as_table()) or WANG[0] in str(hit.as_table()) for hit in hits)


def test_the_search_returns_at_most_twenty(known: House) -> None:
    known.make.roster(ROSTER, [[f"77{place:04d}", f"同学{place}", COLLEGE, OTHER, ""] for place in range(30)])
    with known.make.psychologist().under(Permission.SCREENING_IMPORT, writing=False) as access:
        assert len(candidates.search(access, OTHER)) == 20
        assert candidates.search(access, "  ") == []
