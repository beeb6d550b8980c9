"""随机回访: a few talks by lot among those nothing spoke of, so that anybody can tell what the hints miss.

Outcomes come from talks, and mostly the flagged are talked to: without the lot
nobody ever learns how many of the others would have needed a talk, and a model
that learns from its own choices looks better every year. The centre switches it
on when it has room, and may switch it off again at any time.

Whether somebody is drawn is a keyed digest of round and student, compared with
the share: no chance generator, the same on every run, foreseeable by nobody
without the keys, and for each student alone. Files may come one after the
other; a larger share keeps whoever was drawn before. Everybody drawn carries
the share under which the round draws now, because estimates are weighted by it.

To the student it is an ordinary friendly talk. Nothing on it says anything
about him, because nothing was found.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from uuid import UUID

from sqlalchemy import func, select, update

from app.events import Event
from app.notices import post
from app.risk import capacity
from app.risk.duty import role_of
from app.risk.gives_way import give_way
from app.risk.hints.participants import places_of, spoken_of, took_part
from app.risk.hints.put_on import put_on
from app.security.access import Access
from config import catalogue
from models.interview import EntryOrigin, InterviewEntry, InterviewStage
from models.moment import now
from models.refusal import Refusal
from models.screening import ScreeningRound

WORDS = "随机回访：抽签选出，与测评结果无关"
_ALL = 1 << 64


class AuditShareSet(Event):
    """Talks by lot were switched on or off for a round."""


class AuditsDrawn(Event):
    """Students were drawn by lot for a talk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a share comes to in talks."""

    unspoken: int
    """Who took part and of whom nothing spoke."""
    drawn: int
    """Whom the lot has fallen on already."""
    talks: int
    """Whom it falls on besides."""
    room: int
    """Talks that are free until the deadline, beside the list as it is."""
    weeks: float
    """Weeks of working days left until the deadline."""

    @property
    def per_week(self) -> int:
        return ceil(self.talks / self.weeks) if self.weeks else self.talks


def lot(access: Access, round_id: UUID, student_id: UUID, *, of: str = "draw") -> float:
    """A number from 0 to 1 for this student in this round; another one for each use."""
    digest = access.digest(f"interview lot {of}", round_id.bytes + student_id.bytes)
    return int.from_bytes(digest[:8], "big") / _ALL


def draw(access: Access, screening_round: ScreeningRound) -> int:
    """Put on the list whoever the lot falls on; returns how many. The caller holds the round locked."""
    share = screening_round.audit_share
    if share is None or screening_round.interviews_due_at <= now():
        return 0
    free = took_part(access, screening_round.id) - spoken_of(access, screening_round)
    drawn = [student for student in sorted(free) if lot(access, screening_round.id, student) < share]
    if not drawn:
        return 0
    reasons = {student: [("audit", WORDS)] for student in drawn}
    places = places_of(access, drawn)
    put_on(access, screening_round, places, origin=EntryOrigin.AUDIT, reasons=reasons, share=share)
    owner = screening_round.owner_id
    post.tell(access, owner, role_of(access.session, owner), "audits_drawn", count=len(drawn))
    access.record(AuditsDrawn(object_id=screening_round.id, count=len(drawn)))
    return len(drawn)


def cost(access: Access, screening_round: ScreeningRound, share: float) -> Cost:
    """What this share would ask of the centre."""
    free = took_part(access, screening_round.id) - spoken_of(access, screening_round)
    here = InterviewEntry.round_id == screening_round.id
    people = access.session.scalar(select(func.count()).where(here, InterviewEntry.ended_at.is_(None))) or 0
    drawn = (here, InterviewEntry.origin == EntryOrigin.AUDIT, InterviewEntry.stage != InterviewStage.VOID)
    reach = capacity.reach(access.session, screening_round, people)
    return Cost(
        unspoken=len(free),
        drawn=access.session.scalar(select(func.count()).where(*drawn)) or 0,
        talks=sum(lot(access, screening_round.id, student) < share for student in free),
        room=max(0, reach.room - people),
        weeks=reach.working_days / reach.a_week,
    )


def switch_on(access: Access, screening_round: ScreeningRound, *, share: float) -> None:
    """Draw this share from now on. Refused where the stated talks would not even reach the list's own people."""
    most = catalogue.table("risk_model")["audit_most_share"]
    if not 0 < share <= most:
        raise Refusal(f"抽取比例应大于 0、不超过 {most:.0%}。", field="share")
    if screening_round.interviews_due_at <= now():
        raise Refusal("本批次的约谈已经截止，请在下一个批次开启随机回访。")
    needed = cost(access, screening_round, share)
    if needed.room < needed.talks:
        raise Refusal(
            f"按现在每周的访谈数，截止前除名单上的人外还能约 {needed.room} 人，而随机回访约需 {needed.talks} 人。"
            "请先调高每周访谈数、延长约谈截止日期，或选较小的比例。",
            field="share",
        )
    raised = (screening_round.audit_share or 0) < share
    screening_round.audit_share = share
    if raised:
        table = InterviewEntry.__table__
        drawn = (table.c.round_id == screening_round.id) & (table.c.origin == EntryOrigin.AUDIT)
        access.session.execute(update(table).where(drawn).values(share=share))  # type: ignore[arg-type]
    access.record(AuditShareSet(object_id=screening_round.id, count=needed.talks))


def switch_off(access: Access, screening_round: ScreeningRound) -> int:
    """Draw nobody any more. Whoever nobody has invited yet goes off the list; returns how many."""
    screening_round.audit_share = None
    waiting = access.session.scalars(
        select(InterviewEntry)
        .where(
            InterviewEntry.round_id == screening_round.id,
            InterviewEntry.origin == EntryOrigin.AUDIT,
            InterviewEntry.stage == InterviewStage.LISTED,
        )
        .order_by(InterviewEntry.student_id)
    ).all()
    access.lock_students(entry.student_id for entry in waiting)
    for entry in waiting:
        give_way(entry, None)
    access.record(AuditShareSet(object_id=screening_round.id, count=0))
    return len(waiting)
