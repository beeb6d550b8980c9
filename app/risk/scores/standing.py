"""The level of attention a student had at a moment: what stood beside a hint when it was given.

An alert counts with the level it reached, from the day it was raised to the
day it ended; a case with the level it has. For the centre only (law 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.security.access import Access
from models.case import Case
from models.risk import Alert, AlertStage, Level


@dataclass(frozen=True, slots=True)
class Span:
    """A level from one moment to another."""

    level: Level
    since: datetime
    until: datetime | None

    def holds(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Standings:
    """Alerts and cases of one student."""

    alerts: tuple[Span, ...]
    cases: tuple[Span, ...]

    def level(self, at: datetime) -> Level | None:
        """The most severe that held then; none where nobody had assessed anything."""
        held = [span.level for span in (*self.alerts, *self.cases) if span.holds(at)]
        return max(held, key=lambda level: level.severity, default=None)

    def in_case(self, at: datetime) -> bool:
        return any(span.holds(at) for span in self.cases)


def standings_of(access: Access, student_id: UUID) -> Standings:
    """Alerts that were not void, and cases, of a student found through a rule."""
    alerts = access.session.execute(
        select(Alert.level, Alert.raised_at, Alert.ended_at)
        .where(Alert.student_id == student_id, Alert.stage != AlertStage.VOID)
        .order_by(Alert.raised_at, Alert.id)
    )
    cases = access.session.execute(
        select(Case.level, Case.opened_at, Case.closed_at)
        .where(Case.student_id == student_id)
        .order_by(Case.opened_at, Case.id)
    )
    return Standings(tuple(Span(*row) for row in alerts), tuple(Span(*row) for row in cases))
