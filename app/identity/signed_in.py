"""What Flask-Login holds: the session token and the actor it stands for."""

from __future__ import annotations

from flask import Flask, request
from flask_login import LoginManager, UserMixin

from app.security.actor import Actor
from app.security.door import Door
from app.security.sign_in import actor_of
from models.identity import Role, SignInSession, Staff


class SignedIn(UserMixin):  # type: ignore[misc]
    """The person behind this request. Flask-Login's id is the session token, never the account."""

    def __init__(self, token: str, actor: Actor, session: SignInSession, roles: list[Role]) -> None:
        self._token = token
        self.actor = actor
        self.roles = roles
        self.staff: Staff = session.staff
        self.session = session

    @property
    def must_change_password(self) -> bool:
        return self.staff.must_change_password

    def get_id(self) -> str:
        return self._token


def use_sessions(app: Flask, door: Door) -> None:
    """Let Flask-Login ask our session table on every request."""
    manager = LoginManager()
    manager.session_protection = None
    manager.init_app(app)

    @manager.user_loader  # type: ignore[untyped-decorator]
    def load(token: str) -> SignedIn | None:
        view = app.view_functions.get(request.endpoint or "")
        found = actor_of(door, token, background=getattr(view, "background", False))
        return SignedIn(token, *found) if found else None
