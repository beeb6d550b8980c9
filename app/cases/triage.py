"""研判: what the centre decides about an alert. A person's act, never the model's or a rule's."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from app.events import Event
from app.risk import alert as alerts
from app.risk import duty as duties
from app.security.access import Access
from models import moment
from models.moment import now, today
from models.refusal import Refusal
from models.risk import Alert, AlertStage, DutyKind, DutyStage, Level

MOST_WATCH_DAYS = 90


class AlertDisproved(Event):
    """The centre found an alert without ground, and said on what basis."""


class AlertWatched(Event):
    """The centre goes on watching, until a day."""


class AlertLevelRaised(Event):
    """The centre raised the level of an alert."""


def disprove(access: Access, alert: Alert, *, basis: str) -> None:
    """排除(写明依据): the alert ends; whoever still owed a contact is told that he no longer does."""
    _refuse_outsider(access, alert)
    access.seal(alert, Alert.basis, basis)
    alert.move_to(AlertStage.DISPROVED)
    end(access, alert, still_contact=False)
    access.record(AlertDisproved(object_id=alert.id, student_ids=(alert.student_id,)))


def watch(access: Access, alert: Alert, *, until: date, basis: str) -> None:
    """继续观察至…: the alert stays open with a date as its clock; the contact stays owed."""
    _refuse_outsider(access, alert)
    if not today() < until <= today() + timedelta(days=MOST_WATCH_DAYS):
        raise Refusal(f"观察日期应在明天到 {MOST_WATCH_DAYS} 天之内。", field="until")
    if alert.level is Level.RED:
        raise Refusal("紧急（红）不能只是继续观察：请排除并写明依据，或建立个案。")
    access.seal(alert, Alert.basis, basis)
    alert.move_to(AlertStage.WATCHING)
    _finish_assessment(access, alert)
    alert.due_at = datetime.combine(until, time(17, 30), moment.zone())
    access.record(AlertWatched(object_id=alert.id, student_ids=(alert.student_id,)))


def raise_level(access: Access, alert: Alert, *, level: Level) -> None:
    """调高等级: at once, by anybody in the centre; clocks follow."""
    if alert.has_ended:
        raise Refusal("这一项预警已经结束。")
    if level.severity <= alert.level.severity:
        raise Refusal("只能调高等级；调低请通过研判结论或个案办理。", field="level")
    alerts.rise(access, alert, level)
    access.record(AlertLevelRaised(object_id=alert.id, student_ids=(alert.student_id,)))


def end(access: Access, alert: Alert, *, still_contact: bool) -> None:
    """The centre has decided: its assessment is done; the contact stays owed unless it lost its ground."""
    _finish_assessment(access, alert)
    if not still_contact:
        for item in duties.open_duties(access.session, alert.id):
            duties.cancel(access, item)
    alert.ended_at = now()


def _finish_assessment(access: Access, alert: Alert) -> None:
    for item in duties.open_duties(access.session, alert.id):
        if item.kind is DutyKind.ASSESSMENT:
            item.move_to(DutyStage.DONE)
            item.ended_at = now()
            item.acknowledged_at = item.acknowledged_at or item.ended_at
            access.record(duties.DutyDone(object_id=item.id, student_ids=(item.student_id,)))


def _refuse_outsider(access: Access, alert: Alert) -> None:
    """Decide only what one has taken on: the alert's owner, or whoever holds its assessment."""
    if alert.has_ended:
        raise Refusal("这一项预警已经结束。")
    if alert.owner_id != access.actor.id:
        raise Refusal("这一项预警由另一位老师负责，请先点“我来跟进”。")


def take(access: Access, alert: Alert) -> None:
    """我来跟进 on the whole alert: its assessment if one is open, else the decision itself."""
    me = access.actor.id
    if alert.has_ended or me is None:
        raise Refusal("这一项预警已经结束。")
    for item in duties.open_duties(access.session, alert.id):
        if item.kind is DutyKind.ASSESSMENT:
            duties.take(access, item)
            return
    alert.owner_id = me
    access.record(duties.DutyTaken(object_id=alert.id, student_ids=(alert.student_id,)))
