"""Passwords, sessions and the throttle.

A session is a row; the cookie holds a random token of which the row keeps a
keyed hash. Ending a session, changing a password or a role ends it at once,
whatever copies of the cookie exist. Attempts are counted in the database, so
that four processes have one count.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, joinedload

from app.events import Event
from app.security.access import Access
from app.security.actor import Actor
from app.security.door import Door
from app.security.policy import Permission, Purpose
from config import catalogue
from models.database import add_unless_there
from models.identity import Role, RoleGrant, SignInSession, SignInThrottle, Staff
from models.moment import now, today
from models.refusal import Refusal

WRONG = "账号或密码不正确。"


class SignedOut(Event):
    """A person ended the session."""


class RoleSwitched(Event):
    """A person went on in another role."""


_hasher = PasswordHasher()


@cache
def _table() -> dict[str, Any]:
    return catalogue.table("security")


@cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe(16))


def hash_password(password: str) -> str:
    """An argon2id hash. Slow on purpose: never inside a transaction."""
    return _hasher.hash(password)


def check_password(password_hash: str | None, password: str) -> bool:
    """Whether it fits. Takes as long for an unknown account as for a known one."""
    try:
        return _hasher.verify(password_hash or _nobody(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def refuse_weak(password: str, *, login: str) -> None:
    """Refuse a password that is too short or repeats the account."""
    least = _table()["password"]["minimum"]
    if len(password) < least:
        raise Refusal(f"密码至少 {least} 位。", field="password")
    if login.lower() in password.lower() or len(set(password)) < 5:
        raise Refusal("密码太容易猜到：请不要包含账号，也不要用重复的字符。", field="password")


def sign_in(door: Door, *, login: str, password: str, address: str) -> str:
    """Check the password and open a session; returns the token for the cookie."""
    _refuse_throttled(door, login, address)
    with door.database.reading() as session:
        staff = session.scalars(
            select(Staff).where(Staff.login == login.strip().lower(), Staff.retired_at.is_(None))
        ).one_or_none()
    if not check_password(staff.password_hash if staff else None, password):
        count_failure(door, login, address)
        unknown = Actor(role=Role.OBSERVER, id=staff.id if staff else None)
        door.note(unknown, Permission.OWN_WORKPLACE, Purpose.OWN, act="sign_in", outcome="refused")
        raise Refusal(WRONG, field="password")
    assert staff is not None  # noqa: S101 - check_password said so
    return open_session(door, staff.id, login=login, address=address)


def open_session(door: Door, staff_id: UUID, *, login: str = "", address: str = "") -> str:
    """A new session in the person's first role. Refuses a person without any role today."""
    token = secrets.token_urlsafe(32)
    table = _table()["session"]
    with door.database.writing() as session:
        roles = roles_of(session, staff_id)
        if not roles:
            raise Refusal("这个账号目前没有任何岗位角色，请联系系统管理员。")
        instant = now()
        row = SignInSession(
            token_hash=_token_hash(door, token),
            staff_id=staff_id,
            role=roles[0],
            started_at=instant,
            last_seen_at=instant,
            ends_at=instant + timedelta(hours=table["absolute_hours"]),
        )
        session.add(row)
        for key in _throttle_keys(door, login, address)[:1]:
            held = session.get(SignInThrottle, key)
            if held is not None:
                session.delete(held)
        session_id = row.id
    actor = Actor(role=roles[0], id=staff_id, session_id=session_id)
    door.note(actor, Permission.OWN_WORKPLACE, Purpose.OWN, act="sign_in", outcome="done")
    return token


def roles_of(session: Session, staff_id: UUID) -> list[Role]:
    """The roles a person holds today, in a stated order."""
    return _in_order(role for role, _ in _grants_of(session, staff_id))


def _grants_of(session: Session, staff_id: UUID) -> list[tuple[Role, UUID | None]]:
    day = today()
    found = session.execute(
        select(RoleGrant.role, RoleGrant.college_id).where(
            RoleGrant.staff_id == staff_id,
            RoleGrant.since <= day,
            or_(RoleGrant.until.is_(None), RoleGrant.until > day),
        )
    )
    return [(row.role, row.college_id) for row in found]


def _in_order(roles: Iterable[Role]) -> list[Role]:
    order = list(Role)
    return sorted(set(roles), key=order.index)


