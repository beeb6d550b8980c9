"""Reading the log. Rows name people by opaque id; only staff, who are not patients, get their names back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.security.access import PAGE, Access
from models import moment
from models.audit import LedgerEntry, LedgerSubject
from models.identity import Staff


@dataclass(frozen=True, slots=True)
class LogLine:
    """One row of the log as it is shown."""

    id: UUID
    writer: int
    seq: int
    at: datetime
    actor: str
    role: str
    act: str
    purpose: str
    outcome: str
    count: int
    fields: tuple[str, ...]
    object_id: UUID | None
    subjects: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """What the auditor looks for. Everything empty means everything."""

    since: date | None = None
    until: date | None = None
    actor: UUID | None = None
    act: str = ""
    outcome: str = ""
    subject: UUID | None = None
    offset: int = 0


def search(access: Access, wanted: LogFilter) -> list[LogLine]:
    """Rows of the log, newest first, one page and one more."""
    query = select(LedgerEntry.id, LedgerEntry.payload, LedgerEntry.writer, LedgerEntry.seq, LedgerEntry.at)
    if wanted.since:
        query = query.where(LedgerEntry.at >= _begin(wanted.since))
    if wanted.until:
        query = query.where(LedgerEntry.at < _begin(wanted.until + timedelta(days=1)))
    if wanted.actor:
        query = query.where(LedgerEntry.actor_id == wanted.actor)
    if wanted.act:
        query = query.where(LedgerEntry.act == wanted.act)
    if wanted.outcome:
        query = query.where(LedgerEntry.outcome == wanted.outcome)
    if wanted.subject:
        named = select(LedgerSubject.entry_id).where(LedgerSubject.subject_id == wanted.subject)
        query = query.where(LedgerEntry.id.in_(named))
    rows = access.page(query, order=["-at", "-id"], limit=PAGE + 1, offset=wanted.offset)
    return lines(access.session, rows)


def acts(access: Access) -> list[str]:
    """Every act that the log knows, for the filter."""
    return list(access.session.scalars(select(LedgerEntry.act).distinct().order_by(LedgerEntry.act)))


def people(access: Access) -> list[tuple[UUID, str]]:
    """Everybody who ever had an account, for the filter: the URL carries the id, never the name."""
    return [(row.id, row.name) for row in access.session.execute(select(Staff.id, Staff.name).order_by(Staff.login))]


@dataclass(slots=True)
class Reader:
    """Somebody who looked at a file or worked on it: one line however much one page opened."""

    actor: str
    role: str
    at: datetime
    acts: list[str]


LOOKED_AT = 400
"""Newest rows of the log that are folded into lines."""


def readers_of(session: Session, student_id: UUID, *, limit: int = 20) -> list[Reader]:
    """Who touched this student's data, newest first: the foot of every file.

    What one person did in one role on one day is one line, so that frequent
    readers do not push a single look of somebody else off the page.
    """
    rows = session.execute(
        select(LedgerEntry.id, LedgerEntry.payload, LedgerEntry.writer, LedgerEntry.seq, LedgerEntry.at)
        .join(LedgerSubject, LedgerSubject.entry_id == LedgerEntry.id)
        .where(LedgerSubject.subject_id == student_id, LedgerEntry.act != "who_looked")
        .order_by(LedgerEntry.at.desc(), LedgerEntry.id.desc())
        .limit(LOOKED_AT)
    ).all()
    found: dict[tuple[str, str, date], Reader] = {}
    for line in lines(session, rows):
        key = (line.actor, line.role, line.at.astimezone(moment.zone()).date())
        reader = found.setdefault(key, Reader(line.actor, line.role, line.at, []))
        if line.act not in reader.acts:
            reader.acts.append(line.act)
    return list(found.values())[:limit]


def lines(session: Session, rows: Sequence[Any]) -> list[LogLine]:
    """Rows of the log with the names of the staff in them."""
    held = [(row, json.loads(row.payload)) for row in rows]
    ids = {UUID(item["actor"]) for _, item in held if item["actor"]}
    found = session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(ids)))
    names: dict[UUID, str] = {staff_id: name for staff_id, name in found}
    return [
        LogLine(
            id=row.id,
            writer=row.writer,
            seq=row.seq,
            at=row.at,
            actor=names.get(UUID(item["actor"]), "") if item["actor"] else "",
            role=item["role"],
            act=item["act"],
            purpose=item["purpose"],
            outcome=item["outcome"],
            count=item["count"],
            fields=tuple(item["fields"]),
            object_id=UUID(item["object"]) if item["object"] else None,
            subjects=tuple(item["subjects"]),
        )
        for row, item in held
    ]


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), moment.zone())
