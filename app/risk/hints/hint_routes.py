"""People's decisions about hints: no talk needed, cared for already, taken back; talks a week; talks by lot; yields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.risk import capacity
from app.risk.hints import audit_share, decisions, yields
from app.risk.hints.decisions import DISMISSING, KNOWING, HintBasis
from app.risk.hints.hint_forms import AuditForm, CapacityForm, DecideForm, ReconsiderForm
from app.risk.scores import rescoring
from app.security.policy import Permission
from app.students import record
from app.web.feature import Room, access
from app.web.forms import Form, choices
from config import catalogue
from models.interview import EntryOrigin, InterviewEntry
from models.screening import ScreeningRound
from models.student import Student

hints = Room("hints", __name__, template_folder="../templates")

HUNDRED = 100


# --- one entry --------------------------------------------------------------------------------


@hints.route("/interviews/<uuid:entry_id>/dismiss", needs=Permission.INTERVIEW_WORK, methods=["GET", "POST"])
def dismiss(entry_id: UUID) -> ResponseReturnValue:
    return _decide(entry_id, DISMISSING, decisions.dismiss, "暂不约谈", "已登记：人工判断暂不约谈。")


@hints.route("/interviews/<uuid:entry_id>/known", needs=Permission.INTERVIEW_WORK, methods=["GET", "POST"])
def known(entry_id: UUID) -> ResponseReturnValue:
    return _decide(entry_id, KNOWING, decisions.known, "已在关注", "已登记：已在关注。")


def _decide(
    entry_id: UUID, offered: Sequence[HintBasis], act: Callable[..., None], title: str, done: str
) -> ResponseReturnValue:
    form = DecideForm()
    entry = access.find(InterviewEntry, entry_id, version=form.seen_version)
    form.basis.choices = choices(offered)
    if form.validate_on_submit():
        with form.explaining():
            act(access, entry, **form.answers)
            flash(done)
            return redirect(url_for("risk.interview", entry_id=entry_id))
    form.version.data = str(entry.version)
    return _decision_page(entry, form, title)


@hints.route("/interviews/<uuid:entry_id>/reconsider", needs=Permission.INTERVIEW_WORK, methods=["GET", "POST"])
def reconsider(entry_id: UUID) -> ResponseReturnValue:
    form = ReconsiderForm()
    entry = access.find(InterviewEntry, entry_id, version=form.seen_version)
    if form.validate_on_submit():
        with form.explaining():
            decisions.reconsider(access, entry, **form.answers)
            flash("已放回约谈名单。")
            return redirect(url_for("risk.interview", entry_id=entry_id))
    form.version.data = str(entry.version)
    return _decision_page(entry, form, "放回约谈名单")


def _decision_page(entry: InterviewEntry, form: Form, title: str) -> ResponseReturnValue:
    reading = access.under(Permission.STUDENT_READ)
    reading.find(Student, entry.student_id)
    return render_template(
        "risk/decide.html",
        entry=entry,
        form=form,
        title=title,
        student=record.card(reading, entry.student_id),
        reasons=access.open_json(entry, InterviewEntry.body),
        may_dismiss=entry.origin is EntryOrigin.MODEL,
    )


# --- one round --------------------------------------------------------------------------------


@hints.route("/rounds/<uuid:round_id>/talks", needs=Permission.ROUND_MANAGE, methods=["GET", "POST"])
def talks(round_id: UUID) -> ResponseReturnValue:
    """How many interviews the centre can hold in a week."""
    form = CapacityForm()
    row = access.find(ScreeningRound, round_id, version=form.seen_version)
    if form.validate_on_submit():
        with form.explaining():
            capacity.state(access, row, **form.answers)
            flash("每周访谈数已保存。")
            return redirect(url_for("risk.interview_list", round=round_id))
    if request.method == "GET":
        form.per_week.data = row.interviews_per_week
    form.version.data = str(row.version)
    return render_template(
        "risk/talks.html", form=form, row=row, reckoned=int(capacity.reckoned(access.session)), table=_capacity()
    )


def _capacity() -> dict[str, object]:
    return catalogue.table("capacity")


@hints.route("/rounds/<uuid:round_id>/lot", needs=Permission.ROUND_MANAGE, methods=["GET", "POST"])
def lot(round_id: UUID) -> ResponseReturnValue:
    """Talks by lot among those nothing spoke of: why, what it costs, on."""
    form = AuditForm()
    row = access.find(ScreeningRound, round_id, version=form.seen_version)
    if form.validate_on_submit():
        with form.explaining():
            audit_share.switch_on(access, row, share=float(form.share.data / HUNDRED))
            rescoring.ask(access.session, round_id)
            flash("已开启随机回访，抽中的学生会在几分钟内列入名单。")
            return redirect(url_for("risk.interview_list", round=round_id))
    proposed = row.audit_share or catalogue.table("risk_model")["audit_share"]
    if request.method == "GET":
        form.share.data = Decimal(str(round(proposed * HUNDRED, 1)))
    form.version.data = str(row.version)
    return render_template(
        "risk/lot.html",
        form=form,
        row=row,
        cost=audit_share.cost(access, row, proposed),
        proposed=proposed,
        most=catalogue.table("risk_model")["audit_most_share"],
    )


@hints.route("/rounds/<uuid:round_id>/lot/off", needs=Permission.ROUND_MANAGE, methods=["POST"])
def lot_off(round_id: UUID) -> ResponseReturnValue:
    gone = audit_share.switch_off(access, access.find(ScreeningRound, round_id))
    flash(f"已关闭随机回访，{gone} 名还没有邀约的学生已从名单撤下。" if gone else "已关闭随机回访。")
    return redirect(url_for("risk.interview_list", round=round_id))


# --- what came of hints -------------------------------------------------------------------------


@hints.route("/hints", needs=Permission.HINT_YIELD)
def index() -> ResponseReturnValue:
    rounds = access.session.execute(
        select(ScreeningRound.id, ScreeningRound.name).order_by(ScreeningRound.opened_at.desc(), ScreeningRound.id)
    ).all()
    chosen = next((row.id for row in rounds if str(row.id) == request.args.get("round")), None)
    return render_template(
        "risk/yields.html",
        rounds=rounds,
        chosen=chosen,
        found=yields.of_rounds(access, [chosen] if chosen else [row.id for row in rounds]),
        least=catalogue.table("risk_model")["yield_least_talked"],
    )
