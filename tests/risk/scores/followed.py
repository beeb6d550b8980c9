"""A student followed over time: answers that change and are scored, and what the file shows of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from app.risk.scores.trend import Trend, trend_of
from app.security.policy import Permission
from models.moment import now, travel
from models.student import Student
from tests.house import House
from tests.risk.people import Staffed
from tests.risk.scores.trained import score_round, the_round
from tests.screening.files import Person, bring_in, gad, line, phq, written


def answered(house: House, folder: Path, person: Person, total: int, *, days: int = 0, anxious: int = 0) -> None:
    """The student has this PHQ-9 total, and the round is scored, so many days from now."""
    with travel(now() + timedelta(days=days)):
        file = written(folder, line(person, phq(total), gad(anxious)), name=f"{days}.csv")
        bring_in(house, file, replace=bool(days))
        score_round(house, the_round(house))


def trend(house: House, by: Staffed, person: Person) -> Trend:
    with by.psychologist.under(Permission.RISK_READ, writing=False) as access:
        return trend_of(access, access.find(Student, person.row.id))
