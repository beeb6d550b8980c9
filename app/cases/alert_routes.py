"""预警: the centre's queue and one alert."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.cases import queue, triage
from app.cases.forms import DisproveForm, RaiseForm, VersionForm, WatchForm
from app.security.access import PAGE
from app.security.holders import names_of
from app.security.policy import Permission
from app.students import record
from app.web.feature import Room, access
from app.web.forms import VersionedForm
from app.web.paging import page_of
from models.identity import College
from models.moment import now
from models.risk import Alert, Duty, Level
from models.student import Student

alerts = Room("alerts", __name__, template_folder="templates")


@alerts.route("/alerts", needs=Permission.ALERT_TRIAGE)
def index() -> ResponseReturnValue:
    place = page_of(request.args.get("page"))
    colleges = access.session.execute(select(College.id, College.name).order_by(College.name)).all()
    chosen = next((row.id for row in colleges if str(row.id) == request.args.get("college")), None)
    level = request.args.get("level", "")
    wanted = queue.QueueFilter(
        level=level if level in set(Level) else "",
        college_id=chosen,
        mine=request.args.get("mine") == "1",
        overdue_before=now() if request.args.get("late") == "1" else None,
        watching=request.args.get("stage") == "watching",
    )
    rows = queue.queue(access, wanted, offset=place.offset)
    return render_template(
        "cases/queue.html",
        rows=rows[:PAGE],
        place=place.with_rows(len(rows)),
        wanted=wanted,
        colleges=colleges,
        counts=queue.counts(access),
    )


@alerts.route("/alerts/<uuid:alert_id>", needs=Permission.ALERT_TRIAGE)
def show(alert_id: UUID) -> ResponseReturnValue:
    return _page(access.find(Alert, alert_id))


def _page(alert: Alert, **forms: VersionedForm) -> ResponseReturnValue:
    reading = access.under(Permission.STUDENT_READ)
    reading.find(Student, alert.student_id)
    given: dict[str, VersionedForm] = {
        "disprove": DisproveForm(formdata=None),
        "watch": WatchForm(formdata=None),
        "raising": RaiseForm(formdata=None),
        "take": VersionForm(formdata=None),
        **forms,
    }
    for form in given.values():
        form.version.data = str(alert.version)
    owed = access.session.scalars(
        select(Duty).where(Duty.alert_id == alert.id).order_by(Duty.created_at, Duty.id)
    ).all()
    return render_template(
        "cases/alert.html",
        alert=alert,
        student=record.card(reading, alert.student_id),
        reasons=queue.reasons_of(access, [alert.id]).get(alert.id, []),
        duties=owed,
        basis=access.open(alert, Alert.basis),
        names=names_of(access.session, [alert.owner_id, *(duty.owner_id for duty in owed)]),
        mine=alert.owner_id == access.actor.id,
        timeline=record.timeline(access, alert.student_id)[:12],
        forms=given,
    )


@alerts.route("/alerts/<uuid:alert_id>/take", needs=Permission.ALERT_TRIAGE, methods=["POST"])
def take(alert_id: UUID) -> ResponseReturnValue:
    triage.take(access, access.find(Alert, alert_id, version=VersionForm().seen_version))
    flash("已由你跟进。")
    return redirect(url_for(".show", alert_id=alert_id))


@alerts.route("/alerts/<uuid:alert_id>/disprove", needs=Permission.ALERT_TRIAGE, methods=["POST"])
def disprove(alert_id: UUID) -> ResponseReturnValue:
    form = DisproveForm()
    alert = access.find(Alert, alert_id, version=form.seen_version)
    if form.validate_on_submit():
        with form.explaining():
            triage.disprove(access, alert, basis=form.basis.data)
            flash("已排除，预警结束。")
            return redirect(url_for(".index"))
    return _page(access.find(Alert, alert_id), disprove=form)


@alerts.route("/alerts/<uuid:alert_id>/watch", needs=Permission.ALERT_TRIAGE, methods=["POST"])
def watch(alert_id: UUID) -> ResponseReturnValue:
    form = WatchForm()
    alert = access.find(Alert, alert_id, version=form.seen_version)
    if form.validate_on_submit():
        with form.explaining():
            triage.watch(access, alert, until=form.until.data, basis=form.basis.data)
            flash("已设为继续观察，到期会再次提醒。")
            return redirect(url_for(".index"))
    return _page(access.find(Alert, alert_id), watch=form)


@alerts.route("/alerts/<uuid:alert_id>/raise", needs=Permission.ALERT_TRIAGE, methods=["POST"])
def raise_level(alert_id: UUID) -> ResponseReturnValue:
    form = RaiseForm()
    alert = access.find(Alert, alert_id, version=form.seen_version)
    if form.validate_on_submit():
        with form.explaining():
            triage.raise_level(access, alert, level=form.level.data)
            flash("等级已调高，时限随之更新。")
            return redirect(url_for(".show", alert_id=alert_id))
    return _page(access.find(Alert, alert_id), raising=form)
