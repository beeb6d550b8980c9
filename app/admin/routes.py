"""审批, 规则与时限, 权限一览, 系统状态."""

from __future__ import annotations

import json
from uuid import UUID

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select, update

from app.admin import approval, housekeeping, rulebook, rules_change
from app.admin.forms import DecideForm, ProposeChangeForm
from app.events import Event
from app.security import policy
from app.security.access import PAGE
from app.security.holders import names_of
from app.security.policy import Permission, Purpose
from app.web.feature import ANYONE, Room, access, door
from app.web.paging import page_of
from config import catalogue
from models.approval import Approval, ApprovalStage
from models.audit import LedgerHead
from models.identity import Role
from models.job import Job, JobStage
from models.moment import now
from models.refusal import Refusal
from models.risk import RuleOverride

admin = Room("admin", __name__, template_folder="templates")


class JobRetried(Event):
    """A failed job was put back on the table."""


@admin.route("/approvals", needs=Permission.APPROVE, purpose=Purpose.ADMINISTRATION)
def approvals() -> ResponseReturnValue:
    ended = request.args.get("show") == "ended"
    place = page_of(request.args.get("page"))
    query = select(
        Approval.id,
        Approval.kind,
        Approval.stage,
        Approval.what,
        Approval.asked_by,
        Approval.asked_at,
        Approval.due_at,
        Approval.decided_by,
        Approval.decided_at,
    ).where(Approval.stage != ApprovalStage.WAITING if ended else Approval.stage == ApprovalStage.WAITING)
    rows = access.page(query, order=["due_at", "id"], limit=PAGE + 1, offset=place.offset)
    names = names_of(access.session, [row.asked_by for row in rows] + [row.decided_by for row in rows])
    return render_template(
        "admin/approvals.html", rows=rows[:PAGE], names=names, place=place.with_rows(len(rows)), ended=ended
    )


@admin.route(
    "/approvals/<uuid:approval_id>",
    needs=Permission.APPROVE,
    purpose=Purpose.ADMINISTRATION,
    methods=["GET", "POST"],
)
def approval_page(approval_id: UUID) -> ResponseReturnValue:
    form = DecideForm()
    if form.is_submitted():
        approval.lock_student(access, approval_id)
    row = access.find(Approval, approval_id, version=form.seen_version)
    if form.validate_on_submit():
        with form.explaining():
            approval.decide(access, row, approve=form.decision.data == "approve")
            flash("已签字。" if form.decision.data == "approve" else "已退回。")
            return redirect(url_for(".approvals"))
    form.version.data = str(row.version)
    return render_template(
        "admin/approval.html",
        row=row,
        form=form,
        what=json.loads(row.what),
        asked_by=names_of(access.session, [row.asked_by]).get(row.asked_by, "--"),
    )


@admin.route("/rules", needs=Permission.RULES_READ, purpose=Purpose.ADMINISTRATION)
def rules() -> ResponseReturnValue:
    book = rulebook.current(access.session)
    history = access.session.scalars(select(RuleOverride).order_by(RuleOverride.since.desc()).limit(PAGE)).all()
    return render_template(
        "admin/rules.html",
        book=book,
        values=list(rules_change.changeable(book)),
        history=history,
        focus=catalogue.table("focus"),
    )


@admin.route("/rules/change", needs=Permission.RULES_CHANGE, purpose=Purpose.ADMINISTRATION, methods=["GET", "POST"])
def change_rule() -> ResponseReturnValue:
    form = ProposeChangeForm()
    book = rulebook.current(access.session)
    if not form.is_submitted():
        form.name.data = request.args.get("name", "")
    item = next((item for item in rules_change.changeable(book) if item.name == form.name.data), None)
    if item is None:
        return redirect(url_for(".rules"))
    if form.validate_on_submit():
        with form.explaining():
            rules_change.propose(access, **form.answers)
            flash("申请已提交，等第二位老师签字后生效。")
            return redirect(url_for(".rules"))
    return render_template("admin/change_rule.html", form=form, item=item)


@admin.route("/policy", needs=Permission.POLICY_READ, purpose=Purpose.ADMINISTRATION)
def policy_page() -> ResponseReturnValue:
    roles = [role for role in Role if role not in {Role.CONSOLE, Role.WORKER, Role.STUDENT}]
    rows = [
        (permission, purpose, {role: rule.__name__ for role, rule in holders.items()})
        for (permission, purpose), holders in policy.POLICY.items()
    ]
    return render_template("admin/policy.html", roles=roles, rows=rows, opens=policy.OPENS)


@admin.route("/health", needs=ANYONE)
def health() -> ResponseReturnValue:
    """For a monitor: 200 while the database answers; asked for ``clocks``, 503 when they stand still."""
    said = housekeeping.health(door())
    still = "clocks" in request.args and said["worker"] != "ok"
    return jsonify(said), 503 if still else 200


@admin.route("/system", needs=Permission.SYSTEM_READ, purpose=Purpose.ADMINISTRATION)
def system() -> ResponseReturnValue:
    counts = access.session.execute(select(Job.stage, func.count()).group_by(Job.stage)).all()
    failed = access.session.scalars(
        select(Job).where(Job.stage == JobStage.FAILED).order_by(Job.finished_at.desc(), Job.id).limit(PAGE)
    ).all()
    oldest = access.session.scalar(
        select(func.min(Job.run_at)).where(Job.stage == JobStage.WAITING, Job.run_at <= now())
    )
    head = access.session.scalars(select(LedgerHead).order_by(LedgerHead.number.desc()).limit(1)).first()
    return render_template(
        "admin/system.html",
        counts={stage: count for stage, count in counts},
        failed=failed,
        oldest=oldest,
        head=head,
        door=door(),
    )


@admin.route(
    "/system/jobs/<uuid:job_id>/retry",
    needs=Permission.SYSTEM_READ,
    purpose=Purpose.ADMINISTRATION,
    methods=["POST"],
)
def retry_job(job_id: UUID) -> ResponseReturnValue:
    again = access.session.execute(
        update(Job)
        .where(Job.id == job_id, Job.stage == JobStage.FAILED)
        .values(stage=JobStage.WAITING, attempts=0, run_at=now(), finished_at=None)
    )
    if again.rowcount != 1:  # type: ignore[attr-defined]
        raise Refusal("没有这项未完成的任务，可能已经重新排队。")
    access.record(JobRetried(object_id=job_id))
    flash("已重新排队。")
    return redirect(url_for(".system"))
