"""约谈名单, 待核实的关键提示."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.risk import capacity, unplaced
from app.risk import interview as interviews
from app.risk.forms import OUTCOMES, DismissForm, HandOverForm, InterviewForm, PlaceForm
from app.security.access import PAGE
from app.security.holders import holders_of, names_of
from app.security.policy import Permission
from app.students import record
from app.web.feature import Room, access
from app.web.forms import VersionedForm, choices, options
from app.web.paging import page_of
from models.identity import ClassGroup, College, Role
from models.interview import InterviewEntry, InterviewStage
from models.screening import ScreeningRound, UnplacedAnswer
from models.student import Student

risk = Room("risk", __name__, template_folder="templates")


@risk.route("/interviews", needs=Permission.INTERVIEW_WORK)
def interview_list() -> ResponseReturnValue:
    place = page_of(request.args.get("page"))
    rounds = access.session.execute(
        select(ScreeningRound.id, ScreeningRound.name).order_by(ScreeningRound.opened_at.desc())
    ).all()
    chosen = next((row.id for row in rounds if str(row.id) == request.args.get("round")), None)
    mine, ended = request.args.get("mine") == "1", request.args.get("show") == "ended"
    rows = _entries(chosen, mine=mine, ended=ended, offset=place.offset)
    still = access.count(
        InterviewEntry, InterviewEntry.ended_at.is_(None), *([InterviewEntry.round_id == chosen] if chosen else [])
    )
    return render_template(
        "risk/interviews.html",
        rows=rows[:PAGE],
        place=place.with_rows(len(rows)),
        rounds=rounds,
        chosen=chosen,
        mine=mine,
        ended=ended,
        open_count=still,
        weeks=capacity.weeks_for(access.session, still),
    )


def _entries(round_id: UUID | None, *, mine: bool, ended: bool, offset: int) -> list[dict[str, Any]]:
    query = (
        select(
            InterviewEntry.id.label("interview_entry_id"),
            InterviewEntry.student_id,
            InterviewEntry.stage,
            InterviewEntry.owner_id,
            InterviewEntry.due_at,
            InterviewEntry.weight,
            InterviewEntry.body,
            Student.name,
            College.name.label("college"),
            ClassGroup.name.label("class_name"),
            ScreeningRound.name.label("round"),
        )
        .join(Student, Student.id == InterviewEntry.student_id)
        .join(College, College.id == InterviewEntry.college_id)
        .join(ClassGroup, ClassGroup.id == InterviewEntry.class_id)
        .join(ScreeningRound, ScreeningRound.id == InterviewEntry.round_id)
        .where(InterviewEntry.ended_at.is_not(None) if ended else InterviewEntry.ended_at.is_(None))
        .where(InterviewEntry.stage != InterviewStage.VOID)
    )
    if round_id is not None:
        query = query.where(InterviewEntry.round_id == round_id)
    if mine:
        query = query.where(InterviewEntry.owner_id == access.actor.id)
    rows = access.page(query, order=["due_at", "-weight", "interview_entry_id"], limit=PAGE + 1, offset=offset)
    names = access.open_each(rows, Student.name)
    bodies = access.open_each(rows, InterviewEntry.body)
    owners = names_of(access.session, [row.owner_id for row in rows])
    return [
        {
            "row": row,
            "name": name,
            "owner": owners.get(row.owner_id, "--"),
            "reasons": [reason["text"] for reason in json.loads(body)],
        }
        for row, name, body in zip(rows, names, bodies, strict=True)
    ]


@risk.route("/interviews/<uuid:entry_id>", needs=Permission.INTERVIEW_WORK, methods=["GET", "POST"])
def interview(entry_id: UUID) -> ResponseReturnValue:
    form = InterviewForm()
    entry = access.find(InterviewEntry, entry_id, version=form.seen_version)
    form.stage.choices = choices(stage for stage in OUTCOMES if stage in entry.__moves__[entry.stage])
    if form.validate_on_submit():
        with form.explaining():
            interviews.record(access, entry, **form.answers)
            flash("约谈情况已记录。")
            return redirect(url_for(".interview", entry_id=entry_id))
    return _interview_page(entry, form)


def _interview_page(entry: InterviewEntry, form: InterviewForm) -> ResponseReturnValue:
    reading = access.under(Permission.STUDENT_READ)
    reading.find(Student, entry.student_id)
    form.version.data = str(entry.version)
    return render_template(
        "risk/interview.html",
        entry=entry,
        form=form,
        student=record.card(reading, entry.student_id),
        reasons=access.open_json(entry, InterviewEntry.body),
        outcome=access.open_json(entry, InterviewEntry.outcome),
        owner=names_of(access.session, [entry.owner_id]).get(entry.owner_id, "--"),
        mine=entry.owner_id == access.actor.id,
        timeline=record.timeline(access, entry.student_id)[:8],
    )


@risk.route("/interviews/<uuid:entry_id>/take", needs=Permission.INTERVIEW_WORK, methods=["POST"])
def take_interview(entry_id: UUID) -> ResponseReturnValue:
    interviews.take(access, access.find(InterviewEntry, entry_id))
    flash("已由你约谈。")
    return redirect(url_for(".interview", entry_id=entry_id))


@risk.route("/interviews/<uuid:entry_id>/hand-over", needs=Permission.INTERVIEW_WORK, methods=["GET", "POST"])
def hand_over_interview(entry_id: UUID) -> ResponseReturnValue:
    form = HandOverForm()
    entry = access.find(InterviewEntry, entry_id, version=form.seen_version)
    held = {role: holders_of(access.session, role) for role in (Role.PSYCHOLOGIST, Role.CENTRE_HEAD)}
    names = names_of(access.session, [staff_id for people in held.values() for staff_id in people])
    form.to.choices = options(
        (f"{role.value}:{staff_id}", names[staff_id])
        for role, people in held.items()
        for staff_id in people
        if staff_id != entry.owner_id
    )
    if form.validate_on_submit():
        with form.explaining():
            role, _, staff_id = form.to.data.partition(":")
            interviews.hand_over(access, entry, to=UUID(staff_id), role=Role(role))
            flash("已移交。")
            return redirect(url_for(".interview_list"))
    form.version.data = str(entry.version)
    return render_template("risk/hand_over.html", form=form, entry=entry)


# --- critical answers without a student ------------------------------------------------------


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
