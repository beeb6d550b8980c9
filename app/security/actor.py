"""Who is acting: a signed-in person in one active role, or a service."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from models.identity import SERVICES, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The subject of every decision. Units are those of the active role today."""

    role: Role
    id: UUID | None = None
    """The person; for a service, the person it works for, if any."""
    name: str = ""
    session_id: UUID | None = None
    college_ids: tuple[UUID, ...] = ()
    """Colleges over which a college lead answers."""
    touch: bool = False
    """Whether this request should move the session's last-seen time."""

    @property
    def is_service(self) -> bool:
        return self.role in SERVICES


CONSOLE = Actor(role=Role.CONSOLE, name="命令行")
"""The command line: imports and maintenance only (decisions 21)."""
WORKER = Actor(role=Role.WORKER, name="后台任务")
"""Clocks and jobs."""
