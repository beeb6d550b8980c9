"""A morning in the invented college: some of its staff do what they would do, through the same acts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from app.cases import care, care_talk, opening, triage
from app.cases.care_talk import Urgency
from app.risk import duty as duties
from app.risk import interview
from app.risk.hints import audit_share
from app.screening.rounds import absence, consent, coverage
from app.screening.rounds import round as rounds
from app.screening.rounds.round import Terms
from app.security.actor import Actor
from app.security.door import Door
from app.security.policy import Permission
from models.case import NoteKind, TalkWay, TaskKind
from models.identity import Role, RoleGrant
from models.interview import InterviewEntry, InterviewStage
from models.moment import now, today
from models.participation import AbsenceKind
from models.risk import Alert, Duty, DutyKind, DutyStage, Level
from models.screening import ScreeningRound
from models.student import Student

TALKS = (
    "在宿舍谈了二十分钟。近两周睡得少，和室友有些误会，情绪比上周平稳，约定周四再见。",
    "课间谈话。说期末压力大，想家，能正常吃饭上课。给了中心的预约方式。",
    "通了电话，人在实训基地，声音平静。说最近失恋，朋友陪着。约定明天当面见。",
)
SCALES = ("phq9", "gad7")
BY_LOT = 0.01
"""Share drawn for talks by lot: half of what is proposed, so that the list stays short."""
ABSENCES = (AbsenceKind.AWAY, AbsenceKind.DECLINED, AbsenceKind.AWAY, AbsenceKind.ACCOUNT)
NOTES = (
    "首次评估。来访者自述近一个月情绪低落，兴趣下降，入睡困难；否认当前有伤害自己的计划。约定每周一次，已告知保密例外。",
    "第二次辅导。睡眠略有改善，讨论了与父亲的冲突，完成一次情绪记录练习。",
)


def play(door: Door, beat: Callable[[int, int], None], round_name: str) -> UUID:
    """Acknowledge, talk, take over, open cases, give advice, interview: enough that every page has something."""
    round_id = _see_to_the_round(door, round_name)
    with door.database.reading() as session:
        contacts = session.execute(
            select(Duty.id, Duty.owner_id, Duty.level)
            .where(Duty.kind == DutyKind.CONTACT, Duty.stage == DutyStage.OPEN, Duty.owner_role == Role.ADVISOR)
            .order_by(Duty.id)
            .limit(60)
        ).all()
        psychologists = session.scalars(
            select(RoleGrant.staff_id).where(RoleGrant.role == Role.PSYCHOLOGIST).order_by(RoleGrant.id)
        ).all()
        entries = session.scalars(
            select(InterviewEntry.id)
            .where(InterviewEntry.stage == InterviewStage.LISTED)
            .order_by(InterviewEntry.id)
            .limit(20)
        ).all()
    for place, contact in enumerate(contacts):
        beat(place, 2 * len(contacts))
        advisor = Actor(role=Role.ADVISOR, id=contact.owner_id)
        if place % 5 != 4:
            _acknowledge(door, advisor, contact.id)
        if place % 3 == 0:
            _talk(
                door,
                advisor,
                contact.id,
                TALKS[place // 3 % len(TALKS)],
                Urgency.URGENT if place == 3 else Urgency.NONE,
            )
    with door.database.reading() as session:  # now, because an urgent report may have made one of them red
        alerts = session.scalars(
            select(Alert.id).where(Alert.level == Level.ORANGE, Alert.ended_at.is_(None)).order_by(Alert.id).limit(24)
        ).all()
    for place, alert_id in enumerate(alerts):
        beat(len(contacts) + place, 2 * len(contacts))
        _assess(door, Actor(role=Role.PSYCHOLOGIST, id=psychologists[place % len(psychologists)]), alert_id, place)
    for place, entry_id in enumerate(entries):
        _interview(door, Actor(role=Role.PSYCHOLOGIST, id=psychologists[place % len(psychologists)]), entry_id, place)
    return round_id


def _see_to_the_round(door: Door, name: str) -> UUID:
    """The head gives the round its days, its consent text and a few talks by lot, and says why some have no result."""
    with door.database.reading() as session:
        row = session.scalars(select(ScreeningRound).where(ScreeningRound.name == name)).one()
        missing = session.scalars(select(Student.id).where(coverage.missing(row)).order_by(Student.id).limit(8)).all()
    head = Actor(role=Role.CENTRE_HEAD, id=row.owner_id)
    with door.enter(head, Permission.ROUND_MANAGE) as access:
        row = access.find(ScreeningRound, row.id)
        terms = Terms(
            scales=SCALES,
            opens_on=today() - timedelta(days=9),
            closes_on=today() + timedelta(days=5),
            consent_id=consent.standard(access).id,
        )
        rounds.change(access, row, name=row.name, interviews_due=row.interviews_due_at, terms=terms)
        needed = audit_share.cost(access, row, BY_LOT)
        if needed.room >= needed.talks:
            audit_share.switch_on(access, row, share=BY_LOT)
    with door.enter(head, Permission.ROUND_COVERAGE) as access:
        row = access.session.get_one(ScreeningRound, row.id)
        for place, student_id in enumerate(missing):
            absence.record(access, row, access.find(Student, student_id), kind=ABSENCES[place % len(ABSENCES)])
    return row.id


def _acknowledge(door: Door, advisor: Actor, duty_id: UUID) -> None:
    with door.enter(advisor, Permission.DUTY_WORK) as access:
        duties.acknowledge(access, access.find(Duty, duty_id))


def _talk(door: Door, advisor: Actor, duty_id: UUID, text: str, urgency: Urgency) -> None:
    with door.enter(advisor, Permission.DUTY_WORK) as access:
        student = access.session.get_one(Student, access.find(Duty, duty_id).student_id)
        care_talk.record(
            access,
            student,
            way=TalkWay.FACE,
            held_at=now() - timedelta(minutes=20),
            reached=True,
            noticed=["sleep"],
            text=text,
            urgency=urgency,
        )


def _assess(door: Door, psychologist: Actor, alert_id: UUID, place: int) -> None:
    with door.enter(psychologist, Permission.ALERT_TRIAGE) as access:
        alert = access.find(Alert, alert_id)
        triage.take(access, alert)
        student_id = alert.student_id
        if place % 4 == 2:
            triage.watch(
                access,
                alert,
                until=today() + timedelta(days=14),
                basis="已与学生面谈，近期情绪平稳，支持较好，两周后再看。",
            )
            return
        if place % 4 == 3:
            triage.disprove(access, alert, basis="面谈核实为误选，学生理解题意有偏差，辅导员当日已见到本人。")
            return
    if place % 4 == 0:
        _open_case(door, psychologist, student_id, place)


def _open_case(door: Door, psychologist: Actor, student_id: UUID, place: int) -> None:
    with door.enter(psychologist, Permission.CASE_OPEN) as access:
        case = opening.open_case(access, access.find(Student, student_id), level=Level.ORANGE, text=NOTES[0])
        case_id = case.id
    with door.enter(psychologist, Permission.CASE_WORK) as access:
        case = access.find(type(case), case_id)
        care.give_advice(
            access,
            case,
            focus=["safety", "sleep"],
            text="每周至少当面见一次，先问睡眠和吃饭；如提到不想活，立即联系中心，不要让他独处。",
        )
        care.add_task(
            access, case, kind=TaskKind.FOLLOW_UP, text="电话了解作息记录完成情况", due_on=today() + timedelta(days=3)
        )
        if place % 8 == 0:
            care.write_note(access, case, kind=NoteKind.SESSION, text=NOTES[1], next_on=today() + timedelta(days=7))


def _interview(door: Door, psychologist: Actor, entry_id: UUID, place: int) -> None:
    with door.enter(psychologist, Permission.INTERVIEW_WORK) as access:
        entry = access.find(InterviewEntry, entry_id)
        interview.take(access, entry)
        if place % 4 == 1:
            interview.record(
                access,
                entry,
                stage=InterviewStage.DONE,
                result=interview.Result.C,
                text="面谈二十分钟，作业压力为主，睡眠尚可，已告知求助途径。",
            )
        elif place % 4 == 3:
            interview.record(
                access,
                entry,
                stage=InterviewStage.SECOND_TALK,
                result=None,
                text="初访，近期与家人有冲突，约下周再谈。",
            )
