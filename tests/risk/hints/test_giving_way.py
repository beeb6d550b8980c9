"""Hints beside files that come and go: a rule takes a hint's place, and a file that is taken back returns it."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.interview import EntryOrigin, InterviewEntry, InterviewStage
from tests.house import House
from tests.risk.hints.listed import CALM, Listed, listed, says
from tests.risk.people import told
from tests.screening.corrections import last_delivery, roll_back
from tests.screening.files import bring_in, gad, line, phq, written

NO_PHQ = [""] * 9


def hinted(house: House, folder: Path) -> Listed:
    """Three by the rules, and the first student, who is calm, added by the model."""
    held = listed(house, folder, [CALM, 10, 12, 14])
    held.arrange({person.row.id: says(person, 3.0, "近期缺勤较多") for person in held.people})
    assert held.of(EntryOrigin.MODEL) == {held.people[0].row.id}
    return held


def rule_speaks(held: Listed, folder: Path) -> None:
    """A second questionnaire of the calm student comes, and a rule lists him for it."""
    row = line(held.people[0], NO_PHQ, gad(15))
    bring_in(held.house, written(folder, row, name="second.csv"))


def test_a_rule_takes_the_place_of_a_hint_with_its_own_reasons(house: House, tmp_path: Path) -> None:
    held = hinted(house, tmp_path)

    rule_speaks(held, tmp_path)

    [hint, rule] = sorted(held.entries(InterviewEntry.student_id == held.people[0].row.id), key=lambda row: row.id)
    assert (hint.origin, hint.stage, hint.voided_by) == (EntryOrigin.MODEL, InterviewStage.VOID, rule.batch_id)
    assert (rule.origin, rule.stage, rule.owner_id) == (
        EntryOrigin.RULES,
        InterviewStage.LISTED,
        held.round().owner_id,
    )
    assert "GAD-7" in held.staff.psychologist.get("/interviews")


@pytest.mark.parametrize("decision", ["dismiss", "known", "not_reached"])
def test_a_decision_about_a_hint_does_not_keep_a_rule_from_listing(
    sqlite_house: House, tmp_path: Path, decision: str
) -> None:
    held = hinted(sqlite_house, tmp_path)
    hint, person = held.entry(held.people[0]), held.staff.psychologist
    if decision == "not_reached":
        person.post(f"/interviews/{hint.id}", stage="not_reached", text="没有联系上", version="1")
    else:
        basis = {"dismiss": "understood", "known": "in_case"}[decision]
        person.post(f"/interviews/{hint.id}/{decision}", basis=basis, text="已了解", version="1")
    assert sqlite_house.again(hint).ended_at is not None

    rule_speaks(held, tmp_path)

    [rule] = held.entries(InterviewEntry.student_id == held.people[0].row.id, InterviewEntry.ended_at.is_(None))
    assert rule.origin is EntryOrigin.RULES


def test_whoever_was_inviting_keeps_the_student(sqlite_house: House, tmp_path: Path) -> None:
    held = hinted(sqlite_house, tmp_path)
    held.staff.psychologist.post(f"/interviews/{held.entry(held.people[0]).id}/take")

    rule_speaks(held, tmp_path)

    assert held.entry(held.people[0]).origin is EntryOrigin.RULES
    assert held.entry(held.people[0]).owner_id == held.staff.psychologist.id


def test_a_talk_that_was_held_stands_and_whoever_talked_hears_of_the_new_reason(
    sqlite_house: House, tmp_path: Path
) -> None:
    held = hinted(sqlite_house, tmp_path)
    hint, person = held.entry(held.people[0]), held.staff.psychologist
    person.post(f"/interviews/{hint.id}/take")
    person.post(f"/interviews/{hint.id}", stage="done", result="C", text="聊过", version="2")

    rule_speaks(held, tmp_path)

    assert [row.stage for row in held.entries(InterviewEntry.student_id == hint.student_id)] == [InterviewStage.DONE]
    assert told(sqlite_house, "interview_reason_added") == {person.id}


def test_a_file_that_is_taken_back_gives_the_hint_its_place_again(house: House, tmp_path: Path) -> None:
    held = hinted(house, tmp_path)
    rule_speaks(held, tmp_path)

    roll_back(held.staff.head, last_delivery(house))

    live = held.entries(InterviewEntry.student_id == held.people[0].row.id, InterviewEntry.ended_at.is_(None))
    assert [(row.origin, row.stage) for row in live] == [(EntryOrigin.MODEL, InterviewStage.LISTED)]


def test_a_hint_goes_with_the_last_answers_of_its_student_and_its_owner_is_told(house: House, tmp_path: Path) -> None:
    held = hinted(house, tmp_path)

    came_to = roll_back(held.staff.head, last_delivery(house))

    assert held.order() == []
    assert came_to["interviews_voided"] == 4
    assert told(house, "interview_ground_void") == {held.round().owner_id}


def test_a_talk_that_has_begun_on_a_hint_stays_when_its_answers_go(sqlite_house: House, tmp_path: Path) -> None:
    held = hinted(sqlite_house, tmp_path)
    hint, person = held.entry(held.people[0]), held.staff.psychologist
    person.post(f"/interviews/{hint.id}/take")
    person.post(f"/interviews/{hint.id}", stage="second_talk", text="聊了一半", version="2")

    roll_back(held.staff.head, last_delivery(sqlite_house))

    assert sqlite_house.again(hint).stage is InterviewStage.SECOND_TALK
    assert person.id in told(sqlite_house, "interview_ground_void")


def test_a_hint_stays_while_another_file_still_speaks_of_its_student(sqlite_house: House, tmp_path: Path) -> None:
    held = hinted(sqlite_house, tmp_path)
    bring_in(sqlite_house, written(tmp_path, line(held.people[0], NO_PHQ, gad(1)), name="second.csv"))

    roll_back(held.staff.head, last_delivery(sqlite_house))

    assert sqlite_house.again(held.entry(held.people[0])).stage is InterviewStage.LISTED


def test_a_rules_entry_that_stands_again_is_not_kept_off_by_a_hint_that_came_meanwhile(
    house: House, tmp_path: Path
) -> None:
    held = listed(house, tmp_path, [13, 10, 12, 14])
    person = held.people[0]
    bring_in(house, written(tmp_path, line(person, phq(CALM), [""] * 7), name="calm.csv"), replace=True)
    held.arrange({one.row.id: says(one, 3.0) for one in held.people})
    assert held.entry(person).origin is EntryOrigin.MODEL

    roll_back(held.staff.head, last_delivery(house))

    live = held.entries(InterviewEntry.student_id == person.row.id, InterviewEntry.ended_at.is_(None))
    assert [(row.origin, row.weight > 0) for row in live] == [(EntryOrigin.RULES, True)]
