"""审计日志: the auditor finds every act, by anything but content."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.security.policy import Permission, Purpose
from config import catalogue
from models.audit import LedgerEntry
from models.identity import Role
from models.moment import now, today, travel
from tests.house import Client, House, Page

LINE = re.compile(r'data-label="行号"><small>(\d+-\d+)</small>')


def lines(page: Page) -> list[str]:
    """The rows on the page, by writer and place."""
    assert page.status == 200
    return LINE.findall(page.html)


def note(house: House, person: Client, count: int, outcome: str = "done") -> None:
    """So many rows by this person."""
    for _ in range(count):
        house.door.note(person.actor, Permission.OWN_WORKPLACE, Purpose.OWN, act="sign_in", outcome=outcome)


def test_the_newest_act_stands_first_with_who_what_why_and_which_fields(house: House) -> None:
    auditor, group = house.make.person(Role.AUDITOR), house.make.class_group()
    advisor = house.make.advisor(group, name="李老师")
    student = house.make.student(group)
    advisor.get(f"/students/{student.id}")

    page = auditor.get("/audit?act=student_read")

    assert len(lines(page)) == 1
    for words in (
        "李老师",
        "辅导员",
        "查看档案",
        catalogue.table("words")["purpose"]["care"],
        "姓名",
        "手机号",
        "学号",
    ):
        assert words in page, words
    assert f"{student.id.hex[:8]}…{student.id.hex[-4:]}" in page


def test_the_page_names_no_student(house: House) -> None:
    auditor, head = house.make.person(Role.AUDITOR), house.make.head()
    student = house.make.student(name="金丝雀名", number="20268887766", phone="13811112222")
    head.post("/students", words="金丝雀名")
    head.get(f"/students/{student.id}")
    head.post(f"/students/{student.id}/reveal")

    for path in ("/audit", "/audit?act=student_read", f"/audit?subject={student.id}", "/audit?page=2"):
        page = auditor.get(path)
        for secret in ("金丝雀", "20268887766", "13811112222", "1381", "2222"):
            assert secret not in page.text, (path, secret)


def test_one_student_is_looked_up_by_id_and_only_his_rows_come(house: House) -> None:
    auditor, head = house.make.person(Role.AUDITOR), house.make.head()
    one, other = house.make.student(), house.make.student()
    head.get(f"/students/{one.id}")
    head.get(f"/students/{other.id}")

    found = lines(auditor.get(f"/audit?subject={one.id}"))

    wanted = [row for row in house.log() if one.id.hex in row["subjects"]]
    assert len(found) == len(wanted) > 0
    assert not any(other.id.hex in row["subjects"] for row in wanted)


def test_filters_by_person_act_and_outcome_hold_together(house: House) -> None:
    auditor, one, two = house.make.person(Role.AUDITOR), house.make.head(), house.make.head()
    note(house, one, 2)
    note(house, one, 3, "refused")
    note(house, two, 4, "refused")

    def count(query: str) -> int:
        return len(lines(auditor.get(f"/audit?{query}")))

    assert count(f"actor={one.id}&act=sign_in&outcome=refused") == 3
    assert count(f"actor={two.id}&act=sign_in&outcome=refused") == 4
    assert count("act=sign_in&outcome=refused") == 7
    assert count(f"actor={two.id}&outcome=not_found") == 0


def test_days_are_days_of_the_school_and_both_ends_count(house: House) -> None:
    auditor, head = house.make.person(Role.AUDITOR), house.make.head()
    me = head.actor
    for days in (0, 1, 2, 3):
        with travel(now() + timedelta(days=days)):
            house.door.note(me, Permission.OWN_WORKPLACE, Purpose.OWN, act="own_workplace", outcome="done")

    def count(since: int | None, until: int | None) -> int:
        day = {
            name: today() + timedelta(days=held)
            for name, held in (("since", since), ("until", until))
            if held is not None
        }
        query = "&".join(f"{name}={value.isoformat()}" for name, value in day.items())
        return len(lines(auditor.get(f"/audit?act=own_workplace&{query}")))

    assert count(None, None) == 4
    assert count(1, None) == 3
    assert count(None, 1) == 2
    assert count(1, 2) == 2
    assert count(3, 2) == 0


def test_pages_of_fifty_cover_every_row_once(house: House) -> None:
    auditor, head = house.make.person(Role.AUDITOR), house.make.head()
    note(house, head, 120)
    query = f"/audit?actor={head.id}&act=sign_in"

    pages = [lines(auditor.get(f"{query}&page={number}")) for number in (1, 2, 3, 4)]

    total = len(house.log(actor=head.id.hex, act="sign_in"))
    assert [len(page) for page in pages] == [50, 50, total - 100, 0]
    assert len({row for page in pages for row in page}) == total


def test_the_pager_keeps_the_filter(sqlite_house: House) -> None:
    auditor, head = sqlite_house.make.person(Role.AUDITOR), sqlite_house.make.head()
    note(sqlite_house, head, 60)

    page = auditor.get(f"/audit?actor={head.id}&act=sign_in&outcome=done")

    [following] = page.links(r'\?[^"]*page=2[^"]*')
    assert f"actor={head.id}" in following
    assert "outcome=done" in following
    assert len(lines(auditor.get(f"/audit{following}"))) == len(sqlite_house.log(actor=head.id.hex, act="sign_in")) - 50


def test_whoever_no_longer_works_here_is_still_found(sqlite_house: House) -> None:
    auditor, admin = sqlite_house.make.person(Role.AUDITOR), sqlite_house.make.person(Role.SYSADMIN)
    gone = sqlite_house.make.advisor(name="旧老师")
    note(sqlite_house, gone, 2)
    admin.post(f"/accounts/{gone.id}/retire")

    page = auditor.get(f"/audit?actor={gone.id}&act=sign_in")

    assert len(lines(page)) >= 2
    assert "旧老师" in page


def test_odd_filters_are_answered_calmly(house: House) -> None:
    auditor = house.make.person(Role.AUDITOR)

    for query in (
        "since=9999-12-31", "until=9999-12-31", "since=0001-01-01", "until=0001-01-01", "since=gestern",
        "actor=1", "subject=王小涵", "act=%27--", "outcome=nonsense", "page=0", "page=-1", "page=x",
        "page=" + "9" * 5000, "page=999999", "since=2026-13-45",
    ):  # fmt: skip
        assert auditor.get(f"/audit?{query}").status == 200, query
    for query in ("act=%00", "outcome=%00"):
        assert auditor.get(f"/audit?{query}").status == 400, query


@pytest.mark.parametrize("path", ["/audit", "/audit/verify", "/audit/verify?run=1"])
def test_nobody_but_the_auditor_reads_or_proves_the_log(sqlite_house: House, path: str) -> None:
    sqlite_house.make.advisor(name="李老师")

    for role in Role:
        if role in {Role.AUDITOR, Role.CONSOLE, Role.WORKER, Role.STUDENT}:
            continue
        page = sqlite_house.make.person(role).get(path)
        assert page.status == 403, role
        assert "李老师" not in page
    assert sqlite_house.make.person(Role.AUDITOR).get(path).status == 200


def test_reading_the_log_is_in_the_log(house: House) -> None:
    auditor = house.make.person(Role.AUDITOR)

    auditor.get("/audit")
    auditor.get("/audit/verify?run=1")

    rows = house.log(act="audit_read")
    assert [row["actor"] for row in rows] == [auditor.id.hex] * 2
    assert {row["purpose"] for row in rows} == {"administration"}


def test_the_auditor_opens_no_file(sqlite_house: House) -> None:
    auditor, student = sqlite_house.make.person(Role.AUDITOR), sqlite_house.make.student()

    assert auditor.get(f"/students/{student.id}").status == 403
    assert auditor.post(f"/students/{student.id}/reveal").status == 403


def test_every_act_that_was_written_has_a_word_for_the_reader(house: House) -> None:
    head, psychologist, _ = house.make.team()
    auditor = house.make.person(Role.AUDITOR)
    case = house.make.case(psychologist, house.make.student())
    psychologist.post(f"/cases/{case.id}/notes", kind="session", text="记", version="1")
    head.get(f"/students/{case.student_id}")
    auditor.get("/audit")

    acts = {row.act for row in house.all(select(LedgerEntry.act))}

    assert acts <= set(catalogue.table("words")["act"])
