"""Facts from the future are planted, and not used; a source that hands them over is refused loudly."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from app.cases import care_talk
from app.risk.gathering import gather
from app.risk.gathering.facts import Asked, Facts, Source, moment64, moments
from app.risk.gathering.gather import LooksAhead, WrongFacts
from app.security.access import Access
from app.security.policy import Permission
from models.case import TalkWay
from models.identity import Role
from models.interview import InterviewStage
from models.moment import now, travel
from models.student import Student
from tests.house import Client, House
from tests.risk.gathering.known import AUTUMN, SPRING, college, entry_of, gathered, talked, value, wave
from tests.risk.times import at
from tests.screening.files import Person, line, phq

HOUR = timedelta(hours=1)


def _talk(by: Client, person: Person, *, held: datetime, reached: bool = True) -> None:
    with by.under(Permission.CARE_TALK) as access:
        care_talk.record(
            access,
            access.find(Student, person.row.id),
            way=TalkWay.PHONE,
            held_at=held,
            reached=reached,
            noticed=[],
            text="谈过",
            urgency=care_talk.Urgency.NONE if reached else care_talk.Urgency.WATCH,
        )


def test_a_later_sheet_is_not_seen(house: House, tmp_path: Path) -> None:
    _, [person] = college(house, 1)
    wave(house, tmp_path, SPRING, line(person, phq(4)), when=at("2026-04-20"))
    then = now()
    wave(house, tmp_path, AUTUMN, line(person, phq(19)), when=then + HOUR)

    table = gathered(house, [person] * 2, [then, then + 2 * HOUR])

    assert table.column("phq9_total").tolist() == [4, 19]
    assert np.isnan(table.column("phq9_change")[0])
    assert table.column("phq9_change")[1] == 15


def test_the_outcome_of_the_interview_itself_is_not_seen_nor_that_it_was_listed(house: House, tmp_path: Path) -> None:
    head, [person] = college(house, 1)
    wave(house, tmp_path, AUTUMN, line(person, phq(12)))
    listed = entry_of(house, person).listed_at
    with travel(now() + HOUR):
        talked(house, head, person, "A")

    table = gathered(house, [person] * 2, [listed, now() + 2 * HOUR])

    assert value(table, "phq9_total") == 12
    assert np.isnan(table.column("result_before")[0])
    assert table.column("listed_before").tolist() == [0, 1]
    assert table.column("result_before")[1] == 2


def test_only_interviews_that_had_ended_and_with_a_result_count_as_earlier_ones(house: House, tmp_path: Path) -> None:
    head, people = college(house, 3)
    wave(house, tmp_path, AUTUMN, *(line(person, phq(12)) for person in people))
    talked(house, head, people[0], "C")
    talked(house, head, people[1], None, InterviewStage.DECLINED)

    table = gathered(house, people)

    assert table.column("listed_before").tolist() == [1, 1, 0]
    assert table.column("result_before").tolist()[:1] == [0]
    assert np.isnan(table.column("result_before")[1:]).all()


def test_an_alert_raised_later_is_not_seen(house: House) -> None:
    _, [person] = college(house, 1)
    then = now()
    with travel(then + HOUR):
        house.make.alert(person.row, rule="report.soon")

    table = gathered(house, [person] * 2, [then, then + 2 * HOUR])

    assert np.isnan(table.column("alert_level")[0])
    assert table.column("alert_level")[1] == 2


def test_a_talk_held_before_and_written_down_later_is_not_seen(house: House) -> None:
    head, [person] = college(house, 1)
    then = now()
    with travel(then + HOUR):
        _talk(Client(house, head.staff, Role.CENTRE_HEAD), person, held=then - HOUR)

    table = gathered(house, [person] * 2, [then, then + 2 * HOUR])

    assert table.column("talks").tolist() == [0, 1]
    assert table.column("talks_missed").tolist() == [0, 0]


def test_a_talk_with_nobody_reached_is_another_thing_than_a_talk(house: House) -> None:
    head, [person] = college(house, 1)
    _talk(head, person, held=now() - HOUR, reached=False)

    table = gathered(house, [person])

    assert (value(table, "talks"), value(table, "talks_missed")) == (0, 1)


def test_a_case_opened_later_is_not_seen(house: House) -> None:
    _, [person] = college(house, 1)
    psychologist = house.make.psychologist()
    then = now()
    with travel(then + HOUR):
        house.make.case(Client(house, psychologist.staff, Role.PSYCHOLOGIST), person.row)

    table = gathered(house, [person] * 2, [then, then + 2 * HOUR])

    assert table.column("in_care").tolist() == [0, 1]
    assert table.column("case_opened").tolist() == [0, 1]


# --- sources that are wrong --------------------------------------------------------------------


def _one(asked: Asked, **columns: object) -> Facts:
    held: dict[str, object] = {
        "kind": "talk.reached",
        "places": np.array([0]),
        "values": np.ones(1),
        "known_at": moments([asked.until]),
    }
    return Facts(**(held | columns))  # type: ignore[arg-type]


def _tomorrow(_access: Access, asked: Asked) -> Iterator[Facts]:
    yield _one(asked, known_at=moments([asked.until + timedelta(days=1)]))


def _before_it_happened(_access: Access, asked: Asked) -> Iterator[Facts]:
    yield _one(asked, of_time=np.array([moment64(asked.until)]) + np.timedelta64(1, "s"))


def _never_known(_access: Access, asked: Asked) -> Iterator[Facts]:
    yield _one(asked, known_at=moments([None]))


def _somebody_else(_access: Access, asked: Asked) -> Iterator[Facts]:
    yield _one(asked, places=np.array([len(asked.students)]))


def _no_number(_access: Access, asked: Asked) -> Iterator[Facts]:
    yield _one(asked, values=np.array([np.inf]))


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (_tomorrow, LooksAhead),
        (_before_it_happened, LooksAhead),
        (_never_known, WrongFacts),
        (_somebody_else, WrongFacts),
        (_no_number, WrongFacts),
    ],
)
def test_a_source_that_hands_over_what_it_must_not_is_refused(
    sqlite_house: House, monkeypatch: pytest.MonkeyPatch, source: Source, error: type[ValueError]
) -> None:
    _, [person] = college(sqlite_house, 1)
    monkeypatch.setitem(gather.sources, "talk", source)

    with pytest.raises(error, match=r"talk\.reached") as refused:
        gathered(sqlite_house, [person])

    assert person.row.id.hex not in str(refused.value)
