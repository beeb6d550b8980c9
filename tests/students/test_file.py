"""The file of one student: what each reader sees of it, and who looked."""

from __future__ import annotations

import json
import re
from datetime import timedelta

from models import moment
from models.identity import ClassGroup, Role
from models.moment import now, travel
from models.risk import Level
from models.student import Student
from tests.house import House

NUMBER, NAME, PHONE = "20260101001", "王小涵", "13811112222"


def wang(house: House, group: ClassGroup | None = None) -> Student:
    return house.make.student(
        group, name=NAME, number=NUMBER, phone=PHONE, 宿舍="3栋-512", 家长及电话="母 13911110000", 学籍状态="在读"
    )


def test_the_bar_shows_masked_what_reveal_shows_in_full(sqlite_house: House) -> None:
    student = wang(sqlite_house)
    head = sqlite_house.make.head()

    page = head.get(f"/students/{student.id}")

    assert "王*涵" in page
    for secret in (NAME, NUMBER, PHONE):
        assert secret not in page.html, secret
    revealed = head.post(f"/students/{student.id}/reveal")
    assert json.loads(revealed.html) == {"name": NAME, "number": NUMBER, "phone": PHONE}
    assert revealed.response.headers["Cache-Control"].startswith("no-store")


def test_reveal_is_a_row_of_its_own(house: House) -> None:
    group = house.make.class_group()
    student, advisor = wang(house, group), house.make.advisor(group)

    advisor.get(f"/students/{student.id}")
    advisor.post(f"/students/{student.id}/reveal")

    rows = house.log(actor=advisor.id.hex, act="student_read")
    assert len(rows) == 2
    assert {"student.name", "student.phone", "student_number.number"} <= set(rows[1]["fields"])
    assert rows[1]["subjects"] == [student.id.hex]


def test_reveal_needs_a_token(sqlite_house: House) -> None:
    student, head = wang(sqlite_house), sqlite_house.make.head()

    assert head.send("POST", f"/students/{student.id}/reveal", token=False).status == 400
    assert head.get(f"/students/{student.id}/reveal").status == 405


def test_a_role_without_business_opens_no_file_and_reveals_nobody(sqlite_house: House) -> None:
    student = wang(sqlite_house)

    for role in (Role.AID_OFFICER, Role.AUDITOR, Role.REGISTRAR, Role.SYSADMIN, Role.SCHOOL_LEADER, Role.TASK_PARTNER):
        person = sqlite_house.make.person(role)
        for page in (person.get(f"/students/{student.id}"), person.post(f"/students/{student.id}/reveal")):
            assert page.status == 403, role
            assert "王" not in page.text


def test_the_head_of_student_affairs_opens_a_file_only_while_a_red_event_is_open(house: House) -> None:
    head, _, affairs = house.make.team()
    group = house.make.class_group()
    house.make.advisor(group)
    student = wang(house, group)
    path = f"/students/{student.id}"
    assert affairs.get(path).status == 404

    alert = house.make.alert(student, rule="report.urgent")

    assert affairs.get(path).status == 200
    with house.door.database.writing() as session:
        session.merge(alert).ended_at = now()
    assert affairs.get(path).status == 404
    assert head.get(path).status == 200


def test_an_advisor_reads_care_words_and_neither_notes_nor_who_looked(sqlite_house: House) -> None:
    group = sqlite_house.make.class_group()
    _, psychologist, _ = sqlite_house.make.team()
    student, advisor = wang(sqlite_house, group), sqlite_house.make.advisor(group)
    case = sqlite_house.make.case(psychologist, student, text="金丝雀评估")
    psychologist.post(f"/cases/{case.id}/notes", kind="session", text="金丝雀会谈", version="1")

    page = advisor.get(f"/students/{student.id}")

    assert page.status == 200
    assert "金丝雀" not in page.html
    assert "查阅记录" not in page
    assert f"/cases/{case.id}" not in page.html


def test_a_psychologist_sees_that_a_colleague_keeps_a_case_but_not_its_notes(sqlite_house: House) -> None:
    _, keeper, _ = sqlite_house.make.team()
    colleague = sqlite_house.make.psychologist("吴老师")
    student = wang(sqlite_house)
    case = sqlite_house.make.case(keeper, student, text="金丝雀评估")
    keeper.post(f"/cases/{case.id}/notes", kind="session", text="金丝雀会谈", version="1")

    page = colleague.get(f"/students/{student.id}")

    assert page.status == 200
    assert "金丝雀" not in page.html
    assert colleague.get(f"/cases/{case.id}").status == 404


