"""What tests of the model know of: two waves of one college, and tables gathered from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.risk.gathering import data_use, gather
from app.risk.gathering.gather import Gathered
from app.risk.interview import Result, record
from app.security.actor import WORKER
from app.security.policy import Permission
from ml.features import FeatureTable
from models.identity import Role
from models.interview import InterviewEntry, InterviewStage
from models.moment import now, travel
from tests.house import Client, House
from tests.risk.times import again, at
from tests.screening.files import Person, bring_in, enrol, written

MARCH = at("2026-03-02")
SPRING, AUTUMN = "2026 春季普查", "2026 秋季普查"


def college(house: House, count: int) -> tuple[Client, list[Person]]:
    """A centre and its students, all here since March; the head of the centre is signed in today."""
    with travel(MARCH):
        staff = [house.make.staff(role) for role in (Role.CENTRE_HEAD, Role.PSYCHOLOGIST, Role.AFFAIRS_HEAD)]
        people = enrol(house, count)
    return Client(house, staff[0], Role.CENTRE_HEAD), people


def gathered(house: House, people: Sequence[Person], when: Any = None, **options: Any) -> FeatureTable:
    """A row per person as of now, or as of these moments."""
    return whole(house, people, when, **options).table


def whole(house: House, people: Sequence[Person], when: Any = None, **options: Any) -> Gathered:
    with house.door.enter(WORKER, Permission.RISK_SCORE, writing=False) as access:
        use = options.pop("domains", data_use.in_force(access.session))
        return gather.gather(access, [person.row.id for person in people], at=when or now(), domains=use, **options)


def value(table: FeatureTable, key: str, row: int = 0) -> float:
    return float(table.column(key)[row])


def wave(
    house: House, folder: Path, name: str, *lines: Sequence[Any], when: datetime | None = None, **more: Any
) -> None:
    """Results come in, now or at another time."""
    with travel(when or now()):
        bring_in(house, written(folder, *lines, name=f"{name}.csv"), round_name=name, **more)


def entry_of(house: House, person: Person) -> InterviewEntry:
    """The live entry of the latest list with this person on it."""
    query = select(InterviewEntry).where(
        InterviewEntry.student_id == person.row.id, InterviewEntry.stage != InterviewStage.VOID
    )
    return house.all(query.order_by(InterviewEntry.listed_at.desc(), InterviewEntry.id.desc()))[0][0]  # type: ignore[no-any-return]


def talked(
    house: House, by: Client, person: Person, result: str | None = "B", stage: InterviewStage = InterviewStage.DONE
) -> None:
    """The interview ends, now."""
    with again(by).under(Permission.INTERVIEW_WORK) as access:
        entry = access.find(InterviewEntry, entry_of(house, person).id)
        record(access, entry, stage=stage, result=Result(result) if result else None, text="谈过")
