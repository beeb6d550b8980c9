"""导入结果: hand in → what the columns mean → preview, whose the rows are → commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.intake import batch as life
from app.intake import desk
from app.intake.delivery import together
from app.screening.desk import map_form, map_page
from app.screening.desk.forms import UploadResultsForm
from app.screening.importing import prepare
from app.screening.rounds import round
from app.screening.rounds.round_routes import screening
from app.screening.scales.scale import all_scales
from app.screening.sources import arrival
from app.screening.sources import source as sources
from app.screening.tables.layout import guessed, known_plan, layouts
from app.security.policy import Permission
from app.web.arguments import version_seen
from app.web.feature import access
from app.web.forms import options
from app.web.paging import page_of
from models.intake import BatchKind, BatchStage, ImportBatch
from models.refusal import Refusal
from models.screening import ScreeningRound

__all__ = ["screening"]

QUESTIONS_PAGE = 20
"""Rows to be named by a person on one page."""
CHANGEABLE = {BatchStage.UPLOADED, BatchStage.READ, BatchStage.MAPPED, BatchStage.PREVIEWED, BatchStage.STALE}


@screening.route("/rounds/<uuid:round_id>/import", needs=Permission.SCREENING_IMPORT, methods=["GET", "POST"])
def upload(round_id: UUID) -> ResponseReturnValue:
    row = access.find(ScreeningRound, round_id)
    form = UploadResultsForm()
    form.scales.choices = options((key, scale.title) for key, scale in all_scales().items() if scale.size)
    form.source.choices = options([("", "不记住，只用这一次"), *sources.names(access.session)])
    if form.validate_on_submit():
        with form.explaining():
            round.refuse_unless_open(row)
            name, raw = together([(found.filename, found.read()) for found in form.upload.data if found.filename])
            received = life.receive(
                access,
                BatchKind.SCREENING,
                raw,
                name,
                round_id=row.id,
                strict=form.strict.data,
                replace=form.replace.data,
            )
            sheets = [part.strip() for part in (form.sheet.data or "").replace("，", ",").split(",") if part.strip()]
            plan = {
                "source": form.source.data or None,
                "scales": form.scales.data or None,
                "sheets": sheets or None,
                "all_sheets": form.all_sheets.data,
            }
            access.seal_json(received, ImportBatch.plan, plan)
            arrival.attach(access, plan, received)
            return redirect(url_for(".map_columns", batch_id=received.id))
    return render_template("screening/upload.html", form=form, row=row)


@screening.route("/imports/<uuid:batch_id>/map", needs=Permission.SCREENING_IMPORT)
def map_columns(batch_id: UUID) -> ResponseReturnValue:
    batch = life.of_kind(access, batch_id, BatchKind.SCREENING)
    if batch.stage not in CHANGEABLE:
        return redirect(url_for(".show_batch", batch_id=batch_id))
    held = access.open_json(batch, ImportBatch.plan)
    try:
        tables = _tables(batch, held)
    except Refusal as refusal:
        return render_template("screening/unreadable.html", batch=batch, sentence=refusal.sentence), 422
    wanted = _named_scales() or held.get("scales")
    found = layouts(tables)
    if "mappings" in held and not _named_scales():
        plans = map_page.plans_of(found, held["mappings"])
    else:
        known = sources.remembered(access.session, held)
        plans = [known_plan(layout, known) or guessed(layout, wanted, _asked_by(batch)) for layout in found]
    unclear = (access.open_json(batch, ImportBatch.receipt) or {}).get("unclear")
    return _map_page(batch, found, plans, problem=unclear)


def _named_scales() -> list[str]:
    """Scales that the address asks for, as far as they exist."""
    return [key for key in dict.fromkeys(request.args.getlist("scale")) if key in all_scales()]


def _tables(batch: ImportBatch, held: dict[str, Any]) -> list[Any]:
    return prepare.read(life.content(access, batch), access.open(batch, ImportBatch.file_name), held)


def _asked_by(batch: ImportBatch) -> list[str]:
    return round.scales_of(access.session.get_one(ScreeningRound, batch.round_id))


def _map_page(
    batch: ImportBatch, found: Sequence[Any], plans: Sequence[Any], problem: str | None = None
) -> ResponseReturnValue:
    offered = [*_named_scales(), *_asked_by(batch)]
    view = map_page.view_of(found, plans, offered, unfold=request.args.get("unfold", ""))
    view["problem"] = problem or view["problem"]
    page = render_template("screening/map.html", batch=batch, scales=all_scales(), **view)
    return page, 422 if view["problem"] else 200


@screening.route("/imports/<uuid:batch_id>/map", needs=Permission.SCREENING_IMPORT, methods=["POST"])
def confirm_map(batch_id: UUID) -> ResponseReturnValue:
    batch = life.of_kind(access, batch_id, BatchKind.SCREENING, version=version_seen(request.form.get("version")))
    held = access.open_json(batch, ImportBatch.plan)
    found = layouts(_tables(batch, held))
    try:
        mappings = map_form.mappings_from(request.form, found)
    except Refusal as refusal:
        return _map_page(batch, found, _chosen(found), refusal.sentence)
    access.seal_json(batch, ImportBatch.plan, held | {"mappings": mappings})
    sources.learn(access.under(Permission.SOURCE_MANAGE), held, mappings)
    if batch.stage is BatchStage.UPLOADED:
        batch.move_to(BatchStage.READ)
    life.ask_preview(access, batch)
    return redirect(url_for(".show_batch", batch_id=batch_id))


def _chosen(found: Sequence[Any]) -> list[Any]:
    """What the person chose, as far as it goes, so that nothing has to be chosen again."""
    return [
        map_form.forgiving(request.form, layout, place, start)
        for place, (layout, start) in enumerate(zip(found, map_form.starts(found), strict=True))
    ]


@screening.route("/imports/<uuid:batch_id>", needs=Permission.SCREENING_IMPORT)
def show_batch(batch_id: UUID) -> ResponseReturnValue:
    batch = life.of_kind(access, batch_id, BatchKind.SCREENING)
    view = desk.view_of(access, batch)
    row = access.session.get_one(ScreeningRound, batch.round_id)
    questions = view.receipt.get("questions", [])
    asked = page_of(request.args.get("question"))
    start = (asked.number - 1) * QUESTIONS_PAGE
    return render_template(
        "screening/batch.html",
        batch=view,
        row=row,
        scales=all_scales(),
        questions=questions[start : start + QUESTIONS_PAGE],
        questions_total=len(questions),
        asked=asked,
        more_questions=len(questions) > start + QUESTIONS_PAGE,
        decided=(access.open_json(batch, ImportBatch.plan) or {}).get("identities", {}),
        **desk.shown_problems(view, request.args.get("page")),
    )


@screening.route("/imports/<uuid:batch_id>/identities", needs=Permission.SCREENING_IMPORT, methods=["POST"])
def decide_identities(batch_id: UUID) -> ResponseReturnValue:
    """Name the students of rows that the file does not; then work everything out again."""
    batch = life.of_kind(access, batch_id, BatchKind.SCREENING, version=desk.seen_version())
    held = access.open_json(batch, ImportBatch.plan)
    receipt = access.open_json(batch, ImportBatch.receipt) or {}
    offered = {
        question["key"]: {candidate["student"] for candidate in question["candidates"]}
        for question in receipt.get("questions", [])
    }
    chosen = {key: request.form.get(f"who-{key}", "") for key in offered}
    decided = {key: value for key, value in chosen.items() if value in offered[key]}
    decided |= {key: None for key, value in chosen.items() if value == "nobody"}
    if "again" in request.form:
        held["identities"] = {}
    elif not decided:
        flash("还没有选择任何一行。")
        return redirect(url_for(".show_batch", batch_id=batch_id))
    access.seal_json(batch, ImportBatch.plan, held | {"identities": held.get("identities", {}) | decided})
    life.ask_preview(access, batch)
    return redirect(url_for(".show_batch", batch_id=batch_id))


@screening.route("/imports/<uuid:batch_id>/state", needs=Permission.SCREENING_IMPORT, background=True)
def batch_state(batch_id: UUID) -> ResponseReturnValue:
    return desk.state_of(access, life.of_kind(access, batch_id, BatchKind.SCREENING))


@screening.route("/imports/<uuid:batch_id>/commit", needs=Permission.SCREENING_IMPORT, methods=["POST"])
def commit(batch_id: UUID) -> ResponseReturnValue:
    batch = life.of_kind(access, batch_id, BatchKind.SCREENING, version=desk.seen_version())
    round.refuse_unless_open(access.session.get_one(ScreeningRound, batch.round_id))
    life.ask_commit(access, batch)
    return redirect(url_for(".show_batch", batch_id=batch_id))


@screening.route("/imports/<uuid:batch_id>/preview", needs=Permission.SCREENING_IMPORT, methods=["POST"])
def preview(batch_id: UUID) -> ResponseReturnValue:
    life.ask_preview(access, life.of_kind(access, batch_id, BatchKind.SCREENING, version=desk.seen_version()))
    return redirect(url_for(".show_batch", batch_id=batch_id))


@screening.route("/imports/<uuid:batch_id>/withdraw", needs=Permission.SCREENING_IMPORT, methods=["POST"])
def withdraw(batch_id: UUID) -> ResponseReturnValue:
    batch = life.of_kind(access, batch_id, BatchKind.SCREENING, version=desk.seen_version())
    life.withdraw(access, batch)
    flash("已放弃这次导入，没有写入任何内容。")
    return redirect(url_for(".show_round", round_id=batch.round_id))
