"""首页, 我的待办, 联系与记一笔, 我的学生, 院系总览."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.cases import care_talk, casebook, overview, worklist
from app.cases.focus import focus_of_student
from app.cases.forms import HandOverForm, TalkForm, VersionForm
from app.cases.my_students import my_students
from app.identity import drafts
from app.risk import duty as duties
from app.screening.rounds import reminders
from app.security.access import PAGE
from app.security.holders import holders_of, names_of
from app.security.policy import Permission, Purpose
from app.students import record
from app.web.feature import Room, access, may
from app.web.forms import options
from app.web.navigation import first_page
from app.web.paging import page_of
from app.web.words import role_label
from models import moment
from models.identity import Role
from models.risk import Duty, DutyKind, DutyStage
from models.student import Student

cases = Room("cases", __name__, template_folder="templates")


@cases.route("/", needs=Permission.OWN_WORKPLACE, purpose=Purpose.OWN)
def home() -> ResponseReturnValue:
    """The first page of the active role."""
    endpoint = first_page()
    return redirect(url_for(endpoint)) if endpoint else render_template("cases/home.html")


@cases.route("/worklist", needs=Permission.DUTY_WORK)
def mine() -> ResponseReturnValue:
    tasks = casebook.my_tasks(access.under(Permission.TASK_WORK)) if may(Permission.TASK_WORK) else []
    interviews = (
        worklist.open_interviews(access.under(Permission.INTERVIEW_WORK), mine=True)
        if may(Permission.INTERVIEW_WORK)
        else 0
    )
    steps_in = access.actor.role is Role.ADVISOR
    reminds = access.actor.role in {Role.ADVISOR, Role.COLLEGE_LEAD}
    return render_template(
        "cases/worklist.html",
        reminding=reminders.waiting(access.under(Permission.ROUND_COVERAGE)) if reminds else [],
        duties=worklist.my_duties(access),
        tasks=tasks,
        interviews=interviews,
        passed_on=worklist.passed_on(access),
        colleagues=worklist.colleagues_duties(access) if steps_in else [],
    )


@cases.route("/duties/<uuid:duty_id>", needs=Permission.DUTY_WORK)
def show_duty(duty_id: UUID) -> ResponseReturnValue:
    duty = access.find(Duty, duty_id)
    return _duty_page(duty, _talk_form())


def _duty_page(duty: Duty, form: TalkForm) -> ResponseReturnValue:
    student = record.card(access, duty.student_id)
    points, words = focus_of_student(access, duty.student_id)
    version = VersionForm()
    version.version.data = form.version.data = str(duty.version)
    return render_template(
        "cases/duty.html",
        duty=duty,
        student=student,
        points=points,
        words=words,
        form=form,
        version=version,
        owner=names_of(access.session, [duty.owner_id]).get(duty.owner_id, "--"),
        mine=duty.owner_id == access.actor.id,
        may_assign=may(Permission.DUTY_ASSIGN),
        takes_talk=duty.kind is DutyKind.CONTACT and duty.stage is DutyStage.OPEN,
    )


@cases.route("/duties/<uuid:duty_id>/acknowledge", needs=Permission.DUTY_WORK, methods=["POST"])
def acknowledge(duty_id: UUID) -> ResponseReturnValue:
    duties.acknowledge(access, access.find(Duty, duty_id))
    flash("已签收。")
    return redirect(url_for(".show_duty", duty_id=duty_id))


@cases.route("/duties/<uuid:duty_id>/take", needs=Permission.DUTY_WORK, methods=["POST"])
def take(duty_id: UUID) -> ResponseReturnValue:
    duties.take(access, access.find(Duty, duty_id))
    flash("已由你跟进。")
    return redirect(url_for(".show_duty", duty_id=duty_id))


@cases.route("/duties/<uuid:duty_id>/talk", needs=Permission.DUTY_WORK, methods=["POST"])
def record_contact(duty_id: UUID) -> ResponseReturnValue:
    form = _talk_form()
    duty = access.find(Duty, duty_id)
    if form.validate_on_submit():
        with form.explaining():
            _record(access.session.get_one(Student, duty.student_id), form, duty_id=duty_id)
            drafts.drop(access, f"talk.{duty_id}")
            flash("已记录。")
            return redirect(url_for(".mine"))
    return _duty_page(access.find(Duty, duty_id), form)


@cases.route("/duties/<uuid:duty_id>/assign", needs=Permission.DUTY_ASSIGN, methods=["GET", "POST"])
def assign(duty_id: UUID) -> ResponseReturnValue:
    form = HandOverForm()
    duty = access.find(Duty, duty_id, version=form.seen_version)
    people = _assignable(duty)
    names = names_of(access.session, [staff_id for staff_id, _ in people])
    form.to.choices = options(
        (f"{role.value}:{staff_id}", f"{names[staff_id]}（{role_label(role)}）") for staff_id, role in people
    )
    if form.validate_on_submit():
        with form.explaining():
            role, _, staff_id = form.to.data.partition(":")
            duties.reassign(access, duty, to=UUID(staff_id), role=Role(role))
            flash("已移交。")
            return redirect(url_for(".lead_overview"))
    form.version.data = str(duty.version)
    return render_template("cases/assign.html", form=form, duty=duty)


def _assignable(duty: Duty) -> list[tuple[UUID, Role]]:
    roles = (
        (Role.ADVISOR, Role.COLLEGE_LEAD) if duty.kind is DutyKind.CONTACT else (Role.PSYCHOLOGIST, Role.CENTRE_HEAD)
    )
    return [
        (staff_id, role)
        for role in roles
        for staff_id in holders_of(
            access.session, role, college_id=duty.college_id if role is Role.COLLEGE_LEAD else None
        )
        if staff_id != duty.owner_id
    ]


# --- 记一笔 ------------------------------------------------------------------------------------


def _talk_form() -> TalkForm:
    form = TalkForm()
    if not form.is_submitted():
        form.held_at.data = moment.now().astimezone(moment.zone()).replace(tzinfo=None, second=0, microsecond=0)
        if request.args.get("urgent") == "1":
            form.urgency.data = care_talk.Urgency.URGENT
    return form


def _record(student: Student, form: TalkForm, *, duty_id: UUID | None = None) -> None:
    care_talk.record(
        access,
        student,
        way=form.way.data,
        held_at=form.held_at.data.replace(tzinfo=moment.zone()),
        reached=form.reached.data == "yes",
        noticed=form.noticed.data or [],
        text=form.text.data,
        urgency=form.urgency.data,
        duty_id=duty_id,
    )


@cases.route("/students/<uuid:student_id>/talk", needs=Permission.CARE_TALK, methods=["GET", "POST"])
def talk(student_id: UUID) -> ResponseReturnValue:
    form = _talk_form()
    student = access.find(Student, student_id)
    if form.validate_on_submit():
        with form.explaining():
            _record(student, form)
            drafts.drop(access, f"talk.{student_id}")
            flash("已记录。")
            return redirect(url_for("students.show", student_id=student_id))
    points, words = focus_of_student(access, student_id)
    reading = access.under(Permission.STUDENT_READ)
    reading.find(Student, student_id)
    return render_template(
        "cases/talk.html", form=form, student=record.card(reading, student_id), points=points, words=words
    )


# --- advisors and colleges ---------------------------------------------------------------------


@cases.route("/my-students", needs=Permission.STUDENT_SEARCH)
def my_classes() -> ResponseReturnValue:
    place = page_of(request.args.get("page"))
    chosen = request.args.get("class", "")
    classes = overview.classes_within(access)
    class_id = next((class_id for class_id, _ in classes if str(class_id) == chosen), None)
    rows = my_students(access, class_id=class_id, in_care=request.args.get("show") == "care", offset=place.offset)
    return render_template(
        "cases/my_students.html",
        rows=rows[:PAGE],
        place=place.with_rows(len(rows)),
        classes=classes,
        chosen=class_id,
        show=request.args.get("show", ""),
    )


@cases.route("/overview", needs=Permission.LEAD_OVERVIEW)
def lead_overview() -> ResponseReturnValue:
    place = page_of(request.args.get("page"))
    overdue = request.args.get("show") == "overdue"
    rows = overview.duties(access, overdue=overdue, offset=place.offset)
    return render_template(
        "cases/overview.html",
        rows=rows[:PAGE],
        place=place.with_rows(len(rows)),
        overdue=overdue,
        counts=overview.counts(access),
        may_assign=may(Permission.DUTY_ASSIGN),
    )
