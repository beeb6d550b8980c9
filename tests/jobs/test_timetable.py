"""Clocks: each due time is one job, however many workers look at the same minute, and a pause is not paid back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app import clocks
from app.jobs.timetable import Timetable, put_due
from app.security.access import Access
from app.security.door import open_door
from models.identity import College
from models.job import Job, JobStage
from models.moment import now, travel
from tests.house import House
from tests.jobs.table import found_college, kind, let_waiting_be_due, worker

MINUTE = Timetable("tick", timedelta(minutes=1))
NOON = datetime(2027, 3, 1, 4, 0, 30, tzinfo=UTC)


def tick(access: Access) -> None:
    access.session.add(College(name=f"{now():%H:%M}"))


def ticks(house: House) -> list[datetime]:
    return [row.run_at for row in house.all(select(Job.run_at).where(Job.kind == "tick").order_by(Job.run_at))]


def test_a_clock_is_put_there_once_a_slot(house: House) -> None:
    with travel(NOON):
        assert put_due(house.door.database, [MINUTE]) is True
        assert put_due(house.door.database, [MINUTE]) is False
    with travel(NOON + timedelta(seconds=20)):
        assert put_due(house.door.database, [MINUTE]) is False
    with travel(NOON + timedelta(seconds=31)):
        assert put_due(house.door.database, [MINUTE]) is True

    assert ticks(house) == [NOON.replace(second=0), NOON.replace(minute=1, second=0)]


def test_two_workers_run_each_clock_once(house: House) -> None:
    other = open_door(house.door.settings)
    workers = [worker(side, kind(tick, "tick"), timetable=(MINUTE,)) for side in (house, House(other))]
    barrier = threading.Barrier(2)

    def go(place: int) -> None:
        barrier.wait()
        workers[place].run_due()

    for minute in range(3):
        with travel(NOON + timedelta(minutes=minute)), ThreadPoolExecutor(2) as threads:
            list(threads.map(go, range(2)))
            workers[0].run_due()
    other.database.dispose()

    assert len(ticks(house)) == 3
    assert [row.name for row in house.all(select(College.name).order_by(College.name))] == ["04:00", "04:01", "04:02"]


def test_after_a_pause_only_the_newest_slot_runs(house: House) -> None:
    one = worker(house, kind(tick, "tick"), timetable=(MINUTE,))
    with travel(NOON):
        one.run_due()
    with travel(NOON + timedelta(hours=5)):
        assert one.run_due() == 1

    assert len(ticks(house)) == 2


def test_a_clock_that_fails_neither_stops_the_next_slot_nor_is_forgotten(house: House) -> None:
    broken = worker(house, kind(lambda _access: 1 / 0, "tick"), timetable=(MINUTE,))
    with travel(NOON):
        broken.run_due()
        [(job,)] = house.all(select(Job))
        assert job.stage is JobStage.WAITING

    with travel(NOON + timedelta(minutes=1)):
        let_waiting_be_due(house)
        worker(house, kind(found_college, "tick"), timetable=(MINUTE,)).run_due()

    assert house.count(Job, Job.stage == JobStage.DONE) == 2


@pytest.mark.parametrize(
    ("every", "at", "slot"),
    [
        (timedelta(minutes=1), "2027-03-01T04:00:59+00:00", "2027-03-01T04:00:00+00:00"),
        (timedelta(minutes=1), "2027-03-01T04:01:00+00:00", "2027-03-01T04:01:00+00:00"),
        (timedelta(minutes=5), "2027-03-01T04:04:59+00:00", "2027-03-01T04:00:00+00:00"),
        (timedelta(days=1), "2027-03-01T23:59:59+00:00", "2027-03-01T00:00:00+00:00"),
        (timedelta(days=1), "2027-03-01T07:00:00+08:00", "2027-02-28T00:00:00+00:00"),
    ],
)
def test_a_slot_is_the_latest_due_time_not_after_now(every: timedelta, at: str, slot: str) -> None:
    assert Timetable("tick", every).slot(datetime.fromisoformat(at)) == datetime.fromisoformat(slot)


def test_the_house_keeps_its_clocks_and_every_one_of_them_has_a_job_kind(house: House) -> None:
    house.make.head()

    house.work()

    kinds = {item.kind for item in clocks.TIMETABLE}
    assert {"ladder", "log_head", "clear_away"} <= kinds <= set(clocks.job_kinds())
    done = house.all(select(Job.kind).where(Job.stage == JobStage.DONE))
    assert sorted(row.kind for row in done) == sorted(kinds)


def test_the_clocks_of_a_house_run_again_a_minute_later_and_not_before(house: House) -> None:
    house.make.head()
    with travel(NOON):
        assert house.work() == len(clocks.TIMETABLE)
        assert house.work() == 0
    with travel(NOON + timedelta(minutes=1)):
        assert house.work() == sum(item.every <= timedelta(minutes=1) for item in clocks.TIMETABLE)
