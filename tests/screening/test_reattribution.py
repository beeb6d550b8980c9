"""更正归属: answers go to the student whose they are, he is judged at once, and the other one keeps what is his."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.screening.corrections import reattribution
from app.security.policy import Permission
from models.correction import Correction, CorrectionKind
from models.interview import InterviewEntry, InterviewStage
from models.refusal import Refusal
from models.risk import Alert, AlertStage, Duty, Level, Signal
from models.screening import ResponseSet
from models.student import Student
from tests.house import Client, House
from tests.risk.people import Staffed, staffed, told
from tests.screening.corrections import attention_of, holding, last_delivery, roll_back
from tests.screening.files import Person, bring_in, enrol, gad, line, phq, written

WHY = "用错了同学的学号"


def sheets_of(house: House, person: Person, scale: str = "phq9") -> ResponseSet:
    """What holds of a student on one scale."""
    query = select(ResponseSet).where(
        ResponseSet.student_id == person.row.id, ResponseSet.scale == scale, ResponseSet.voided_at.is_(None)
    )
    row: ResponseSet = house.all(query)[0][0]
    return row


def give(by: Client, wrong: Person, right: Person, *, swap: bool = False, **named: Any) -> Correction:
    with by.under(Permission.SCREENING_CORRECT) as access:
        sheet = access.session.get(ResponseSet, sheets_of(by.house, wrong).id)
        rows = reattribution.sheets_with(access, sheet)
        student = access.session.get(Student, right.row.id)
        if swap:
            return reattribution.swap(access, rows, other=student, reason=WHY, **named)
        return reattribution.reattribute(access, rows, to=student, reason=WHY, **named)


@pytest.fixture
def mixed(house: House, tmp_path: Path) -> tuple[House, Staffed, Person, Person]:
    """One student answered under the number of another."""
    held = staffed(house)
    wrong, right = enrol(house, 2, held.group)
    bring_in(house, written(tmp_path, line(wrong, phq(12, 2), gad(15))))
    return house, held, wrong, right


def test_the_right_student_is_judged_in_the_same_act_and_the_wrong_one_is_free(mixed: Any) -> None:
    house, held, wrong, right = mixed
    before = attention_of(house, [wrong])

    give(held.psychologist, wrong, right)

    assert attention_of(house, [right]) == before
    assert attention_of(house, [wrong]) == {name: [] for name in before}
    [(alert,)] = house.all(select(Alert).where(Alert.student_id == wrong.row.id))
    assert alert.stage is AlertStage.VOID
    assert told(house, "alert_voided") == {held.head.id, held.advisor.id}


def test_the_new_sheet_has_the_same_answers_and_opens_under_the_right_students_key(mixed: Any) -> None:
    house, held, wrong, right = mixed
    old = sheets_of(house, wrong)

    give(held.psychologist, wrong, right)

    new = sheets_of(house, right)
    with held.psychologist.under(Permission.SCREENING_READ) as access:
        for person in (wrong, right):
            access.find(Student, person.row.id)
        bodies = [
            json.loads(access.open(access.session.get(ResponseSet, row.id), ResponseSet.body)) for row in (old, new)
        ]
    assert bodies[0] == bodies[1]
    assert (new.status, new.taken_at, new.batch_id) == (old.status, old.taken_at, old.batch_id)
    assert new.digest != old.digest


def test_the_same_file_with_the_right_number_is_already_known_afterwards(mixed: Any, tmp_path: Path) -> None:
    house, held, wrong, right = mixed
    give(held.psychologist, wrong, right)
    before = holding(house)

    receipt = bring_in(house, written(tmp_path, line(right, phq(12, 2), gad(15)), name="right.csv"))

    assert receipt["already_known"] == 1
    assert holding(house) == before


def test_who_had_acted_hears_that_it_is_void(mixed: Any) -> None:
    house, held, wrong, right = mixed
    [(duty,)] = house.all(select(Duty).where(Duty.owner_id == held.advisor.id))
    held.advisor.post(f"/duties/{duty.id}/acknowledge", version=str(duty.version))

    give(held.psychologist, wrong, right)

    assert told(house, "alert_voided_after_work") == {held.head.id, held.advisor.id}


def test_an_entry_of_the_interview_list_goes_with_the_answers(house: House, tmp_path: Path) -> None:
    held = staffed(house)
    wrong, right = enrol(house, 2, held.group)
    bring_in(house, written(tmp_path, line(wrong, phq(12), gad(15))))

    give(held.psychologist, wrong, right)

    rows = house.all(select(InterviewEntry.student_id).where(InterviewEntry.stage == InterviewStage.LISTED))
    assert [row.student_id for row in rows] == [right.row.id]


def test_what_the_wrong_sheet_had_replaced_holds_again(house: House, tmp_path: Path) -> None:
    held = staffed(house)
    wrong, right = enrol(house, 2, held.group)
    bring_in(house, written(tmp_path, line(wrong, phq(12, 2))))
    before = attention_of(house, [wrong])
    bring_in(house, written(tmp_path, line(wrong, phq(2), gad(0)), name="new.csv"), replace=True)

    give(held.psychologist, wrong, right)

    found = attention_of(house, [wrong])
    assert (found["alerts"], found["duties"]) == (before["alerts"], before["duties"])
    assert sheets_of(house, wrong).voided_by is None
    assert house.count(Signal, Signal.student_id == wrong.row.id, Signal.voided_at.is_(None)) > 0


def test_somebody_who_has_results_already_is_refused_unless_they_are_replaced(mixed: Any, tmp_path: Path) -> None:
    house, held, wrong, right = mixed
    bring_in(house, written(tmp_path, line(right, phq(4)), name="right.csv"))
    before = holding(house)

    with pytest.raises(Refusal, match=r"已有结果（.*）。如果已有的那份不对，请勾选“替换已有结果”"):
        give(held.psychologist, wrong, right)

    assert holding(house) == before
    give(held.psychologist, wrong, right, replace=True)
    assert attention_of(house, [right])["alerts"] == [(0, Level.ORANGE)]


def test_two_students_with_each_others_answers_are_put_right_in_one_act(mixed: Any, tmp_path: Path) -> None:
    house, held, wrong, right = mixed
    bring_in(house, written(tmp_path, line(right, phq(4)), name="right.csv"))
    wrongs, rights = attention_of(house, [wrong]), attention_of(house, [right])

    correction = give(held.psychologist, wrong, right, swap=True)

    assert attention_of(house, [wrong]) == rights
    assert attention_of(house, [right]) == wrongs
    assert correction.kind is CorrectionKind.SWAPPED
    assert house.count(Correction) == 1


@pytest.mark.parametrize(("reason", "words"), [("错", "请写明更正的原因")])
def test_a_reason_is_asked_for(mixed: Any, reason: str, words: str) -> None:
    house, held, wrong, right = mixed
    with held.psychologist.under(Permission.SCREENING_CORRECT) as access, pytest.raises(Refusal, match=words):
        sheet = access.session.get(ResponseSet, sheets_of(house, wrong).id)
        rows = reattribution.sheets_with(access, sheet)
        reattribution.reattribute(access, rows, to=access.session.get(Student, right.row.id), reason=reason)


def test_the_student_who_has_them_already_is_no_correction(mixed: Any) -> None:
    _, held, wrong, _ = mixed

    with pytest.raises(Refusal, match="选的就是现在这名学生"):
        give(held.psychologist, wrong, wrong)


def test_what_was_corrected_meanwhile_is_not_corrected_again(mixed: Any) -> None:
    house, held, wrong, right = mixed
    with held.head.under(Permission.SCREENING_CORRECT) as access:
        rows = reattribution.sheets_with(access, access.session.get(ResponseSet, sheets_of(house, wrong).id))
    give(held.psychologist, wrong, right)

    with held.head.under(Permission.SCREENING_CORRECT) as access, pytest.raises(Refusal, match="已经作废或更正过"):
        reattribution.reattribute(access, rows, to=access.session.get(Student, right.row.id), reason=WHY)


def test_a_file_with_corrected_answers_can_still_be_taken_back(mixed: Any) -> None:
    house, held, wrong, right = mixed
    give(held.psychologist, wrong, right)

    roll_back(held.head, last_delivery(house))

    for person in (wrong, right):
        assert not any(attention_of(house, [person]).values())
