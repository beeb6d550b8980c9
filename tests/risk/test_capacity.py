"""How far the talks of a week reach: stated by the centre or reckoned, in working days, without taking anybody off."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.risk.capacity import Reach
from models.interview import InterviewEntry
from models.moment import now, travel
from tests.house import House
from tests.risk.hints.listed import listed
from tests.risk.times import again


def reach(people: int, per_week: int, days: int) -> Reach:
    return Reach(per_week=per_week, stated=True, people=people, until=now(), working_days=days, a_week=5)


@given(st.integers(0, 3000), st.integers(0, 300), st.integers(0, 60))
def test_the_reached_and_the_missed_are_the_list_and_the_missing_talks_reach_it(
    people: int, per_week: int, days: int
) -> None:
    found = reach(people, per_week, days)

    assert found.reached + found.missed == people
    assert found.reached <= found.room
    if found.more_per_week is None:
        assert days == 0
        return
    assert reach(people, per_week + found.more_per_week, days).missed == 0
    if found.more_per_week:
        assert reach(people, per_week + found.more_per_week - 1, days).missed > 0


def test_the_centre_says_how_many_and_the_page_shows_whom_that_reaches(sqlite_house: House, tmp_path: Path) -> None:
    held = listed(sqlite_house, tmp_path, [10, 11, 12, 13, 14])
    place = f"/rounds/{held.round().id}/talks"

    page = held.staff.head.post(place, per_week="1", version=str(held.round().version))

    weeks = 4
    assert held.round().interviews_per_week == 1
    assert "到此为止可在截止前约到（每周 1 人" in page
    assert "按现有人手，名单末尾 1 人约不到" in page
    assert "每周再加 1 个访谈" in page
    assert sqlite_house.count(InterviewEntry) == weeks + 1


@pytest.mark.parametrize("said", ["0", "-3", "2001", "1.5", "many"])
def test_a_number_that_cannot_be_is_refused(sqlite_house: House, tmp_path: Path, said: str) -> None:
    held = listed(sqlite_house, tmp_path, [10])

    page = held.staff.head.post(f"/rounds/{held.round().id}/talks", per_week=said, version=str(held.round().version))

    assert page.status == 422
    assert held.round().interviews_per_week is None


def test_without_a_number_it_is_reckoned_from_the_people(sqlite_house: House, tmp_path: Path) -> None:
    held = listed(sqlite_house, tmp_path, [10])
    held.staff.head.post(f"/rounds/{held.round().id}/talks", per_week="3", version=str(held.round().version))

    page = held.staff.head.post(f"/rounds/{held.round().id}/talks", per_week="", version=str(held.round().version))

    assert held.round().interviews_per_week is None
    assert "按在岗人数推算" in page


def test_whatever_is_overdue_stays_in_sight_whichever_order_is_chosen(sqlite_house: House, tmp_path: Path) -> None:
    held = listed(sqlite_house, tmp_path, [10, 12])

    with travel(held.round().interviews_due_at + timedelta(hours=1)):
        person = again(held.staff.psychologist)
        pages = [person.get(f"/interviews?order={order}") for order in ("", "due")]

    for page in pages:
        assert "已超过时限 2 人" in page
        assert page.text.count("已超时") >= 2
        assert "名单末尾 2 人约不到" in page
