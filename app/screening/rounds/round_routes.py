"""普查批次: the list of rounds, one round with how far it is, what it asks, its stages, its report."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from app.intake import desk
from app.screening.rounds import closing, cohort, consent, coverage, round, round_quality, round_report, round_sheet
from app.screening.rounds.round_forms import MoveRoundForm, RoundForm, RoundOwnerForm
from app.screening.scales.scale import all_scales
from app.screening.tables.stated import STATEMENT
from app.security.access import PAGE, Access
from app.security.holders import holders_of, names_of
from app.security.policy import CENTRE, Permission
from app.students import tags
from app.web import workbook
from app.web.arguments import identifier
from app.web.feature import Room, access
from app.web.forms import choices, options
from app.web.paging import page_of
from models import moment
from models.identity import ClassGroup, College
from models.intake import BatchKind
from models.interview import InterviewEntry
from models.participation import ConsentText
from models.refusal import Refusal
from models.screening import ResponseSet, RoundStage, ScreeningRound
from models.source import ScreeningSource

INTERVIEW = "interview"
"""Kind of scales that one person asks another, never a round its students."""
screening = Room("screening", __name__, template_folder="../templates")


def counting() -> Access:
    """The centre's own view of coverage: everybody."""
    return access.under(Permission.ROUND_COVERAGE)


@screening.route("/rounds", needs=Permission.ROUND_MANAGE)
def rounds() -> ResponseReturnValue:
    place = page_of(request.args.get("page"))
    query = select(ScreeningRound.id, ScreeningRound.opened_at)
    found = access.page(query, order=["-opened_at", "id"], limit=PAGE + 1, offset=place.offset)
    wanted = select(ScreeningRound).where(ScreeningRound.id.in_([row.id for row in found[:PAGE]]))
    rows = access.session.scalars(wanted.order_by(ScreeningRound.opened_at.desc(), ScreeningRound.id)).all()
    reader = counting()
    lines = {row.id: coverage.progress(reader, row) for row in rows if row.stage is not RoundStage.REPORTED}
    return render_template(
        "screening/rounds.html",
        rows=rows,
        lines=lines,
        left={row.id: closing.time_left(row) for row in rows},
        steps={row.id: closing.next_step(row, lines[row.id]) if row.id in lines else "已完成" for row in rows},
        place=place.with_rows(len(found)),
        names=names_of(access.session, [row.owner_id for row in rows]),
    )


# --- what a round asks ---------------------------------------------------------------------


@screening.route("/rounds/new", needs=Permission.ROUND_MANAGE, methods=["GET", "POST"])
def new_round() -> ResponseReturnValue:
    form = _offered(RoundForm())
    if not form.is_submitted():
        form.opens_on.data = moment.today()
        form.interviews_due.data = round.default_deadline().date()
    if form.validate_on_submit():
        with form.explaining():
            row = round.plan(access, name=form.name.data, **_asked(form))
            if request.form.get("save") != "draft":
                round.move(access, row, stage=RoundStage.OPEN)
            return redirect(url_for(".show_round", round_id=row.id))
    return _round_form(form, None)


@screening.route("/rounds/<uuid:round_id>/edit", needs=Permission.ROUND_MANAGE, methods=["GET", "POST"])
def edit_round(round_id: UUID) -> ResponseReturnValue:
    form = RoundForm()
    row = access.find(ScreeningRound, round_id, version=form.seen_version)
    _offered(form)
    if not form.is_submitted():
        _fill(form, row)
    if form.validate_on_submit():
        with form.explaining():
            round.change(access, row, name=form.name.data, **_asked(form, row))
            flash("批次内容已更新。")
            return redirect(url_for(".show_round", round_id=round_id))
    return _round_form(form, row)


def _round_form(form: RoundForm, row: ScreeningRound | None) -> ResponseReturnValue:
    classes: dict[str, list[Any]] = {}
    for held in _classes():
        classes.setdefault(held.college, []).append(held)
    return render_template("screening/round_form.html", form=form, row=row, classes=classes)


def _asked(form: RoundForm, row: ScreeningRound | None = None) -> dict[str, Any]:
    """The form as the acts take it; a day that a standing round already has may have passed."""
    due = round.end_of(form.interviews_due.data)
    if due < moment.now() and (row is None or due != row.interviews_due_at):
        raise Refusal("约谈截止日期不能早于今天。", field="interviews_due")
    chosen = form.consent.data
    consent_id = consent.standard(access).id if chosen == consent.STANDARD else identifier(chosen)
    return {"interviews_due": due, "terms": form.terms(consent_id)}


