"""待核实的关键提示: whose critical answers they were."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.risk import unplaced
from app.risk.forms import DismissForm, PlaceForm
from app.security.access import PAGE
from app.security.holders import names_of
from app.security.policy import Permission
from app.students import record
from app.web.feature import Room, access
from app.web.forms import VersionedForm
from app.web.paging import page_of
from models.screening import ScreeningRound, UnplacedAnswer

risk = Room("risk", __name__, template_folder="templates")


@risk.route("/unplaced", needs=Permission.UNPLACED_WORK)
def unplaced_list() -> ResponseReturnValue:
    place = page_of(request.args.get("page"))
    ended = request.args.get("show") == "ended"
    rows = access.page(
        select(
            UnplacedAnswer.id,
            UnplacedAnswer.row_number,
            UnplacedAnswer.stage,
            UnplacedAnswer.due_at,
            UnplacedAnswer.raised_at,
            UnplacedAnswer.owner_id,
            ScreeningRound.name.label("round"),
        )
        .join(ScreeningRound, ScreeningRound.id == UnplacedAnswer.round_id)
        .where(UnplacedAnswer.ended_at.is_not(None) if ended else UnplacedAnswer.ended_at.is_(None)),
        order=["due_at", "id"],
        limit=PAGE + 1,
        offset=place.offset,
    )
    return render_template(
        "risk/unplaced.html",
        rows=rows[:PAGE],
        place=place.with_rows(len(rows)),
        ended=ended,
        names=names_of(access.session, [row.owner_id for row in rows]),
    )


@risk.route("/unplaced/<uuid:answer_id>", needs=Permission.UNPLACED_WORK, methods=["GET", "POST"])
def place(answer_id: UUID) -> ResponseReturnValue:
    """Say whose it is: first the number or one of the candidates, then a look at who that is, then the confirmation."""
    form = PlaceForm()
    row = access.find(UnplacedAnswer, answer_id, version=form.seen_version)
    found = None
    if form.validate_on_submit():
        with form.explaining():
            picked = request.form.get("chosen")
            student_id = (
                unplaced.chosen(unplaced.likely(access, row), picked)
                if picked
                else unplaced.candidate(access, form.number.data or "")
            )
            if request.form.get("confirmed") == str(student_id):
                unplaced.place(access, row, student_id=student_id)
                flash("已对应到学生，预警已发出。")
                return redirect(url_for(".unplaced_list"))
            found = record.card(access, student_id)
    return _unplaced_page(row, form, DismissForm(formdata=None), found)


@risk.route("/unplaced/<uuid:answer_id>/dismiss", needs=Permission.UNPLACED_WORK, methods=["POST"])
def dismiss(answer_id: UUID) -> ResponseReturnValue:
    form = DismissForm()
    row = access.find(UnplacedAnswer, answer_id, version=form.seen_version)
    if form.validate_on_submit():
        with form.explaining():
            unplaced.dismiss(access, row, basis=form.basis.data)
            flash("已注明，不再提醒。")
            return redirect(url_for(".unplaced_list"))
    return _unplaced_page(row, PlaceForm(formdata=None), form, None)


def _unplaced_page(
    row: UnplacedAnswer, form: VersionedForm, dismissing: VersionedForm, found: record.Card | None
) -> ResponseReturnValue:
    form.version.data = dismissing.version.data = str(row.version)
    return render_template(
        "risk/unplaced_one.html",
        row=row,
        held=access.open_json(row, UnplacedAnswer.body),
        form=form,
        dismissing=dismissing,
        found=found,
        candidates=() if row.has_ended else unplaced.likely(access, row),
        chosen=request.form.get("chosen", ""),
    )
