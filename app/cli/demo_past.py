"""What the invented centre did before this autumn: two rounds, talked through with whoever they listed."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from app import clocks
from app.cli.demo_results import Strains
from app.cli.screening import import_results
from app.jobs.worker import Worker
from app.notices import post
from app.risk import capacity, interview
from app.risk.hints import audit_share
from app.risk.interview import Result
from app.screening.rounds import round as rounds
from app.security.access import Access
from app.security.actor import Actor
from app.security.door import Door
from app.security.policy import Permission, Purpose
from app.students.search import numbers_of
from models.identity import Role, RoleGrant
from models.interview import InterviewEntry, InterviewStage
from models.moment import now, travel
from models.risk import Level
from models.screening import RoundStage, ScreeningRound

A_WEEK = 300
"""Talks a week: invented, so that a whole list is talked through."""
BY_LOT = 0.06
"""Share drawn by lot: three times what is proposed, so that two rounds tell enough for the model to stand alone."""
TOGETHER = 40
"""Talks written down in one transaction, as somebody does who catches up in the evening."""
WORDS = {
    Result.A: "面谈四十分钟，近一个月睡眠和食欲明显变差，愿意继续来谈，已约下周同一时间。",
    Result.B: "面谈二十五分钟，与室友相处有困扰，情绪起伏，约两周后再谈一次。",
    Result.C: "面谈二十分钟，考试周前后压力大，现已平稳，已告知求助途径。",
}
MISSED = {
    InterviewStage.NOT_REACHED: "两次电话和班级转告都没有联系上，已请辅导员继续留意。",
    InterviewStage.DECLINED: "本人表示目前不需要，已告知求助途径，随时可以再来。",
}


@contextmanager
def days_ago(days: int) -> Iterator[None]:
    """Let the house live on that day."""
    with travel(now() - timedelta(days=days)):
        yield


def bring_in(door: Door, file: Path, name: str) -> UUID:
    """A round's results; the centre states its talks a week and has a few drawn by lot; the worker orders the list."""
    import_results(door, file, round_name=name)
    with door.database.reading() as session:
        row = session.scalars(select(ScreeningRound).where(ScreeningRound.name == name)).one()
    with door.enter(Actor(role=Role.CENTRE_HEAD, id=row.owner_id), Permission.ROUND_MANAGE) as access:
        held = access.find(ScreeningRound, row.id)
        capacity.state(access, held, per_week=A_WEEK)
        audit_share.switch_on(access, held, share=BY_LOT)
    work(door)
    return row.id


def work(door: Door) -> None:
    """Whatever the worker owes on that day: its jobs, not its clocks."""
    Worker(door, clocks.job_kinds(), ()).run_due()


def talk_through(
    door: Door, round_id: UUID, strains: Strains, occasion: str, beat: Callable[[int, int], None] = lambda _d, _t: None
) -> None:
    """Everybody on the list is asked to a talk: most come, some need help, a few are not reached."""
    with door.database.reading() as session:
        staff = session.scalars(
            select(RoleGrant.staff_id).where(RoleGrant.role == Role.PSYCHOLOGIST).order_by(RoleGrant.id)
        ).all()
        listed = session.scalars(
            select(InterviewEntry.id)
            .where(InterviewEntry.round_id == round_id, InterviewEntry.ended_at.is_(None))
            .order_by(InterviewEntry.id)
        ).all()
    for start in range(0, len(listed), TOGETHER):
        beat(start, len(listed))
        psychologist = Actor(role=Role.PSYCHOLOGIST, id=staff[start // TOGETHER % len(staff)])
        _talk_with(door, psychologist, listed[start : start + TOGETHER], strains, occasion)


def _talk_with(door: Door, psychologist: Actor, entries: Sequence[UUID], strains: Strains, occasion: str) -> None:
    with door.enter(psychologist, Permission.INTERVIEW_WORK) as access:
        found = [access.find(InterviewEntry, entry_id) for entry_id in entries]
        reading = access.under(Permission.STUDENT_SEARCH)
        numbers = numbers_of(reading, [entry.student_id for entry in found])
        for entry in found:
            number = numbers[entry.student_id]
            chance = random.Random(f"{occasion}.{number}")  # noqa: S311 - invented outcomes
            interview.take(access, entry)
            _write_down(access, entry, _outcome(chance, strains.on(number, occasion)), chance)


def _write_down(access: Access, entry: InterviewEntry, result: Result, chance: random.Random) -> None:
    luck = chance.random()
    missed = InterviewStage.NOT_REACHED if luck < 0.09 else InterviewStage.DECLINED if luck < 0.13 else None
    if missed is not None:
        interview.record(access, entry, stage=missed, result=None, text=MISSED[missed])
        return
    level = {Result.A: Level.YELLOW, Result.B: Level.GREEN, Result.C: None}[result]
    interview.record(
        access,
        entry,
        stage=InterviewStage.DONE,
        result=result,
        level=level,
        text=WORDS[result],
    )


def _outcome(chance: random.Random, strain: float) -> Result:
    """What the talk came to: who carries more needs help more often, but not always."""
    needs = 1 / (1 + math.exp(1.6 - 1.5 * strain))
    if chance.random() >= needs:
        return Result.C
    return Result.A if chance.random() < 0.3 else Result.B


def end(door: Door, round_id: UUID) -> None:
    """The round is closed and reported, and whoever owned it has read what he was told meanwhile."""
    with door.database.reading() as session:
        owner_id = session.get_one(ScreeningRound, round_id).owner_id
    head = Actor(role=Role.CENTRE_HEAD, id=owner_id)
    for stage in (RoundStage.CLOSED, RoundStage.REPORTED):
        with door.enter(head, Permission.ROUND_MANAGE) as access:
            rounds.move(access, access.find(ScreeningRound, round_id), stage=stage)
    with door.enter(head, Permission.OWN_WORKPLACE, Purpose.OWN) as access:
        post.mark_read(access)
