"""Which pages a role finds on the left, with how much waits behind each. Wiring says what there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flask import g, request
from flask_login import current_user

from app.security.access import Access
from app.security.policy import Permission, Purpose
from models.identity import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry of the navigation."""

    label: str
    endpoint: str
    icon: str
    permission: Permission
    purpose: Purpose = Purpose.CARE
    roles: frozenset[Role] = frozenset()
    """Only these roles find it here; none means every role that may enter."""
    badge: Callable[[Access], int] | None = None
    family: tuple[str, ...] = field(default=())
    """Other endpoints, or whole rooms (``cases.``), that light this entry up."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry as the page draws it."""

    label: str
    endpoint: str
    icon: str
    count: int
    current: bool


items: list[Item] = []
bell: list[Callable[[Access], int]] = []
"""What counts the unread notices; wiring sets it, because this room knows no other."""


def entries_for(access: Access) -> list[Item]:
    role = access.actor.role
    return [
        item for item in items if access.may(item.permission, item.purpose) and (not item.roles or role in item.roles)
    ]


def first_page(access: Access) -> str | None:
    """Where a role begins its day."""
    entries = entries_for(access)
    return entries[0].endpoint if entries else None


def shown() -> list[Shown]:
    """The navigation of this page; empty outside the door (sign-in, errors)."""
    access: Access | None = g.get("access")
    if access is None or not current_user.is_authenticated:
        return []
    here = request.endpoint or ""
    return [
        Shown(
            item.label,
            item.endpoint,
            item.icon,
            item.badge(access) if item.badge else 0,
            here == item.endpoint or any(here.startswith(name) for name in item.family),
        )
        for item in entries_for(access)
    ]


def unread() -> int:
    access: Access | None = g.get("access")
    return sum(count(access) for count in bell) if access is not None else 0
