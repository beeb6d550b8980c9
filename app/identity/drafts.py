"""What a person is writing, kept sealed on the server until it is handed in (screens 10, decisions 30).

The page may not keep anything (``no-store``), so the house does: readable by
its author only, gone when the form is handed in or after two weeks.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta

from flask import abort, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, delete, select

from app.security.access import Access
from app.security.policy import Permission, Purpose
from app.web.feature import Room, access
from models.identity import Draft, Staff
from models.moment import now

KEEP = timedelta(days=14)
MOST_BYTES = 64 * 1024
_FORM = re.compile(r"^[a-z-]{1,40}(\.[0-9a-f-]{32,36})?$")

drafts = Room("drafts", __name__, url_prefix="/drafts")


@drafts.route("/<form>", needs=Permission.OWN_WORKPLACE, purpose=Purpose.OWN, background=True)
def read(form: str) -> ResponseReturnValue:
    row = _mine(access, form)
    if row is None:
        return jsonify({"fields": {}})
    return jsonify({"fields": access.open_json(row, Draft.body), "saved_at": row.saved_at.isoformat()})


@drafts.route("/<form>", needs=Permission.OWN_WORKPLACE, purpose=Purpose.OWN, methods=["PUT"], background=True)
def keep(form: str) -> ResponseReturnValue:
    fields = request.get_json(silent=True)
    if not isinstance(fields, dict) or request.content_length is None or request.content_length > MOST_BYTES:
        abort(400)
    access.session.get_one(Staff, access.actor.id, with_for_update=True)  # two tabs: one draft
    row = _mine(access, form)
    if row is None:
        row = Draft(author_id=access.actor.id, role=access.actor.role, form=_checked(form))
    row.saved_at = now()
    access.seal(row, Draft.body, json.dumps(fields, ensure_ascii=False))
    access.session.add(row)
    return jsonify({"saved_at": row.saved_at.isoformat()})


def _mine(reader: Access, form: str) -> Draft | None:
    return reader.session.scalars(select(Draft).where(*_own(reader, _checked(form)))).one_or_none()


def _own(reader: Access, form: str) -> tuple[ColumnElement[bool], ...]:
    """A person's drafts keep to the role in which they were written (law 5)."""
    return Draft.author_id == reader.actor.id, Draft.role == reader.actor.role, Draft.form == form


def _checked(form: str) -> str:
    if not _FORM.match(form):
        abort(404)
    return form


def drop(writer: Access, form: str) -> None:
    """The form was handed in: its draft is over."""
    writer.session.execute(delete(Draft).where(*_own(writer, form)))


def clear_away(writer: Access) -> None:
    """Remove drafts nobody came back to."""
    writer.session.execute(delete(Draft).where(Draft.saved_at < now() - KEEP))
