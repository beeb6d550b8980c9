"""Pages of 数据使用登记: how it stands, ask, one entry, switch off."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.risk.gathering import data_use, data_use_view
from app.risk.gathering.data_use_forms import AskForm, SwitchOffForm
from app.risk.gathering.features import resting_on
from app.security.access import PAGE, NotFound
from app.security.holders import names_of
from app.security.policy import Permission, Purpose
from app.web.feature import Room, access
from app.web.forms import options
from app.web.paging import page_of
from models.risk_model import DataUse, DataUseStage

data_use_room = Room("data_use", __name__, url_prefix="/data-use", template_folder="../templates")


@data_use_room.route("", needs=Permission.DATA_USE_READ, purpose=Purpose.ADMINISTRATION)
def index() -> ResponseReturnValue:
    place = page_of(request.args.get("page"))
    rows = data_use_view.history(access.session, offset=place.offset)
    return render_template(
        "data_use/index.html",
        standings=data_use_view.standings(access.session),
        rows=rows[:PAGE],
        titles=data_use_view.titles(access.session),
        names=names_of(access.session, [row.asked_by for row in rows]),
        place=place.with_rows(len(rows)),
    )


@data_use_room.route("/ask", needs=Permission.DATA_USE_CHANGE, purpose=Purpose.ADMINISTRATION, methods=["GET", "POST"])
def ask() -> ResponseReturnValue:
    free = [standing for standing in data_use_view.standings(access.session) if standing.entry is None]
    form = AskForm()
    form.domain.choices = options([(standing.domain.key, standing.domain.title) for standing in free])
    if not form.is_submitted() and len(free) == 1:
        form.domain.data = free[0].domain.key
    if form.validate_on_submit():
        with form.explaining():
            row = data_use.ask(access, **form.answers)
            flash("申请已提交，等学工部长签字后生效。")
            return redirect(url_for(".show", use_id=row.id))
    return render_template("data_use/ask.html", form=form, free=free)


@data_use_room.route("/<uuid:use_id>", needs=Permission.DATA_USE_READ, purpose=Purpose.ADMINISTRATION)
def show(use_id: UUID) -> ResponseReturnValue:
    row = access.session.get(DataUse, use_id)
    if row is None:
        raise NotFound(DataUse.__name__)
    access.about(row.id)
    steps, waiting = data_use_view.steps(access.session, row), data_use_view.waiting(access.session, row)
    people = [step.by for step in steps] + ([waiting.owner_id] if waiting else [])
    return render_template(
        "data_use/show.html",
        row=row,
        title=data_use_view.titles(access.session)[row.domain],
        features=resting_on(row.domain),
        steps=steps,
        waiting=waiting,
        names=names_of(access.session, people),
        in_force=row.stage is DataUseStage.IN_FORCE,
    )


@data_use_room.route(
    "/<uuid:use_id>/off", needs=Permission.DATA_USE_CHANGE, purpose=Purpose.ADMINISTRATION, methods=["GET", "POST"]
)
def switch_off(use_id: UUID) -> ResponseReturnValue:
    form = SwitchOffForm()
    row = access.find(DataUse, use_id, version=form.seen_version)
    if form.validate_on_submit():
        with form.explaining():
            data_use.switch_off(access, row, because=form.because.data)
            flash("已停用，从现在起不再收集这类数据。")
            return redirect(url_for(".show", use_id=row.id))
    form.version.data = str(row.version)
    return render_template(
        "data_use/off.html",
        row=row,
        form=form,
        title=data_use_view.titles(access.session)[row.domain],
        features=resting_on(row.domain),
    )
