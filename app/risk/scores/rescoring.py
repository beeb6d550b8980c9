"""When rounds are scored: soon after facts arrive, and every night.

Facts come in bursts (sixty files of one delivery, a morning of talks), so one
waiting job serves all of them. It is locked while a transaction relies on it:
the worker takes it only after that transaction's facts are there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.events import Event
from app.intake.batch import many_objects
from app.jobs.queue import enqueue
from app.risk.scores import drift_watch, scoring
from app.risk.scores.drift_watch import Watched
from app.risk.scores.live_scores import scored_rounds
from app.risk.scores.said import in_parts
from app.risk.scores.scoring import Prepared, RoundScored
from app.screening.corrections.reattribution import SheetsReattributed
from app.screening.corrections.rescore import SheetsRescored
from app.security.access import Access
from app.security.actor import WORKER
from app.security.door import Door
from app.security.policy import Permission, Purpose
from config import catalogue
from models.base import new_id
from models.intake import ImportBatch
from models.job import Job, JobStage
from models.moment import now
from models.risk_model import ModelStage, RiskModel
from models.screening import ResponseSet

SCORE, NIGHTLY = "risk.score", "risk.nightly"
RIGHTS = (Permission.RISK_SCORE, Purpose.CARE)


class OfBatch(Protocol):
    """A fact about one delivery."""

    @property
    def object_id(self) -> UUID | None: ...


# --- asking for it --------------------------------------------------------------------------------


def ask(session: Session, round_id: UUID, *, wait: timedelta = timedelta()) -> None:
    """Let a round be scored after this transaction; a job that waits already serves for this too."""
    run_at = now() + wait
    arguments = json.dumps({"round_id": round_id.hex})
    waiting = session.scalars(
        select(Job)
        .where(Job.kind == SCORE, Job.stage == JobStage.WAITING, Job.arguments == arguments)
        .order_by(Job.run_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if waiting is None:
        enqueue(session, SCORE, effect_key=f"{SCORE} {round_id.hex} {new_id().hex}", run_at=run_at, round_id=round_id)
    elif waiting.run_at > run_at:
        waiting.run_at = run_at


def follow_delivery(access: Access, happened: OfBatch) -> None:
    """Listener: a delivery went in or was rolled back."""
    batch = access.session.get(ImportBatch, happened.object_id)
    if batch is not None and batch.round_id is not None:
        ask(access.session, batch.round_id)


def follow_corrected(access: Access, happened: SheetsReattributed | SheetsRescored) -> None:
    """Listener: sheets were given to another student, or scored anew."""
    ask(access.session, happened.round_id)


def follow_students(access: Access, happened: Event) -> None:
    """Listener: something became known of these students; whatever rounds they are scored in follow, in a while."""
    wait = timedelta(seconds=catalogue.table("risk_model")["settle_seconds"])
    for round_id in _rounds_of(access.session, happened.student_ids):
        ask(access.session, round_id, wait=wait)


def follow_everything(access: Access, _happened: Event) -> None:
    """Listener: another model is used or watched, or other data may be: every round that is scored follows."""
    for round_id in scored_rounds(access.session):
        ask(access.session, round_id)


def _rounds_of(session: Session, student_ids: Sequence[UUID]) -> list[UUID]:
    """Scored rounds in which one of these students takes part."""
    rounds = scored_rounds(session)
    found = {
        round_id
        for some in in_parts(student_ids)
        for round_id in session.scalars(
            select(ResponseSet.round_id)
            .where(ResponseSet.student_id.in_(some), ResponseSet.round_id.in_(rounds), ResponseSet.voided_at.is_(None))
            .distinct()
        )
    }
    return [round_id for round_id in rounds if round_id in found]


def failed(session: Session, round_id: UUID) -> bool:
    """Whether the last scoring of a round that ended could not be done: then no hint is as new as the facts."""
    mine = (Job.kind == SCORE, Job.arguments == json.dumps({"round_id": round_id.hex}), Job.finished_at.is_not(None))
    return session.scalar(select(Job.stage).where(*mine).order_by(Job.finished_at.desc(), Job.id.desc()).limit(1)) is (
        JobStage.FAILED
    )


# --- the jobs --------------------------------------------------------------------------------------


def prepare(door: Door, beat: Callable[[], None], *, round_id: UUID) -> Prepared:
    """Read and score, outside any lock."""
    with many_objects(), door.enter(WORKER, *RIGHTS, writing=False) as access:
        return scoring.prepare_round(access, round_id, beat=lambda _done, _of: beat())


def write(access: Access, *, round_id: UUID, prepared: Prepared) -> None:
    """Write what was prepared."""
    assert prepared.round_id == round_id  # noqa: S101 - the worker hands over what it prepared
    scoring.write_round(access, prepared)


def gave_up(access: Access, *, round_id: UUID, why: str) -> None:
    """It could not be done for the last time: the rules' order is laid anew all the same."""
    access.record(RoundScored(object_id=round_id, shadow=False, count=0))


def look(door: Door, beat: Callable[[], None]) -> list[Watched]:
    """By night: whether those who take part still look like those the model learned from."""
    with many_objects(), door.enter(WORKER, *RIGHTS, writing=False) as access:
        return drift_watch.watch(access, _each(scored_rounds(access.session), beat))


def nightly(access: Access, *, prepared: list[Watched]) -> None:
    """Every round that is scored is scored again while there is a model, and the head of the centre hears of drift."""
    drift_watch.tell(access, prepared)
    stages = (ModelStage.ACTIVE, ModelStage.SHADOW, ModelStage.APPROVED)
    if access.session.scalar(select(RiskModel.id).where(RiskModel.stage.in_(stages)).limit(1)) is not None:
        for round_id in scored_rounds(access.session):
            ask(access.session, round_id)


def _each(rounds: Iterable[UUID], beat: Callable[[], None]) -> Iterable[UUID]:
    for round_id in rounds:
        beat()
        yield round_id
