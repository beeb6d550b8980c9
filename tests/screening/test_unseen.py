"""Critical answers in a file that has not gone in: the person who holds it is not the only one to know (law 2)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from models import moment
from models.intake import ImportBatch
from models.moment import now
from models.notice import Notice
from tests.house import Client, House
from tests.screening.files import enrol, line, phq
from tests.screening.test_screening_pages import press, previewed

CRITICAL, CALM = phq(4, 2), phq(2)


def told(house: House, person: Client) -> list[str]:
    """Kinds of notices, once for each time it was said: equal ones that nobody has read are one row with a count."""
    rows = house.all(select(Notice.kind, Notice.count).where(Notice.recipient_id == person.id).order_by(Notice.id))
    return [row.kind for row in rows for _ in range(row.count) if row.kind.startswith("critical")]


def due(house: House) -> list[bool]:
    return [
        row.critical_due_at is not None
        for row in house.all(select(ImportBatch.critical_due_at).where(ImportBatch.round_id.is_not(None)))
    ]


def test_the_clock_of_a_critical_preview_ends_when_it_goes_in(house: House) -> None:
    _, psychologist, _ = house.make.team()
    [person] = enrol(house, 1)
    path = previewed(house, psychologist, line(person, CRITICAL))
    assert due(house) == [True]

    press(psychologist, path, "commit")
    house.work()

    assert due(house) == [False]


def test_a_critical_preview_has_a_clock_and_both_hear_of_it_again_and_again(house: House) -> None:
    head, psychologist, _ = house.make.team()
    [person] = enrol(house, 1)
    previewed(house, psychologist, line(person, CRITICAL))
    assert told(house, head) == []

    for day in (1, 2):
        with moment.travel(to=now() + timedelta(days=4 * day)):
            house.work()
        assert told(house, head) == ["critical_waits"] * day
        assert told(house, psychologist) == ["critical_waits"] * day


def test_a_calm_preview_has_none(sqlite_house: House) -> None:
    head, psychologist, _ = sqlite_house.make.team()
    [person] = enrol(sqlite_house, 1)
    path = previewed(sqlite_house, psychologist, line(person, CALM))

    press(psychologist, path, "withdraw")

    assert due(sqlite_house) == [False]
    assert told(sqlite_house, head) == []


def test_the_head_hears_of_a_critical_file_that_is_put_aside(house: House) -> None:
    head, psychologist, _ = house.make.team()
    [person] = enrol(house, 1)
    path = previewed(house, psychologist, line(person, CRITICAL))

    press(psychologist, path, "withdraw")

    assert told(house, head) == ["critical_put_aside"]
    assert due(house) == [False]


@pytest.mark.parametrize("critical", [True, False])
def test_the_head_hears_of_a_strict_refusal_only_where_something_critical_was_in_it(
    sqlite_house: House, critical: bool
) -> None:
    head, psychologist, _ = sqlite_house.make.team()
    one, two = enrol(sqlite_house, 2)

    previewed(sqlite_house, psychologist, line(one, CRITICAL if critical else CALM), line(two, [7] * 9), strict="y")

    assert told(sqlite_house, head) == (["critical_put_aside"] if critical else [])
