"""What holds, for tests of corrections: everything that somebody is shown, owes or is counted by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from app.screening.corrections import rollback
from app.security.policy import Permission
from models.intake import BatchKind, ImportBatch
from models.interview import InterviewEntry, InterviewStage
from models.participation import Retest, RoundAbsence
from models.risk import Alert, Duty, DutyStage, Signal
from models.screening import ResponseSet, UnplacedAnswer, UnplacedStage
from tests.house import Client, House
from tests.screening.files import Person, _bare

NOT_SHOWN = {"version", "voided_by", "settled_by", "chased_at"}
"""Columns that count writes or say how a thing came to be: they hold nothing that anybody sees."""
HOLDS = {
    ResponseSet: ResponseSet.voided_at.is_(None),
    Signal: Signal.voided_at.is_(None),
    Alert: Alert.ended_at.is_(None),
    Duty: Duty.stage == DutyStage.OPEN,
    InterviewEntry: InterviewEntry.stage != InterviewStage.VOID,
    Retest: Retest.ended_at.is_(None),
    RoundAbsence: RoundAbsence.voided_at.is_(None),
    UnplacedAnswer: UnplacedAnswer.stage != UnplacedStage.VOID,
}


def holding(house: House) -> dict[str, list[tuple[Any, ...]]]:
    """Every row that holds, with everything in it."""
    found = {}
    with house.session() as session:
        for model, condition in HOLDS.items():
            table = model.__table__  # type: ignore[attr-defined]
            columns = [column for column in table.c if column.name not in NOT_SHOWN]
            rows = session.execute(select(*columns).where(condition))
            found[table.name] = sorted((tuple(map(_bare, row)) for row in rows), key=repr)
    return found


def attention_of(house: House, people: Sequence[Person]) -> dict[str, list[Any]]:
    """How these people are seen to, each by his place: alerts with level, duties, list, sheets, re-tests."""
    places = {person.row.id: place for place, person in enumerate(people)}
    wanted = {
        "alerts": (Alert, Alert.level),
        "duties": (Duty, Duty.kind, Duty.level),
        "listed": (InterviewEntry, InterviewEntry.weight),
        "sheets": (ResponseSet, ResponseSet.scale, ResponseSet.status, ResponseSet.validity),
        "retests": (Retest, Retest.stage),
    }
    with house.session() as session:
        return {
            name: sorted(
                (places[row[0]], *row[1:])
                for row in session.execute(
                    select(model.student_id, *columns).where(HOLDS[model], model.student_id.in_(places))
                )
            )
            for name, (model, *columns) in wanted.items()
        }


def roll_back(person: Client, batch: ImportBatch, reason: str = "选错了批次") -> dict[str, int]:
    """Take a delivery back, as the page does."""
    with person.under(Permission.SCREENING_CORRECT) as access:
        return rollback.roll_back(access, access.session.get_one(ImportBatch, batch.id), reason=reason)


def last_delivery(house: House) -> ImportBatch:
    query = select(ImportBatch).where(ImportBatch.kind == BatchKind.SCREENING).order_by(ImportBatch.id.desc())
    row: ImportBatch = house.all(query)[0][0]
    return row
