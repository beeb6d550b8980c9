"""约谈名单: the list, one entry, taking it, handing it on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.risk import capacity
from app.risk import interview as interviews
from app.risk import interview_list as the_list
from app.risk.forms import OUTCOMES, HandOverForm, InterviewForm
from app.risk.hints import decisions, objection
from app.risk.interview_list import Shown
from app.risk.routes import risk
from app.security.access import PAGE
from app.security.holders import holders_of, names_of
from app.security.policy import CENTRE, Permission
from app.students import record
from app.web.feature import access
from app.web.forms import choices, options
from app.web.paging import page_of
from models.identity import Role
from models.interview import InterviewEntry
from models.risk import Level
from models.screening import ScreeningRound
from models.student import Student

__all__ = ["risk"]

NEXT_STEP = frozenset({Level.RED, Level.ORANGE})
"""Levels after a talk that ask for more than another talk."""


@risk.route("/interviews", needs=Permission.INTERVIEW_WORK)
def interview_list() -> ResponseReturnValue:
    place = page_of(request.args.get("page"))
    rounds = access.session.execute(
        select(ScreeningRound.id, ScreeningRound.name).order_by(ScreeningRound.opened_at.desc(), ScreeningRound.id)
    ).all()
    shown = Shown(
        round_id=_chosen([row.id for row in rounds]),
        mine=request.args.get("mine") == "1",
        ended=request.args.get("show") == "ended",
        by_due=request.args.get("order") == "due",
        offset=place.offset,
    )
    rows = the_list.lines(access, shown)
    return render_template(
        "risk/interviews.html",
        rows=rows[:PAGE],
        place=place.with_rows(len(rows)),
        rounds=rounds,
        shown=shown,
        **_reach(shown),
    )


def _chosen(rounds: list[UUID]) -> UUID | None:
    """The round asked for; when none was named, the newest with open talks: it is what the centre works at."""
    asked = request.args.get("round")
    if asked is not None:
        return next((round_id for round_id in rounds if str(round_id) == asked), None)
    waiting = select(InterviewEntry.round_id).where(InterviewEntry.ended_at.is_(None)).distinct()
    still = set(access.session.scalars(waiting))
    return next((round_id for round_id in rounds if round_id in still), None)


def _reach(shown: Shown) -> dict[str, Any]:
    still = access.count(InterviewEntry, InterviewEntry.ended_at.is_(None))
    if shown.round_id is None:
        weeks = capacity.weeks_for(access.session, still)
        return {"overview": None, "open_count": still, "weeks": weeks, "elsewhere": 0}
    found = the_list.overview(access, access.session.get_one(ScreeningRound, shown.round_id))
    people = found.reach.people
    return {"overview": found, "open_count": people, "weeks": found.reach.weeks, "elsewhere": still - people}


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
    outcome = access.open_json(entry, InterviewEntry.outcome)
    level = Level(outcome["level"]) if outcome and outcome.get("level") else None
    return render_template(
        "risk/interview.html",
        entry=entry,
        form=form,
        student=record.card(reading, entry.student_id),
        reasons=access.open_json(entry, InterviewEntry.body),
        hint=the_list.hints_about(access, [entry]).get(entry.student_id),
        objected=entry.student_id in objection.objected(access.session),
        outcome=outcome,
        level=level,
        goes_on=level in NEXT_STEP or bool(outcome and outcome["result"] == "A"),
        owner=names_of(access.session, [entry.owner_id]).get(entry.owner_id, "--"),
        mine=entry.owner_id == access.actor.id,
        may_reconsider=decisions.may_reconsider(entry),
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
    held = {role: holders_of(access.session, role) for role in CENTRE}
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
