"""A few names that the rules did not see and the model did: added to the list, with reasons, never instead of anybody.

Among those who took part, only somebody who is on no list of this round, has no
alert, no case and no objection, of whom the model knows enough, and who stands
no lower than most of those the rules listed (``added_as_high_as``). At most a
small share of the list, over the whole round and not per night; nobody twice, and nobody
again of whom a person has judged that the hint needs no talk. After the round's
deadline nothing is added any more: nobody could be talked to in time.

A name that was added stays until a person ends it, even if the model would not
add it today: what comes and goes overnight helps nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select

from app.events import Event
from app.notices import post
from app.risk.duty import role_of
from app.risk.hints.participants import places_of, spoken_of, took_part
from app.risk.hints.put_on import put_on
from app.risk.scores import beside
from app.risk.scores.said import Said
from app.risk.scores.shelf import INTERVIEW
from app.security.access import Access
from models.interview import EntryOrigin, InterviewEntry, InterviewStage
from models.moment import now
from models.risk_model import ModelStage, RiskModel
from models.screening import ScreeningRound

TOGETHER = "几方面情况放在一起看，建议面谈"
"""Where no single reason is worth naming."""


class HintsAdded(Event):
    """The model added names to a round's list."""


def add(access: Access, screening_round: ScreeningRound, said: Mapping[UUID, Said]) -> int:
    """Add the names that may be added now; returns how many. The caller holds the round locked."""
    if not said or screening_round.interviews_due_at <= now():
        return 0
    names = _names(access, screening_round, said)
    if not names:
        return 0
    rule = f"model.{_edition(access)}"
    reasons = {student: [(rule, text) for text in said[student].speaking_for or (TOGETHER,)] for student in names}
    put_on(access, screening_round, places_of(access, names), origin=EntryOrigin.MODEL, reasons=reasons)
    owner = screening_round.owner_id
    post.tell(access, owner, role_of(access.session, owner), "hints_added", count=len(names))
    access.record(HintsAdded(object_id=screening_round.id, count=len(names)))
    return len(names)


def _names(access: Access, screening_round: ScreeningRound, said: Mapping[UUID, Said]) -> list[UUID]:
    listed = _students(access, screening_round.id, EntryOrigin.RULES)
    known = [held.log_odds for student in listed if (held := said.get(student)) and held.log_odds is not None]
    room = beside.most(len(listed)) - len(_students(access, screening_round.id, EntryOrigin.MODEL))
    if room <= 0 or not known:
        return []
    least = beside.least(known)
    free = took_part(access, screening_round.id) - spoken_of(access, screening_round)
    high = [
        (-held.log_odds, student)
        for student, held in said.items()
        if student in free and held.log_odds is not None and held.log_odds >= least
    ]
    return [student for _, student in sorted(high)[:room]]


def _students(access: Access, round_id: UUID, origin: EntryOrigin) -> list[UUID]:
    query = select(InterviewEntry.student_id).where(
        InterviewEntry.round_id == round_id,
        InterviewEntry.origin == origin,
        InterviewEntry.stage != InterviewStage.VOID,
    )
    return list(access.session.scalars(query.order_by(InterviewEntry.student_id)))


def _edition(access: Access) -> int:
    query = select(RiskModel.edition).where(RiskModel.purpose == INTERVIEW, RiskModel.stage == ModelStage.ACTIVE)
    return access.session.scalar(query) or 0
