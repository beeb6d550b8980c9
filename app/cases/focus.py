"""关注要点: what an advisor is told about a student, from the centre's advice or from the open alert."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.security.access import Access
from config import catalogue
from models.case import CareAdvice
from models.risk import Alert, Signal


@dataclass(frozen=True, slots=True)
class Focus:
    """A focus point (关注要点) as an advisor reads it."""

    key: str
    label: str
    watch: str
    say: str
    do: tuple[str, ...]
    avoid: tuple[str, ...]


def focus_points(keys: Iterable[str]) -> list[Focus]:
    """The points behind some keys, each once, in the order of ``config/focus.toml``."""
    table = catalogue.table("focus")
    wanted = set(keys)
    return [
        Focus(key, held["label"], held["watch"], held["say"], tuple(held["do"]), tuple(held["avoid"]))
        for key, held in table.items()
        if key in wanted
    ]


def focus_keys(access: Access, alert_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    rows = access.session.execute(
        select(Signal.id.label("signal_id"), Signal.alert_id, Signal.student_id, Signal.focus)
        .where(Signal.alert_id.in_(set(alert_ids)), Signal.voided_at.is_(None))
        .order_by(Signal.id)
    ).all()
    found: dict[UUID, list[str]] = {}
    for row, keys in zip(rows, access.open_each(rows, Signal.focus), strict=True):
        found.setdefault(row.alert_id, []).extend(json.loads(keys))
    return found


def focus_of_student(access: Access, student_id: UUID) -> tuple[list[Focus], str]:
    """What an advisor is told: the centre's advice if there is some, else the points of the open alert."""
    advice = access.session.execute(
        select(CareAdvice.id.label("care_advice_id"), CareAdvice.student_id, CareAdvice.body)
        .where(CareAdvice.student_id == student_id, CareAdvice.superseded_at.is_(None))
        .order_by(CareAdvice.given_at.desc())
        .limit(1)
    ).first()
    if advice is not None:
        held = access.open_json(advice, CareAdvice.body)
        return focus_points(held["focus"]), held["text"]
    alert_id = access.session.scalar(select(Alert.id).where(Alert.student_id == student_id, Alert.ended_at.is_(None)))
    return focus_points(focus_keys(access, [alert_id]).get(alert_id, ()) if alert_id else ()), ""
