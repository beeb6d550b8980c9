"""The one address without a session: signed pushes of sources. It proves itself, so it carries no form token."""

from __future__ import annotations

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from app.screening.sources import push
from app.screening.sources.push import Posted, PushAnswer
from app.screening.sources.source_routes import sources
from app.web.arguments import identifier
from app.web.feature import ANYONE, door

STATUS = {PushAnswer.ACCEPTED: 200, PushAnswer.REPEATED: 200, PushAnswer.REFUSED: 403}
"""问卷星 sends again whatever is not answered with 200."""


@sources.route("/push/<source_id>", needs=ANYONE, methods=["POST"])
def receive_push(source_id: str) -> ResponseReturnValue:
    posted = Posted(
        body=request.get_data(cache=False, parse_form_data=False),
        kind=(request.mimetype or "").lower(),
        time=request.headers.get(push.TIME, ""),
        signature=request.headers.get(push.SIGNATURE, "")[:128],
        address=request.remote_addr or "",
    )
    answer = push.take(door(), identifier(source_id), posted)
    return jsonify({"result": answer.value}), STATUS[answer]
