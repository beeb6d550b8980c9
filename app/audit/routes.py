"""审计日志: search and verification."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.audit import queries
from app.security import verify
from app.security.access import PAGE
from app.security.policy import Permission, Purpose
from app.web.arguments import day, identifier
from app.web.feature import Room, access, door
from app.web.paging import page_of

audit = Room("audit", __name__, url_prefix="/audit", template_folder="templates")


@audit.route("", needs=Permission.AUDIT_READ, purpose=Purpose.ADMINISTRATION)
def index() -> ResponseReturnValue:
    place = page_of(request.args.get("page"))
    wanted = queries.LogFilter(
        since=day(request.args.get("since")),
        until=day(request.args.get("until")),
        actor=identifier(request.args.get("actor")),
        act=request.args.get("act", ""),
        outcome=request.args.get("outcome", ""),
        subject=identifier(request.args.get("subject")),
        offset=place.offset,
    )
    rows = queries.search(access, wanted)
    return render_template(
        "audit/index.html",
        rows=rows[:PAGE],
        place=place.with_rows(len(rows)),
        acts=queries.acts(access),
        people=queries.people(access),
        wanted=wanted,
    )


@audit.route("/verify", needs=Permission.AUDIT_READ, purpose=Purpose.ADMINISTRATION)
def prove() -> ResponseReturnValue:
    """Proving only reads, so it is a GET and keeps nobody from writing."""
    proof = None
    if request.args.get("run") == "1":
        proof = verify.verify(access.session, door().instance_keys, door().settings.anchor_dir)
    return render_template("audit/verify.html", proof=proof)
