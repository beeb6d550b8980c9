"""普查批次, 导入结果: upload → map → preview → commit."""

from __future__ import annotations

import json
from datetime import datetime, time
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from app.intake import batch as life
from app.intake import desk, sheet
from app.intake.sheet import Table, text_of
from app.screening import mapping, round
from app.screening.forms import MoveRoundForm, OpenRoundForm, UploadResultsForm
from app.screening.mapping import Plan
from app.screening.scale import all_scales
from app.security.access import PAGE
from app.security.holders import names_of
from app.security.policy import Permission
from app.web.arguments import version_seen, whole
from app.web.feature import Room, access
from app.web.forms import choices, options
from app.web.paging import page_of
from app.web.words import label
from models import moment
from models.intake import BatchKind, BatchStage, ImportBatch
from models.interview import InterviewEntry, InterviewStage
from models.refusal import Refusal
from models.screening import ResponseSet, RoundStage, ScreeningRound

screening = Room("screening", __name__, template_folder="templates")
SHOWN_VALUES = 3
"""Sample cells shown beside a column that is not an identity, to map by."""


@screening.route("/rounds", needs=Permission.ROUND_MANAGE)
def rounds() -> ResponseReturnValue:
    place = page_of(request.args.get("page"))
    query = select(
        ScreeningRound.id,
        ScreeningRound.name,
        ScreeningRound.stage,
        ScreeningRound.opened_at,
        ScreeningRound.interviews_due_at,
        ScreeningRound.owner_id,
    )
    rows = access.page(query, order=["-opened_at", "id"], limit=PAGE + 1, offset=place.offset)
    return render_template(
        "screening/rounds.html",
        rows=rows[:PAGE],
        place=place.with_rows(len(rows)),
        names=names_of(access.session, [row.owner_id for row in rows]),
    )


@screening.route("/rounds/new", needs=Permission.ROUND_MANAGE, methods=["GET", "POST"])
def new_round() -> ResponseReturnValue:
    form = OpenRoundForm()
    if not form.is_submitted():
        form.interviews_due.data = round.default_deadline().date()
    if form.validate_on_submit():
        with form.explaining():
            due = datetime.combine(form.interviews_due.data, time(17, 30), moment.zone())
            if due < moment.now():
                raise Refusal("约谈截止日期不能早于今天。", field="interviews_due")
            row = round.open_round(access, name=form.name.data, interviews_due=due)
            return redirect(url_for(".show_round", round_id=row.id))
    return render_template("screening/new_round.html", form=form)


@screening.route("/rounds/<uuid:round_id>", needs=Permission.ROUND_MANAGE, methods=["GET", "POST"])
def show_round(round_id: UUID) -> ResponseReturnValue:
    form = MoveRoundForm()
    row = access.find(ScreeningRound, round_id, version=form.seen_version)
    form.stage.choices = choices(stage for stage in RoundStage if stage in row.__moves__[row.stage])
    if form.validate_on_submit():
        with form.explaining():
            round.move(access, row, stage=RoundStage(form.stage.data))
            flash("批次状态已更新。")
            return redirect(url_for(".show_round", round_id=round_id))
    form.version.data = str(row.version)
    return render_template(
        "screening/round.html",
        row=row,
        form=form,
        counts=_counts(round_id),
        owner=names_of(access.session, [row.owner_id]).get(row.owner_id, "--"),
        batches=desk.recent(access.under(Permission.SCREENING_IMPORT), BatchKind.SCREENING, round_id=round_id)[:PAGE],
        scales=all_scales(),
    )


def _counts(round_id: UUID) -> dict[str, Any]:
    """How far the round is: people with a sheet, sheets by scale, the interview list by state."""
    live = (ResponseSet.round_id == round_id, ResponseSet.voided_at.is_(None))
    people = select(func.count(func.distinct(ResponseSet.student_id))).where(*live)
    scales = select(ResponseSet.scale, func.count()).where(*live).group_by(ResponseSet.scale)
    stages = (
        select(InterviewEntry.stage, func.count())
        .where(InterviewEntry.round_id == round_id, InterviewEntry.stage != InterviewStage.VOID)
        .group_by(InterviewEntry.stage)
    )
    listed = {stage: count for stage, count in access.session.execute(stages)}
    return {
        "people": access.session.scalar(people) or 0,
        "scales": {scale: count for scale, count in access.session.execute(scales)},
        "interviews": listed,
        "interviews_total": sum(listed.values()),
        "interviews_done": sum(count for stage, count in listed.items() if not InterviewEntry.__moves__[stage]),
    }


# --- results files -------------------------------------------------------------------------


@screening.route("/rounds/<uuid:round_id>/import", needs=Permission.SCREENING_IMPORT, methods=["GET", "POST"])
def upload(round_id: UUID) -> ResponseReturnValue:
    row = access.find(ScreeningRound, round_id)
    form = UploadResultsForm()
    form.scales.choices = options((key, scale.title) for key, scale in all_scales().items() if scale.prefixes)
    if not form.is_submitted():
        form.scales.data = json.loads(row.scales) or ["phq9", "gad7"]
    if form.validate_on_submit():
        with form.explaining():
            round.refuse_unless_open(row)
            received = life.receive(
                access,
                BatchKind.SCREENING,
                form.upload.data.read(),
                form.upload.data.filename or "",
                round_id=row.id,
                strict=form.strict.data,
                replace=form.replace.data,
            )
            plan = {"scales": form.scales.data, "sheet": form.sheet.data or None}
            access.seal_json(received, ImportBatch.plan, plan)
            return redirect(url_for(".map_columns", batch_id=received.id))
    return render_template("screening/upload.html", form=form, row=row)


