"""完成情况, 未参加登记, 普查提醒: who took part in a round, seen by those who answer for them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.screening.rounds import absence, coverage, reminders, round_sheet
from app.screening.rounds.closing import time_left
from app.screening.rounds.round import RUNNING
from app.screening.rounds.round_forms import AbsenceForm, EndAbsenceForm
from app.security.access import PAGE, NotFound
from app.security.policy import Permission
from app.web import workbook
from app.web.arguments import identifier
from app.web.feature import Room, access
from app.web.paging import page_of
from models.identity import ClassGroup, Role
from models.participation import AbsenceKind, RoundAbsence
from models.screening import RoundStage, ScreeningRound
from models.student import Student

participation = Room("participation", __name__, template_folder="../templates")


def _round(round_id: UUID) -> ScreeningRound:
    """A round that the reader may know of: an advisor those that run, everybody else whatever is no draft."""
    row = access.session.get(ScreeningRound, round_id)
    hidden = row is None or row.stage is RoundStage.DRAFT
    if row is None or hidden or (access.actor.role is Role.ADVISOR and row.stage not in RUNNING):
        raise NotFound(ScreeningRound.__name__)
    access.about(row.id)
    return row


# --- coverage ------------------------------------------------------------------------------


@participation.route("/rounds/<uuid:round_id>/coverage", needs=Permission.ROUND_COVERAGE)
def show_coverage(round_id: UUID) -> ResponseReturnValue:
    row = _round(round_id)
    classes = coverage.by_class(access, row)
    colleges = coverage.by_college(classes)
    chosen = _college(request.args.get("college"), colleges)
    shown = [line for line in classes if line.college_id == chosen] if chosen else colleges
    place = page_of(request.args.get("page"))
    some = shown[place.offset : place.offset + PAGE + 1]
    return render_template(
        "screening/coverage.html",
        row=row,
        colleges=colleges,
        chosen=chosen,
        lines=some[:PAGE],
        place=place.with_rows(len(some)),
        total=coverage.total(shown),
        outside=coverage.outside(access, row),
        left=time_left(row),
    )


def _college(argument: str | None, colleges: list[coverage.Line]) -> UUID | None:
    """Which college's classes are shown; somebody with one college sees its classes at once."""
    if len(colleges) == 1:
        return colleges[0].college_id
    wanted = identifier(argument)
    return next((line.college_id for line in colleges if line.college_id == wanted), None)


@participation.route("/rounds/<uuid:round_id>/coverage.xlsx", needs=Permission.ROUND_COVERAGE)
def coverage_file(round_id: UUID) -> Response:
    row = _round(round_id)
    classes = coverage.by_class(access, row)
    raw = round_sheet.coverage(
        row,
        access.actor.name,
        colleges=coverage.by_college(classes),
        classes=classes,
        total=coverage.total(classes),
    )
    return workbook.download(raw, f"{row.name}-完成情况")


# --- absences --------------------------------------------------------------------------------


@participation.route("/rounds/<uuid:round_id>/absences", needs=Permission.ROUND_COVERAGE, methods=["GET", "POST"])
def absences(round_id: UUID) -> ResponseReturnValue:
    row, form = _round(round_id), AbsenceForm()
    answers: list[absence.Answer] = []
    if form.validate_on_submit():
        with form.explaining():
            answers = absence.record_pasted(access, row, form.numbers.data, kind=form.kind.data)
            form.numbers.data = ""
    place = page_of(request.args.get("page"))
    rows = absence.listed(access, round_id, offset=place.offset)
    return render_template(
        "screening/absences.html",
        row=row,
        form=form,
        ending=EndAbsenceForm(formdata=None),
        answers=answers,
        rows=rows[:PAGE],
        place=place.with_rows(len(rows)),
        running=row.stage in RUNNING,
    )


@participation.route(
    "/rounds/<uuid:round_id>/absences/of/<uuid:student_id>", needs=Permission.ROUND_COVERAGE, methods=["POST"]
)
def record_absence(round_id: UUID, student_id: UUID) -> ResponseReturnValue:
    """From the list of those who are missing."""
    row, student = _round(round_id), access.find(Student, student_id)
    kind = next((found for found in AbsenceKind if found.value == request.form.get("kind")), AbsenceKind.AWAY)
    absence.record(access, row, student, kind=kind)
    flash("已登记。")
    return redirect(url_for(".missing_names", round_id=round_id, class_id=student.class_id))


@participation.route("/absences/<uuid:absence_id>/end", needs=Permission.ROUND_COVERAGE, methods=["POST"])
def end_absence(absence_id: UUID) -> ResponseReturnValue:
    held = access.session.get(RoundAbsence, absence_id)
    if held is None:
        raise NotFound(RoundAbsence.__name__)
    access.find(Student, held.student_id)
    _round(held.round_id)
    form = EndAbsenceForm()
    if form.validate_on_submit():
        absence.end(access, held, because=form.because.data)
        flash("已撤销，这名学生重新列入应测。")
    return redirect(url_for(".absences", round_id=held.round_id))


# --- reminders ---------------------------------------------------------------------------------


@participation.route("/reminders", needs=Permission.ROUND_COVERAGE)
def reminders_page() -> ResponseReturnValue:
    held: list[dict[str, Any]] = [
        {"row": row, "left": time_left(row), "classes": reminders.classes(access, row)}
        for row in reminders.running(access)
    ]
    return render_template("screening/reminders.html", rounds=held)


@participation.route("/reminders/<uuid:round_id>/<uuid:class_id>", needs=Permission.ROUND_COVERAGE)
def missing_names(round_id: UUID, class_id: UUID) -> ResponseReturnValue:
    row = _round(round_id)
    if row.stage not in RUNNING:
        raise NotFound(ScreeningRound.__name__)
    if not access.count(Student, Student.class_id == class_id, most=1):
        raise NotFound(ClassGroup.__name__)
    people = reminders.names(access, row, class_id, with_phones=access.actor.role is Role.ADVISOR)
    group = access.session.get_one(ClassGroup, class_id)
    return render_template(
        "screening/missing.html",
        row=row,
        group=group,
        people=people,
        left=time_left(row),
        text=reminders.message(row, group.name, people),
        calls=access.actor.role is Role.ADVISOR,
    )
