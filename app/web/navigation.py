"""Which pages a role finds on the left, with how much waits behind each. Wiring says what there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flask import g, request

from app.security.access import Access
from app.security.policy import Permission, Purpose
from app.web.feature import actor, may
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


def entries() -> list[Item]:
    """What the active role finds; nothing before sign-in."""
    return [
        item for item in items if may(item.permission, item.purpose) and (not item.roles or actor().role in item.roles)
    ]


def first_page() -> str | None:
    """Where a role begins its day."""
    return next((item.endpoint for item in entries()), None)


def shown() -> list[Shown]:
    """The navigation of this page. Outside the door (on an error page) it counts nothing."""
    access: Access | None = g.get("access")
    here = request.endpoint or ""
    return [
        Shown(
            item.label,
            item.endpoint,
            item.icon,
            item.badge(access) if item.badge and access is not None else 0,
            here == item.endpoint or any(here.startswith(name) for name in item.family),
        )
        for item in entries()
    ]


def unread() -> int:
    access: Access | None = g.get("access")
    return sum(count(access) for count in bell) if access is not None else 0
