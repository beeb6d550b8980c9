"""Drafts: only their author reads them, in the role in which they were written, sealed, for two weeks."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from app.identity import drafts
from app.security.policy import Permission
from models.identity import Draft, Role
from models.moment import now
from tests.house import Client, House
from tests.intake.delivery import stored


def kept(client: Client, form: str) -> Any:
    page = client.send("GET", f"/drafts/{form}")
    assert page.status == 200
    return json.loads(page.html)["fields"]


def test_a_draft_comes_back_as_it_was_written(sqlite_house: House) -> None:
    head = sqlite_house.make.head()
    form = f"note.{uuid4()}"
    written = {"text": "第一行\n第二行 <b>", "next_on": "2026-12-01", "noticed": ["sleep", "mood"]}

    assert head.send("PUT", f"/drafts/{form}", written).status == 200

    assert kept(head, form) == written
    assert kept(head, "note") == {}


def test_the_newest_words_replace_the_older(house: House) -> None:
    head = house.make.head()
    for text in ("一", "一二", "一二三"):
        head.send("PUT", "/drafts/note", {"text": text})

    assert kept(head, "note") == {"text": "一二三"}
    assert house.count(Draft) == 1


def test_nobody_reads_the_draft_of_another(sqlite_house: House) -> None:
    author, head = sqlite_house.make.psychologist(), sqlite_house.make.head()
    author.send("PUT", "/drafts/note", {"text": "秘密"})

    assert kept(head, "note") == {}
    head.send("PUT", "/drafts/note", {"text": "别的"})
    assert kept(author, "note") == {"text": "秘密"}


def test_a_draft_stays_in_the_role_in_which_it_was_written(house: House) -> None:
    person = house.make.person(Role.PSYCHOLOGIST, more=[Role.AID_OFFICER])
    person.send("PUT", "/drafts/note", {"text": "会谈"})

    person.post("/role", role="aid_officer")

    assert kept(person, "note") == {}
    person.send("PUT", "/drafts/note", {"text": "资助"})
    person.post("/role", role="psychologist")
    assert kept(person, "note") == {"text": "会谈"}


def test_a_draft_is_sealed(sqlite_house: House) -> None:
    sqlite_house.make.psychologist().send("PUT", "/drafts/note", {"text": "金丝雀初稿"})

    held = stored(sqlite_house)
    assert "金丝雀初稿".encode() not in held
    assert "金丝雀初稿".encode("unicode_escape") not in held


def test_a_draft_is_gone_once_the_form_is_handed_in(sqlite_house: House) -> None:
    _, psychologist, _ = sqlite_house.make.team()
    case = sqlite_house.make.case(psychologist, sqlite_house.make.student())
    form = f"note.{case.id}"
    psychologist.send("PUT", f"/drafts/{form}", {"text": "草稿"})

    psychologist.post(f"/cases/{case.id}/notes", kind="session", text="定稿", version="1")

    assert kept(psychologist, form) == {}
    assert sqlite_house.count(Draft) == 0


def test_a_draft_stays_when_the_form_is_refused(sqlite_house: House) -> None:
    _, psychologist, _ = sqlite_house.make.team()
    case = sqlite_house.make.case(psychologist, sqlite_house.make.student())
    form = f"note.{case.id}"
    psychologist.send("PUT", f"/drafts/{form}", {"text": "草稿"})

    psychologist.post(f"/cases/{case.id}/notes", kind="session", text="", version="1")

    assert kept(psychologist, form) == {"text": "草稿"}


def test_a_draft_nobody_came_back_to_is_cleared_after_two_weeks(sqlite_house: House) -> None:
    head, other = sqlite_house.make.head(), sqlite_house.make.psychologist()
    head.send("PUT", "/drafts/note", {"text": "旧"})
    other.send("PUT", "/drafts/note", {"text": "新"})
    for client, days in ((head, 14.1), (other, 13.9)):
        with sqlite_house.door.database.writing() as session:
            session.execute(
                update(Draft).where(Draft.author_id == client.id).values(saved_at=now() - timedelta(days=days))
            )

    with sqlite_house.console(Permission.MAINTENANCE) as access:
        drafts.clear_away(access)

    assert kept(head, "note") == {}
    assert kept(other, "note") == {"text": "新"}


def test_several_tabs_that_save_at_once_leave_one_draft(house: House) -> None:
    head = house.make.head()
    tabs = [Client(house, head.staff, Role.CENTRE_HEAD) for _ in range(4)]
    for tab in tabs:
        tab.post("/notices/read")

    with ThreadPoolExecutor(4) as threads:
        pages = list(threads.map(lambda tab: tab.send("PUT", "/drafts/note", {"text": "同时"}), tabs))

    assert [page.status for page in pages] == [200] * 4
    assert house.count(Draft) == 1
    assert kept(head, "note") == {"text": "同时"}


@pytest.mark.parametrize(
    "form", ["Note", "note.1", "note/../x", "a" * 41, "note%00", "学生", "note.王小涵", "20260101001"]
)
def test_a_draft_has_a_plain_name_without_names_or_numbers(sqlite_house: House, form: str) -> None:
    head = sqlite_house.make.head()

    assert head.send("PUT", f"/drafts/{form}", {"text": "x"}).status == 404
    assert sqlite_house.count(Draft) == 0


def test_only_a_table_of_fields_of_a_bearable_size_is_kept(sqlite_house: House) -> None:
    head = sqlite_house.make.head()

    for held in (["a"], "text", 7, None, {"text": "字" * 70_000}):
        assert head.send("PUT", "/drafts/note", held).status == 400
    assert sqlite_house.count(Draft) == 0
    assert head.send("PUT", "/drafts/note", {"text": "字" * 5_000}).status == 200


def test_a_draft_needs_a_session_and_a_token(sqlite_house: House) -> None:
    head = sqlite_house.make.head()

    assert head.send("PUT", "/drafts/note", {"text": "x"}, token=False).status == 400
    assert sqlite_house.anonymous().get("/drafts/note", headers={"Accept": "application/json"}).status_code == 401
    assert sqlite_house.count(Draft) == 0
