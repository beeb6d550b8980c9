"""The class table: who advises which class, from when to when, and by which names a class is called."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from models.identity import ClassAlias, ClassGroup, ClassPost, Role
from models.moment import today
from tests.house import Client, House, Page, xlsx
from tests.intake.delivery import bring_in

GROUP = "软件2301"


def deliver(house: House, header: list[str], *rows: list[str]) -> Page:
    clerk = house.make.person(Role.REGISTRAR)
    return bring_in(clerk, xlsx(header, *rows), name="班级.xlsx", kind="class_posts")


def advisors(house: House, group: ClassGroup) -> list[object]:
    """Who holds the class today."""
    rows = house.all(
        select(ClassPost.staff_id).where(
            ClassPost.class_id == group.id, ClassPost.role == Role.ADVISOR, ClassPost.until.is_(None)
        )
    )
    return [row.staff_id for row in rows]


@pytest.fixture
def group(sqlite_house: House) -> ClassGroup:
    return made(sqlite_house)


def made(house: House) -> ClassGroup:
    return house.make.class_group(house.make.college("信息学院"), GROUP)


def test_an_appointed_advisor_sees_the_class_on_the_next_click(sqlite_house: House, group: ClassGroup) -> None:
    advisor = sqlite_house.make.person(Role.ADVISOR, name="李老师")
    student = sqlite_house.make.student(group)
    assert advisor.get(f"/students/{student.id}").status == 404

    page = deliver(sqlite_house, ["班级", "辅导员"], [GROUP, "李老师"])

    assert "1 任命变化" in page
    assert advisor.get(f"/students/{student.id}").status == 200


def test_a_new_advisor_ends_the_post_of_the_old_one(house: House) -> None:
    group = made(house)
    old, new = house.make.advisor(group, name="旧老师"), house.make.person(Role.ADVISOR, name="新老师")
    student = house.make.student(group)

    deliver(house, ["班级", "辅导员"], [GROUP, "新老师"])

    assert advisors(house, group) == [new.id]
    assert old.get(f"/students/{student.id}").status == 404
    assert new.get(f"/students/{student.id}").status == 200
    assert house.count(ClassPost) == 2


def test_the_open_contact_of_the_class_goes_to_the_new_advisor(house: House) -> None:
    group = made(house)
    house.make.team()
    house.make.advisor(group, name="旧老师")
    duty = house.make.duties(house.make.alert(house.make.student(group)))["contact"]
    new = house.make.person(Role.ADVISOR, name="新老师")

    deliver(house, ["班级", "辅导员"], [GROUP, "新老师"])

    moved = house.again(duty)
    assert (moved.owner_id, moved.due_at) == (new.id, duty.due_at)


def test_the_same_class_table_twice_changes_nothing(house: House) -> None:
    made(house)
    house.make.person(Role.ADVISOR, name="李老师")
    table = (["班级", "辅导员", "别名"], [GROUP, "李老师", "软23-1"])
    deliver(house, *table)
    before = house.count(ClassPost), house.count(ClassAlias)

    page = deliver(house, *table)

    assert "1 无变化" in page
    assert (house.count(ClassPost), house.count(ClassAlias)) == before == (1, 1)


def test_an_empty_cell_ends_nobodys_post(sqlite_house: House, group: ClassGroup) -> None:
    advisor = sqlite_house.make.advisor(group)
    sqlite_house.make.person(Role.CLASS_TEACHER, name="班老师")

    deliver(sqlite_house, ["班级", "辅导员", "班主任"], [GROUP, "", "班老师"])

    assert advisors(sqlite_house, group) == [advisor.id]


def test_advisor_and_class_teacher_of_a_class_do_not_end_each_other(sqlite_house: House, group: ClassGroup) -> None:
    advisor = sqlite_house.make.person(Role.ADVISOR, name="李老师")
    teacher = sqlite_house.make.person(Role.CLASS_TEACHER, name="班老师")
    student = sqlite_house.make.student(group)

    deliver(sqlite_house, ["班级", "辅导员", "班主任"], [GROUP, "李老师", "班老师"])

    for person in (advisor, teacher):
        assert person.get(f"/students/{student.id}").status == 200


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ([GROUP, "", "无此人"], "没有这位老师的账号"),
        ([GROUP, "", "同名"], "有几位同名的老师"),
        ([GROUP, "", "周老师"], "还没有相应岗位角色"),
        ([GROUP, "", "退老师"], "没有这位老师的账号"),
        (["没有的班", "", "李老师"], "没有这个班级"),
        (["重名班", "", "李老师"], "不止一个学院有这个班级"),
    ],
)
def test_a_row_that_names_nobody_or_nothing_is_told_and_appoints_nobody(
    sqlite_house: House, row: list[str], words: str
) -> None:
    make = sqlite_house.make
    one, two = make.college("信息学院"), make.college("机电学院")
    make.class_group(one, GROUP), make.class_group(one, "重名班"), make.class_group(two, "重名班")
    for name in ("李老师", "同名", "同名"):
        make.staff(Role.ADVISOR, name=name)
    make.staff(Role.PSYCHOLOGIST, name="周老师")
    gone = make.staff(Role.ADVISOR, name="退老师")
    make.person(Role.SYSADMIN).post(f"/accounts/{gone.id}/retire")

    page = deliver(sqlite_house, ["班级", "学院", "辅导员"], row)

    assert words in page
    assert sqlite_house.count(ClassPost) == 0


def test_the_college_column_tells_two_classes_of_one_name_apart(sqlite_house: House, group: ClassGroup) -> None:
    twin = sqlite_house.make.class_group(sqlite_house.make.college("机电学院"), GROUP)
    advisor = sqlite_house.make.person(Role.ADVISOR, name="李老师")

    deliver(sqlite_house, ["班级", "学院", "辅导员"], [GROUP, "机电学院", "李老师"])

    assert (advisors(sqlite_house, twin), advisors(sqlite_house, group)) == ([advisor.id], [])


def test_the_staff_number_tells_two_teachers_of_one_name_apart(sqlite_house: House, group: ClassGroup) -> None:
    sqlite_house.make.staff(Role.ADVISOR, name="李老师")
    wanted = sqlite_house.make.staff(Role.ADVISOR, name="李老师")
    with sqlite_house.door.database.writing() as session:
        session.merge(wanted).staff_number = "A0017"

    deliver(sqlite_house, ["班级", "辅导员", "辅导员工号"], [GROUP, "李老师", "a0017"])

    assert advisors(sqlite_house, group) == [wanted.id]


def test_an_alias_lets_another_offices_roster_find_the_class(sqlite_house: House, group: ClassGroup) -> None:
    student = sqlite_house.make.student(group, name="王小涵", number="2026001")

    deliver(sqlite_house, ["班级", "别名"], [GROUP, "23级软件（1）班"])
    receipt = sqlite_house.make.roster(
        ["学号", "姓名", "学院", "班级"], [["2026001", "王小涵", "信息学院", "23级软件(1) 班"]]
    )

    assert (receipt["new_classes"], receipt["unchanged"]) == (0, 1)
    assert sqlite_house.again(student).class_id == group.id
    assert sqlite_house.count(ClassGroup) == 1


def _post(house: House, person: Client, group: ClassGroup, since: int, until: int | None) -> None:
    """A post from so many days from today until so many days from today."""
    end = None if until is None else today() + timedelta(days=until)
    with house.door.database.writing() as session:
        session.add(
            ClassPost(
                class_id=group.id,
                staff_id=person.id,
                role=Role.ADVISOR,
                since=today() + timedelta(days=since),
                until=end,
            )
        )


@pytest.mark.parametrize(
    ("since", "until", "status"),
    [(0, None, 200), (-300, None, 200), (-300, 1, 200), (-300, 0, 404), (-300, -1, 404), (1, None, 404), (0, 0, 404)],
)
def test_a_post_counts_from_its_first_day_until_the_day_before_its_end(
    sqlite_house: House, group: ClassGroup, since: int, until: int | None, status: int
) -> None:
    person = sqlite_house.make.person(Role.ADVISOR)
    student = sqlite_house.make.student(group, name="王小涵")

    _post(sqlite_house, person, group, since, until)

    assert person.get(f"/students/{student.id}").status == status
    assert ("找到 1 人" in person.post("/students", words="王小涵")) is (status == 200)
    assert ("王*涵" in person.get("/my-students")) is (status == 200)


def test_a_post_ends_on_a_signed_in_advisor_at_the_next_click(sqlite_house: House, group: ClassGroup) -> None:
    advisor, student = sqlite_house.make.advisor(group), sqlite_house.make.student(group)
    assert advisor.get(f"/students/{student.id}").status == 200

    with sqlite_house.door.database.writing() as session:
        session.execute(update(ClassPost).values(until=today()))

    assert advisor.get(f"/students/{student.id}").status == 404


def test_a_post_as_class_teacher_gives_nothing_in_the_role_of_advisor(sqlite_house: House, group: ClassGroup) -> None:
    person = sqlite_house.make.person(Role.ADVISOR, more=[Role.CLASS_TEACHER])
    with sqlite_house.door.database.writing() as session:
        session.add(ClassPost(class_id=group.id, staff_id=person.id, role=Role.CLASS_TEACHER, since=today()))
    student = sqlite_house.make.student(group)

    assert person.get(f"/students/{student.id}").status == 404
    person.post("/role", role="class_teacher")
    assert person.get(f"/students/{student.id}").status == 200


def test_retiring_an_advisor_ends_the_post_and_the_class_is_a_to_do(sqlite_house: House, group: ClassGroup) -> None:
    advisor = sqlite_house.make.advisor(group)
    sqlite_house.make.student(group)
    clerk = sqlite_house.make.person(Role.REGISTRAR)
    assert f"{GROUP} 1" not in clerk.get("/roster/todo")

    sqlite_house.make.person(Role.SYSADMIN).post(f"/accounts/{advisor.id}/retire")

    assert advisors(sqlite_house, group) == []
    assert f"{GROUP} 1 -- 待任命" in clerk.get("/roster/todo")
