"""The button on a student's file under which an objection to automated hints is written down."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from flask import url_for

from app.security.access import Access
from app.security.policy import Permission
from app.students.record import Action


def actions(access: Access, student_id: UUID) -> Iterable[Action]:
    """The same for every student: it tells nothing about any of them (law 4)."""
    if access.may(Permission.OBJECTION_RECORD):
        yield Action(
            label="登记对自动提示的异议", url=url_for("objections.record", student_id=student_id), icon="hand-index"
        )
