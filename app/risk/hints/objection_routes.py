"""异议: written down on a student's file, reviewed by the centre."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.risk.hints import objection
from app.risk.hints.hint_forms import ObjectForm, ReviewForm
from app.risk.hints.objection import DECISIONS
from app.risk.scores import said
from app.security.access import PAGE
from app.security.holders import names_of
from app.security.policy import Permission
from app.students import record as file
from app.web.feature import Room, access
from app.web.forms import choices
from app.web.paging import page_of
from config import catalogue
from models.identity import ClassGroup, College
from models.risk_model import ModelObjection, ObjectionStage
from models.student import Student

objections = Room("objections", __name__, template_folder="../templates")


@objections.route("/students/<uuid:student_id>/objection", needs=Permission.OBJECTION_RECORD, methods=["GET", "POST"])
def record(student_id: UUID) -> ResponseReturnValue:
    """Write down what a student says against automated hints; the same page for every student."""
    form = ObjectForm()
    student = access.find(Student, student_id)
    if form.validate_on_submit():
        with form.explaining():
            objection.raise_for(access, student, **form.answers)
            flash("已登记，心理中心会在规定时间内人工复核并告知学生。")
            return redirect(url_for("students.show", student_id=student_id))
    reading = access.under(Permission.STUDENT_READ)
    reading.find(Student, student_id)
    days = catalogue.table("risk_model")["objection_days"]
    return render_template("risk/object.html", form=form, student=file.card(reading, student_id), days=days)


@objections.route("/objections", needs=Permission.OBJECTION_WORK)
def index() -> ResponseReturnValue:
    place, ended = page_of(request.args.get("page")), request.args.get("show") == "ended"
    rows = access.page(
        select(
            ModelObjection.id,
            ModelObjection.student_id,
            ModelObjection.stage,
            ModelObjection.owner_id,
            ModelObjection.due_at,
            ModelObjection.raised_at,
            Student.name,
            College.name.label("college"),
            ClassGroup.name.label("class_name"),
        )
        .join(Student, Student.id == ModelObjection.student_id)
        .join(College, College.id == Student.college_id)
        .join(ClassGroup, ClassGroup.id == Student.class_id)
        .where(ModelObjection.stage != ObjectionStage.OPEN if ended else ModelObjection.stage == ObjectionStage.OPEN),
        order=["-due_at" if ended else "due_at", "id"],
        limit=PAGE + 1,
        offset=place.offset,
    )
    return render_template(
        "risk/objections.html",
        rows=list(zip(rows, access.open_each(rows, Student.name), strict=True))[:PAGE],
        place=place.with_rows(len(rows)),
        ended=ended,
        owners=names_of(access.session, [row.owner_id for row in rows]),
    )


@objections.route("/objections/<uuid:objection_id>", needs=Permission.OBJECTION_WORK, methods=["GET", "POST"])
def show(objection_id: UUID) -> ResponseReturnValue:
    form = ReviewForm()
    row = access.find(ModelObjection, objection_id, version=form.seen_version)
    form.stage.choices = choices(stage for stage in DECISIONS if stage in row.__moves__[row.stage])
    if form.validate_on_submit():
        with form.explaining():
            objection.decide(access, row, **form.answers)
            flash("复核结果已登记。")
            return redirect(url_for(".show", objection_id=objection_id))
    return _page(row, form)


def _page(row: ModelObjection, form: ReviewForm) -> ResponseReturnValue:
    form.version.data = str(row.version)
    reading = access.under(Permission.STUDENT_READ)
    reading.find(Student, row.student_id)
    return render_template(
        "risk/objection.html",
        row=row,
        form=form,
        student=file.card(reading, row.student_id),
        text=access.open(row, ModelObjection.body),
        answer=access.open_json(row, ModelObjection.answer),
        hint=said.latest(access, [row.student_id]).get(row.student_id),
        names=names_of(access.session, [row.owner_id, row.raised_by, row.decided_by]),
        mine=row.owner_id == access.actor.id,
        is_open=row.stage is ObjectionStage.OPEN,
        may_change=bool(row.__moves__[row.stage]),
    )


@objections.route("/objections/<uuid:objection_id>/take", needs=Permission.OBJECTION_WORK, methods=["POST"])
def take(objection_id: UUID) -> ResponseReturnValue:
    objection.take(access, access.find(ModelObjection, objection_id))
    flash("已由你复核。")
    return redirect(url_for(".show", objection_id=objection_id))