def _classes() -> list[Any]:
    query = select(ClassGroup.id, ClassGroup.name, College.name.label("college"))
    query = query.join(College, College.id == ClassGroup.college_id)
    return list(access.session.execute(query.order_by(College.name, ClassGroup.name, ClassGroup.id)))


def _offered(form: RoundForm) -> RoundForm:
    """Give the form what there is to choose from."""
    session = access.session
    colleges = session.execute(select(College.id, College.name).order_by(College.name, College.id))
    asked = [scale for key, scale in all_scales().items() if scale.kind != INTERVIEW and key != STATEMENT]
    form.scales.choices = options((scale.key, scale.title) for scale in asked)
    form.colleges.choices = options((str(row.id), row.name) for row in colleges)
    form.classes.choices = options((str(row.id), row.name) for row in _classes())
    form.grades.choices = options((grade, grade) for grade in cohort.grades(session))
    form.tags.choices = options(tags.all_tags().items())
    texts = consent.texts(session)
    shipped = [] if consent.shipped()[0] in {text.name for text in texts} else [(consent.STANDARD, "标准知情同意书")]
    held = [(str(text.id), consent.title(text)) for text in texts]
    form.consent.choices = options([*shipped, *held, ("", "不附（线下另行征得同意）")])
    if form.consent.data == consent.STANDARD and not shipped:
        name = consent.shipped()[0]
        form.consent.data = next(str(text.id) for text in texts if text.name == name)
    return form


def _fill(form: RoundForm, row: ScreeningRound) -> None:
    held = cohort.read(row.cohort)
    form.name.data, form.scales.data = row.name, round.scales_of(row)
    form.colleges.data, form.classes.data = [str(item) for item in held.colleges], [str(item) for item in held.classes]
    form.grades.data, form.tags.data = list(held.grades), list(held.tags)
    form.opens_on.data, form.closes_on.data = row.opens_on, row.closes_on
    form.make_up_closes_on.data = row.make_up_closes_on
    form.interviews_due.data = row.interviews_due_at.astimezone(moment.zone()).date()
    form.repeat_rule.data, form.commits_clean_files.data = row.repeat_rule.value, row.commits_clean_files
    form.version.data = str(row.version)
    form.consent.data = str(row.consent_id or "")
    if row.consent_id and form.consent.data not in {choice[0] for choice in form.consent.iter_choices()}:
        asked = access.session.get_one(ConsentText, row.consent_id)
        form.consent.choices = [*options([(str(asked.id), consent.title(asked))]), *(form.consent.choices or [])]


# --- one round -------------------------------------------------------------------------------


@screening.route("/rounds/<uuid:round_id>", needs=Permission.ROUND_MANAGE, methods=["GET", "POST"])
def show_round(round_id: UUID) -> ResponseReturnValue:
    """The round, and (POST) its next stage."""
    form = MoveRoundForm()
    row = access.find(ScreeningRound, round_id, version=form.seen_version)
    form.stage.choices = choices(stage for stage in RoundStage if stage in row.__moves__[row.stage])
    if form.validate_on_submit():
        with form.explaining():
            stage = RoundStage(form.stage.data)
            round.move(access, row, stage=stage, make_up_closes_on=form.make_up_closes_on.data)
            flash("批次状态已更新。")
            return redirect(url_for(".show_round", round_id=round_id))
    wanted = next((stage for stage in row.__moves__[row.stage] if stage.value == form.stage.data), None)
    if form.errors and wanted is not None:
        return _stage_page(row, form, wanted)
    importing = access.under(Permission.SCREENING_IMPORT)
    files = round_quality.files(importing, round_id)
    line = coverage.progress(counting(), row)
    return render_template(
        "screening/round.html",
        row=row,
        form=form,
        line=line,
        outside=coverage.outside(counting(), row),
        counts=_counts(round_id),
        step=closing.next_step(row, line),
        left=closing.time_left(row),
        owner=names_of(access.session, [row.owner_id]).get(row.owner_id, "--"),
        batches=desk.recent(importing, BatchKind.SCREENING, round_id=round_id)[:PAGE],
        files=files,
        lacks_critical=round_quality.lacks_critical_items(files),
        **_facts(row),
    )


