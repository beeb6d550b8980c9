"""The centre's queue of open alerts, with their reasons and clocks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.security.access import PAGE, Access
from app.security.holders import names_of
from models.identity import ClassGroup, College
from models.moment import now
from models.risk import Alert, AlertStage, Duty, Level, Signal
from models.student import Student


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One open alert in the centre's queue; the template masks the name."""

    id: UUID
    student_id: UUID
    level: Level
    stage: AlertStage
    due_at: datetime
    raised_at: datetime
    owner_id: UUID
    owner: str
    reasons_void: bool
    name: str
    college: str
    class_name: str
    reasons: tuple[str, ...]
    duties: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFilter:
    """What the reader of the queue wants to see."""

    level: str = ""
    college_id: UUID | None = None
    mine: bool = False
    overdue_before: datetime | None = None
    watching: bool = False


def queue(access: Access, wanted: QueueFilter, *, offset: int = 0) -> list[AlertLine]:
    """Open alerts by time to breach, then level; one page and one more."""
    query = (
        select(
            Alert.id.label("alert_id"),
            Alert.student_id,
            Alert.level,
            Alert.stage,
            Alert.due_at,
            Alert.raised_at,
            Alert.owner_id,
            Alert.reasons_void,
            Student.name,
            College.name.label("college"),
            ClassGroup.name.label("class_name"),
        )
        .join(Student, Student.id == Alert.student_id)
        .join(College, College.id == Alert.college_id)
        .join(ClassGroup, ClassGroup.id == Alert.class_id)
        .where(Alert.ended_at.is_(None))
    )
    query = query.where(Alert.stage == AlertStage.WATCHING if wanted.watching else Alert.stage == AlertStage.RAISED)
    if wanted.level:
        query = query.where(Alert.level == wanted.level)
    if wanted.college_id:
        query = query.where(Alert.college_id == wanted.college_id)
    if wanted.mine:
        query = query.where(Alert.owner_id == access.actor.id)
    if wanted.overdue_before:
        query = query.where(Alert.due_at <= wanted.overdue_before)
    rows = access.page(query, order=["due_at", "alert_id"], limit=PAGE + 1, offset=offset)
    return _alert_lines(access, rows)


def _alert_lines(access: Access, rows: Sequence[Any]) -> list[AlertLine]:
    names = access.open_each(rows, Student.name)
    owners = names_of(access.session, [row.owner_id for row in rows])
    reasons = reasons_of(access, [row.alert_id for row in rows])
    duties: dict[UUID, list[Any]] = {}
    for duty in access.session.execute(
        select(Duty.alert_id, Duty.kind, Duty.stage, Duty.due_at, Duty.acknowledged_at, Duty.ended_at)
        .where(Duty.alert_id.in_([row.alert_id for row in rows]))
        .order_by(Duty.created_at, Duty.id)
    ):
        duties.setdefault(duty.alert_id, []).append(duty)
    return [
        AlertLine(
            id=row.alert_id,
            student_id=row.student_id,
            level=row.level,
            stage=row.stage,
            due_at=row.due_at,
            raised_at=row.raised_at,
            owner_id=row.owner_id,
            owner=owners.get(row.owner_id, "--"),
            reasons_void=row.reasons_void,
            name=name,
            college=row.college,
            class_name=row.class_name,
            reasons=tuple(reason.text for reason in reasons.get(row.alert_id, []) if not reason.voided_at),
            duties=tuple(duties.get(row.alert_id, ())),
        )
        for row, name in zip(rows, names, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """One reason of an alert, as the centre reads it."""

    text: str
    level: Level
    raised_at: datetime
    rule_version: str
    source_kind: str
    voided_at: datetime | None


def reasons_of(access: Access, alert_ids: Sequence[UUID]) -> dict[UUID, list[ReasonLine]]:
    """The reasons of some alerts, oldest first."""
    rows = access.session.execute(
        select(
            Signal.id.label("signal_id"),
            Signal.alert_id,
            Signal.student_id,
            Signal.level,
            Signal.raised_at,
            Signal.rule_version,
            Signal.source_kind,
            Signal.voided_at,
            Signal.reason,
        )
        .where(Signal.alert_id.in_(alert_ids))
        .order_by(Signal.raised_at, Signal.id)
    ).all()
    found: dict[UUID, list[ReasonLine]] = {}
    for row, reason in zip(rows, access.open_each(rows, Signal.reason), strict=True):
        found.setdefault(row.alert_id, []).append(
            ReasonLine(
                json.loads(reason)["text"], row.level, row.raised_at, row.rule_version, row.source_kind, row.voided_at
            )
        )
    return found


def counts(access: Access) -> dict[str, int]:
    """The figures above the queue: open by level, late, watched."""
    raised = (Alert.ended_at.is_(None), Alert.stage == AlertStage.RAISED)
    found = {level.value: access.count(Alert, *raised, Alert.level == level) for level in Level}
    found["late"] = access.count(Alert, *raised, Alert.due_at <= now())
    found["watching"] = access.count(Alert, Alert.ended_at.is_(None), Alert.stage == AlertStage.WATCHING)
    return found
