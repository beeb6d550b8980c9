"""What an interview list costs: weeks of the centre's interview hours."""

from __future__ import annotations

from math import ceil

from sqlalchemy.orm import Session

from app.security.holders import holders_of
from config import catalogue
from models.identity import Role


def weeks_for(session: Session, people: int) -> int | None:
    """Weeks needed to talk to ``people``; none when the centre has no psychologist."""
    table = catalogue.table("capacity")
    psychologists = len(holders_of(session, Role.PSYCHOLOGIST)) or len(holders_of(session, Role.CENTRE_HEAD))
    if psychologists == 0:
        return None
    per_week: float = psychologists * table["hours_per_week"] * 60 / table["minutes_per_interview"]
    return ceil(people / per_week)
