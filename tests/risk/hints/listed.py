"""Rounds with a list, and whatever a test lets the model say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.risk.hints import ordering
from app.risk.scores.said import Band, Said
from app.security.actor import WORKER
from app.security.policy import Permission
from models.interview import EntryOrigin, InterviewEntry
from models.screening import ScreeningRound
from tests.house import House
from tests.risk.people import Staffed, staffed
from tests.screening.files import Person, bring_in, enrol, line, phq, written

CALM = 2
"""A PHQ-9 total that no rule speaks of."""
NONE = [""] * 7
"""No answer to GAD-7."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A house with one round: some students on its list, some calm."""

    house: House
    staff: Staffed
    people: list[Person]

    def students(self) -> list[UUID]:
        return [person.row.id for person in self.people]

    def entries(self, *where: Any) -> list[InterviewEntry]:
        """Entries as they are stored now, in the order of the list."""
        query = select(InterviewEntry).where(*where).order_by(InterviewEntry.place, InterviewEntry.id)
        return [row for (row,) in self.house.all(query)]

    def entry(self, person: Person) -> InterviewEntry:
        """The last entry of one student."""
        return max(self.entries(InterviewEntry.student_id == person.row.id), key=lambda row: row.id)

    def of(self, origin: EntryOrigin) -> set[UUID]:
        return {entry.student_id for entry in self.entries(InterviewEntry.origin == origin)}

    def round(self) -> ScreeningRound:
        [(row,)] = self.house.all(select(ScreeningRound))
        return row  # type: ignore[no-any-return]

    def arrange(self, said: Mapping[UUID, Said] | None = None) -> None:
        """Let the list be arranged as after a scoring that came to this."""
        with self.house.door.enter(WORKER, Permission.RISK_SCORE) as access:
            row = access.session.get_one(ScreeningRound, self.round().id, with_for_update=True)
            ordering.arrange(access, row, said or {})

    def order(self) -> list[UUID]:
        """Students in the order in which they are to be talked to."""
        return [entry.student_id for entry in self.entries(InterviewEntry.ended_at.is_(None))]


def listed(house: House, folder: Path, totals: Sequence[int]) -> Listed:
    """One student per PHQ-9 total, without any GAD-7: from 10 on the rules list him."""
    staff = staffed(house)
    people = enrol(house, len(totals), staff.group)
    rows = [line(person, phq(total), NONE) for person, total in zip(people, totals, strict=True)]
    bring_in(house, written(folder, *rows))
    return Listed(house, staff, people)


def says(person: Person, log_odds: float | None, *reasons: str) -> Said:
    """What the model says of one student; ``None``: it does not know."""
    band = Band.UNKNOWN if log_odds is None else Band.FIRST
    return Said(person.row.id, band, "core" if log_odds is None else "", log_odds, reasons)


def heard(*said: Said) -> dict[UUID, Said]:
    return {held.student_id: held for held in said}
