"""Times in UTC with a zone, ids that grow with time, and the clocks between them."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.exc import StatementError

from config import catalogue
from models import moment
from models.base import new_id, new_ids
from models.bulk import Same, insert_many
from models.identity import College, Staff
from models.moment import now, today, travel
from models.registry import METADATA
from models.working_time import Clock, ClockKind, WorkingCalendar
from tests.house import House

SHANGHAI = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 9, 5, 23, 59, 59, 123456, tzinfo=timezone(timedelta(hours=8)))
START = datetime(2026, 9, 1, tzinfo=SHANGHAI)
CALENDAR = WorkingCalendar.from_table(catalogue.table("calendar"), SHANGHAI)


@pytest.mark.parametrize("way", ["orm", "bulk", "update"])
def test_a_stored_time_comes_back_as_the_same_instant_in_utc(house: House, way: str) -> None:
    row = Staff(login="t", name="n", created_at=AT if way == "orm" else now())
    with house.door.database.writing() as session:
        if way == "bulk":
            columns = {"id": [row.id.bytes], "login": ["t"], "name": ["n"], "created_at": Same(AT)}
            insert_many(session, Staff.__table__, columns)  # type: ignore[arg-type]
        else:
            session.add(row)
            session.flush()
            session.execute(update(Staff).values(created_at=AT))

    [(found,)] = house.all(select(Staff.created_at))

    assert found == AT
    assert found.tzinfo is UTC
    assert house.all(select(Staff.id).where(Staff.created_at == AT, Staff.created_at < AT + timedelta(microseconds=1)))


def test_a_time_without_a_zone_is_not_stored(house: House) -> None:
    naive = AT.replace(tzinfo=None)

    with pytest.raises(StatementError, match="needs a zone"), house.door.database.writing() as session:
        session.add(Staff(login="t", name="n", created_at=naive))
        session.flush()

    assert house.count(Staff) == 0


def test_every_column_of_a_time_is_of_the_one_type() -> None:
    kinds = {
        type(column.type).__name__
        for table in METADATA.tables.values()
        for column in table.c
        if column.name.endswith("_at") or column.name == "at"
    }

    assert kinds == {"UtcDateTime"}


def test_the_day_begins_where_the_school_is() -> None:
    before = moment.zone()
    moment.use_zone(SHANGHAI)
    try:
        with travel(datetime(2026, 9, 5, 15, 59, tzinfo=UTC)):
            assert today() == date(2026, 9, 5)
        with travel(datetime(2026, 9, 5, 16, 1, tzinfo=UTC)):
            assert today() == date(2026, 9, 6)
    finally:
        moment.use_zone(before)
    assert now().tzinfo is UTC


def test_ids_of_a_batch_ascend_and_are_unique_versions_seven() -> None:
    ids = new_ids(50_000)

    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {UUID(bytes=value).version for value in ids[::997]} == {7}
    assert {UUID(bytes=value).variant for value in ids[::997]} == {"specified in RFC 4122"}


def test_a_later_id_is_greater_and_tells_its_millisecond() -> None:
    begin = time.time_ns() // 1_000_000
    first = new_id()
    time.sleep(0.002)
    second = new_id()
    end = time.time_ns() // 1_000_000

    assert first < second
    assert begin <= int.from_bytes(first.bytes[:6], "big") < int.from_bytes(second.bytes[:6], "big") <= end


def test_ids_sort_alike_in_python_and_in_the_database(house: House) -> None:
    with house.door.database.writing() as session:
        session.add_all(College(name=f"学院{place}") for place in range(50))

    found = [row.id for row in house.all(select(College.id).order_by(College.id))]

    assert found == sorted(found)
    assert all(type(value) is UUID for value in found)


instants = st.integers(0, 110 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))


@given(start=instants, hours=st.integers(1, 60))
def test_working_hours_run_out_only_while_people_work_and_never_early(start: datetime, hours: int) -> None:
    due = CALENDAR.due(start, Clock(ClockKind.WORKING, hours)).astimezone(SHANGHAI)

    assert CALENDAR.is_working_day(due.date())
    assert any(opens < due.time() <= closes for opens, closes in CALENDAR.hours)
    assert due - start >= timedelta(hours=hours)
    assert worked(start, due) == timedelta(hours=hours)


def worked(start: datetime, end: datetime) -> timedelta:
    """Working time between two instants, counted day by day."""
    total, day = timedelta(), start.date()
    while day <= end.date():
        if CALENDAR.is_working_day(day):
            for opens, closes in CALENDAR.hours:
                begin = max(start, datetime.combine(day, opens, SHANGHAI))
                total += max(timedelta(), min(end, datetime.combine(day, closes, SHANGHAI)) - begin)
        day += timedelta(days=1)
    return total


@given(start=instants, days=st.integers(1, 20))
def test_working_days_end_at_closing_time_of_the_last_of_them(start: datetime, days: int) -> None:
    due = CALENDAR.due(start, Clock(ClockKind.DAYS, days)).astimezone(SHANGHAI)

    between = [start.date() + timedelta(days=n) for n in range(1, (due.date() - start.date()).days + 1)]
    assert sum(map(CALENDAR.is_working_day, between)) == days
    assert (CALENDAR.is_working_day(due.date()), due.time()) == (True, CALENDAR.hours[-1][1])


@given(start=instants, minutes=st.integers(1, 10_000))
def test_round_minutes_run_at_any_hour(start: datetime, minutes: int) -> None:
    assert CALENDAR.due(start, Clock(ClockKind.ROUND, minutes)) - start == timedelta(minutes=minutes)


@given(one=instants, other=instants, hours=st.integers(1, 40))
def test_what_starts_later_is_never_due_earlier(one: datetime, other: datetime, hours: int) -> None:
    first, second = sorted((one, other))
    for clock in (Clock(ClockKind.WORKING, hours), Clock(ClockKind.DAYS, hours)):
        assert CALENDAR.due(first, clock) <= CALENDAR.due(second, clock)
