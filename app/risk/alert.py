"""Raising alerts: at most one open per student, as severe as its most severe live reason, always with owners."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.admin import rulebook
from app.admin.rule import Rule, Rulebook
from app.events import Event
from app.notices import post
from app.risk import duty as duties
from app.risk import extension
from app.risk.duty import Holder, Owed, Owners
from app.security.access import Access
from app.security.holders import holders_of
from models.base import new_ids
from models.bulk import Same
from models.identity import Role
from models.moment import now
from models.risk import Alert, AlertStage, DutyKind, Level, Signal
from models.student import Student


class AlertsRaised(Event):
    """Alerts were raised, or reasons were added to open ones."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: the rule that fired and what it fired on."""

    rule: Rule
    source_kind: str
    source_id: bytes | None


@dataclass(frozen=True, slots=True)
class Concern:
    """One student who needs attention, with all reasons found at once."""

    student_id: bytes
    college_id: bytes
    class_id: bytes
    reasons: tuple[Reason, ...]

    @property
    def level(self) -> Level:
        levels = [reason.rule.level for reason in self.reasons if reason.rule.level is not None]
        return max(levels, key=lambda level: level.severity)


def raise_all(
    access: Access,
    book: Rulebook,
    concerns: Sequence[Concern],
    reasons: SealedReasons,
    *,
    batch_id: UUID | None = None,
) -> None:
    """Raise or extend one alert per student, with signals, duties and notices, in the caller's transaction.

    ``batch_id``: the delivery it was found in, so that rolling that back finds what it caused.
    """
    if not concerns:
        return
    access.session.flush()
    access.lock_students(UUID(bytes=concern.student_id) for concern in concerns)
    held = _open_alerts(access, [concern.student_id for concern in concerns])
    owners = Owners(access.session, {UUID(bytes=concern.class_id) for concern in concerns})
    fresh = [concern for concern in concerns if concern.student_id not in held]
    alert_ids = dict(zip((concern.student_id for concern in fresh), new_ids(len(fresh)), strict=True))
    _write_alerts(access, book, fresh, alert_ids, owners)
    told = _give_duties(access, book, fresh, alert_ids, owners)
    for concern in concerns:
        if concern.student_id in held:
            alert = held[concern.student_id]
            with extension.remembered(access, alert, batch_id):
                told += _extend(access, book, alert, concern.level, owners)
    _tell_of_more(access, held.values())
    places = alert_ids | {student_id: alert.id.bytes for student_id, alert in held.items()}
    alerts = [places[student_id] for student_id in reasons.students]
    access.insert_many(Signal, {**reasons.columns, "alert_id": alerts, "batch_id": Same(batch_id)})
    _tell(access, told)
    _inform_above(access, book, [UUID(bytes=item.college_id) for item in concerns if item.level is Level.RED])
    access.record(AlertsRaised(count=len(concerns), student_ids=_named(concerns)))


def _named(concerns: Sequence[Concern]) -> tuple[UUID, ...]:
    return tuple(UUID(bytes=concern.student_id) for concern in concerns)


def _open_alerts(access: Access, student_ids: Sequence[bytes]) -> dict[bytes, Alert]:
    query = select(Alert).where(Alert.ended_at.is_(None))
    if len(student_ids) <= 500:
        query = query.where(Alert.student_id.in_([UUID(bytes=student_id) for student_id in student_ids]))
    wanted = set(student_ids)
    return {
        alert.student_id.bytes: alert for alert in access.session.scalars(query) if alert.student_id.bytes in wanted
    }


def _write_alerts(
    access: Access, book: Rulebook, fresh: Sequence[Concern], ids: dict[bytes, bytes], owners: Owners
) -> None:
    instant = now()
    due: dict[Level, datetime] = {
        level: _first_due(book, level, instant) for level in Level if level is not Level.GREEN
    }
    access.insert_many(
        Alert,
        {
            "id": [ids[concern.student_id] for concern in fresh],
            "version": Same(1),
            "student_id": [concern.student_id for concern in fresh],
            "college_id": [concern.college_id for concern in fresh],
            "class_id": [concern.class_id for concern in fresh],
            "level": [concern.level for concern in fresh],
            "stage": Same(AlertStage.RAISED),
            "owner_id": [owners.centre(UUID(bytes=concern.student_id)).staff_id for concern in fresh],
            "due_at": [due[concern.level] for concern in fresh],
            "raised_at": Same(instant),
        },
    )


def _first_due(book: Rulebook, level: Level, since: datetime) -> datetime:
    return min(book.due(f"{level.value}.{kind.value}", since=since) for kind in duties.kinds_for(level))


def _give_duties(
    access: Access, book: Rulebook, fresh: Sequence[Concern], ids: dict[bytes, bytes], owners: Owners
) -> list[tuple[Holder, Level]]:
    owed = [
        Owed(ids[concern.student_id], concern.student_id, concern.college_id, concern.class_id, kind, concern.level)
        for concern in fresh
        for kind in duties.kinds_for(concern.level)
    ]
    holders = duties.give(access, book, owed, owners)
    return [(holder, item.level) for holder, item in zip(holders, owed, strict=True)]


