"""Clocks of sources: late deliveries by the working calendar, and deliveries nobody has seen to."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import update

from app.screening.sources import schedule, source_clock
from app.security.actor import WORKER
from app.security.policy import Permission, Purpose
from config import catalogue
from models import moment
from models.identity import Role, RoleGrant
from models.source import ArrivalState, SourceKind
from models.working_time import WorkingCalendar
from tests.screening.files import line, phq
from tests.sources.delivering import Delivering, calm, clean, table

FRIDAY, SATURDAY, MONDAY, TUESDAY = (date(2026, 11, day) for day in (20, 21, 23, 24))
NATIONAL_DAY = date(2026, 10, 1)


def at(day: date, hour: int = 9) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=moment.zone())


def ring(centre: Delivering, day: date, hour: int = 9) -> None:
    with moment.travel(at(day, hour)), centre.house.door.enter(WORKER, Permission.CLOCKS_RUN, Purpose.CARE) as access:
        source_clock.ring(access)


@pytest.mark.parametrize(
    ("expected", "last"), [(FRIDAY, FRIDAY), (SATURDAY, MONDAY), (NATIONAL_DAY, date(2026, 10, 8))]
)
def test_a_day_off_moves_the_last_day_to_the_next_working_day(expected: date, last: date) -> None:
    calendar = WorkingCalendar.from_table(catalogue.table("calendar"), moment.zone())  # type: ignore[arg-type]

    assert schedule.last_day(expected, calendar) == last


def test_a_late_delivery_is_told_once_a_working_day_and_not_on_days_off(centre: Delivering) -> None:
    centre.source(every_days=7, expected_on=FRIDAY)

    ring(centre, FRIDAY)
    ring(centre, SATURDAY)
    assert centre.told("delivery_late") == {}
    ring(centre, MONDAY)
    ring(centre, MONDAY, 15)
    assert centre.told("delivery_late") == {centre.psychologist.id: 1}
    ring(centre, TUESDAY)
    assert centre.told("delivery_late") == {centre.psychologist.id: 2}


def test_a_delivery_that_comes_late_is_marked_and_the_next_one_expected_a_period_later(centre: Delivering) -> None:
    source = centre.source(every_days=7, expected_on=FRIDAY)

    with moment.travel(at(TUESDAY)):
        row = centre.deliver(clean(centre.people))
        assert (row.is_late, row.state) == (True, ArrivalState.COMMITTED)
        assert centre.house.again(source).expected_on == TUESDAY + timedelta(days=7)
    ring(centre, TUESDAY)
    assert centre.told("delivery_late") == {}


def test_a_file_that_could_not_be_read_is_still_owed(centre: Delivering) -> None:
    source = centre.source(every_days=7, expected_on=FRIDAY)

    with moment.travel(at(FRIDAY)):
        centre.deliver(b"\x00\x01PK nonsense" * 40)
    ring(centre, MONDAY)

    assert centre.house.again(source).expected_on == FRIDAY
    assert centre.told("delivery_late") == {centre.psychologist.id: 1}


def test_a_repeated_delivery_is_not_the_one_that_was_expected(centre: Delivering) -> None:
    source = centre.source(every_days=7, expected_on=FRIDAY)
    centre.deliver(clean(centre.people))
    expected = centre.house.again(source).expected_on

    with moment.travel(moment.now() + timedelta(days=3)):
        centre.deliver(clean(centre.people))

    assert centre.house.again(source).expected_on == expected


def test_without_a_period_nothing_is_expected_after_the_one_that_came(centre: Delivering) -> None:
    source = centre.source(expected_on=FRIDAY)

    centre.deliver(clean(centre.people))

    assert centre.house.again(source).expected_on is None


def test_a_retired_source_is_never_late(centre: Delivering) -> None:
    source = centre.source(kind=SourceKind.UPLOAD, every_days=7, expected_on=FRIDAY)
    centre.head.post(f"/sources/{source.id}/retire", version="2")

    ring(centre, TUESDAY)

    assert centre.told("delivery_late") == {}


def test_what_waits_past_its_time_goes_to_the_head_and_then_the_affairs_head_urges(centre: Delivering) -> None:
    centre.source()
    centre.let_clean_files_in(allowed=False)
    centre.deliver(clean(centre.people))
    due = centre.arrivals()[0].due_at
    assert due is not None

    with moment.travel(due + timedelta(minutes=1)):
        _ring_now(centre)
        row = centre.arrivals()[0]
        assert row.owner_id == centre.head.id
        assert centre.told("delivery_waits")[centre.head.id] == 1
        assert row.due_at is not None
    with moment.travel(row.due_at + timedelta(minutes=1)):
        _ring_now(centre)

    assert centre.told("delivery_overdue") == {centre.affairs.id: 1}
    assert centre.arrivals()[0].owner_id == centre.head.id


def test_something_critical_that_waits_is_urged_again_within_hours(centre: Delivering) -> None:
    centre.source(mapped=False)
    centre.deliver(table(line(centre.people[0], phq(12, 3)), *calm(centre.people[1:])))
    due = centre.arrivals()[0].due_at
    assert due is not None

    with moment.travel(due + timedelta(minutes=1)):
        _ring_now(centre)

    row = centre.arrivals()[0]
    assert row.due_at is not None
    assert due < row.due_at <= due + timedelta(hours=20)
    assert centre.told("delivery_overdue") == {centre.affairs.id: 1}


def _ring_now(centre: Delivering) -> None:
    with centre.house.door.enter(WORKER, Permission.CLOCKS_RUN, Purpose.CARE) as access:
        source_clock.ring(access)


def test_an_owner_who_left_the_centre_is_followed_by_its_head(centre: Delivering) -> None:
    centre.source(every_days=7, expected_on=FRIDAY)
    with centre.house.door.database.writing() as session:
        held = RoleGrant.staff_id == centre.psychologist.id
        session.execute(update(RoleGrant).where(held).values(until=FRIDAY))

    ring(centre, MONDAY)

    assert centre.told("delivery_late") == {centre.head.id: 1}


def test_whoever_owns_a_source_is_not_retired_before_it_is_handed_on(centre: Delivering) -> None:
    centre.source()
    sysadmin = centre.house.make.person(Role.SYSADMIN)

    answer = sysadmin.post(f"/accounts/{centre.psychologist.id}/retire")

    assert "移交" in answer
    assert centre.house.again(centre.psychologist.staff).retired_at is None
