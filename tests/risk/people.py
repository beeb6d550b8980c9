"""A college with one person on every rung of the ladder, and what these people do all day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from app.risk import ladder
from app.security.actor import WORKER
from app.security.policy import Permission
from models import moment
from models.identity import ClassGroup, Role
from models.notice import Notice
from models.risk import Alert, Duty
from models.student import Student
from tests.house import Client, House, Page

LONG_AGO = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Staffed:
    """Everybody through whose hands an alert can go."""

    head: Client
    psychologist: Client
    affairs: Client
    lead: Client
    advisor: Client
    group: ClassGroup
    student: Student


def staffed(house: House) -> Staffed:
    """A college with a head, a psychologist, an affairs head, a lead, an advisor and one student of his class."""
    make = house.make
    head, psychologist, affairs = make.head("刘主任"), make.psychologist("周老师"), make.person(Role.AFFAIRS_HEAD)
    group = make.class_group()
    lead = make.person(Role.COLLEGE_LEAD)
    advisor = make.advisor(group, name="方老师")
    return Staffed(head, psychologist, affairs, lead, advisor, group, make.student(group, name="林晓"))


def talk(person: Client, path: str, **other: Any) -> Page:
    """记一笔: the student was reached a minute ago; ``other`` changes what is said."""
    before = (moment.now() - timedelta(minutes=1)).astimezone(moment.zone()).strftime("%Y-%m-%dT%H:%M")
    held = {"way": "phone", "held_at": before, "reached": "yes", "text": "谈过", "urgency": "none"}
    return person.post(f"{path}/talk", **(held | other))


def run_out(house: House, *rows: Duty | Alert) -> None:
    """Let the clocks of these rows run out, and let the worker look."""
    with house.door.database.writing() as session:
        for row in rows:
            late = moment.now() - timedelta(seconds=1)
            session.execute(update(type(row)).where(type(row).id == row.id).values(due_at=late))
        session.execute(update(_job()).values(effect_key=_job().effect_key + "."))
    house.work()


def _job() -> Any:
    from models.job import Job  # noqa: PLC0415

    return Job


def climb(house: House) -> None:
    """One look of the worker at the clocks."""
    with house.door.enter(WORKER, Permission.CLOCKS_RUN) as access:
        ladder.climb(access)


def told(house: House, kind: str) -> set[UUID]:
    """Who has a notice of this kind."""
    return {row.recipient_id for row in house.all(select(Notice.recipient_id).where(Notice.kind == kind))}


def rung(house: House, duty: Duty) -> tuple[UUID, Role]:
    """With whom a duty is, in which role."""
    now = house.again(duty)
    return now.owner_id, now.owner_role