@dataclass(frozen=True, slots=True)
class SealedReasons:
    """The signals of some concerns, sealed before any lock is taken; only their alerts are still unknown."""

    columns: dict[str, Any]

    @property
    def students(self) -> list[bytes]:
        found: list[bytes] = self.columns["student_id"]
        return found


def seal_reasons(access: Access, book: Rulebook, concerns: Sequence[Concern]) -> SealedReasons:
    """Seal every reason of every concern, in their order."""
    pairs = [(concern.student_id, reason) for concern in concerns for reason in concern.reasons]
    students, ids = [student_id for student_id, _ in pairs], new_ids(len(pairs))
    said = {reason.rule.id: reason.rule for _, reason in pairs}
    words = {
        key: json.dumps({"rule": key, "text": rule.reason}, ensure_ascii=False).encode() for key, rule in said.items()
    }
    focus = {key: json.dumps(rule.focus).encode() for key, rule in said.items()}
    keys = [reason.rule.id for _, reason in pairs]
    return SealedReasons(
        {
            "id": ids,
            "student_id": students,
            "level": [reason.rule.level for _, reason in pairs],
            "source_kind": [reason.source_kind for _, reason in pairs],
            "source_id": [reason.source_id for _, reason in pairs],
            "rule_version": Same(book.version),
            "raised_at": Same(now()),
            "reason": access.seal_many(Signal.reason, students, ids, [words[key] for key in keys]),
            "focus": access.seal_many(Signal.focus, students, ids, [focus[key] for key in keys]),
        }
    )


def _extend(access: Access, book: Rulebook, alert: Alert, level: Level, owners: Owners) -> list[tuple[Holder, Level]]:
    """New reasons on an open alert: it rises if they are more severe, and its clocks with it.

    An urgent reason is owed a contact again, however soon after the last one.
    """
    alert.reasons_void = False
    held = {item.kind: item for item in duties.open_duties(access.session, alert.id)}
    wakes = alert.stage is AlertStage.WATCHING
    if wakes:
        alert.move_to(AlertStage.RAISED)
    rises = alert.raise_to(level)
    if not rises and not wakes and (level is not Level.RED or DutyKind.CONTACT in held):
        return []
    for item in held.values():
        item.level = alert.level
        item.due_at = min(item.due_at, book.due(f"{alert.level.value}.{item.kind.value}"))
    wanted = duties.kinds_for(alert.level) if rises or wakes else (DutyKind.CONTACT,)
    missing = [kind for kind in wanted if kind not in held]
    owed = [
        Owed(alert.id.bytes, alert.student_id.bytes, alert.college_id.bytes, alert.class_id.bytes, kind, alert.level)
        for kind in missing
    ]
    access.session.flush()
    holders = duties.give(access, book, owed, owners)
    alert.due_at = min(alert.due_at, _first_due(book, alert.level, now()))
    told = [(holder, alert.level) for holder in holders]
    return told + [(Holder(item.owner_id, item.owner_role), alert.level) for item in held.values()]


def _tell(access: Access, told: Iterable[tuple[Holder, Level]]) -> None:
    """One notice per recipient for the batch; red ones singly (decisions 17)."""
    many = []
    for holder, level in told:
        if level is Level.RED:
            post.tell(access, holder.staff_id, holder.role, "urgent")
        else:
            many.append((holder.staff_id, holder.role))
    post.tell_each(access, many, "duties_assigned")


def _tell_of_more(access: Access, alerts: Iterable[Alert]) -> None:
    """Whoever owes the decision on an open alert hears of every new reason."""
    found = [(alert.owner_id, duties.role_of(access.session, alert.owner_id)) for alert in alerts]
    post.tell_each(access, found, "reason_added")


def rise(access: Access, alert: Alert, level: Level) -> None:
    """A person raises the level: duties, clocks and notices are those of an alert raised so from the beginning."""
    book = rulebook.current(access.session)
    alert.level_by_person = level
    _tell(access, _extend(access, book, alert, level, Owners(access.session, {alert.class_id})))
    if level is Level.RED:
        _inform_above(access, book, [alert.college_id])


def _inform_above(access: Access, book: Rulebook, red: Sequence[UUID]) -> None:
    """A red alert is known to college, centre and student affairs at once, whoever has the duty."""
    for college_id in red:
        for role in map(Role, book.levels["red"]["informs"]):
            college = college_id if role is Role.COLLEGE_LEAD else None
            for staff_id in holders_of(access.session, role, college_id=college):
                post.tell(access, staff_id, role, "urgent")


def raise_one(access: Access, student: Student, *, rule_id: str, source_kind: str, source_id: UUID | None) -> None:
    """Raise by a person's judgement or report: the same alert, the same duties, the same clocks."""
    book = rulebook.current(access.session)
    reason = Reason(book.rule(rule_id), source_kind, source_id.bytes if source_id else None)
    concern = Concern(student.id.bytes, student.college_id.bytes, student.class_id.bytes, (reason,))
    raise_all(access, book, [concern], seal_reasons(access, book, [concern]))
