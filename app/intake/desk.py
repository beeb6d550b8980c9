"""The pages every kind of import shares: hand in a file, watch, look at the preview, commit or put aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.file import FileField, FileRequired
from sqlalchemy import select
from wtforms import BooleanField, RadioField
from wtforms.validators import DataRequired

from app.intake import batch as life
from app.security.access import PAGE, Access
from app.security.policy import Permission, Purpose
from app.web.arguments import version_seen
from app.web.feature import Room, access
from app.web.forms import Form, choices
from app.web.paging import page_of
from app.web.words import label
from models.intake import BatchKind, BatchStage, ImportBatch

WORKING = {BatchStage.UPLOADED, BatchStage.MAPPED, BatchStage.COMMITTING}
"""Stages in which the worker has something to do and the reader waits."""
PROBLEMS_PAGE = 100


shared = Room("intake", __name__, template_folder="templates")
"""No pages of its own: it lends its templates to the rooms that import."""


class UploadForm(Form):
    """A file and what kind it is."""

    kind = RadioField("文件内容", validators=[DataRequired("请选择文件内容。")])
    upload = FileField("文件", [FileRequired("请选择要导入的文件。")])
    complete = BooleanField("这是所列学院的完整名册（名册中没有的学生将标为离校）")


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch as a page shows it: its state, its file's name, its receipt."""

    id: UUID
    version: int
    kind: BatchKind
    stage: BatchStage
    uploaded_at: Any
    committed_at: Any
    file_name: str
    receipt: dict[str, Any]
    progress: int
    progress_total: int
    round_id: UUID | None

    @property
    def is_working(self) -> bool:
        return self.stage in WORKING


def view_of(reader: Access, row: ImportBatch) -> BatchView:
    """Open what the page of one batch shows."""
    return BatchView(
        id=row.id,
        version=row.version,
        kind=row.kind,
        stage=row.stage,
        uploaded_at=row.uploaded_at,
        committed_at=row.committed_at,
        file_name=reader.open(row, ImportBatch.file_name),
        receipt=reader.open_json(row, ImportBatch.receipt) or {},
        progress=row.progress,
        progress_total=row.progress_total,
        round_id=row.round_id,
    )


def recent(reader: Access, *kinds: BatchKind, round_id: UUID | None = None, offset: int = 0) -> list[Any]:
    """Deliveries of these kinds, newest first, with their file names; one page and one more."""
    query = select(
        ImportBatch.id.label("import_batch_id"),
        ImportBatch.kind,
        ImportBatch.stage,
        ImportBatch.uploaded_at,
        ImportBatch.file_name,
    ).where(ImportBatch.kind.in_(kinds))
    if round_id is not None:
        query = query.where(ImportBatch.round_id == round_id)
    rows = reader.session.execute(
        query.order_by(ImportBatch.uploaded_at.desc(), ImportBatch.id).offset(offset).limit(PAGE + 1)
    ).all()
    names = reader.open_each(rows, ImportBatch.file_name)
    return list(zip(rows, names, strict=True))


def state_of(reader: Access, row: ImportBatch) -> ResponseReturnValue:
    """What the waiting page asks every second."""
    reader.about(row.id)
    return jsonify(
        {
            "stage": row.stage.value,
            "label": label(row.stage),
            "working": row.stage in WORKING,
            "done": row.progress,
            "total": row.progress_total,
        }
    )


def shown_problems(view: BatchView, argument: str | None) -> dict[str, Any]:
    """One page of a receipt's problems."""
    problems = view.receipt.get("problems", [])
    place = page_of(argument)
    start = (place.number - 1) * PROBLEMS_PAGE
    return {
        "problems": problems[start : start + PROBLEMS_PAGE],
        "place": type(place)(place.number, len(problems) > start + PROBLEMS_PAGE),
    }


def lay_out(
    room: Room,
    path: str,
    *,
    needs: Permission,
    purpose: Purpose,
    kinds: Sequence[BatchKind],
    title: str,
    help_topic: str,
) -> None:
    """Give ``room`` the pages of an import desk under ``path``."""
    rights: dict[str, Any] = {"needs": needs, "purpose": purpose}

    @room.route(path, methods=["GET", "POST"], **rights)
    def desk() -> ResponseReturnValue:
        form = UploadForm()
        form.kind.choices = choices(kinds)
        if not form.is_submitted():
            form.kind.data = kinds[0].value
        if form.validate_on_submit():
            with form.explaining():
                uploaded = form.upload.data
                row = life.receive(access, BatchKind(form.kind.data), uploaded.read(), uploaded.filename or "")
                access.seal_json(row, ImportBatch.plan, {"complete": bool(form.complete.data)})
                life.ask_preview(access, row)
                return redirect(url_for(".desk_batch", batch_id=row.id))
        place = page_of(request.args.get("page"))
        rows = recent(access, *kinds, offset=place.offset)
        return render_template(
            "intake/desk.html",
            form=form,
            rows=rows[:PAGE],
            place=place.with_rows(len(rows)),
            title=title,
            help_topic=help_topic,
            takes_complete=BatchKind.ROSTER in kinds,
        )

    @room.route(f"{path}/<uuid:batch_id>", **rights)
    def desk_batch(batch_id: UUID) -> ResponseReturnValue:
        view = view_of(access, life.of_kind(access, batch_id, *kinds))
        return render_template(
            "intake/batch.html", batch=view, title=title, **shown_problems(view, request.args.get("page"))
        )

    @room.route(f"{path}/<uuid:batch_id>/state", background=True, **rights)
    def desk_state(batch_id: UUID) -> ResponseReturnValue:
        return state_of(access, life.of_kind(access, batch_id, *kinds))

    @room.route(f"{path}/<uuid:batch_id>/commit", methods=["POST"], **rights)
    def desk_commit(batch_id: UUID) -> ResponseReturnValue:
        row = life.of_kind(access, batch_id, *kinds, version=seen_version())
        life.ask_commit(access, row)
        return redirect(url_for(".desk_batch", batch_id=batch_id))

    @room.route(f"{path}/<uuid:batch_id>/preview", methods=["POST"], **rights)
    def desk_preview(batch_id: UUID) -> ResponseReturnValue:
        row = life.of_kind(access, batch_id, *kinds, version=seen_version())
        life.ask_preview(access, row)
        return redirect(url_for(".desk_batch", batch_id=batch_id))

    @room.route(f"{path}/<uuid:batch_id>/withdraw", methods=["POST"], **rights)
    def desk_withdraw(batch_id: UUID) -> ResponseReturnValue:
        life.withdraw(access, life.of_kind(access, batch_id, *kinds, version=seen_version()))
        flash("已放弃这次导入，没有写入任何内容。")
        return redirect(url_for(".desk"))


def seen_version() -> int | None:
    return version_seen(request.form.get("version"))
