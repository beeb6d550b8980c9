"""重测: the list of those who should answer again, and one of them."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.screening import retest
from app.screening.retest_forms import EndRetestForm, HandOverRetestForm
from app.screening.scales.scale import all_scales
from app.security.access import PAGE
from app.security.holders import holders_of, names_of
from app.security.policy import CENTRE, Permission
from app.students import record
from app.web.feature import Room, access
from app.web.forms import options
from app.web.paging import page_of
from app.web.words import label
from models.identity import ClassGroup, College, Role
from models.participation import Retest, RetestStage
from models.screening import ScreeningRound
from models.student import Student

retests = Room("retests", __name__, template_folder="templates")


@retests.route("/retests", needs=Permission.RETEST_WORK)
def index() -> ResponseReturnValue:
    place = page_of(request.args.get("page"))
    rounds = access.session.execute(
        select(ScreeningRound.id, ScreeningRound.name).order_by(ScreeningRound.opened_at.desc(), ScreeningRound.id)
    ).all()
    chosen = next((row.id for row in rounds if str(row.id) == request.args.get("round")), None)
    mine, ended = request.args.get("mine") == "1", request.args.get("show") == "ended"
    rows = _rows(chosen, mine=mine, ended=ended, offset=place.offset)
    return render_template(
        "screening/retests.html",
        rows=rows[:PAGE],
        place=place.with_rows(len(rows)),
        rounds=rounds,
        chosen=chosen,
        mine=mine,
        ended=ended,
        open_count=access.count(Retest, Retest.ended_at.is_(None), *([Retest.round_id == chosen] if chosen else [])),
    )


def _rows(round_id: UUID | None, *, mine: bool, ended: bool, offset: int) -> list[dict[str, Any]]:
    query = (
        select(
            Retest.id.label("retest_id"),
            Retest.student_id,
            Retest.stage,
            Retest.owner_id,
            Retest.due_at,
            Retest.body,
            Student.name,
            College.name.label("college"),
            ClassGroup.name.label("class_name"),
            ScreeningRound.name.label("round"),
        )
        .join(Student, Student.id == Retest.student_id)
        .join(College, College.id == Retest.college_id)
        .join(ClassGroup, ClassGroup.id == Retest.class_id)
        .join(ScreeningRound, ScreeningRound.id == Retest.round_id)
        .where(Retest.ended_at.is_not(None) if ended else Retest.ended_at.is_(None))
        .where(Retest.stage != RetestStage.VOID)
    )
    if round_id is not None:
        query = query.where(Retest.round_id == round_id)
    if mine:
        query = query.where(Retest.owner_id == access.actor.id)
    rows = access.page(query, order=["due_at", "retest_id"], limit=PAGE + 1, offset=offset)
    names, bodies = access.open_each(rows, Student.name), access.open_each(rows, Retest.body)
    owners = names_of(access.session, [row.owner_id for row in rows])
    return [
        {"row": row, "name": name, "owner": owners.get(row.owner_id, "--"), "reasons": reasons_of(json.loads(body))}
        for row, name, body in zip(rows, names, bodies, strict=True)
    ]


def reasons_of(held: dict[str, Any]) -> list[str]:
    """Why, in words: one line per scale."""
    scales = all_scales()
    return [
        f"{scales[key].name if key in scales else key}：{'、'.join(label(code, 'validity') for code in codes)}"
        for key, codes in held["scales"].items()
    ]


@retests.route("/retests/<uuid:retest_id>", needs=Permission.RETEST_WORK, methods=["GET", "POST"])
def show(retest_id: UUID) -> ResponseReturnValue:
    form = EndRetestForm()
    row = access.find(Retest, retest_id, version=form.seen_version)
    if form.validate_on_submit():
        with form.explaining():
            retest.decline(access, row, **form.answers)
            flash("已记录，这一项重测不再催办。")
            return redirect(url_for(".show", retest_id=retest_id))
    form.version.data = str(row.version)
    reading = access.under(Permission.STUDENT_READ)
    reading.find(Student, row.student_id)
    held = access.open_json(row, Retest.body)
    return render_template(
        "screening/retest.html",
        row=row,
        form=form,
        student=record.card(reading, row.student_id),
        reasons=reasons_of(held),
        outcome=held.get("outcome", ""),
        round=access.session.scalar(select(ScreeningRound.name).where(ScreeningRound.id == row.round_id)),
        owner=names_of(access.session, [row.owner_id]).get(row.owner_id, "--"),
        timeline=record.timeline(access, row.student_id)[:8],
    )


@retests.route("/retests/<uuid:retest_id>/hand-over", needs=Permission.RETEST_WORK, methods=["GET", "POST"])
def hand_over(retest_id: UUID) -> ResponseReturnValue:
    form = HandOverRetestForm()
    row = access.find(Retest, retest_id, version=form.seen_version)
    held = [(role, staff_id) for role in CENTRE for staff_id in holders_of(access.session, role)]
    names = names_of(access.session, [staff_id for _, staff_id in held])
    form.to.choices = options(
        (f"{role.value}:{staff_id}", names[staff_id]) for role, staff_id in held if staff_id != row.owner_id
    )
    if form.validate_on_submit():
        with form.explaining():
            role, _, staff_id = form.to.data.partition(":")
            retest.hand_over(access, row, to=UUID(staff_id), role=Role(role))
            flash("已移交。")
            return redirect(url_for(".index"))
    form.version.data = str(row.version)
    return render_template("screening/hand_over_retest.html", form=form, row=row)
