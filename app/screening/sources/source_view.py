"""What the pages of sources show: how each stands, what has arrived, what lies in a folder and cannot be taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.admin import rulebook
from app.screening.sources import schedule
from app.security.access import PAGE, Access
from app.security.holders import names_of
from models.moment import today
from models.screening import ScreeningRound
from models.source import Arrival, ArrivalState, InboxFile, InboxRefusal, ScreeningSource, SourceKind, Waits
from models.working_time import WorkingCalendar


class SourceState(StrEnum):
    """How a source stands, in one word."""

    NORMAL = "normal"
    WAITING = "waiting"
    LATE = "late"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """One source in the list."""

    id: UUID
    name: str
    kind: SourceKind
    state: SourceState
    owner: str
    round_name: str
    waiting: int
    is_urgent: bool
    last_at: datetime | None
    expected_on: date | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What waits of one source, and when it last delivered."""

    waiting: int = 0
    urgent: int = 0
    last_at: datetime | None = None


def waiting(access: Access) -> int:
    """How many deliveries wait for a person, for the badge."""
    query = select(Arrival.id).where(Arrival.state == ArrivalState.WAITING, Arrival.waits_for != "").limit(100)
    return access.session.scalar(select(func.count()).select_from(query.subquery())) or 0


def listed(access: Access, *, offset: int) -> list[SourceRow]:
    """Sources by name, the retired ones last; one page and one more."""
    query = select(
        ScreeningSource.id,
        ScreeningSource.name,
        ScreeningSource.kind,
        ScreeningSource.owner_id,
        ScreeningSource.expected_on,
        ScreeningSource.retired_at,
        ScreeningSource.retired_at.is_not(None).label("is_retired"),
        ScreeningRound.name.label("round_name"),
    ).outerjoin(ScreeningRound, ScreeningRound.id == ScreeningSource.round_id)
    rows = access.page(query, order=["is_retired", "name", "id"], limit=PAGE + 1, offset=offset)
    standing = _standing(access, [row.id for row in rows])
    names = names_of(access.session, [row.owner_id for row in rows])
    calendar = rulebook.current(access.session).calendar
    return [_row(row, standing.get(row.id, Standing()), names, calendar) for row in rows]


def _row(row: Any, held: Standing, names: dict[UUID, str], calendar: WorkingCalendar) -> SourceRow:
    return SourceRow(
        id=row.id,
        name=row.name,
        kind=row.kind,
        state=_state(row, held, calendar),
        owner=names.get(row.owner_id, "--"),
        round_name=row.round_name or "--",
        waiting=held.waiting,
        is_urgent=held.urgent > 0,
        last_at=held.last_at,
        expected_on=row.expected_on,
    )


def _state(row: Any, held: Standing, calendar: WorkingCalendar) -> SourceState:
    if row.retired_at is not None:
        return SourceState.RETIRED
    if held.waiting:
        return SourceState.WAITING
    is_late = row.expected_on is not None and today() > schedule.last_day(row.expected_on, calendar)
    return SourceState.LATE if is_late else SourceState.NORMAL


def _standing(access: Access, ids: list[UUID]) -> dict[UUID, Standing]:
    is_waiting = (Arrival.state == ArrivalState.WAITING) & (Arrival.waits_for != "")
    rows = access.session.execute(
        select(
            Arrival.source_id,
            func.count().filter(is_waiting),
            func.count().filter(is_waiting & Arrival.is_urgent),
            func.max(Arrival.arrived_at),
        )
        .where(Arrival.source_id.in_(ids))
        .group_by(Arrival.source_id)
    )
    return {source_id: Standing(count, urgent, last) for source_id, count, urgent, last in rows}


def state_of(access: Access, source: ScreeningSource) -> SourceState:
    """How one source stands."""
    held = _standing(access, [source.id]).get(source.id, Standing())
    return _state(source, held, rulebook.current(access.session).calendar)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalRow:
    """One delivery in the list of a source. Its file's name stays with the delivery."""

    batch_id: UUID | None
    state: ArrivalState
    arrived_at: datetime
    is_late: bool
    is_partial: bool
    rows: int | None
    reasons: tuple[Waits, ...]
    is_urgent: bool
    owner: str
    due_at: datetime | None


def arrivals(access: Access, source: ScreeningSource, *, offset: int) -> list[ArrivalRow]:
    """What a source has brought, newest first; one page and one more."""
    found = access.session.scalars(
        select(Arrival)
        .where(Arrival.source_id == source.id)
        .order_by(Arrival.arrived_at.desc(), Arrival.id)
        .offset(offset)
        .limit(PAGE + 1)
    ).all()
    names = names_of(access.session, [row.owner_id for row in found])
    return [
        ArrivalRow(
            batch_id=row.batch_id,
            state=row.state,
            arrived_at=row.arrived_at,
            is_late=row.is_late,
            is_partial=row.is_partial,
            rows=row.rows,
            reasons=tuple(Waits(word) for word in row.waits_for.split()),
            is_urgent=row.is_urgent,
            owner=names.get(row.owner_id, "--") if row.owner_id else "--",
            due_at=row.due_at,
        )
        for row in found
    ]


def left_in_folder(access: Access, source: ScreeningSource) -> dict[InboxRefusal, int]:
    """What lies in the folder and is not taken, by reason. Names are not known here."""
    rows = access.session.execute(
        select(InboxFile.refused, func.count())
        .where(InboxFile.source_id == source.id, InboxFile.refused.is_not(None))
        .group_by(InboxFile.refused)
        .order_by(InboxFile.refused)
    )
    return {reason: count for reason, count in rows if reason is not None}
