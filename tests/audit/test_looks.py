"""Every look at a student leaves a row: whose, by whom, in which role, for which purpose, which fields (law 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from models.case import Case
from models.risk import Duty
from models.student import Student
from tests.house import Client, House


@dataclass(frozen=True)
class Story:
    """A student in care, and the people around him."""

    house: House
    head: Client
    psychologist: Client
    advisor: Client
    student: Student
    case: Case
    contact: Duty

    def rows(self, person: Client) -> list[dict[str, Any]]:
        return self.house.log(actor=person.id.hex, outcome="done")


@pytest.fixture
def story(sqlite_house: House) -> Story:
    make = sqlite_house.make
    head, psychologist, _ = make.team()
    group = make.class_group()
    advisor = make.advisor(group)
    student = make.student(group, name="王小涵")
    contact = make.duties(make.alert(make.student(group)))["contact"]
    case = make.case(psychologist, student)
    psychologist.post(f"/cases/{case.id}/notes", kind="session", text="会谈", version="1")
    return Story(sqlite_house, head, psychologist, advisor, student, case, contact)


def fresh(story: Story, person: Client, path: str) -> list[dict[str, Any]]:
    """The rows that one look at a page adds."""
    before = len(story.rows(person))
    page = person.get(path)
    assert page.status == 200, path
    return story.rows(person)[before:]


def test_each_page_with_a_student_leaves_his_id_the_purpose_and_the_opened_fields(story: Story) -> None:
    duty, case, student = story.contact, story.case, story.student
    looks = [
        (story.advisor, f"/students/{student.id}", "student_read", student.id, "student.name"),
        (story.advisor, f"/students/{student.id}/talk", "care_talk", student.id, ""),
        (story.advisor, f"/students/{student.id}/talk", "student_read", student.id, "student.phone"),
        (story.advisor, "/my-students", "student_search", student.id, "student.phone"),
        (story.advisor, "/worklist", "duty_work", duty.student_id, "student.name"),
        (story.advisor, f"/duties/{duty.id}", "duty_work", duty.student_id, "student.phone"),
        (story.psychologist, "/cases", "case_read", student.id, "student.name"),
        (story.psychologist, f"/cases/{case.id}", "case_work", student.id, "case_note.body"),
        (story.head, "/alerts", "alert_triage", duty.student_id, "student.name"),
        (story.head, f"/alerts/{duty.alert_id}", "alert_triage", duty.student_id, "signal.reason"),
        (story.head, f"/students/{student.id}", "who_looked", student.id, ""),
    ]
    for person, path, act, subject, field in looks:
        rows = [row for row in fresh(story, person, path) if row["act"] == act]
        assert rows, (path, act)
        assert all((row["purpose"], row["basis"]) == ("care", "duty_of_care") for row in rows), path
        assert any(subject.hex in row["subjects"] for row in rows), (path, act)
        assert not field or any(field in row["fields"] for row in rows), (path, field)
        assert all(row["role"] == person.role.value for row in rows), path


def test_two_looks_are_two_rows(story: Story) -> None:
    path = f"/students/{story.student.id}"

    first, second = fresh(story, story.advisor, path), fresh(story, story.advisor, path)

    assert [row["act"] for row in first].count("student_read") == 1
    assert [row["act"] for row in second].count("student_read") == 1
    assert {row["request"] for row in first}.isdisjoint({row["request"] for row in second})


def test_all_decisions_of_one_page_bear_the_same_request(story: Story) -> None:
    rows = fresh(story, story.head, f"/students/{story.student.id}")

    assert len(rows) > 1
    assert len({row["request"] for row in rows}) == 1


def test_a_page_on_which_nobody_is_shown_names_nobody(story: Story) -> None:
    for path in ("/notices", "/help", "/students", "/account/password"):
        assert all(row["subjects"] == [] and row["fields"] == [] for row in fresh(story, story.head, path)), path


def test_an_act_on_a_case_stands_with_its_case_and_its_student(story: Story) -> None:
    story.psychologist.post(f"/cases/{story.case.id}/notes", kind="session", text="金丝雀", version="2")

    [row] = story.house.log(act="case_note_written")[-1:]
    assert row["object"] == story.case.id.hex
    assert "金丝雀" not in str(story.house.log())


def test_the_log_of_a_day_of_work_is_whole(story: Story) -> None:
    for path in ("/my-students", "/worklist", f"/students/{story.student.id}"):
        story.advisor.get(path)

    proof = story.house.proof()
    assert proof.holds
    assert proof.rows == len(story.house.log())
