"""Who takes no part, and why: each pasted line answered, nobody blamed, over by itself when a result comes in."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from app.screening.rounds import absence
from app.security.policy import Permission, Purpose
from models.identity import Role
from models.participation import AbsenceEnd, AbsenceKind, RoundAbsence
from tests.house import Client, House
from tests.screening.files import enrol
from tests.screening.rounds import done, go, new_round


def stored(house: House) -> list[tuple[AbsenceKind, AbsenceEnd | None]]:
    query = select(RoundAbsence.kind, RoundAbsence.voided_because).order_by(RoundAbsence.recorded_at, RoundAbsence.id)
    return [tuple(row) for row in house.all(query)]


def test_every_pasted_line_is_answered_and_shows_nothing_of_what_it_said(house: House, tmp_path: Path) -> None:
    head, _, _ = house.make.team()
    people = enrol(house, 4)
    row = new_round(house, head)
    done(house, tmp_path, row, people[3])
    lines = [people[0].number, f"{people[1].number}，账号登不上", "", "2099887766", people[0].number, people[3].number]

    page = head.post(f"/rounds/{row.id}/absences", kind="declined", numbers="\n".join(lines))

    assert "1 已登记：本人选择不参加。" in page
    assert "2 已登记：账号无法登录。" in page
    assert "4 没有找到这个学号，或不在你负责的范围内" in page
    assert "5 已经登记过，没有变化" in page
    assert "6 这名学生在本批次已有结果，不用登记" in page
    assert "2099887766" not in page.html
    assert people[0].number not in page.html
    assert stored(house) == [(AbsenceKind.DECLINED, None), (AbsenceKind.ACCOUNT, None)]


def test_another_reason_replaces_the_one_before_without_editing_it(house: House) -> None:
    head, _, _ = house.make.team()
    [person] = enrol(house, 1)
    row = new_round(house, head)

    for kind in ("away", "declined"):
        head.post(f"/rounds/{row.id}/absences", kind=kind, numbers=person.number)

    assert stored(house) == [(AbsenceKind.AWAY, AbsenceEnd.MISTAKE), (AbsenceKind.DECLINED, None)]


def test_an_absence_ends_by_itself_when_results_come_in(house: House) -> None:
    head, _, _ = house.make.team()
    people = enrol(house, 3)
    row = new_round(house, head)
    head.post(f"/rounds/{row.id}/absences", kind="declined", numbers="\n".join(person.number for person in people[:2]))

    with house.console(Permission.SCREENING_IMPORT, Purpose.CARE) as access:
        ended = absence.settle(access, row.id, [people[0].row.id, people[2].row.id])
        again = absence.settle(access, row.id, [people[0].row.id])

    assert (ended, again) == (1, 0)
    assert sorted(stored(house), key=str) == sorted(
        [(AbsenceKind.DECLINED, AbsenceEnd.TOOK_PART), (AbsenceKind.DECLINED, None)], key=str
    )
    assert [entry["count"] for entry in house.log(act="absences_settled")] == [1]


def test_it_is_struck_out_with_a_reason_and_stays_to_be_seen(house: House) -> None:
    head, _, _ = house.make.team()
    [person] = enrol(house, 1)
    row = new_round(house, head)
    head.post(f"/rounds/{row.id}/absences", kind="away", numbers=person.number)
    [(absence_id,)] = house.all(select(RoundAbsence.id))

    page = head.post(f"/absences/{absence_id}/end", because="will_take_part")

    assert "已撤销：改为参加" in page
    assert stored(house) == [(AbsenceKind.AWAY, AbsenceEnd.WILL_TAKE_PART)]
    assert head.post(f"/absences/{absence_id}/end", because="mistake").status == 409


def test_an_advisor_writes_down_his_own_students_only(house: House) -> None:
    head, _, _ = house.make.team()
    mine, theirs = house.make.class_group(), house.make.class_group()
    [own], [foreign] = enrol(house, 1, mine), enrol(house, 1, theirs)
    advisor = house.make.advisor(mine)
    row = new_round(house, head)

    page = advisor.post(f"/rounds/{row.id}/absences", kind="away", numbers=f"{foreign.number}\n{own.number}\n404")
    direct = advisor.post(f"/rounds/{row.id}/absences/of/{foreign.row.id}", kind="away")
    listed = advisor.post(f"/rounds/{row.id}/absences/of/{own.row.id}", kind="declined")

    assert "1 没有找到这个学号，或不在你负责的范围内" in page
    assert "3 没有找到这个学号，或不在你负责的范围内" in page
    assert direct.status == 404
    assert listed.status == 200
    assert house.count(RoundAbsence, RoundAbsence.student_id == foreign.row.id) == 0
    [(absence_id,)] = house.all(select(RoundAbsence.id).where(RoundAbsence.voided_at.is_(None)))
    stranger = house.make.advisor(theirs)
    assert stranger.post(f"/absences/{absence_id}/end", because="mistake").status == 404
    assert own.name not in stranger.get(f"/rounds/{row.id}/absences")


def test_nothing_is_written_down_once_the_round_is_over(house: House) -> None:
    head, _, _ = house.make.team()
    [person] = enrol(house, 1)
    row = new_round(house, head)
    go(head, row, "closed")

    page = head.post(f"/rounds/{row.id}/absences", kind="away", numbers=person.number)

    assert "不在进行中" in page
    assert stored(house) == []


def test_too_many_lines_are_refused_before_any_is_written(sqlite_house: House) -> None:
    house = sqlite_house
    head, _, _ = house.make.team()
    [person] = enrol(house, 1)
    row = new_round(house, head)

    page = head.post(f"/rounds/{row.id}/absences", kind="away", numbers="\n".join([person.number] * 501))

    assert "一次最多登记 500 行" in page
    assert stored(house) == []


@pytest.mark.parametrize("role", [Role.CENTRE_HEAD, Role.ADVISOR, Role.COLLEGE_LEAD])
def test_no_page_about_taking_part_blames_anybody(sqlite_house: House, role: Role) -> None:
    house = sqlite_house
    head, _, _ = house.make.team()
    group = house.make.class_group()
    people = enrol(house, 2, group)
    row = new_round(house, head)
    head.post(f"/rounds/{row.id}/absences", kind="declined", numbers=people[0].number)
    person: Client = house.make.person(role, classes=[group]) if role is Role.ADVISOR else house.make.person(role)

    parts = [f"/rounds/{row.id}/coverage", f"/rounds/{row.id}/absences", f"/reminders/{row.id}/{group.id}"]
    words = " ".join(person.get(part).text for part in parts)

    assert [bad for bad in ("拒测", "拒不", "逃测", "违纪", "阳性", "异常") if bad in words] == []
    assert "不作任何评价" in words
