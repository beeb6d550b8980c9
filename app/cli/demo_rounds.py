"""What the invented centre has around its screening: a source, and a delivery that waits; one structured interview."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from app import clocks
from app.jobs.worker import Worker
from app.screening import structured
from app.screening.sources import arrival
from app.screening.sources import source as sources
from app.security.actor import CONSOLE, Actor
from app.security.door import Door
from app.security.policy import Permission
from models.case import Case
from models.identity import Role
from models.moment import now, today
from models.screening import ScreeningRound
from models.source import ScreeningSource, SourceKind
from models.student import Student

SOURCE = "测评平台导出（演示）"
NOTE = "访谈十分钟，学生愿意谈。近一个月偶有“不如不在”的念头，没有方式和计划；约定每周一次辅导，已告知保密例外。"


def connect_source(door: Door, round_id: UUID, file: Path) -> None:
    """A platform whose exports come every week; the newest one waits, because it has something to ask."""
    with door.database.reading() as session:
        owner_id = session.get_one(ScreeningRound, round_id).owner_id
    head = Actor(role=Role.CENTRE_HEAD, id=owner_id)
    with door.enter(head, Permission.SOURCE_MANAGE) as access:
        source, _ = sources.open_source(
            access,
            name=SOURCE,
            kind=SourceKind.FOLDER,
            owner_id=owner_id,
            round_id=round_id,
            folder="demo",
            every_days=7,
            expected_on=today(),
        )
    with door.enter(CONSOLE, Permission.SOURCE_RECEIVE) as access:
        arrival.receive(access, access.find(ScreeningSource, source.id), file.read_bytes(), file.name)
    Worker(door, clocks.job_kinds(), ()).run_due()  # its own jobs only: the clocks start when the demo is served


def hold_interview(door: Door) -> None:
    """One structured interview, with the student of the first case."""
    with door.database.reading() as session:
        case = session.scalars(select(Case).order_by(Case.id).limit(1)).first()
    if case is None:
        return
    with door.enter(Actor(role=Role.PSYCHOLOGIST, id=case.keeper_id), Permission.STRUCTURED_INTERVIEW) as access:
        structured.hold(
            access,
            access.find(Student, case.student_id),
            answers={1: "yes", 2: "no", 6: "no"},
            held_at=now() - timedelta(hours=2),
            text=NOTE,
        )
