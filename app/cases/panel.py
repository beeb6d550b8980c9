"""What the care rooms bring to a student's file: alerts, talks, cases; where he stands; what can be done."""

from __future__ import annotations

import json
from collections.abc import Iterable
from uuid import UUID

from flask import url_for
from sqlalchemy import select

from app.security.access import Access
from app.security.holders import names_of
from app.security.policy import Permission
from app.students.record import Action, Entry, Standing
from app.web.words import label
from models.case import CareAdvice, CareTalk, Case
from models.identity import Role
from models.interview import EntryOrigin, InterviewEntry, InterviewStage
from models.risk import Alert, AlertStage, Duty, DutyStage
from models.screening import ScreeningRound
from models.student import Student

CENTRE = (Role.PSYCHOLOGIST, Role.CENTRE_HEAD)


def alerts(access: Access, student_id: UUID) -> Iterable[Entry]:
    """Alerts: everybody who may read the file learns that there was one and its level; the centre also how it ended."""
    rows = access.session.execute(
        select(Alert.id, Alert.level, Alert.stage, Alert.raised_at, Alert.ended_at, Alert.owner_id)
        .where(Alert.student_id == student_id)
        .order_by(Alert.raised_at.desc(), Alert.id)
    ).all()
    centre = access.may(Permission.ALERT_TRIAGE)
    names = names_of(access.session, [row.owner_id for row in rows])
    for row in rows:
        link = url_for("alerts.show", alert_id=row.id) if centre else None
        yield Entry(
            at=row.raised_at,
            kind="alert",
            title="预警",
            level=row.level,
            link=link,
            lines=(f"研判：{names.get(row.owner_id, '--')}",) if centre else (),
        )
        if row.ended_at is not None and centre:
            yield Entry(at=row.ended_at, kind="alert_ended", title=f"预警结束：{label(row.stage)}", link=link)


def interviews(access: Access, student_id: UUID) -> Iterable[Entry]:
    """The interview list is the centre's own."""
    if not access.may(Permission.INTERVIEW_WORK):
        return
    for row in access.session.execute(
        select(
            InterviewEntry.id,
            InterviewEntry.stage,
            InterviewEntry.origin,
            InterviewEntry.listed_at,
            ScreeningRound.name,
        )
        .join(ScreeningRound, ScreeningRound.id == InterviewEntry.round_id)
        .where(InterviewEntry.student_id == student_id, InterviewEntry.stage != InterviewStage.VOID)
    ):
        yield Entry(
            at=row.listed_at,
            kind="interview",
            title=f"约谈名单：{label(row.stage)}",
            lines=(row.name if row.origin is EntryOrigin.RULES else f"{row.name} · {label(row.origin)}",),
            link=url_for("risk.interview", entry_id=row.id),
        )


def talks(access: Access, student_id: UUID) -> Iterable[Entry]:
    """Talks in words for those who may read them; that there was one, for the college lead."""
    query = select(
        CareTalk.id.label("care_talk_id"),
        CareTalk.student_id,
        CareTalk.held_at,
        CareTalk.way,
        CareTalk.reached,
        CareTalk.author_id,
        CareTalk.body,
    ).where(CareTalk.student_id == student_id)
    if access.actor.role is Role.CLASS_TEACHER:
        query = query.where(CareTalk.author_id == access.actor.id)
    rows = access.session.execute(query.order_by(CareTalk.held_at.desc(), CareTalk.id)).all()
    names = names_of(access.session, [row.author_id for row in rows])
    words = [""] * len(rows)
    if access.may(Permission.TALK_READ):
        reading = access.under(Permission.TALK_READ)
        reading.find(Student, student_id)
        words = [json.loads(body)["text"] for body in reading.open_each(rows, CareTalk.body)]
    for row, text in zip(rows, words, strict=True):
        title = f"谈心谈话（{label(row.way)}）" if row.reached else f"未联系上（{label(row.way)}）"
        yield Entry(
            at=row.held_at, kind="talk", title=title, author=names.get(row.author_id, ""), lines=(text,) if text else ()
        )


