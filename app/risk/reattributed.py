"""Answers went to the student whose they are: he is judged at once, and the other one is left with what is his."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from app.risk import corrected, relist, undone
from app.screening.corrections import stored
from app.screening.corrections.reattribution import SheetsReattributed
from app.security.access import Access
from models.intake import ImportBatch
from models.screening import ResponseSet, ScreeningRound


def follow(access: Access, happened: SheetsReattributed) -> None:
    """Listener: the alert that should have been, in the same transaction (law 2).

    What had rested on the wrong student's sheets went with them (``ground``).
    """
    assert happened.object_id is not None  # noqa: S101 - a correction
    screening_round = access.session.get_one(ScreeningRound, happened.round_id)
    signals = undone.of_sheets(access, happened.restored)
    lost = undone.hold_again(access, signals)
    corrected.settle(access, {signal.alert_id for signal in signals}, by=happened.object_id)
    relist.raise_again(access, screening_round, lost)
    relist.list_again(access, happened.taken_from, round_id=happened.round_id)
    batches: dict[UUID, list[Row[Any]]] = {}
    for row in stored.sheets_of(access, ResponseSet.id.in_(happened.given)):
        batches.setdefault(row.batch_id, []).append(row)
    for batch_id, rows in batches.items():
        found = relist.judge_rows(access, screening_round, rows)
        found.write(access, screening_round, access.session.get_one(ImportBatch, batch_id))