def test_the_timeline_runs_from_the_newest_to_the_oldest(sqlite_house: House) -> None:
    head, psychologist, _ = sqlite_house.make.team()
    student = wang(sqlite_house)
    sqlite_house.make.alert(student)
    with travel(now() + timedelta(minutes=10)):
        sqlite_house.make.case(psychologist, student, level=Level.ORANGE)

    html = head.get(f"/students/{student.id}").html

    timeline = html[html.index("<h2>经过") : html.index("<h2>基本情况")]
    times = re.findall(r'datetime="([^"]+)"', timeline)
    assert len(times) >= 2
    assert times == sorted(times, reverse=True)
    assert timeline.index("个案") < timeline.rindex("预警")


def test_the_foot_of_a_file_says_who_looked_when_and_in_which_role(house: House) -> None:
    group = house.make.class_group()
    student, advisor = wang(house, group), house.make.advisor(group, name="辛老师")
    psychologist = house.make.psychologist("周老师")
    at = now() - timedelta(hours=5)
    with travel(at):
        other = house.make.person(Role.CLASS_TEACHER, classes=[group], name="班老师")
        other.get(f"/students/{student.id}")
    advisor.get(f"/students/{student.id}")

    text = psychologist.get(f"/students/{student.id}").text

    foot = text[text.index("查阅记录") :]
    assert "辛老师（辅导员）" in foot
    assert f"{at.astimezone(moment.zone()):%H:%M} 班老师（班主任）" in foot
    assert foot.count("查看档案") == 2
    assert foot.index("辛老师") < foot.index("班老师")


def test_many_looks_of_one_reader_do_not_push_a_single_look_of_another_away(sqlite_house: House) -> None:
    group = sqlite_house.make.class_group()
    student, psychologist = wang(sqlite_house, group), sqlite_house.make.psychologist("周老师")
    sqlite_house.make.advisor(group, name="辛老师").get(f"/students/{student.id}")

    for _ in range(8):
        page = psychologist.get(f"/students/{student.id}")

    foot = page.text[page.text.index("查阅记录") :]
    assert "辛老师（辅导员）" in foot
    assert foot.count("周老师（心理咨询师）查看") == 1


def test_the_foot_does_not_yet_name_the_reader_of_this_very_page(sqlite_house: House) -> None:
    student, psychologist = wang(sqlite_house), sqlite_house.make.psychologist("周老师")

    first = psychologist.get(f"/students/{student.id}")
    second = psychologist.get(f"/students/{student.id}")

    assert "周老师（心理咨询师）查看档案" not in first
    assert "周老师" in second.text[second.text.index("查阅记录") :]


def test_a_search_and_a_list_that_showed_him_stand_at_the_foot_too(sqlite_house: House) -> None:
    group = sqlite_house.make.class_group()
    student = wang(sqlite_house, group)
    sqlite_house.make.advisor(group, name="辛老师").get("/my-students")
    sqlite_house.make.head("刘主任").post("/students", words=NAME)

    page = sqlite_house.make.psychologist().get(f"/students/{student.id}")

    assert "辛老师（辅导员）查找学生" in page
    assert "刘主任（心理中心主任）查找学生" in page


def test_who_looked_at_one_student_is_not_told_at_another(sqlite_house: House) -> None:
    group = sqlite_house.make.class_group()
    student, other = wang(sqlite_house, group), sqlite_house.make.student(group)
    sqlite_house.make.advisor(group, name="辛老师").get(f"/students/{student.id}")

    page = sqlite_house.make.psychologist().get(f"/students/{other.id}")

    assert "辛老师" not in page


def test_a_refused_attempt_by_a_stranger_leaves_no_name_at_the_foot_but_a_row_in_the_log(sqlite_house: House) -> None:
    student, stranger = wang(sqlite_house), sqlite_house.make.advisor(name="外老师")

    stranger.get(f"/students/{student.id}")

    assert [row["outcome"] for row in sqlite_house.log(actor=stranger.id.hex)][-1] == "not_found"
    assert "外老师" not in sqlite_house.make.head().get(f"/students/{student.id}")


def test_an_address_that_is_no_id_is_not_found(sqlite_house: House) -> None:
    wang(sqlite_house)
    head = sqlite_house.make.head()

    for address in ("not-a-uuid", NUMBER, "../students", "0" * 32):
        assert head.get(f"/students/{address}").status == 404
