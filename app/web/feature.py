"""How a room declares its pages, and how a page is entered.

Lock 1: ``Room.route`` will not register a view without ``needs=``.
Lock 2: ``refuse_undeclared`` turns away any endpoint that was registered some
other way. A view runs inside the door; its answer is rendered completely
before the log is written, and leaves only after the commit.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from flask import Blueprint, Flask, Response, abort, current_app, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.local import LocalProxy

from app.security.access import Access
from app.security.actor import Actor
from app.security.door import Door
from app.security.policy import Permission, Purpose, rule_of

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Need:
    """What a page asks for before it is entered; no permission means that anyone may come."""

    permission: Permission | None
    purpose: Purpose


ANYONE = Need(None, Purpose.OWN)
"""For the few pages before sign-in. They get no ``Access`` and can open nothing."""

BEFORE_PASSWORD = frozenset({"identity.change_password", "identity.sign_out", "identity.keep_session"})
"""All that a person may reach while a first password waits to be changed."""

View = Callable[..., ResponseReturnValue]

access = cast("Access", LocalProxy(lambda: g.access))
"""The decided access of the page that is being made."""


def door() -> Door:
    """The door of the running application."""
    return cast("Door", current_app.extensions["door"])


def actor() -> Actor:
    """The signed-in person in his active role. Only inside a page that needs one."""
    return cast("Actor", current_user.actor)


class Room(Blueprint):
    """A blueprint whose pages all say what they need."""

    def route(  # type: ignore[override]
        self,
        rule: str,
        *,
        needs: Permission | Need,
        purpose: Purpose = Purpose.CARE,
        methods: Sequence[str] = ("GET",),
        background: bool = False,
        outside: Callable[[], Any] | None = None,
    ) -> Callable[[View], View]:
        """Declare a page.

        ``background``: called by scripts, does not count as the person being there.
        ``outside``: slow work of a submission (password hashing), done before the
        transaction begins; its result is ``g.outside``.
        """
        need = needs if isinstance(needs, Need) else Need(needs, purpose)

        def declare(view: View) -> View:
            entered = _entered(view, need, outside)
            entered.declared = need  # type: ignore[attr-defined]
            entered.background = background  # type: ignore[attr-defined]
            self.add_url_rule(rule, view.__name__, entered, methods=list(methods))
            return view

        return declare


def _entered(view: View, need: Need, outside: Callable[[], Any] | None) -> View:
    @wraps(view)
    def entered(**arguments: Any) -> ResponseReturnValue:
        if need.permission is None:
            return view(**arguments)
        if not current_user.is_authenticated:
            return _to_sign_in()
        if current_user.must_change_password and not door().is_demo and request.endpoint not in BEFORE_PASSWORD:
            return redirect(url_for("identity.change_password"))
        writing = request.method not in SAFE_METHODS
        g.outside = outside() if outside and writing else None
        with door().enter(actor(), need.permission, need.purpose, writing=writing, request_id=request_id()) as decided:
            g.access = decided
            try:
                response: Response = make_response(view(**arguments))
            finally:
                del g.access
            if g.get("refused") and response.status_code == 200:
                response.status_code = 422
        return response

    return entered


def _to_sign_in() -> ResponseReturnValue:
    if request.accept_mimetypes.best == "application/json" or request.method not in SAFE_METHODS:
        abort(401)
    return redirect(url_for("identity.sign_in", next=request.full_path.rstrip("?")))


def request_id() -> str:
    """A reference for this request: in the log, in the operational log, and on error pages."""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(8)
    return cast("str", g.request_id)


def refuse_undeclared(app: Flask) -> None:
    """Lock 2: an endpoint without a declaration does not exist."""

    @app.before_request
    def declared() -> None:
        if request.endpoint is None or request.endpoint.endswith("static"):
            return
        if not hasattr(app.view_functions[request.endpoint], "declared"):
            abort(404)


def may(permission: Permission, purpose: Purpose = Purpose.CARE) -> bool:
    """For templates: whether this role has any rule for it. The door still decides on the row."""
    return current_user.is_authenticated and rule_of(actor().role, permission, purpose) is not None
