"""Finding a student: exactly, only within one's reach, and foreign looks like missing (law 4)."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

from models.identity import Role
from models.moment import now, travel
from models.student import Student
from tests.house import Client, House, Page

NUMBER, NAME, PHONE, PINYIN = "20260101001", "王小涵", "13811112222", "wangxiaohan"
OUTSIDE = [
    Role.AID_OFFICER,
    Role.AUDITOR,
    Role.REGISTRAR,
    Role.SYSADMIN,
    Role.AFFAIRS_HEAD,
    Role.SCHOOL_LEADER,
    Role.OBSERVER,
]
EACH = [NUMBER, NAME, PHONE, PINYIN]


def plain(page: Page, words: str) -> str:
    """A page without what differs between any two: tokens, the words searched for, the time of printing."""
    html = re.sub(r'(csrf[-_]token" (?:content|value)=")[^"]+', r"\1", page.html)
    return re.sub(r"\d\d:\d\d", "", html.replace(words, ""))


def wang(house: House, **named: object) -> Student:
    return house.make.student(name=NAME, number=NUMBER, phone=PHONE, **named)  # type: ignore[arg-type]


def test_number_name_phone_and_pinyin_find_him_however_they_are_typed(sqlite_house: House) -> None:
    student, head = wang(sqlite_house), sqlite_house.make.head()

    for words in (
        *EACH,
        "王 小涵",
        f" {NUMBER} ",
        "138 1111 2222",
        f"+86{PHONE}",
        "WangXiaoHan",
        "２０２６０１０１００１",
    ):
        page = head.post("/students", words=words)
        assert page.links("/students/[0-9a-f-]+") == [f"/students/{student.id}"], words


def test_a_part_of_a_name_or_number_finds_nobody(sqlite_house: House) -> None:
    wang(sqlite_house)
    head = sqlite_house.make.head()

    for words in (
        NAME[:2],
        NAME[1:],
        NUMBER[:-1],
        NUMBER[1:],
        PHONE[:-1],
        PINYIN[:-3],
        "%",
        "_",
        "王*涵",
        "' OR 1=1 --",
        "",
    ):
        page = head.post("/students", words=words)
        assert page.status == 200, words
        assert page.links("/students/[0-9a-f-]+") == [], words


def test_a_foreign_student_and_a_missing_one_give_the_same_page(sqlite_house: House) -> None:
    advisor = sqlite_house.make.advisor()
    before = {words: plain(advisor.post("/students", words=words), words) for words in EACH}

    wang(sqlite_house, group=sqlite_house.make.class_group())

    for words, nowhere in before.items():
        assert plain(advisor.post("/students", words=words), words) == nowhere, words
        assert "没有找到" in nowhere


def test_a_foreign_file_and_a_missing_one_give_the_same_answer(house: House) -> None:
    advisor, foreign = house.make.advisor(), wang(house)
    for path in ("/students/{}", "/students/{}/talk"):
        there, nowhere = advisor.get(path.format(foreign.id)), advisor.get(path.format(uuid4()))
        assert there.status == nowhere.status == 404
        assert plain(there, "") == plain(nowhere, "")
    there, nowhere = (advisor.post(f"/students/{student_id}/reveal") for student_id in (foreign.id, uuid4()))
    assert there.status == nowhere.status == 404
    assert NAME not in there.html


def test_of_two_students_of_one_name_the_advisor_finds_only_his_own(sqlite_house: House) -> None:
    mine, other = sqlite_house.make.class_group(), sqlite_house.make.class_group()
    own = sqlite_house.make.student(mine, name=NAME)
    sqlite_house.make.student(other, name=NAME)
    advisor = sqlite_house.make.advisor(mine)

    page = advisor.post("/students", words=NAME)

    assert "找到 1 人" in page
    assert page.links("/students/[0-9a-f-]+") == [f"/students/{own.id}"]
    assert "找到 2 人" in sqlite_house.make.head().post("/students", words=NAME)


def test_a_college_lead_finds_the_students_of_his_college_and_no_others(house: House) -> None:
    here, there = house.make.college(), house.make.college()
    own = house.make.student(house.make.class_group(here), name=NAME)
    house.make.student(house.make.class_group(there), name=NAME)
    lead = house.make.person(Role.COLLEGE_LEAD, college=here)

    assert lead.post("/students", words=NAME).links("/students/[0-9a-f-]+") == [f"/students/{own.id}"]


def test_whoever_has_no_business_with_students_may_not_even_search(sqlite_house: House) -> None:
    wang(sqlite_house)

    for role in OUTSIDE:
        person = sqlite_house.make.person(role)
        assert person.get("/students").status == 403, role
        page = person.post("/students", words=NAME)
        assert page.status == 403, role
        assert "王" not in page.text


def test_a_result_shows_masked_names_and_numbers(sqlite_house: House) -> None:
    wang(sqlite_house)

    page = sqlite_house.make.head().post("/students", words=PHONE)

    assert "王*涵" in page
    assert "202****1001" in page
    assert NAME not in page.html
    assert NUMBER not in page.text


def test_the_words_of_a_search_stand_in_no_address(sqlite_house: House) -> None:
    wang(sqlite_house)
    head = sqlite_house.make.head()

    page = head.get(f"/students?words={NUMBER}")

    assert "找到" not in page
    assert page.links("/students/[0-9a-f-]+") == []
    assert 'action="/students" method="post"' in page.html


def test_a_search_leaves_who_was_found_and_none_of_its_words(house: House) -> None:
    student, head = wang(house), house.make.head()

    head.post("/students", words=NAME)
    head.post("/students", words="查无此人")

    found, nothing = house.log(act="student_search")
    assert found["subjects"] == [student.id.hex]
    assert set(found["fields"]) == {"student.name", "student_number.number"}
    assert (nothing["subjects"], nothing["fields"]) == ([], [])
    assert house.proof().holds


def test_a_search_for_somebody_elses_student_names_nobody_in_the_log(sqlite_house: House) -> None:
    wang(sqlite_house)
    advisor = sqlite_house.make.advisor()

    advisor.post("/students", words=NAME)

    [row] = sqlite_house.log(act="student_search")
    assert (row["subjects"], row["count"]) == ([], 0)


def _hurry(person: Client) -> list[int]:
    return [person.post("/students", words=f"学生{place}").status for place in range(32)]


def test_thirty_searches_a_minute_are_enough(house: House) -> None:
    wang(house)
    head, other = house.make.head(), house.make.psychologist()

    statuses = _hurry(head)

    assert statuses == [200] * 30 + [429] * 2
    page = head.post("/students", words=NAME)
    assert page.status == 429
    assert "操作太频繁" in page
    assert "王" not in page.text
    assert "找到 1 人" in other.post("/students", words=NAME)
    with travel(now() + timedelta(seconds=61)):
        assert "找到 1 人" in head.post("/students", words=NAME)


def test_a_long_or_odd_search_finds_nobody_in_peace(sqlite_house: House) -> None:
    head = sqlite_house.make.head()

    for words in ("王" * 5000, "\u202e王", "😀", "1e999", "1e5", "<script>alert(1)</script>", "{{ 7 * 7 }}"):
        page = head.post("/students", words=words)
        assert page.status == 200
        assert "没有找到" in page
        assert "<script>alert" not in page.html


def test_a_zero_byte_never_reaches_a_query(house: House) -> None:
    assert house.make.head().post("/students", words="王\0").status == 400
