"""What an interview list costs: how many talks a week the centre can hold, and how far they reach.

The centre says the number itself, for each round; until it does, it is reckoned
from its people (``config/capacity.toml``). A number decides nothing: whoever is
not reached stays on the list, with the same owner and the same deadline.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy.orm import Session

from app.admin import rulebook
from app.events import Event
from app.security.access import Access
from app.security.holders import holders_of
from config import catalogue
from models import moment
from models.identity import Role
from models.moment import now
from models.refusal import Refusal
from models.screening import ScreeningRound


class CapacityStated(Event):
    """The centre has said how many interviews it can hold in a week."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far the interviews of a round reach until its deadline."""

    per_week: int
    stated: bool
    people: int
    until: datetime
    working_days: int
    a_week: int
    """Working days of an ordinary week."""

    @property
    def room(self) -> int:
        """Interviews that can be held until the deadline."""
        return self.per_week * self.working_days // self.a_week

    @property
    def reached(self) -> int:
        return min(self.room, self.people)

    @property
    def missed(self) -> int:
        return self.people - self.reached

    @property
    def weeks(self) -> int | None:
        return ceil(self.people / self.per_week) if self.per_week else None

    @property
    def more_per_week(self) -> int | None:
        """How many more a week would reach everybody in time; none when no working day is left."""
        if not self.working_days:
            return None
        return max(0, ceil(self.people * self.a_week / self.working_days) - self.per_week)


def weeks_for(session: Session, people: int) -> int | None:
    """Weeks needed to talk to ``people``; none when the centre has no psychologist."""
    per_week = reckoned(session)
    return ceil(people / per_week) if per_week else None


def reckoned(session: Session) -> float:
    """Interviews a week by the people of the centre and the hours each has for them."""
    table = catalogue.table("capacity")
    psychologists = len(holders_of(session, Role.PSYCHOLOGIST)) or len(holders_of(session, Role.CENTRE_HEAD))
    per_week: float = psychologists * table["hours_per_week"] * 60 / table["minutes_per_interview"]
    return per_week


def reach(session: Session, screening_round: ScreeningRound, people: int) -> Reach:
    """How many of ``people`` on the list of this round are reached until its deadline."""
    calendar = rulebook.current(session).calendar
    stated = screening_round.interviews_per_week
    last = screening_round.interviews_due_at.astimezone(moment.zone()).date()
    day, days = now().astimezone(moment.zone()).date(), 0
    while day <= last:
        days += calendar.is_working_day(day)
        day += timedelta(days=1)
    return Reach(
        per_week=stated if stated is not None else int(reckoned(session)),
        stated=stated is not None,
        people=people,
        until=screening_round.interviews_due_at,
        working_days=days if screening_round.interviews_due_at > now() else 0,
        a_week=len(calendar.weekdays),
    )


def state(access: Access, screening_round: ScreeningRound, *, per_week: int | None) -> None:
    """The centre says how many interviews it can hold in a week; none: reckoned from its people again."""
    most = catalogue.table("capacity")["most_per_week"]
    if per_week is not None and not 1 <= per_week <= most:
        raise Refusal(f"请填写 1 到 {most} 之间的整数；不填则按在岗人数推算。", field="per_week")
    screening_round.interviews_per_week = per_week
    access.record(CapacityStated(object_id=screening_round.id, count=per_week))
