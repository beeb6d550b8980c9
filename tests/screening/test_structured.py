"""C-SSRS as a structured interview: who is asked what, what the answers come to, and what that sets going."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from sqlalchemy import select

from app.screening.structured import EARLIER, NO, RECENT, YES, guide
from models.identity import Role
from models.participation import StructuredInterview
from models.risk import Alert, Level, Signal
from models.student import Student
from tests.house import Client, House, Page

HELD = "2026-01-05T09:00"


@pytest.fixture
def psychologist(sqlite_house: House) -> Client:
    sqlite_house.make.head()
    return sqlite_house.make.psychologist()


def say(by: Client, student: Student, place: str = "", **answers: str) -> Page:
    """Submit the form with these answers to question 1 (``q1``), 2 and so on."""
    fields = {f"question_{name[1:]}": answer for name, answer in answers.items()}
    return by.post(f"/students/{student.id}/cssrs{place}", held_at=HELD, text="在中心谈", follow=True, **fields)


def interviews(house: House) -> list[StructuredInterview]:
    return [row for (row,) in house.all(select(StructuredInterview).order_by(StructuredInterview.recorded_at))]


def level_by_the_book(answers: dict[int, str]) -> str:
    """Domain §A.12, said once more and differently."""
    if answers.get(4) == YES or answers.get(5) == YES or answers[6] == RECENT:
        return "high"
    if answers.get(3) == YES or answers[6] == EARLIER:
        return "moderate"
    return "low" if YES in {answers[1], answers[2]} else "none"


def every_interview() -> list[dict[int, str]]:
    found = []
    for first, second, last in itertools.product((YES, NO), (YES, NO), (NO, EARLIER, RECENT)):
        for more in itertools.product((YES, NO), repeat=3) if second == YES else [()]:
            found.append({1: first, 2: second, 6: last} | dict(zip((3, 4, 5), more, strict=False)))
    return found


@pytest.mark.parametrize("answers", every_interview(), ids=lambda held: "".join(v[0] for _, v in sorted(held.items())))
def test_every_possible_interview_has_the_level_of_the_book(answers: dict[int, str]) -> None:
    assert guide().level(answers).key == level_by_the_book(answers)


@pytest.mark.parametrize(
    ("answers", "level"),
    [
        ({"q1": YES, "q2": NO, "q6": NO}, Level.YELLOW),
        ({"q1": NO, "q2": NO, "q6": EARLIER}, Level.ORANGE),
        ({"q1": YES, "q2": YES, "q3": YES, "q4": NO, "q5": NO, "q6": NO}, Level.ORANGE),
        ({"q1": YES, "q2": YES, "q3": YES, "q4": YES, "q5": NO, "q6": NO}, Level.RED),
        ({"q1": NO, "q2": NO, "q6": RECENT}, Level.RED),
    ],
)
def test_its_level_raises_the_alert_at_once(house: House, answers: dict[str, str], level: Level) -> None:
    house.make.head()
    student = house.make.student()

    page = say(house.make.psychologist(), student, **answers)

    [(alert,)] = house.all(select(Alert))
    assert (alert.level, alert.student_id) == (level, student.id)
    assert set(house.make.duties(alert)) >= {"contact"}
    assert "提示" in page
    assert "不是诊断" in page


def test_an_interview_without_any_yes_raises_nothing_and_is_kept(sqlite_house: House, psychologist: Client) -> None:
    say(psychologist, sqlite_house.make.student(), q1=NO, q2=NO, q6=NO)

    assert sqlite_house.count(Alert) == 0
    assert len(interviews(sqlite_house)) == 1


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"q1": NO, "q6": NO}, "请记录第 2 题的回答"),
        ({"q1": NO, "q2": NO}, "请记录第 6 题的回答"),
        ({"q1": NO, "q2": YES, "q3": YES, "q5": NO, "q6": NO}, "请记录第 4 题的回答"),
        ({"q1": NO, "q2": NO, "q4": YES, "q6": NO}, "不问第 4 题"),
    ],
)
def test_everything_that_was_to_be_asked_has_an_answer_and_nothing_else_has(
    sqlite_house: House, psychologist: Client, answers: dict[str, Any], words: str
) -> None:
    page = say(psychologist, sqlite_house.make.student(), **answers)

    assert page.status == 422
    assert words in page
    assert interviews(sqlite_house) == []


def test_every_question_stands_on_the_page_with_when_it_is_asked_and_whose_words_to_use(
    sqlite_house: House, psychologist: Client
) -> None:
    page = psychologist.get(f"/students/{sqlite_house.make.student().id}/cssrs")

    assert all(f"{question.number}. {question.text}" in page for question in guide().questions)
    assert page.text.count("第 2 题回答“是”时才问") == 3
    assert "只列出各题的简称" in page


def test_a_correction_voids_the_earlier_one_and_the_reason_that_rested_on_it(house: House) -> None:
    house.make.head()
    psychologist, student = house.make.psychologist(), house.make.student()
    say(psychologist, student, q1=NO, q2=NO, q6=RECENT)
    first = interviews(house)[0]

    say(psychologist, student, f"/{first.id}/amend", q1=YES, q2=NO, q6=NO)

    earlier, later = interviews(house)
    assert (earlier.voided_at is not None, later.amends_id, later.voided_at) == (True, first.id, None)
    signals = {row.source_id: row.voided_at is not None for (row,) in house.all(select(Signal))}
    assert signals == {earlier.id: True, later.id: False}
    [(alert,)] = house.all(select(Alert))
    assert (alert.level, alert.reasons_void) == (Level.RED, False)
    again = say(psychologist, student, f"/{first.id}/amend", q1=NO, q2=NO, q6=NO)
    assert "已经更正过" in again


def test_a_correction_to_nothing_leaves_the_alert_to_the_centre(sqlite_house: House, psychologist: Client) -> None:
    student = sqlite_house.make.student()
    say(psychologist, student, q1=YES, q2=NO, q6=NO)

    say(psychologist, student, f"/{interviews(sqlite_house)[0].id}/amend", q1=NO, q2=NO, q6=NO)

    [(alert,)] = sqlite_house.all(select(Alert))
    assert (alert.ended_at, alert.reasons_void) == (None, True)


def test_it_stands_on_the_timeline_of_the_centre_and_of_nobody_else(sqlite_house: House, psychologist: Client) -> None:
    group = sqlite_house.make.class_group()
    student, advisor = sqlite_house.make.student(group), sqlite_house.make.advisor(group)
    lead = sqlite_house.make.person(Role.COLLEGE_LEAD)
    say(psychologist, student, q1=NO, q2=NO, q6=NO)
    held = interviews(sqlite_house)[0]

    assert "C-SSRS 访谈" in psychologist.get(f"/students/{student.id}")
    for outsider in (advisor, lead):
        assert "C-SSRS" not in outsider.get(f"/students/{student.id}").html
        assert outsider.get(f"/students/{student.id}/cssrs/{held.id}").status == 403
        assert outsider.get(f"/students/{student.id}/cssrs").status == 403


def test_an_interview_is_not_found_under_another_students_name(sqlite_house: House, psychologist: Client) -> None:
    one, other = sqlite_house.make.students(2)
    say(psychologist, one, q1=NO, q2=NO, q6=NO)
    held = interviews(sqlite_house)[0]

    assert psychologist.get(f"/students/{one.id}/cssrs/{held.id}").status == 200
    assert psychologist.get(f"/students/{other.id}/cssrs/{held.id}").status == 404


def test_a_time_that_has_not_come_is_refused(sqlite_house: House, psychologist: Client) -> None:
    student = sqlite_house.make.student()

    page = psychologist.post(
        f"/students/{student.id}/cssrs", held_at="2099-01-01T10:00", question_1=NO, question_2=NO, question_6=NO
    )

    assert "访谈时间不能晚于现在" in page
