"""C-SSRS 访谈: the form for the person who asks, and what was written down."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.screening import structured
from app.screening.structured_forms import CssrsForm
from app.security.holders import names_of
from app.security.policy import Permission
from app.students import record
from app.web.feature import Room, access
from models import moment
from models.participation import StructuredInterview
from models.student import Student

structured_room = Room("structured", __name__, template_folder="templates")


@structured_room.route(
    "/students/<uuid:student_id>/cssrs", needs=Permission.STRUCTURED_INTERVIEW, methods=["GET", "POST"]
)
def hold(student_id: UUID) -> ResponseReturnValue:
    student = access.find(Student, student_id)
    return _form_page(student, None)


@structured_room.route(
    "/students/<uuid:student_id>/cssrs/<uuid:held_id>/amend",
    needs=Permission.STRUCTURED_INTERVIEW,
    methods=["GET", "POST"],
)
def amend(student_id: UUID, held_id: UUID) -> ResponseReturnValue:
    student = access.find(Student, student_id)
    return _form_page(student, structured.one_of(access, student_id, held_id))


def _form_page(student: Student, amends: StructuredInterview | None) -> ResponseReturnValue:
    form = CssrsForm()
    if not form.is_submitted():
        form.held_at.data = moment.now().astimezone(moment.zone()).replace(tzinfo=None)
    if form.validate_on_submit():
        with form.explaining():
            row = structured.hold(
                access,
                student,
                answers=form.given,
                held_at=_in_zone(form.held_at.data),
                text=form.text.data or "",
                amends=amends,
            )
            flash("访谈已记录。")
            return redirect(url_for(".show", student_id=student.id, held_id=row.id))
    reading = access.under(Permission.STUDENT_READ)
    reading.find(Student, student.id)
    return render_template(
        "screening/cssrs.html",
        form=form,
        guide=structured.guide(),
        student=record.card(reading, student.id),
        amends=amends,
    )


def _in_zone(local: datetime) -> datetime:
    return local.replace(tzinfo=moment.zone())


@structured_room.route("/students/<uuid:student_id>/cssrs/<uuid:held_id>", needs=Permission.STRUCTURED_INTERVIEW)
def show(student_id: UUID, held_id: UUID) -> ResponseReturnValue:
    student = access.find(Student, student_id)
    row = structured.one_of(access, student_id, held_id)
    reading = access.under(Permission.STUDENT_READ)
    reading.find(Student, student_id)
    return render_template(
        "screening/cssrs_held.html",
        row=row,
        held=access.open_json(row, StructuredInterview.body),
        guide=structured.guide(),
        student=record.card(reading, student.id),
        author=names_of(access.session, [row.author_id]).get(row.author_id, "--"),
    )
