"""普查批次: the list of rounds, one round with how far it is, a new one, its next stage."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from app.intake import desk
from app.screening import round
from app.screening.forms import MoveRoundForm, OpenRoundForm
from app.screening.routes import screening
from app.screening.scale import all_scales
from app.security.access import PAGE
from app.security.holders import names_of
from app.security.policy import Permission
from app.web.feature import access
from app.web.forms import choices
from app.web.paging import page_of
from models import moment
from models.intake import BatchKind
from models.interview import InterviewEntry, InterviewStage
from models.refusal import Refusal
from models.screening import ResponseSet, RoundStage, ScreeningRound

__all__ = ["screening"]


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