def _facts(row: ScreeningRound) -> dict[str, Any]:
    """What a round asks, in words."""
    return {
        "cohort": cohort.in_words(access.session, cohort.read(row.cohort)),
        "asked_scales": [all_scales()[key].name for key in round.scales_of(row)],
        "consent": access.session.get(ConsentText, row.consent_id) if row.consent_id else None,
        "sources": access.session.scalars(
            select(ScreeningSource)
            .where(ScreeningSource.round_id == row.id, ScreeningSource.retired_at.is_(None))
            .order_by(ScreeningSource.name)
        ).all(),
        "scales": all_scales(),
    }


def _counts(round_id: UUID) -> dict[str, Any]:
    """Sheets by scale, and the interview list."""
    live = (ResponseSet.round_id == round_id, ResponseSet.voided_at.is_(None))
    scales = select(ResponseSet.scale, func.count()).where(*live).group_by(ResponseSet.scale)
    listed = dict(round_report.interviews_by_stage(access, round_id))
    return {
        "scales": {scale: count for scale, count in access.session.execute(scales.order_by(ResponseSet.scale))},
        "interviews_total": sum(listed.values()),
        "interviews_done": sum(count for stage, count in listed.items() if not InterviewEntry.__moves__[stage]),
    }


@screening.route("/rounds/<uuid:round_id>/next/<stage>", needs=Permission.ROUND_MANAGE)
def next_stage(round_id: UUID, stage: str) -> ResponseReturnValue:
    """What is still open, before the button."""
    row = access.find(ScreeningRound, round_id)
    wanted = next((found for found in row.__moves__[row.stage] if found.value == stage), None)
    if wanted is None:
        return redirect(url_for(".show_round", round_id=round_id))
    form = MoveRoundForm()
    form.version.data, form.make_up_closes_on.data = str(row.version), row.make_up_closes_on
    return _stage_page(row, form, wanted)


def _stage_page(row: ScreeningRound, form: MoveRoundForm, wanted: RoundStage) -> ResponseReturnValue:
    items = closing.still_open(access, row, coverage.progress(counting(), row))
    return render_template(
        "screening/next_stage.html",
        row=row,
        form=form,
        wanted=wanted,
        items=items if wanted in {RoundStage.CLOSED, RoundStage.REPORTED} else [],
        asked=cohort.size(access.session, cohort.read(row.cohort)),
        **_facts(row),
    )


@screening.route("/rounds/<uuid:round_id>/hand-over", needs=Permission.ROUND_MANAGE, methods=["GET", "POST"])
def hand_over_round(round_id: UUID) -> ResponseReturnValue:
    form = RoundOwnerForm()
    row = access.find(ScreeningRound, round_id, version=form.seen_version)
    people = dict.fromkeys(person for role in CENTRE for person in holders_of(access.session, role))
    names = names_of(access.session, [row.owner_id, *people])
    form.to.choices = options((str(person), names[person]) for person in people if person != row.owner_id)
    if form.validate_on_submit():
        with form.explaining():
            round.hand_over(access, row, to=UUID(form.to.data))
            flash("批次已移交。")
            return redirect(url_for(".show_round", round_id=round_id))
    form.version.data = str(row.version)
    return render_template("screening/hand_over_round.html", row=row, form=form, owner=names.get(row.owner_id, "--"))


# --- its report --------------------------------------------------------------------------------


@screening.route("/rounds/<uuid:round_id>/report", needs=Permission.ROUND_MANAGE)
def report(round_id: UUID) -> ResponseReturnValue:
    row = access.find(ScreeningRound, round_id)
    return render_template("screening/report.html", row=row, **_facts(row), **_figures(row))


@screening.route("/rounds/<uuid:round_id>/report.xlsx", needs=Permission.ROUND_MANAGE)
def report_file(round_id: UUID) -> Response:
    row = access.find(ScreeningRound, round_id)
    return workbook.download(round_sheet.report(row, access.actor.name, **_figures(row)), f"{row.name}-普查报告")


def _figures(row: ScreeningRound) -> dict[str, Any]:
    reading, reader = access.under(Permission.SCREENING_READ), counting()
    lines = coverage.by_class(reader, row)
    figures = round_report.scale_figures(reading, row.id)
    return {
        "total": coverage.total(lines),
        "colleges": coverage.by_college(lines),
        "outside": coverage.outside(reader, row),
        "absences": round_report.absences_by_kind(access, row.id),
        "figures": figures,
        "waves": round_report.waves(reading, row, [found.key for found in figures]),
        "alerts": round_report.alerts_by_level(access, row.id),
        "interviews": round_report.interviews_by_stage(access, row.id),
        "retests": round_report.retests(access, row.id),
        "files": round_quality.files(access.under(Permission.SCREENING_IMPORT), row.id),
        "versions": round_report.versions(access, row.id),
    }