def actor_of(door: Door, token: str, *, background: bool) -> tuple[Actor, SignInSession, list[Role]] | None:
    """Who holds this token now, or nobody: ended, idle too long, too old, retired, role taken away."""
    table = _table()["session"]
    instant = now()
    with door.database.reading() as session:
        row = session.scalars(
            select(SignInSession)
            .where(SignInSession.token_hash == _token_hash(door, token))
            .options(joinedload(SignInSession.staff))
        ).one_or_none()
        if row is None or row.ended_at is not None or row.staff.retired_at is not None:
            return None
        if instant >= row.ends_at or instant - row.last_seen_at > timedelta(minutes=table["idle_minutes"]):
            return None
        grants = _grants_of(session, row.staff_id)
    colleges = tuple(college_id for role, college_id in grants if role is row.role and college_id is not None)
    roles = _in_order(role for role, _ in grants)
    if row.role not in roles:
        return None
    due = instant - row.last_seen_at >= timedelta(seconds=table["touch_seconds"])
    actor = Actor(
        role=row.role,
        id=row.staff_id,
        name=row.staff.name,
        session_id=row.id,
        college_ids=colleges,
        touch=due and not background,
    )
    return actor, row, roles


def end_session(access: Access) -> None:
    """Sign out: the token is worth nothing from now on."""
    access.session.execute(
        update(SignInSession).where(SignInSession.id == access.actor.session_id).values(ended_at=now())
    )
    access.record(SignedOut())


def end_sessions_of(session: Session, staff_id: UUID, *, but: UUID | None = None) -> None:
    """End every session of a person: password changed, role taken, account retired."""
    ending = update(SignInSession).where(SignInSession.staff_id == staff_id, SignInSession.ended_at.is_(None))
    if but is not None:
        ending = ending.where(SignInSession.id != but)
    session.execute(ending.values(ended_at=now()))


def switch_role(access: Access, door: Door, role: Role) -> str:
    """Go on working in another role one holds: a new session, so that no right of the old one lingers."""
    me = access.actor
    if me.id is None or role not in roles_of(access.session, me.id):
        raise Refusal("你没有这个岗位角色。")
    token, instant = secrets.token_urlsafe(32), now()
    old = access.session.get_one(SignInSession, me.session_id, with_for_update=True)
    if old.ended_at is not None:
        raise Refusal("这次登录已经结束，请刷新页面。")
    access.session.add(
        SignInSession(
            token_hash=_token_hash(door, token),
            staff_id=me.id,
            role=role,
            started_at=old.started_at,
            last_seen_at=instant,
            ends_at=old.ends_at,
        )
    )
    old.ended_at = instant
    access.record(RoleSwitched())
    return token


# --- throttle -------------------------------------------------------------------------


def _token_hash(door: Door, token: str) -> bytes:
    return hmac.digest(door.instance_keys.cookie, b"session " + token.encode(), hashlib.sha256)


def _throttle_keys(door: Door, login: str, address: str) -> list[bytes]:
    key = door.instance_keys.throttle
    pair = f"account {login.strip().lower()} {address}"
    return [hmac.digest(key, text.encode(), hashlib.sha256) for text in (pair, f"address {address}")]


def is_throttled(door: Door, login: str, address: str) -> bool:
    """Whether an account, from an address, or the address alone has failed too often. Also for signed pushes."""
    with door.database.reading() as session:
        keys = _throttle_keys(door, login, address)
        blocked = session.scalar(
            select(SignInThrottle.blocked_until)
            .where(SignInThrottle.key.in_(keys), SignInThrottle.blocked_until > now())
            .limit(1)
        )
    return blocked is not None


def _refuse_throttled(door: Door, login: str, address: str) -> None:
    if is_throttled(door, login, address):
        raise Refusal("登录尝试过于频繁，请稍后再试，或联系系统管理员。", field="password")


def count_failure(door: Door, login: str, address: str) -> None:
    """Count a wrong password or signature; after a few, that account and address have to wait."""
    table = _table()["throttle"]
    limits = (table["failures"], table["address_failures"])
    window = timedelta(minutes=table["window_minutes"])
    instant = now()
    with door.database.writing() as session:
        for key, limit in zip(_throttle_keys(door, login, address), limits, strict=True):
            add_unless_there(session, SignInThrottle, {"key": key, "failures": 0, "first_at": instant})
            row = session.get_one(SignInThrottle, key, with_for_update=True)
            if instant - row.first_at > window:
                row.failures, row.first_at, row.blocked_until = 0, instant, None
            row.failures += 1
            if row.failures >= limit:
                row.blocked_until = instant + timedelta(minutes=table["block_minutes"])
