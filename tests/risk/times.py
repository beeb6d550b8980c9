"""The Monday on which these tests live, and the way to other moments."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from models.moment import travel
from tests.house import Client

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(day: str, clock: str = "09:00") -> datetime:
    """A moment where the school is: ``at("2026-11-16", "09:00")``."""
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=SHANGHAI)


MONDAY = at("2026-11-16")
"""An ordinary working Monday, nine in the morning; the next holiday is far."""


@pytest.fixture(autouse=True)
def on_monday() -> Iterator[None]:
    """Nothing here depends on the day on which the tests are run."""
    with travel(MONDAY):
        yield


def near(found: datetime, expected: datetime) -> bool:
    """The same minute, give or take what the test itself needed."""
    return abs(found - expected) < timedelta(minutes=1)


def again(person: Client) -> Client:
    """The same person, signed in anew at the present moment."""
    return Client(person.house, person.staff, person.role)