@screening.route("/imports/<uuid:batch_id>/map", needs=Permission.SCREENING_IMPORT)
def map_columns(batch_id: UUID) -> ResponseReturnValue:
    batch = life.of_kind(access, batch_id, BatchKind.SCREENING)
    if batch.stage not in {
        BatchStage.UPLOADED,
        BatchStage.READ,
        BatchStage.MAPPED,
        BatchStage.PREVIEWED,
        BatchStage.STALE,
    }:
        return redirect(url_for(".show_batch", batch_id=batch_id))
    held = access.open_json(batch, ImportBatch.plan)
    try:
        table = sheet.read(life.content(access, batch), sheet=held["sheet"], knows=mapping.knows)
    except Refusal as refusal:
        return render_template("screening/unreadable.html", batch=batch, sentence=refusal.sentence), 422
    plan = Plan.from_table(held["mapping"]) if "mapping" in held else mapping.suggest(table.header, held["scales"])
    return _map_page(batch, table, plan, held["scales"])


def _map_page(
    batch: ImportBatch, table: Table, plan: Plan, scales: list[str], problem: str | None = None
) -> ResponseReturnValue:
    options = [("", "不导入")] + [(name, label(name, "screening_field")) for name in mapping.FIELDS]
    groups = [
        (
            all_scales()[key].title,
            [
                (f"{key}.{item.number}", f"{all_scales()[key].name} 第 {item.number} 题")
                for item in all_scales()[key].items
            ],
        )
        for key in scales
    ]
    columns = [
        {
            "place": place,
            "title": title,
            "meaning": plan.meaning(place),
            "reason": plan.reasons.get(place, ""),
            "samples": _samples(table, place, plan),
        }
        for place, title in enumerate(table.header)
    ]
    ready = problem is None
    try:
        mapping.refuse_unfit(plan, scales)
    except Refusal as refusal:
        ready, problem = False, problem or refusal.sentence
    page = render_template(
        "screening/map.html",
        batch=batch,
        table=table,
        columns=columns,
        options=options,
        groups=groups,
        problem=problem,
        ready=ready,
    )
    return page, 200 if ready else 422


def _samples(table: Table, place: int, plan: Plan) -> str:
    """A few small numbers of a column: a word might be somebody's name, under whatever heading."""
    if plan.meaning(place) in {"student_number", "name"}:
        return "（不显示）"
    values = [text_of(row[place]) for row in table.rows[: 10 * SHOWN_VALUES]]
    short = [value for value in dict.fromkeys(values) if len(value) <= 2 and value.isdecimal()]
    return "、".join(short[:SHOWN_VALUES]) if short else "（不显示）"


@screening.route("/imports/<uuid:batch_id>/map", needs=Permission.SCREENING_IMPORT, methods=["POST"])
def confirm_map(batch_id: UUID) -> ResponseReturnValue:
    batch = life.of_kind(access, batch_id, BatchKind.SCREENING, version=version_seen(request.form.get("version")))
    held = access.open_json(batch, ImportBatch.plan)
    places = {
        whole(name.removeprefix("column-")): value for name, value in request.form.items() if name[:7] == "column-"
    }
    meanings = {place: value for place, value in places.items() if place is not None}
    try:
        plan = mapping.from_form(meanings, held["scales"], sheet=held["sheet"])
    except Refusal as refusal:
        table = sheet.read(life.content(access, batch), sheet=held["sheet"], knows=mapping.knows)
        return _map_page(batch, table, _unchecked(meanings, held["scales"]), held["scales"], refusal.sentence)
    access.seal_json(batch, ImportBatch.plan, held | {"mapping": plan.as_table()})
    if batch.stage is BatchStage.UPLOADED:
        batch.move_to(BatchStage.READ)
    life.ask_preview(access, batch)
    return redirect(url_for(".show_batch", batch_id=batch_id))


def _unchecked(meanings: dict[int, str], scales: list[str]) -> Plan:
    """What the person chose, as far as it goes, so that nothing has to be chosen again."""
    plan = Plan()
    for place, meaning in meanings.items():
        key, _, number = meaning.partition(".")
        item = whole(number)
        if item and key in scales and item <= all_scales()[key].size:
            plan.items.setdefault(key, [-1] * all_scales()[key].size)[item - 1] = place
        elif meaning in mapping.FIELDS:
            plan.columns[meaning] = place
    return plan


@screening.route("/imports/<uuid:batch_id>", needs=Permission.SCREENING_IMPORT)
def show_batch(batch_id: UUID) -> ResponseReturnValue:
    batch = life.of_kind(access, batch_id, BatchKind.SCREENING)
    view = desk.view_of(access, batch)
    row = access.session.get_one(ScreeningRound, batch.round_id)
    return render_template(
        "screening/batch.html",
        batch=view,
        row=row,
        scales=all_scales(),
        **desk.shown_problems(view, request.args.get("page")),
    )


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
