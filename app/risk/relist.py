"""Judging stored sheets again, where a correction has taken away what had kept a student off a list.

Whoever already had an alert was not put on the interview list, and whoever was
on the list was not put on it twice. When that alert or entry goes, the sheets
that are left speak for themselves (law 2: attention is never lost).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, or_

from app.risk import alert, judge
from app.screening.corrections import stored
from app.security.access import Access
from models.intake import ImportBatch
from models.risk import Signal
from models.screening import ResponseSet, ScreeningRound

SOME = 500


def list_again(
    access: Access,
    students: Iterable[UUID],
    *,
    since: datetime | None = None,
    sheets: Collection[UUID] = (),
    round_id: UUID | None = None,
) -> None:
    """Put these students on the lists of their rounds where their sheets say so and nothing holds them already.

    ``since``: only by sheets that came after that moment, or are among
    ``sheets``: what was decided about earlier ones stands.
    """
    wanted = sorted(students)
    for start in range(0, len(wanted), SOME):
        where: list[Any] = [ResponseSet.student_id.in_(wanted[start : start + SOME]), ResponseSet.voided_at.is_(None)]
        if since is not None:
            where.append(or_(ResponseSet.recorded_at >= since, ResponseSet.id.in_(list(sheets))))
        if round_id is not None:
            where.append(ResponseSet.round_id == round_id)
        for batch, rows in _by_batch(access, stored.sheets_of(access, *where)):
            screening_round = access.session.get_one(ScreeningRound, batch.round_id)
            found = judge_rows(access, screening_round, rows)
            nothing = alert.seal_reasons(access, found.book, [])
            replace(found, concerns=[], reasons=nothing).write(access, screening_round, batch)
            access.session.flush()


def raise_again(access: Access, screening_round: ScreeningRound, signals: Sequence[Signal]) -> None:
    """Raise anew what sheets say whose alert was ended because they had been void."""
    ids = [signal.source_id for signal in signals]
    rows = stored.sheets_of(access, ResponseSet.id.in_(ids)) if ids else []
    for batch, some in _by_batch(access, rows):
        found = judge_rows(access, screening_round, some)
        alert.raise_all(access, found.book, found.concerns, found.reasons, batch_id=batch.id)


def judge_rows(access: Access, screening_round: ScreeningRound, rows: Sequence[Row[Any]]) -> judge.RiskFindings:
    """What the rules say of stored sheets of one round."""
    bundle = stored.bundle_of(access, rows, stored.bodies_of(access, rows))
    return judge.judge(access, bundle, screening_round)


def _by_batch(access: Access, rows: Sequence[Row[Any]]) -> Iterable[tuple[ImportBatch, list[Row[Any]]]]:
    """Sheets by the delivery that brought them, so that rolling that one back finds what came of them."""
    held: dict[UUID, list[Row[Any]]] = {}
    for row in rows:
        held.setdefault(row.batch_id, []).append(row)
    for batch_id, some in held.items():
        yield access.session.get_one(ImportBatch, batch_id), some