def cases(access: Access, student_id: UUID) -> Iterable[Entry]:
    """That there is a case, and with whom, is known in the centre only (law 4)."""
    if access.actor.role not in CENTRE:
        return
    rows = access.session.execute(
        select(Case.id, Case.year, Case.serial, Case.opened_at, Case.closed_at, Case.keeper_id, Case.stage, Case.level)
        .where(Case.student_id == student_id)
        .order_by(Case.opened_at.desc(), Case.id)
    ).all()
    names = names_of(access.session, [row.keeper_id for row in rows])
    for row in rows:
        mine = row.keeper_id == access.actor.id or access.actor.role is Role.CENTRE_HEAD
        link = url_for("casework.show", case_id=row.id) if mine else None
        number, keeper = f"{row.year}-{row.serial:04d}", names.get(row.keeper_id, "--")
        yield Entry(
            at=row.opened_at,
            kind="case",
            title=f"建立个案 {number}",
            lines=(f"主责老师：{keeper}",),
            level=row.level,
            link=link,
        )
        if row.closed_at is not None:
            yield Entry(at=row.closed_at, kind="case_closed", title=f"结案 {number}", link=link)


def advice(access: Access, student_id: UUID) -> Iterable[Entry]:
    """That the centre gave advice; the words stand on the talk page."""
    for row in access.session.execute(
        select(CareAdvice.given_at, CareAdvice.author_id)
        .where(CareAdvice.student_id == student_id)
        .order_by(CareAdvice.given_at.desc(), CareAdvice.id)
    ):
        yield Entry(
            at=row.given_at,
            kind="advice",
            title="关注要点与谈话建议",
            author=names_of(access.session, [row.author_id]).get(row.author_id, ""),
        )


def standing(access: Access, student_id: UUID) -> Standing | None:
    """The worse of an open case and an open alert; for readers outside the centre without naming which."""
    case = access.session.execute(
        select(Case.level, Case.keeper_id, Case.due_at).where(Case.student_id == student_id, Case.closed_at.is_(None))
    ).first()
    alert = access.session.execute(
        select(Alert.level, Alert.owner_id, Alert.due_at, Alert.stage).where(
            Alert.student_id == student_id, Alert.ended_at.is_(None)
        )
    ).first()
    centre = access.actor.role in CENTRE
    if case is not None and (alert is None or case.level.severity >= alert.level.severity):
        return _standing(access, case.level, case.keeper_id, case.due_at, "在管个案", centre)
    if alert is not None:
        words = "继续观察" if alert.stage is AlertStage.WATCHING else "预警待研判"
        return _standing(access, alert.level, alert.owner_id, alert.due_at, words, centre)
    return None


def _standing(access: Access, level: object, owner: UUID, due_at: object, basis: str, centre: bool) -> Standing:
    if not centre:
        return Standing(level=level)  # type: ignore[arg-type]
    name = names_of(access.session, [owner]).get(owner, "")
    return Standing(level=level, basis=basis, owner=name, due_at=due_at)  # type: ignore[arg-type]


def actions(access: Access, student_id: UUID) -> Iterable[Action]:
    """Buttons on the file, by what the reader's role may do."""
    if access.may(Permission.CARE_TALK):
        duty_id = access.session.scalar(
            select(Duty.id).where(
                Duty.student_id == student_id,
                Duty.owner_id == access.actor.id,
                Duty.stage == DutyStage.OPEN,
                Duty.kind == "contact",
            )
        )
        url = url_for("cases.show_duty", duty_id=duty_id) if duty_id else url_for("cases.talk", student_id=student_id)
        yield Action(label="记一笔", url=url, icon="pencil-square", primary=True)
        yield Action(
            label="紧急上报",
            url=url_for("cases.talk", student_id=student_id, urgent=1),
            icon="exclamation-octagon",
            danger=True,
        )
    if access.may(Permission.CASE_OPEN):
        held = select(Case.id).where(Case.student_id == student_id, Case.closed_at.is_(None))
        if access.session.scalar(held) is None:
            yield Action(label="建立个案", url=url_for("casework.open_case", student_id=student_id), icon="folder-plus")
