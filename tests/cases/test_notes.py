"""Notes: sealed, the keeper's own, amended and never changed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.cases import care
from app.security.policy import Permission
from models.case import Case, CaseNote, NoteKind
from models.moment import now
from models.refusal import Refusal
from models.risk import Level
from tests.cases.work import act, note
from tests.house import House
from tests.risk.people import Staffed, staffed
from tests.risk.times import at, near

CANARY = "笔记金丝雀"


@pytest.fixture
def people(sqlite_house: House) -> Staffed:
    return staffed(sqlite_house)


@pytest.fixture
def case(sqlite_house: House, people: Staffed) -> Case:
    return sqlite_house.make.case(people.psychologist, people.student, level=Level.ORANGE)


def notes(house: House) -> list[CaseNote]:
    return [row for (row,) in house.all(select(CaseNote).order_by(CaseNote.id))]


def test_a_note_stands_on_the_keepers_page_and_in_no_file_of_the_house(
    sqlite_house: House, people: Staffed, case: Case
) -> None:
    note(sqlite_house, people.psychologist, case, CANARY)

    assert CANARY in people.psychologist.get(f"/cases/{case.id}")
    folder = Path(sqlite_house.door.database.url.database or "").parent
    assert not any(CANARY.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_the_head_reads_the_case_and_not_one_note(sqlite_house: House, people: Staffed, case: Case) -> None:
    note(sqlite_house, people.psychologist, case, CANARY)

    page = people.head.get(f"/cases/{case.id}")

    assert page.status == 200
    assert CANARY not in page
    assert "初次评估" not in page
    assert people.head.get(f"/cases/{case.id}/notes").status == 404


def test_what_was_opened_is_in_the_log(sqlite_house: House, people: Staffed, case: Case) -> None:
    people.psychologist.get(f"/cases/{case.id}")

    [read] = [row for row in sqlite_house.log(act="case_work") if "case_note.body" in row["fields"]]
    assert read["actor"] == people.psychologist.id.hex
    assert people.student.id.hex in read["subjects"]


def test_a_session_sets_the_next_date_by_level(sqlite_house: House, people: Staffed, case: Case) -> None:
    note(sqlite_house, people.psychologist, case, "谈过")

    assert near(sqlite_house.again(case).due_at, now() + timedelta(days=7))


def test_a_stated_next_date_is_the_clock(sqlite_house: House, people: Staffed, case: Case) -> None:
    note(sqlite_house, people.psychologist, case, "谈过", next_on="2026-11-18")

    assert sqlite_house.again(case).due_at == at("2026-11-18", "17:30")


def test_a_next_date_lies_within_half_a_year(sqlite_house: House, people: Staffed, case: Case) -> None:
    for day in ("2026-11-15", "2027-05-16", "9999-12-31"):
        page = note(sqlite_house, people.psychologist, case, "谈过", next_on=day)
        assert page.status == 422, day
        assert "谈过" in page.html

    assert len(notes(sqlite_house)) == 1
    assert sqlite_house.log(act="case_note_written") == []


def test_an_amendment_stands_beside_what_it_amends(sqlite_house: House, people: Staffed, case: Case) -> None:
    note(sqlite_house, people.psychologist, case, CANARY)
    before = notes(sqlite_house)[1]

    act(sqlite_house, people.psychologist, case, f"notes/{before.id}/amend", text="更正：是周三")

    kept, amendment = notes(sqlite_house)[1:]
    page = people.psychologist.get(f"/cases/{case.id}")
    assert amendment.amends_id == kept.id == before.id
    assert kept.written_at == before.written_at
    assert CANARY in page
    assert "更正：是周三" in page


def test_no_amendment_without_a_note_of_this_case(sqlite_house: House, people: Staffed, case: Case) -> None:
    other = sqlite_house.make.case(people.psychologist, sqlite_house.make.student())
    [foreign] = [row.id for row in notes(sqlite_house) if row.case_id == other.id]

    for note_id in (foreign, uuid4()):
        page = act(sqlite_house, people.psychologist, case, f"notes/{note_id}/amend", text="更正")
        assert page.status == 422
        assert "请从要更正的那一条记录进入" in page

    assert len(notes(sqlite_house)) == 2


def test_a_foreign_note_and_a_missing_one_show_the_same_page(sqlite_house: House, people: Staffed, case: Case) -> None:
    colleague = sqlite_house.make.psychologist()
    sqlite_house.make.case(colleague, sqlite_house.make.student(), text=CANARY)
    [foreign] = [row.id for row in notes(sqlite_house) if row.case_id != case.id]

    there = people.psychologist.get(f"/cases/{case.id}/notes/{foreign}/amend")
    nowhere = people.psychologist.get(f"/cases/{case.id}/notes/{uuid4()}/amend")

    assert there.status == nowhere.status
    assert there.text == nowhere.text
    assert CANARY not in there.html


def test_two_windows_do_not_write_over_each_other(sqlite_house: House, people: Staffed, case: Case) -> None:
    note(sqlite_house, people.psychologist, case, "第一个窗口")

    page = people.psychologist.post(f"/cases/{case.id}/notes", kind="session", text="第二个窗口", version="1")

    assert page.status == 409
    assert len(notes(sqlite_house)) == 2


def test_the_database_holds_the_hand_of_whoever_writes_without_the_page(house: House) -> None:
    people = staffed(house)
    case = house.make.case(people.psychologist, people.student)

    with pytest.raises(Refusal), people.psychologist.under(Permission.CASE_WORK) as access:
        row = access.find(Case, case.id)
        care.write_note(access, row, kind=NoteKind.SESSION, text=CANARY, next_on=None)
        care.give_advice(access, row, focus=["nothing"], text=CANARY)

    assert len(notes(house)) == 1
    assert house.again(case).due_at == case.due_at
    assert house.log(act="case_note_written") == []


def test_a_draft_is_its_authors_alone_and_gone_when_the_note_is_saved(
    sqlite_house: House, people: Staffed, case: Case
) -> None:
    path = f"/drafts/note.{case.id}"
    people.psychologist.send("PUT", path, {"text": CANARY})

    assert CANARY in people.psychologist.get(path).response.get_json()["fields"]["text"]
    assert people.head.get(path).response.get_json() == {"fields": {}}
    note(sqlite_house, people.psychologist, case, CANARY)
    assert people.psychologist.get(path).response.get_json() == {"fields": {}}


def test_a_refused_note_keeps_its_draft(sqlite_house: House, people: Staffed, case: Case) -> None:
    path = f"/drafts/note.{case.id}"
    people.psychologist.send("PUT", path, {"text": CANARY})

    note(sqlite_house, people.psychologist, case, CANARY, next_on="2020-01-01")

    assert people.psychologist.get(path).response.get_json()["fields"] == {"text": CANARY}
