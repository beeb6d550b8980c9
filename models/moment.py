"""The only source of *now*, and the type that keeps every time in UTC.

Tests move time with ``travel``; nothing else in the house may call the
system clock for a time that is stored or compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Annotated, Any

from sqlalchemy import DateTime, Dialect
from sqlalchemy.orm import mapped_column
from sqlalchemy.types import TypeDecorator

_offset = timedelta()
_zone: tzinfo = UTC


def use_zone(zone: tzinfo) -> None:
    """Tell the process in which zone its days begin (a setting, read once at start)."""
    global _zone  # noqa: PLW0603 - one process, one zone
    _zone = zone


def zone() -> tzinfo:
    return _zone


def now() -> datetime:
    """This instant, in UTC."""
    return datetime.now(UTC) + _offset


def today() -> date:
    """The calendar day where the school is."""
    return now().astimezone(_zone).date()


@contextmanager
def travel(to: datetime) -> Iterator[None]:
    """Let the house believe that it is another time (tests and simulations)."""
    global _offset  # noqa: PLW0603 - one process, one clock
    before = _offset
    _offset = to - datetime.now(UTC)
    try:
        yield
    finally:
        _offset = before


class UtcDateTime(TypeDecorator[datetime]):
    """A time zone aware datetime, stored in UTC on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("a stored time needs a zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        found: datetime = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return found


Moment = Annotated[datetime, mapped_column(UtcDateTime)]
