"""When a source is expected, and whether it is late: by the working calendar, told once a working day."""

from __future__ import annotations

from datetime import date, timedelta

from app.admin import rulebook
from app.security.access import Access
from models.moment import today
from models.source import ScreeningSource
from models.working_time import WorkingCalendar


def last_day(expected_on: date, calendar: WorkingCalendar) -> date:
    """The last day on which a delivery is still in time: the expected one, or the next on which people work."""
    day = expected_on
    while not calendar.is_working_day(day):
        day += timedelta(days=1)
    return day


def is_late(access: Access, source: ScreeningSource) -> bool:
    """Whether the expected delivery has not come in time."""
    if source.expected_on is None or source.retired_at is not None:
        return False
    return today() > last_day(source.expected_on, rulebook.current(access.session).calendar)


def did_not_come(source: ScreeningSource) -> None:
    """What came was worth nothing: the source still owes what it was to deliver."""
    if source.every_days:
        source.expected_on = today()


def came(source: ScreeningSource) -> None:
    """A delivery has come: the next one is expected a period from today; without a period, none is."""
    source.told_late_on = None
    source.expected_on = today() + timedelta(days=source.every_days) if source.every_days else None
