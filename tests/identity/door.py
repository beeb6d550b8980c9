"""Coming in by the front door: a browser, the real form, the real password."""

from __future__ import annotations

import re
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import select

from models.identity import Role, SignInSession, Staff
from tests.house import House, Page

PASSWORD = "Long-enough-2026"
NEW = "Another-one-2027"
_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
"""A real hash, but a cheap one: these tests check it often."""
_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


class Browser:
    """One browser from one address, with its own cookies."""

    def __init__(self, house: House, address: str = "10.0.0.1") -> None:
        self._browser: Any = house.app.test_client()
        self._from = {"REMOTE_ADDR": address}

    def get(self, path: str, **named: Any) -> Page:
        return Page(self._browser.get(path, environ_base=self._from, **named))

    def post(self, path: str, **fields: str) -> Page:
        token = _TOKEN.search(self.get("/sign-in", follow_redirects=True).html)
        assert token
        held = {"csrf_token": token[1], **fields}
        return Page(self._browser.post(path, data=held, environ_base=self._from))

    def sign_in(self, login: str, password: str = PASSWORD, query: str = "") -> Page:
        return self.post(f"/sign-in{query}", login=login, password=password)

    @property
    def is_in(self) -> bool:
        return self.get("/notices").status == 200

    def cookie(self) -> str:
        found = self._browser.get_cookie("xinyu")
        assert found
        return str(found.value)

    def use_cookie(self, value: str) -> None:
        self._browser.set_cookie("xinyu", value)


def somebody(house: House, role: Role = Role.CENTRE_HEAD, *, must_change: bool = False, **named: Any) -> Staff:
    """An account with a password."""
    staff = house.make.staff(role, **named)
    with house.door.database.writing() as session:
        held = session.get_one(Staff, staff.id)
        held.password_hash, held.must_change_password = _HASH, must_change
    return staff


def sessions(house: House, staff: Staff) -> list[SignInSession]:
    """All sessions of a person, oldest first."""
    rows = house.all(select(SignInSession).where(SignInSession.staff_id == staff.id).order_by(SignInSession.id))
    return [row for (row,) in rows]
