"""建议重测: asked for once, owned, chased, settled by believable answers, and nobody's business but the centre's."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.screening import retest
from app.screening.corrections import taking_part
from app.security.policy import Permission, Purpose
from app.students.record import timeline
from models.identity import College, Role
from models.intake import BatchKind
from models.moment import now, travel
from models.notice import Notice
from models.participation import Retest, RetestStage
from models.refusal import Refusal
from models.screening import ScreeningRound
from models.student import Student
from tests.house import Client, House

WHY = {"phq9": ["too_fast", "copied"]}


def ask(house: House, screening_round: ScreeningRound, *students: Student, why: object = None) -> int:
    with house.console(Permission.SCREENING_IMPORT, Purpose.CARE) as access:
        row = access.session.get_one(ScreeningRound, screening_round.id)
        places = [(one.id.bytes, one.college_id.bytes, one.class_id.bytes) for one in students]
        return retest.ask(access, row, None, places, [why or WHY] * len(students))  # type: ignore[list-item]


def settle(house: House, screening_round: ScreeningRound, *students: Student) -> int:
    with house.console(Permission.SCREENING_IMPORT, Purpose.CARE) as access:
        return retest.settle(access, screening_round.id, [one.id.bytes for one in students])


def held(house: House) -> list[Retest]:
    return [row for (row,) in house.all(select(Retest).order_by(Retest.created_at, Retest.id))]


def told(house: House, staff_id: UUID, kind: str) -> int:
    return sum(
        row.count for (row,) in house.all(select(Notice).where(Notice.recipient_id == staff_id, Notice.kind == kind))
    )


@pytest.fixture
def head(house: House) -> Client:
    return house.make.head()


@pytest.fixture
def screening_round(house: House, head: Client) -> ScreeningRound:
    return house.make.round()


def test_every_doubtful_student_is_asked_once_and_the_owner_of_the_round_is_told(
    house: House, head: Client, screening_round: ScreeningRound
) -> None:
    students = house.make.students(3)

    first, second = ask(house, screening_round, *students[:2]), ask(house, screening_round, *students)

    rows = held(house)
    assert (first, second) == (2, 1)
    assert {row.student_id for row in rows} == {student.id for student in students}
    assert {row.owner_id for row in rows} == {head.id}
    assert all(row.due_at > now() and row.stage is RetestStage.OPEN for row in rows)
    assert told(house, head.id, "retests_asked") == 3


def test_believable_answers_end_it_and_doubtful_ones_ask_again(house: House, screening_round: ScreeningRound) -> None:
    one, other = house.make.students(2)
    ask(house, screening_round, one, other)

    assert settle(house, screening_round, one) == 1
    assert settle(house, screening_round, one) == 0
    assert ask(house, screening_round, one, other) == 1

    stages = [(row.student_id, row.stage) for row in held(house)]
    assert sorted(stage for student_id, stage in stages if student_id == one.id) == ["done", "open"]
    assert [stage for student_id, stage in stages if student_id == other.id] == ["open"]


def test_a_delivery_that_is_rolled_back_takes_its_open_re_tests_along(
    house: House, screening_round: ScreeningRound
) -> None:
    one, other, earlier = house.make.students(3)
    ask(house, screening_round, earlier)
    with house.console(Permission.SCREENING_IMPORT, Purpose.CARE) as access:
        batch = house.make._batch(access, BatchKind.SCREENING)
        row = access.session.get_one(ScreeningRound, screening_round.id)
        places = [(student.id.bytes, student.college_id.bytes, student.class_id.bytes) for student in (one, other)]
        retest.ask(access, row, batch.id, places, [WHY, WHY])
    settle(house, screening_round, other)

    with house.console(Permission.SCREENING_IMPORT, Purpose.CARE) as access:
        taking_part.undo(access, batch)

    assert {row.student_id: row.stage for row in held(house)} == {
        one.id: RetestStage.VOID,
        other.id: RetestStage.DONE,
        earlier.id: RetestStage.OPEN,
    }


def test_the_list_says_why_and_the_page_how_to_ask(house: House, head: Client, screening_round: ScreeningRound) -> None:
    student = house.make.student(name="陈可")
    ask(house, screening_round, student)

    page = head.get("/retests")
    one = head.get(f"/retests/{held(house)[0].id}")

    assert "PHQ-9：作答过快、与他人答案完全相同" in page
    assert "陈可" not in page.html
    assert "陈*" in page
    assert "想请你再做一次" in one
    assert "撒谎" not in one.html


def test_an_empty_list_says_when_somebody_will_stand_on_it(house: House, head: Client) -> None:
    assert "没有待重测的学生" in head.get("/retests")
    assert "还没有结束的重测" in head.get("/retests?show=ended")


def test_the_list_is_parted_by_round_owner_and_state(
    house: House, head: Client, screening_round: ScreeningRound
) -> None:
    psychologist = house.make.psychologist()
    other_round = house.make.round()
    ask(house, screening_round, house.make.student(name="甲一一"))
    ask(house, other_round, house.make.student(name="乙二二"))

    assert "乙*二" not in head.get(f"/retests?round={screening_round.id}")
    assert "甲*一" in head.get(f"/retests?round={screening_round.id}")
    assert "甲*一" not in psychologist.get("/retests?mine=1")
    assert "甲*一" in psychologist.get("/retests?mine=0&round=nonsense")


@pytest.mark.parametrize("stage", ["declined", "done"])
def test_it_ends_with_a_word_when_the_student_declines_or_was_talked_to(
    house: House, head: Client, screening_round: ScreeningRound, stage: str
) -> None:
    ask(house, screening_round, house.make.student())
    row = held(house)[0]

    without = head.post(f"/retests/{row.id}", version="1", stage=stage, text="")
    page = head.post(f"/retests/{row.id}", version="1", stage=stage, text="当面谈过，说最近赶作业")

    assert "请写一两句" in without
    assert "当面谈过" in page
    assert held(house)[0].stage == stage
    assert head.post(f"/retests/{row.id}", version="1", stage=stage, text="再来一次").status == 409


def test_it_goes_to_a_colleague_of_the_centre_and_to_nobody_else(
    house: House, head: Client, screening_round: ScreeningRound
) -> None:
    psychologist, advisor = house.make.psychologist(), house.make.advisor()
    ask(house, screening_round, house.make.student())
    row = held(house)[0]

    head.post(f"/retests/{row.id}/hand-over", version="1", to=f"psychologist:{psychologist.id}")

    assert held(house)[0].owner_id == psychologist.id
    assert told(house, psychologist.id, "retests_asked") == 1
    with head.under(Permission.RETEST_WORK) as access, pytest.raises(Refusal, match="心理中心"):
        retest.hand_over(access, access.find(Retest, row.id), to=advisor.id, role=Role.ADVISOR)


def test_it_follows_the_student_to_another_class_and_ends_when_he_leaves(
    house: House, screening_round: ScreeningRound
) -> None:
    here, there = house.make.class_group(name="甲班"), house.make.class_group(name="乙班")
    mover, leaver = (
        house.make.student(here, number=number, name=f"学生{number[-1]}") for number in ("20260001", "20260002")
    )
    ask(house, screening_round, mover, leaver)
    college = house.all(select(Student).where(Student.id == mover.id))[0][0].college_id
    rows = [["20260001", "学生1", _college(house, college), "乙班", "在读"]]
    rows += [["20260002", "学生2", _college(house, college), "甲班", "退学"]]
    house.make.roster(["学号", "姓名", "学院", "班级", "学籍状态"], rows)

    found = {row.student_id: row for row in held(house)}
    assert (found[mover.id].class_id, found[mover.id].stage) == (there.id, RetestStage.OPEN)
    assert found[leaver.id].stage is RetestStage.VOID


def _college(house: House, college_id: UUID) -> str:
    return str(house.all(select(College.name).where(College.id == college_id))[0].name)


def test_overdue_ones_remind_owner_and_head_once_and_again_after_a_week(
    house: House, head: Client, screening_round: ScreeningRound
) -> None:
    psychologist = house.make.psychologist()
    ask(house, screening_round, house.make.student())
    row = held(house)[0]
    head.post(f"/retests/{row.id}/hand-over", version="1", to=f"psychologist:{psychologist.id}")
    house.work()
    assert told(house, head.id, "retests_overdue") == 0

    for hours, times in ((1, 1), (2, 1), (8 * 24, 2)):
        with travel(row.due_at + timedelta(hours=hours)):
            house.work()
            assert [told(house, who, "retests_overdue") for who in (head.id, psychologist.id)] == [times, times]


def test_whoever_left_the_centre_is_followed_by_its_head(
    house: House, head: Client, screening_round: ScreeningRound
) -> None:
    psychologist = house.make.psychologist()
    ask(house, screening_round, house.make.student())
    row = held(house)[0]
    head.post(f"/retests/{row.id}/hand-over", version="1", to=f"psychologist:{psychologist.id}")
    with house.door.database.writing() as session:
        session.get_one(type(psychologist.staff), psychologist.id).retired_at = now()

    with travel(row.due_at + timedelta(hours=1)):
        house.work()

    assert held(house)[0].owner_id == head.id


def test_the_advisor_learns_no_reason_anywhere(house: House, screening_round: ScreeningRound) -> None:
    group = house.make.class_group()
    advisor, student = house.make.advisor(group), house.make.student(group)
    ask(house, screening_round, student)

    assert advisor.get("/retests").status == 403
    assert advisor.get(f"/retests/{held(house)[0].id}").status == 403
    page = advisor.get(f"/students/{student.id}")
    assert "重测" not in page.text
    assert "存疑" not in page.text
    with advisor.under(Permission.STUDENT_READ, writing=False) as access:
        access.find(Student, student.id)
        assert timeline(access, student.id) == []
