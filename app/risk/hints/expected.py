"""What a list is expected to bring, as whole people with a range: about many, never about one.

The sum of the calibrated chances of the people on the list. The range holds
what chance alone does (each talk comes out one way or the other) and that a
calibration is itself not certain (``expected_spread``). Of fewer people than
``expected_least`` nothing is said: it would come close to a number about a
person (the issue: on screen never a bare number).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from app.risk.scores.said import Said, bodies_of, live_words, words_of
from app.security.access import Access
from config import catalogue
from models.interview import InterviewEntry
from models.risk_model import RiskScore

_Z = 1.645
"""Of the normal distribution: nine of ten lists lie inside the range."""


@dataclass(frozen=True, slots=True)
class Expected:
    """So many of these people are expected to need further help; ``unknown`` are not counted in."""

    people: int
    low: int
    high: int
    unknown: int

    @property
    def words(self) -> str:
        return f"{self.low} 人" if self.low == self.high else f"{self.low}–{self.high} 人"


def expected(said: Mapping[UUID, Said], students: Iterable[UUID]) -> Expected | None:
    """What talks with these students are expected to find; none when too few of them are known to the model."""
    table = catalogue.table("risk_model")
    wanted = list(students)
    known = [held.log_odds for student in wanted if (held := said.get(student)) and held.log_odds is not None]
    if len(known) < table["expected_least"]:
        return None
    chances = [_chance(log_odds) for log_odds in known]
    mean = math.fsum(chances)
    by_chance = math.fsum(chance * (1 - chance) for chance in chances)
    half = _Z * math.sqrt(by_chance + (table["expected_spread"] * mean) ** 2)
    low, high = max(0, math.floor(mean - half)), min(len(known), math.ceil(mean + half))
    return Expected(len(known), low, high, len(wanted) - len(known))


def counted(access: Access, round_id: UUID) -> dict[UUID, Said]:
    """What the active model says of everybody who waits on a round's list; the log says how many, not whom."""
    rows = access.session.execute(
        live_words()
        .join(
            InterviewEntry,
            (InterviewEntry.student_id == RiskScore.student_id) & (InterviewEntry.round_id == RiskScore.round_id),
        )
        .where(RiskScore.round_id == round_id, InterviewEntry.ended_at.is_(None))
        .order_by(RiskScore.id)
    ).all()
    return words_of([row.student_id for row in rows], bodies_of(access.open_to_count, rows))


def _chance(log_odds: float) -> float:
    if log_odds >= 0:
        return 1 / (1 + math.exp(-log_odds))
    odds = math.exp(log_odds)
    return odds / (1 + odds)
