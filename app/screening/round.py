"""Screening rounds (普查批次): opened by the centre, filled by files, closed when everybody was seen to."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import UUID

from sqlalchemy import select

from app.events import Event
from app.security.access import Access
from app.security.holders import first_holder, holders_of
from config import catalogue
from models import moment
from models.identity import Role
from models.moment import now, today
from models.refusal import Refusal
from models.screening import RoundStage, ScreeningRound


class RoundOpened(Event):
    """A screening round was opened."""


class RoundMoved(Event):
    """A screening round went on to its next stage."""


def draft(
    access: Access, *, name: str, owner_id: UUID | None = None, interviews_due: datetime | None = None
) -> ScreeningRound:
    """A round that is not in the house yet. It belongs to somebody, because its interview list does (law 3)."""
    name = " ".join(name.split())
    if not name:
        raise Refusal("请填写批次名称。", field="name")
    return ScreeningRound(
        name=name,
        stage=RoundStage.OPEN,
        owner_id=owner_id or _owner(access),
        opened_at=now(),
        interviews_due_at=interviews_due or default_deadline(),
    )


def add(access: Access, row: ScreeningRound) -> None:
    """Open a drafted round."""
    if access.session.scalar(select(ScreeningRound.id).where(ScreeningRound.name == row.name)) is not None:
        raise Refusal("已有同名的普查批次。", field="name")
    access.session.add(row)
    access.session.flush()
    access.record(RoundOpened(object_id=row.id))


def open_round(access: Access, *, name: str, interviews_due: datetime | None = None) -> ScreeningRound:
    """Open a round in one step."""
    row = draft(access, name=name, interviews_due=interviews_due)
    add(access, row)
    return row


def default_deadline() -> datetime:
    """The end of the day on which interviews are usually done."""
    day = today() + timedelta(days=catalogue.table("capacity")["deadline_days"])
    return datetime.combine(day, time(17, 30), moment.zone())


def _owner(access: Access) -> UUID:
    """Whoever opens it in the centre; from the command line, the head of the centre."""
    me = access.actor
    if me.id is not None and me.role in {Role.CENTRE_HEAD, Role.PSYCHOLOGIST}:
        return me.id
    owner = first_holder(access.session, Role.CENTRE_HEAD) or first_holder(access.session, Role.PSYCHOLOGIST)
    if owner is None:
        raise Refusal("没有人可以负责这个批次：请先为心理中心的老师开通岗位角色。")
    return owner


def move(access: Access, row: ScreeningRound, *, stage: RoundStage) -> None:
    """Go on to the next stage; a closed round takes no more files."""
    row.move_to(stage)
    access.record(RoundMoved(object_id=row.id))


def hand_over(access: Access, row: ScreeningRound, *, to: UUID) -> None:
    """Another person answers for the round from now on."""
    if to not in {*holders_of(access.session, Role.CENTRE_HEAD), *holders_of(access.session, Role.PSYCHOLOGIST)}:
        raise Refusal("批次负责人应是心理中心的老师。", field="to")
    row.owner_id = to
    access.record(RoundMoved(object_id=row.id))


def refuse_unless_open(row: ScreeningRound) -> None:
    if row.stage not in {RoundStage.OPEN, RoundStage.MAKE_UP}:
        raise Refusal("这个批次已经结束，不能再导入结果。")


def find_or_draft(access: Access, name: str) -> tuple[ScreeningRound, bool]:
    """The round called so, or a draft of it; and whether it is new (command line)."""
    found = access.session.scalars(
        select(ScreeningRound).where(ScreeningRound.name == " ".join(name.split()))
    ).one_or_none()
    return (found, False) if found is not None else (draft(access, name=name), True)
