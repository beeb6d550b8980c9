"""What a college lead and the heads watch: open duties of their reach, masked, and which clocks have run out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from app.cases.worklist import open_duties
from app.security.access import PAGE, Access
from app.security.holders import names_of
from models.identity import ClassGroup
from models.moment import now
from models.risk import Alert, AlertStage, Duty, DutyStage, Level
from models.student import Student


@dataclass(frozen=True, slots=True)
class OverviewLine:
    """One open duty of somebody else."""

    id: UUID
    student_id: UUID
    kind: str
    level: Level
    due_at: datetime
    acknowledged_at: datetime | None
    owner_id: UUID
    owner: str
    name: str
    college: str
    class_name: str
    times_escalated: int


def duties(access: Access, *, overdue: bool, offset: int = 0) -> list[OverviewLine]:
    """Open duties within reach by due time; one page and one more."""
    query = open_duties()
    if overdue:
        query = query.where((Duty.due_at <= now()) | (Duty.times_escalated > 0))
    rows = access.page(query, order=["due_at", "id"], limit=PAGE + 1, offset=offset)
    owners = names_of(access.session, [row.owner_id for row in rows])
    return [
        OverviewLine(
            row.id,
            row.student_id,
            row.kind.value,
            row.level,
            row.due_at,
            row.acknowledged_at,
            row.owner_id,
            owners.get(row.owner_id, "--"),
            name,
            row.college,
            row.class_name,
            row.times_escalated,
        )
        for row, name in zip(rows, access.open_each(rows, Student.name), strict=True)
    ]


def _undecided() -> tuple[ColumnElement[bool], ...]:
    """Alerts about which everything was done but the centre's decision."""
    owed = select(Duty.id).where(Duty.alert_id == Alert.id, Duty.stage == DutyStage.OPEN).exists()
    return Alert.ended_at.is_(None), Alert.stage == AlertStage.RAISED, ~owed


def counts(access: Access) -> dict[str, int]:
    """How many duties are open, not yet acknowledged, and late."""
    opened = Duty.stage == DutyStage.OPEN
    return {
        "open": access.count(Duty, opened),
        "unacknowledged": access.count(Duty, opened, Duty.acknowledged_at.is_(None)),
        "undecided": access.session.scalar(select(func.count()).select_from(Alert).where(*_undecided())) or 0,
        "late": access.count(Duty, opened, (Duty.due_at <= now()) | (Duty.times_escalated > 0)),
    }


def classes_within(access: Access) -> list[tuple[UUID, str]]:
    """The classes whose students the reader may search, for a filter."""
    rows = access.page(
        select(ClassGroup.id.label("class_id"), ClassGroup.name.label("class_name"))
        .select_from(Student)
        .join(ClassGroup, ClassGroup.id == Student.class_id)
        .where(Student.left_at.is_(None))
        .distinct(),
        order=["class_name", "class_id"],
        limit=500,
    )
    return [(row.class_id, row.class_name) for row in rows]
