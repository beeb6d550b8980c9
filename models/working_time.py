"""When a clock that counts working time runs out.

Pure arithmetic over a calendar (``config/calendar.toml``): weekdays, opening
hours, days off, and the working weekends that pay for them (调休).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo


class ClockKind(StrEnum):
    """How the amount of a clock is counted."""

    ROUND = "round"
    """Minutes, at any hour of any day."""
    WORKING = "working"
    """Working hours; outside them it starts at the next opening."""
    DAYS = "days"
    """Working days; due at closing time of the last one."""


@dataclass(frozen=True, slots=True)
class Clock:
    """So much time of one kind: 30 round minutes, 4 working hours, 3 working days."""

    kind: ClockKind
    amount: int

    @property
    def in_words(self) -> str:
        unit = {ClockKind.ROUND: "分钟", ClockKind.WORKING: "个工作小时", ClockKind.DAYS: "个工作日"}
        return f"{self.amount} {unit[self.kind]}"


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """The hours and days on which people work, in one time zone."""

    zone: ZoneInfo
    weekdays: frozenset[int]
    hours: tuple[tuple[time, time], ...]
    days_off: frozenset[date]
    working_days: frozenset[date]
    covers_until: date

    @classmethod
    def from_table(cls, table: dict[str, Any], zone: ZoneInfo) -> WorkingCalendar:
        """Read ``config/calendar.toml``; a range of days off names its first and last day."""
        off: set[date] = set()
        for first, last in table["days_off"]:
            day = date.fromisoformat(first)
            while day <= date.fromisoformat(last):
                off.add(day)
                day += timedelta(days=1)
        return cls(
            zone=zone,
            weekdays=frozenset(table["weekdays"]),
            hours=tuple((time.fromisoformat(a), time.fromisoformat(b)) for a, b in table["hours"]),
            days_off=frozenset(off),
            working_days=frozenset(date.fromisoformat(day) for day in table["working_days"]),
            covers_until=table["covers_until"],
        )

    def is_working_day(self, day: date) -> bool:
        if day in self.working_days:
            return True
        return day.isoweekday() in self.weekdays and day not in self.days_off

    def due(self, start: datetime, clock: Clock) -> datetime:
        """When ``clock``, started at ``start``, runs out; in UTC."""
        if clock.kind is ClockKind.ROUND:
            return start.astimezone(UTC) + timedelta(minutes=clock.amount)
        local = start.astimezone(self.zone)
        if clock.kind is ClockKind.DAYS:
            return self._after_days(local.date(), clock.amount).astimezone(UTC)
        return self._after_hours(local, timedelta(hours=clock.amount)).astimezone(UTC)

    def _after_days(self, day: date, amount: int) -> datetime:
        left = amount
        while left > 0:
            day += timedelta(days=1)
            if self.is_working_day(day):
                left -= 1
        return datetime.combine(day, self.hours[-1][1], self.zone)

    def _after_hours(self, start: datetime, left: timedelta) -> datetime:
        day = start.date()
        while True:
            if self.is_working_day(day):
                for opens, closes in self.hours:
                    begin = max(start, datetime.combine(day, opens, self.zone))
                    end = datetime.combine(day, closes, self.zone)
                    if begin >= end:
                        continue
                    if left <= end - begin:
                        return begin + left
                    left -= end - begin
            day += timedelta(days=1)
