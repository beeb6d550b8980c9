"""数据来源: the list of sources, one source with what it has brought and what its columns mean, its key."""

from __future__ import annotations

from io import BytesIO
from uuid import UUID

from flask import flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.screening.sources import source as acts
from app.screening.sources import source_view
from app.screening.sources.source_forms import EditSourceForm, MappingForm, OpenSourceForm
from app.security.access import PAGE
from app.security.holders import names_of
from app.security.policy import Permission
from app.web.arguments import version_seen
from app.web.feature import Room, access, door
from app.web.forms import choices
from app.web.paging import page_of
from models.refusal import Refusal
from models.screening import RoundStage, ScreeningRound
from models.source import ScreeningSource, SourceKind

sources = Room("sources", __name__, template_folder="../templates")
MOST_ROUNDS = 100


@sources.route("/sources", needs=Permission.SOURCE_MANAGE)
def index() -> ResponseReturnValue:
    place = page_of(request.args.get("page"))
    rows = source_view.listed(access, offset=place.offset)
    return render_template("screening/sources.html", rows=rows[:PAGE], place=place.with_rows(len(rows)))


@sources.route("/sources/new", needs=Permission.SOURCE_MANAGE, methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    form = OpenSourceForm()
    form.kind.choices = choices(SourceKind)
    _offer(form)
    if not form.is_submitted():
        form.kind.data = SourceKind.FOLDER
        form.owner_id.data = access.actor.id
    if form.validate_on_submit():
        with form.explaining():
            row, key = acts.open_source(access, **(form.answers | {"folder": form.folder.data or ""}))
            if key:
                return render_template("screening/source_key.html", source=row, key=key, is_new=True)
            return redirect(url_for(".show", source_id=row.id))
    return render_template("screening/source_form.html", form=form, source=None, has_inbox=_has_inbox())


def _offer(form: EditSourceForm, held: ScreeningSource | None = None) -> None:
    """People of the centre, and rounds that take files (and the one it feeds already)."""
    people = names_of(access.session, acts.owners(access.session))
    form.owner_id.choices = [(staff_id, name) for staff_id, name in sorted(people.items(), key=lambda pair: pair[1])]
    query = (
        select(ScreeningRound.id, ScreeningRound.name)
        .where(
            ScreeningRound.stage.in_((RoundStage.DRAFT, RoundStage.OPEN, RoundStage.MAKE_UP))
            | (ScreeningRound.id == (held.round_id if held else None))
        )
        .order_by(ScreeningRound.opened_at.desc(), ScreeningRound.id)
        .limit(MOST_ROUNDS)
    )
    form.round_id.choices = [(row.id, row.name) for row in access.session.execute(query)]


def _has_inbox() -> bool:
    return door().settings.inbox is not None


@sources.route("/sources/<uuid:source_id>", needs=Permission.SOURCE_MANAGE)
def show(source_id: UUID) -> ResponseReturnValue:
    row = access.find(ScreeningSource, source_id)
    place = page_of(request.args.get("page"))
    arrived = source_view.arrivals(access, row, offset=place.offset)
    return render_template(
        "screening/source.html",
        source=row,
        state=source_view.state_of(access, row),
        arrivals=arrived[:PAGE],
        place=place.with_rows(len(arrived)),
        left=source_view.left_in_folder(access, row),
        names=names_of(access.session, [row.owner_id, row.mapping_confirmed_by]),
        feeds=access.session.get(ScreeningRound, row.round_id) if row.round_id else None,
        form=MappingForm(),
        has_inbox=_has_inbox(),
    )


@sources.route("/sources/<uuid:source_id>/edit", needs=Permission.SOURCE_MANAGE, methods=["GET", "POST"])
def edit(source_id: UUID) -> ResponseReturnValue:
    form = EditSourceForm()
    row = access.find(ScreeningSource, source_id, version=form.seen_version)
    _offer(form, row)
    if not form.is_submitted():
        form.process(obj=row)
    if form.validate_on_submit():
        with form.explaining():
            acts.edit(access, row, **(form.answers | {"folder": form.folder.data or ""}))
            flash("来源已保存。")
            return redirect(url_for(".show", source_id=source_id))
    form.version.data = str(row.version)
    return render_template("screening/source_form.html", form=form, source=row, has_inbox=_has_inbox())


@sources.route("/sources/<uuid:source_id>/retire", needs=Permission.SOURCE_MANAGE, methods=["POST"])
def retire(source_id: UUID) -> ResponseReturnValue:
    row = _seen(source_id)
    acts.retire(access, row)
    flash("来源已停用，不再收取文件。已经送来的不受影响。")
    return redirect(url_for(".show", source_id=source_id))


@sources.route("/sources/<uuid:source_id>/key", needs=Permission.SOURCE_MANAGE, methods=["POST"])
def renew_key(source_id: UUID) -> ResponseReturnValue:
    row = _seen(source_id)
    key = acts.renew_key(access, row)
    return render_template("screening/source_key.html", source=row, key=key, is_new=False)


@sources.route("/sources/<uuid:source_id>/mapping", needs=Permission.SOURCE_MANAGE)
def mapping(source_id: UUID) -> ResponseReturnValue:
    row = access.find(ScreeningSource, source_id)
    if not row.mapping:
        raise Refusal("这个来源还没有确认过的映射。")
    return send_file(
        BytesIO(row.mapping.encode()), mimetype="application/toml", as_attachment=True, download_name="mapping.toml"
    )


@sources.route("/sources/<uuid:source_id>/mapping", needs=Permission.SOURCE_MANAGE, methods=["POST"])
def replace_mapping(source_id: UUID) -> ResponseReturnValue:
    row = _seen(source_id)
    form = MappingForm()
    if not form.validate_on_submit():
        raise Refusal("请选择映射文件。")
    acts.replace_mapping(access, row, form.upload.data.read(), confirmed_by=access.actor.id)
    flash("映射已更新，下一份文件起使用。")
    return redirect(url_for(".show", source_id=source_id))


def _seen(source_id: UUID) -> ScreeningSource:
    """The source, unless it changed since the reader's page."""
    return access.find(ScreeningSource, source_id, version=version_seen(request.form.get("version")))
