"""更正: take a file back, give answers to the right student, fetch the rows that did not go in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.intake import batch as life
from app.screening import sheet_words
from app.screening.corrections import reattribution, rejected_book, rollback
from app.screening.corrections.correction_forms import THIS, FindForm, OwnerForm, RollBackForm
from app.screening.matching import candidates
from app.security.access import Access, NotFound
from app.security.policy import Permission
from app.students import record
from app.web import workbook
from app.web.arguments import identifier
from app.web.feature import Room, access, actor
from app.web.forms import options
from models.intake import BatchKind, BatchStage, ImportBatch
from models.refusal import Refusal
from models.screening import ResponseSet, ScreeningRound
from models.student import Student

corrections = Room("corrections", __name__, template_folder="../templates")
SEARCH = "search"


@corrections.route("/imports/<uuid:batch_id>/roll-back", needs=Permission.SCREENING_CORRECT, methods=["GET", "POST"])
def roll_back(batch_id: UUID) -> ResponseReturnValue:
    batch = life.of_kind(access, batch_id, BatchKind.SCREENING)
    row = access.find(ScreeningRound, batch.round_id or batch_id)
    access.about(batch.id)
    form = RollBackForm()
    if form.validate_on_submit():
        with form.explaining():
            life.of_kind(access, batch_id, BatchKind.SCREENING, version=form.seen_version)
            came_to = rollback.roll_back(access, batch, reason=form.reason.data)
            flash(f"已撤回：{came_to['sheets_voided']} 份结果作废，{came_to['sheets_restored']} 份原有结果恢复。")
            return redirect(url_for("screening.show_batch", batch_id=batch_id))
    refusal = _why_not(batch)
    form.version.data = str(batch.version)
    return render_template(
        "screening/roll_back.html",
        form=form,
        row=row,
        batch=batch,
        file_name=access.open(batch, ImportBatch.file_name),
        refusal=refusal,
        counts=rollback.consequences(access, batch) if refusal is None else {},
    )


def _why_not(batch: ImportBatch) -> str | None:
    try:
        rollback.refuse_unless_may(access, batch)
    except Refusal as refusal:
        return refusal.sentence
    return None


# --- whose answers they are ---------------------------------------------------------------------


@corrections.route("/imports/<uuid:batch_id>/owner", needs=Permission.SCREENING_CORRECT, methods=["GET", "POST"])
def find_sheet(batch_id: UUID) -> ResponseReturnValue:
    """In one file: the results that went to somebody, found by his number or name."""
    batch = life.of_kind(access, batch_id, BatchKind.SCREENING)
    row = access.find(ScreeningRound, batch.round_id or batch_id)
    form = FindForm()
    found: list[dict[str, Any]] | None = None
    if form.validate_on_submit():
        people = candidates.search(access, form.words.data or "")
        found = [{"who": who, "sheets": _sheets_in(batch, UUID(who.id))} for who in people]
    return render_template("screening/find_sheet.html", form=form, row=row, batch=batch, found=found)


def _sheets_in(batch: ImportBatch, student_id: UUID) -> list[dict[str, Any]]:
    rows = access.session.execute(
        select(ResponseSet.id, ResponseSet.scale)
        .where(ResponseSet.batch_id == batch.id, ResponseSet.student_id == student_id, ResponseSet.voided_at.is_(None))
        .order_by(ResponseSet.scale, ResponseSet.id)
    ).all()
    return [{"id": row.id, "title": sheet_words.title_of(row.scale)} for row in rows]


@corrections.route("/sheets/<uuid:sheet_id>/owner", needs=Permission.SCREENING_CORRECT, methods=["GET", "POST"])
def give(sheet_id: UUID) -> ResponseReturnValue:
    """Give answers to the student whose they are. A search is a POST: no number or name stands in an address."""
    sheet = access.session.get(ResponseSet, sheet_id)
    if sheet is None:
        raise NotFound("ResponseSet")
    row = access.find(ScreeningRound, sheet.round_id)
    form = OwnerForm()
    found = candidates.search(access, form.words.data) if form.is_submitted() and form.words.data else []
    form.student.choices = options((who.id, f"{who.name} {who.number} {who.college} {who.class_name}") for who in found)
    if request.form.get("act") != SEARCH and form.validate_on_submit():
        with form.explaining():
            _give(form, sheet)
            flash("已更正归属：原来的结果和由它产生的预警已作废，正确的学生已重新研判。")
            return redirect(url_for("students.show", student_id=sheet.student_id))
    return render_template(
        "screening/owner.html",
        form=form,
        row=row,
        sheet=sheet,
        searched=bool(form.is_submitted() and form.words.data),
        student=record.card(access, sheet.student_id),
        sheets=[sheet_words.title_of(held.scale) for held in reattribution.sheets_with(access, sheet)],
        title=sheet_words.title_of(sheet.scale),
    )


def _give(form: OwnerForm, sheet: ResponseSet) -> None:
    student_id = identifier(form.student.data)
    student = access.session.get(Student, student_id) if student_id else None
    if student is None:
        raise Refusal("请先查找，再选择正确的学生。", field="student")
    rows = reattribution.sheets_with(access, sheet)
    if form.scope.data == THIS:
        rows = [row for row in rows if row.response_set_id == sheet.id]
    act = reattribution.swap if form.swap.data else reattribution.reattribute
    named = {"other": student} if form.swap.data else {"to": student}
    act(access, rows, reason=form.reason.data or "", replace=form.replace.data, **named)


# --- rows that did not go in --------------------------------------------------------------------


@corrections.route("/imports/<uuid:batch_id>/rejected.xlsx", needs=Permission.SCREENING_IMPORT)
def rejected(batch_id: UUID) -> ResponseReturnValue:
    """The rows that did not go in, each with its reason, to be mended and brought again."""
    batch = life.of_kind(access, batch_id, BatchKind.SCREENING)
    if batch.stage not in {BatchStage.PREVIEWED, BatchStage.COMMITTED, BatchStage.STALE}:
        raise Refusal("这份文件还没有预览，没有可下载的未导入行。")
    held = _held(access, batch)
    return workbook.download(rejected_book.written(held, actor().name), "未导入的行")


def _held(reader: Access, batch: ImportBatch) -> dict[str, Any]:
    held: dict[str, Any] | None = reader.open_json(batch, ImportBatch.rejected)
    if held is None:
        raise Refusal("这份文件没有未导入的行，或保存期已过；需要时请用原文件重新导入。")
    return held
