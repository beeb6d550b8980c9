"""Something critical in a file that has not gone in: whoever holds the file is not the only one to know (law 2).

A preview raises nothing yet. So a file that was previewed and holds something
critical has a time by which it is written or put aside; past it, its owner and
the head of the centre are told, again and again. Put aside or refused, the
head is told at once. What a source delivers has its own clock (``sources``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.admin import rulebook
from app.events import Event
from app.intake.file_events import FileRefused
from app.notices import post
from app.security.access import Access
from app.security.holders import holders_of
from models.identity import Role
from models.intake import BatchKind, ImportBatch
from models.moment import now

MOST_AT_ONCE = 500


class CriticalFileWaits(Event):
    """A file that holds something critical was not written in time."""


def is_critical(receipt: Mapping[str, Any]) -> bool:
    """Whether a preview holds an alert to be raised, or a critical answer of nobody known."""
    return any(receipt.get("alerts", {}).values()) or bool(receipt.get("identify"))


def follow_previewed(access: Access, happened: Event) -> None:
    """Listener: the clock begins with the preview, and ends with one that holds nothing critical any more."""
    batch = _uploaded(access, happened)
    if batch is None:
        return
    if not is_critical(access.open_json(batch, ImportBatch.receipt) or {}):
        batch.critical_due_at = None
    elif batch.critical_due_at is None:
        batch.critical_due_at = rulebook.current(access.session).due("identify")


def follow_committed(access: Access, happened: Event) -> None:
    """Listener: it went in, and everything critical has its alert."""
    batch = _uploaded(access, happened)
    if batch is not None:
        batch.critical_due_at = None


def follow_put_aside(access: Access, happened: Event) -> None:
    """Listener: put aside or refused with something critical in it; the head of the centre hears of it."""
    batch = _uploaded(access, happened)
    if batch is None or not (batch.critical_due_at or (isinstance(happened, FileRefused) and happened.urgent)):
        return
    batch.critical_due_at = None
    _tell_heads(access, "critical_put_aside")


def ring(access: Access) -> None:
    """Tell of previewed files whose critical answers wait past their time."""
    due = (ImportBatch.kind == BatchKind.SCREENING) & (ImportBatch.critical_due_at <= now())
    for batch in access.session.scalars(
        select(ImportBatch).where(due).order_by(ImportBatch.critical_due_at, ImportBatch.id).limit(MOST_AT_ONCE)
    ):
        batch.critical_due_at = rulebook.current(access.session).due("identify")
        told = _tell_heads(access, "critical_waits")
        if batch.owner_id not in told and batch.owner_id in holders_of(access.session, Role.PSYCHOLOGIST):
            post.tell(access, batch.owner_id, Role.PSYCHOLOGIST, "critical_waits")
        access.record(CriticalFileWaits(object_id=batch.id))


def _uploaded(access: Access, happened: Event) -> ImportBatch | None:
    """The batch, if a person brought it in on a page."""
    batch = access.session.get(ImportBatch, happened.object_id)
    if batch is None or batch.kind is not BatchKind.SCREENING or batch.owner_id is None:
        return None
    return batch


def _tell_heads(access: Access, kind: str) -> list[UUID]:
    heads = holders_of(access.session, Role.CENTRE_HEAD)
    for staff_id in heads:
        post.tell(access, staff_id, Role.CENTRE_HEAD, kind)
    return heads
