"""Notices: that there is something, never what; one per event, for one person in one role."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.notices import post
from app.security.policy import Permission, Purpose
from config import catalogue
from models.base import new_id
from models.identity import Role
from models.moment import now, travel
from models.notice import Notice
from tests.house import Client, House
from tests.screening.files import bring_in, enrol, line, phq, written


def tell(house: House, person: Client, kind: str, times: int = 1, **named: object) -> None:
    with house.console(Permission.MAINTENANCE) as access:
        for _ in range(times):
            post.tell(access, person.id, person.role, kind, **named)  # type: ignore[arg-type]


def held(house: House, person: Client) -> list[Notice]:
    rows = house.all(select(Notice).where(Notice.recipient_id == person.id).order_by(Notice.created_at, Notice.id))
    return [row for (row,) in rows]


def bell(person: Client) -> int:
    with person.under(Permission.OWN_WORKPLACE, Purpose.OWN, writing=False) as access:
        return post.unread(access)


def test_an_alert_is_one_notice_to_each_who_has_a_duty(house: House) -> None:
    head, psychologist, _ = house.make.team()
    group = house.make.class_group()
    advisor = house.make.advisor(group)

    house.make.alert(house.make.student(group))

    assert [(row.kind, row.count) for row in held(house, advisor)] == [("duties_assigned", 1)]
    told = [row for person in (head, psychologist) for row in held(house, person)]
    assert [row.kind for row in told] == ["duties_assigned"]


def test_a_file_with_many_alerts_is_one_notice_with_a_number(house: House, tmp_path: Path) -> None:
    head, psychologist, _ = house.make.team()
    group = house.make.class_group()
    advisor = house.make.advisor(group)
    people = enrol(house, 5, group)

    bring_in(house, written(tmp_path, *(line(person, phq(4, 1)) for person in people)))

    assert [(row.kind, row.count) for row in held(house, advisor)] == [("duties_assigned", 5)]
    assert all(row.kind != "duties_assigned" for person in (head, psychologist) for row in held(house, person))


def test_unread_notices_of_one_kind_count_up_and_read_ones_begin_anew(house: House) -> None:
    head = house.make.head()
    tell(house, head, "duties_assigned", 3)
    assert [row.count for row in held(house, head)] == [3]

    head.post("/notices/read")
    tell(house, head, "duties_assigned")

    assert [row.count for row in held(house, head)] == [3, 1]
    assert bell(head) == 1


def test_a_notice_about_something_special_is_its_own(sqlite_house: House) -> None:
    head = sqlite_house.make.head()
    tell(sqlite_house, head, "approval_asked")
    tell(sqlite_house, head, "approval_asked", object_id=new_id())
    tell(sqlite_house, head, "approval_asked", object_id=new_id())

    assert [row.count for row in held(sqlite_house, head)] == [1, 1, 1]


def test_the_bell_counts_only_the_role_one_works_in(sqlite_house: House) -> None:
    person = sqlite_house.make.person(Role.PSYCHOLOGIST, more=[Role.AID_OFFICER])
    tell(sqlite_house, person, "duties_assigned", 2)

    assert "需要你联系或评估" in person.get("/notices")
    person.post("/role", role="aid_officer")

    page = person.get("/notices")
    assert "需要你联系或评估" not in page
    assert "没有消息" in page


def test_nobody_sees_or_reads_the_notice_of_another(house: House) -> None:
    head, other = house.make.head(), house.make.head()
    tell(house, head, "case_assigned")
    [row] = held(house, head)

    assert "没有消息" in other.get("/notices")
    there = other.post(f"/notices/{row.id}/open", follow=False)
    nowhere = other.post(f"/notices/{uuid4()}/open", follow=False)
    other.post("/notices/read")

    assert (there.status, there.response.headers["Location"]) == (nowhere.status, nowhere.response.headers["Location"])
    assert held(house, head)[0].read_at is None
    assert bell(head) == 1


def test_opening_a_notice_marks_only_this_one_and_leads_to_its_page(sqlite_house: House) -> None:
    head = sqlite_house.make.head()
    tell(sqlite_house, head, "duties_assigned")
    tell(sqlite_house, head, "approval_asked")
    [row] = [row for row in held(sqlite_house, head) if row.kind == "approval_asked"]

    page = head.post(f"/notices/{row.id}/open", follow=False)

    assert page.response.headers["Location"] == "/approvals"
    assert {row.kind: row.read_at is None for row in held(sqlite_house, head)} == {
        "duties_assigned": True,
        "approval_asked": False,
    }


def test_reading_twice_keeps_the_first_time(sqlite_house: House) -> None:
    head = sqlite_house.make.head()
    tell(sqlite_house, head, "duties_assigned")
    head.post("/notices/read")
    first = held(sqlite_house, head)[0].read_at

    with travel(now() + timedelta(minutes=5)):
        head.post("/notices/read")

    assert held(sqlite_house, head)[0].read_at == first


def test_notices_stand_newest_first_in_pages_of_fifty(sqlite_house: House) -> None:
    head = sqlite_house.make.head()
    for _ in range(56):
        tell(sqlite_house, head, "approval_asked", object_id=new_id())

    first, second = head.get("/notices"), head.get("/notices?page=2")

    assert first.html.count("去看看") == 50
    assert second.html.count("去看看") == 6
    assert "page=2" in first.html
    assert "page=3" not in second.html


def test_a_notice_holds_a_kind_a_count_and_ids_and_nothing_else(sqlite_house: House) -> None:
    _, psychologist, _ = sqlite_house.make.team()
    group = sqlite_house.make.class_group(name="软件2301")
    advisor = sqlite_house.make.advisor(group)
    student = sqlite_house.make.student(group, name="金丝雀名", number="20268887766")
    sqlite_house.make.case(psychologist, student, text="金丝雀记")
    sqlite_house.make.alert(sqlite_house.make.student(group, name="金丝雀乙"))

    with sqlite_house.session() as session:
        rows = session.connection().exec_driver_sql("SELECT * FROM notice").mappings().all()
        columns = set(rows[0])

    assert rows
    assert columns == {"id", "recipient_id", "role", "kind", "count", "object_id", "created_at", "read_at"}
    assert {row["kind"] for row in rows} <= set(catalogue.table("notices"))
    page = advisor.get("/notices")
    for secret in ("金丝雀", "20268887766", "软件2301"):
        assert secret not in page.html
        assert all(secret not in str(value) for row in rows for value in row.values())


def test_no_sentence_of_a_notice_says_what_it_is_about() -> None:
    for kind, words in catalogue.table("notices").items():
        for told in ("红色", "橙色", "黄色", "自杀", "自伤", "PHQ", "抑郁", "风险", "姓名", "分数", "{name}"):
            assert told not in words["text"], kind


def test_every_kind_of_notice_leads_to_a_page_that_exists(sqlite_house: House) -> None:
    endpoints = set(sqlite_house.app.view_functions)

    for kind, words in catalogue.table("notices").items():
        assert words["page"] in endpoints, kind


def test_a_kind_nobody_wrote_down_is_a_mistake_and_tells_nobody(sqlite_house: House) -> None:
    head = sqlite_house.make.head()

    with pytest.raises(KeyError):
        tell(sqlite_house, head, "王小涵有危险")

    assert held(sqlite_house, head) == []


def test_a_refused_act_leaves_no_notice(house: House) -> None:
    head, psychologist, _ = house.make.team()
    case = house.make.case(psychologist, house.make.student())
    before = len(held(house, head)) + len(held(house, psychologist))

    page = head.post(f"/cases/{case.id}/hand-over", to=str(uuid4()), version="1")

    assert page.status in {404, 409, 422}
    assert len(held(house, head)) + len(held(house, psychologist)) == before
    assert house.again(case).keeper_id == psychologist.id
