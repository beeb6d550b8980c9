"""消息: the list of notices, and marking them read."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.notices import post
from app.security.access import PAGE
from app.security.policy import Permission, Purpose
from app.web.feature import Room, access
from app.web.paging import page_of
from config import catalogue
from models.notice import Notice

notices = Room("notices", __name__, url_prefix="/notices", template_folder="templates")


@notices.route("", needs=Permission.OWN_WORKPLACE, purpose=Purpose.OWN)
def index() -> ResponseReturnValue:
    mine = (Notice.recipient_id == access.actor.id, Notice.role == access.actor.role)
    place = page_of(request.args.get("page"))
    rows = access.session.scalars(
        select(Notice).where(*mine).order_by(Notice.created_at.desc(), Notice.id).offset(place.offset).limit(PAGE + 1)
    ).all()
    return render_template(
        "notices/index.html", rows=rows[:PAGE], place=place.with_rows(len(rows)), kinds=catalogue.table("notices")
    )


@notices.route("/<uuid:notice_id>/open", needs=Permission.OWN_WORKPLACE, purpose=Purpose.OWN, methods=["POST"])
def open_one(notice_id: UUID) -> ResponseReturnValue:
    row = access.session.scalars(
        select(Notice).where(Notice.id == notice_id, Notice.recipient_id == access.actor.id)
    ).one_or_none()
    if row is None:
        return redirect(url_for(".index"))
    post.mark_read(access, row.id)
    return redirect(url_for(catalogue.table("notices")[row.kind]["page"]))


@notices.route("/read", needs=Permission.OWN_WORKPLACE, purpose=Purpose.OWN, methods=["POST"])
def read_all() -> ResponseReturnValue:
    post.mark_read(access)
    return redirect(url_for(".index"))
