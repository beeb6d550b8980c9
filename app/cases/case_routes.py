"""个案: the list, one case, and everything done to it."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from wtforms.fields.choices import SelectChoice

from app.cases import care, casebook, closure, opening
from app.cases.forms import (
    AdviceForm,
    AmendForm,
    ClosureForm,
    EndTaskForm,
    HandOverForm,
    LevelForm,
    NoteForm,
    OpenCaseForm,
    ReopenForm,
    StageForm,
    TaskForm,
)
from app.identity import drafts
from app.security.access import PAGE
from app.security.holders import holders_of, names_of
from app.security.policy import Permission
from app.students import record
from app.web.feature import Room, access, may
from app.web.forms import VersionedForm, choices, options
from app.web.paging import page_of
from models.case import CareAdvice, Case, CaseNote, CaseStage, NoteKind, Task
from models.identity import Role
from models.risk import Alert, Level
from models.student import Student

casework = Room("casework", __name__, template_folder="templates")


@casework.route("/cases", needs=Permission.CASE_READ)
def index() -> ResponseReturnValue:
    place = page_of(request.args.get("page"))
    stage = request.args.get("stage", "")
    rows = casebook.cases(
        access,
        stage=stage if stage in set(CaseStage) else "",
        mine=request.args.get("mine") == "1",
        offset=place.offset,
    )
    return render_template(
        "cases/cases.html",
        rows=rows[:PAGE],
        place=place.with_rows(len(rows)),
        stage=stage,
        stages=list(CaseStage),
        mine=request.args.get("mine") == "1",
    )


@casework.route("/cases/<uuid:case_id>", needs=Permission.CASE_READ)
def show(case_id: UUID) -> ResponseReturnValue:
    case = access.find(Case, case_id)
    reading = access.under(Permission.STUDENT_READ)
    reading.find(Student, case.student_id)
    notes, place = [], page_of(request.args.get("page"))
    keeps = case.keeper_id == access.actor.id
    if keeps:
        working = access.under(Permission.CASE_WORK)
        notes = casebook.notes_of(working, working.find(Case, case_id), offset=place.offset)
    advice = access.session.execute(
        select(
            CareAdvice.id.label("care_advice_id"), CareAdvice.student_id, CareAdvice.body, CareAdvice.given_at
        ).where(CareAdvice.student_id == case.student_id, CareAdvice.superseded_at.is_(None))
    ).first()
    stage_form = StageForm(formdata=None)
    stage_form.stage.choices = _next_stages(case)
    stage_form.version.data = str(case.version)
    return render_template(
        "cases/case.html",
        case=case,
        student=record.card(reading, case.student_id),
        notes=notes[:PAGE],
        place=place.with_rows(len(notes)),
        keeps=keeps,
        summary=access.open(case, Case.summary),
        advice=access.open_json(advice, CareAdvice.body) if advice else None,
        advice_row=advice,
        tasks=casebook.tasks_of(access, case),
        keeper=names_of(access.session, [case.keeper_id])[case.keeper_id],
        stage_form=stage_form,
        may_assign=may(Permission.CASE_ASSIGN),
    )


def _next_stages(case: Case) -> list[SelectChoice]:
    within = {CaseStage.ACTIVE, CaseStage.MONITORING}
    if not case.in_care:
        return []
    return choices(stage for stage in CaseStage if stage in within & case.__moves__[case.stage])


@casework.route("/students/<uuid:student_id>/case", needs=Permission.CASE_OPEN, methods=["GET", "POST"])
def open_case(student_id: UUID) -> ResponseReturnValue:
    form = OpenCaseForm()
    student = access.find(Student, student_id)
    level = access.session.scalar(select(Alert.level).where(Alert.student_id == student_id, Alert.ended_at.is_(None)))
    if not form.is_submitted():
        form.level.data = level or Level.YELLOW
    if form.validate_on_submit():
        with form.explaining():
            case = opening.open_case(access, student, **form.answers)
            drafts.drop(access, f"open-case.{student_id}")
            flash(f"已建立个案 {case.number}。")
            return redirect(url_for(".show", case_id=case.id))
    reading = access.under(Permission.STUDENT_READ)
    reading.find(Student, student_id)
    return render_template(
        "cases/open_case.html", form=form, student=record.card(reading, student_id), alert_level=level
    )


# --- work on a case: each is find, form, act, back to the case ------------------------------------


def _found(case_id: UUID, form: VersionedForm) -> Case:
    return access.find(Case, case_id, version=form.seen_version)


def _form_page(template: str, case: Case, form: VersionedForm, **more: object) -> ResponseReturnValue:
    form.version.data = str(case.version)
    reading = access.under(Permission.STUDENT_READ)
    reading.find(Student, case.student_id)
    return render_template(
        f"cases/{template}.html", case=case, form=form, student=record.card(reading, case.student_id), **more
    )


@casework.route("/cases/<uuid:case_id>/notes", needs=Permission.CASE_WORK, methods=["GET", "POST"])
def write_note(case_id: UUID) -> ResponseReturnValue:
    form = NoteForm()
    case = _found(case_id, form)
    if form.validate_on_submit():
        with form.explaining():
            care.write_note(access, case, **form.answers)
            drafts.drop(access, f"note.{case_id}")
            flash("记录已保存。")
            return redirect(url_for(".show", case_id=case_id))
    return _form_page("note", case, form)


@casework.route("/cases/<uuid:case_id>/notes/<uuid:note_id>/amend", needs=Permission.CASE_WORK, methods=["GET", "POST"])
def amend_note(case_id: UUID, note_id: UUID) -> ResponseReturnValue:
    form = AmendForm()
    case = _found(case_id, form)
    if form.validate_on_submit():
        with form.explaining():
            care.write_note(access, case, kind=NoteKind.AMENDMENT, text=form.text.data, next_on=None, amends=note_id)
            flash("更正已保存，原记录保留。")
            return redirect(url_for(".show", case_id=case_id))
    note = access.session.get(CaseNote, note_id)
    original = access.open(note, CaseNote.body) if note is not None and note.case_id == case.id else ""
    return _form_page("amend", case, form, original=original)


@casework.route("/cases/<uuid:case_id>/advice", needs=Permission.CASE_WORK, methods=["GET", "POST"])
def give_advice(case_id: UUID) -> ResponseReturnValue:
    form = AdviceForm()
    case = _found(case_id, form)
    if form.validate_on_submit():
        with form.explaining():
            care.give_advice(access, case, focus=form.focus.data, text=form.text.data)
            drafts.drop(access, f"advice.{case_id}")
            flash("已发给辅导员。")
            return redirect(url_for(".show", case_id=case_id))
    return _form_page("advice", case, form)


@casework.route("/cases/<uuid:case_id>/stage", needs=Permission.CASE_WORK, methods=["POST"])
def move(case_id: UUID) -> ResponseReturnValue:
    form = StageForm()
    case = _found(case_id, form)
    form.stage.choices = _next_stages(case)
    if form.validate_on_submit():
        care.move(access, case, stage=CaseStage(form.stage.data))
        flash("阶段已更新。")
    return redirect(url_for(".show", case_id=case_id))


@casework.route("/cases/<uuid:case_id>/level", needs=Permission.CASE_WORK, methods=["GET", "POST"])
def change_level(case_id: UUID) -> ResponseReturnValue:
    form = LevelForm()
    case = _found(case_id, form)
    if form.validate_on_submit():
        with form.explaining():
            lower = form.level.data.severity < case.level.severity
            care.change_level(access, case, **form.answers)
            flash("申请已提交，等第二位老师签字后生效。" if lower else "等级已调高。")
            return redirect(url_for(".show", case_id=case_id))
    return _form_page("level", case, form)


@casework.route("/cases/<uuid:case_id>/tasks", needs=Permission.CASE_WORK, methods=["GET", "POST"])
def add_task(case_id: UUID) -> ResponseReturnValue:
    form = TaskForm()
    case = _found(case_id, form)
    if form.validate_on_submit():
        with form.explaining():
            care.add_task(access, case, **form.answers)
            flash("任务已添加。")
            return redirect(url_for(".show", case_id=case_id))
    return _form_page("task", case, form)


@casework.route("/tasks/<uuid:task_id>", needs=Permission.TASK_WORK, methods=["GET", "POST"])
def end_task(task_id: UUID) -> ResponseReturnValue:
    form = EndTaskForm()
    task = access.find(Task, task_id, version=form.seen_version)
    if form.validate_on_submit():
        with form.explaining():
            care.end_task(access, task, done=form.done.data == "yes", text=form.text.data)
            flash("任务已办结。")
            return redirect(url_for("cases.mine"))
    form.version.data = str(task.version)
    reading = access.under(Permission.STUDENT_READ)
    reading.find(Student, task.student_id)
    return render_template(
        "cases/end_task.html",
        form=form,
        task=task,
        text=access.open(task, Task.body),
        student=record.card(reading, task.student_id),
    )


@casework.route("/cases/<uuid:case_id>/close", needs=Permission.CASE_WORK, methods=["GET", "POST"])
def close(case_id: UUID) -> ResponseReturnValue:
    form = ClosureForm()
    case = _found(case_id, form)
    if form.validate_on_submit():
        with form.explaining():
            closure.request(access, case, **form.answers)
            drafts.drop(access, f"close.{case_id}")
            flash("结案申请已提交，等第二位老师签字。")
            return redirect(url_for(".show", case_id=case_id))
    return _form_page("close", case, form, reasons=closure.still_open(access, case))


@casework.route("/cases/<uuid:case_id>/reopen", needs=Permission.CASE_WORK, methods=["GET", "POST"])
def reopen(case_id: UUID) -> ResponseReturnValue:
    form = ReopenForm()
    case = _found(case_id, form)
    if form.validate_on_submit():
        with form.explaining():
            care.reopen(access, case, text=form.text.data)
            flash("个案已重新开启。")
            return redirect(url_for(".show", case_id=case_id))
    return _form_page("reopen", case, form)


@casework.route("/cases/<uuid:case_id>/hand-over", needs=Permission.CASE_ASSIGN, methods=["GET", "POST"])
def hand_over(case_id: UUID) -> ResponseReturnValue:
    form = HandOverForm()
    case = _found(case_id, form)
    people = [*holders_of(access.session, Role.PSYCHOLOGIST), *holders_of(access.session, Role.CENTRE_HEAD)]
    names = names_of(access.session, people)
    form.to.choices = options(
        (str(staff_id), names[staff_id]) for staff_id in dict.fromkeys(people) if staff_id != case.keeper_id
    )
    if form.validate_on_submit():
        with form.explaining():
            care.hand_over(access, case, to=UUID(form.to.data))
            flash("已移交。")
            return redirect(url_for(".show", case_id=case_id))
    return _form_page("hand_over", case, form)


@casework.route("/cases/<uuid:case_id>/signing", needs=Permission.CASE_SIGN)
def signing(case_id: UUID) -> ResponseReturnValue:
    """What the second person reads before signing: the summary, not the sessions."""
    case = access.find(Case, case_id)
    return render_template("cases/signing.html", case=case, summary=access.open(case, Case.summary))
