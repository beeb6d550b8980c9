"""A training as work for the worker: asked for once, with its progress on the page, and an end that says what came."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.events import Event
from app.jobs.queue import Kind, enqueue
from app.jobs.worker import Beat
from app.notices import post
from app.risk.editions.training import RIGHTS, Trained, keep, prepare_training
from app.risk.gathering import data_use, features
from app.risk.scores.shelf import INTERVIEW
from app.security.access import Access
from app.security.door import Door
from app.security.holders import first_holder
from models.identity import Role
from models.model_life import ModelTraining, TrainingStage
from models.moment import now
from models.refusal import Refusal
from models.risk_model import RiskModel

JOB = "risk.train"
CHANGED = "训练期间数据使用登记有变化，这次训练没有保留，已按现在的登记重新训练。"


class TrainingAsked(Event):
    """Somebody asked for a new edition of the model."""


class TrainingWithoutModel(Event):
    """A training ended without an edition; the page says why."""


@dataclass(frozen=True, slots=True)
class NotTrained:
    """Why there is no edition, in a sentence."""

    sentence: str


# --- asking ----------------------------------------------------------------------------------


def ask(access: Access, *, because: str = "asked", by: UUID | None = None) -> ModelTraining:
    """Let the worker train. One at a time: a second wish while one is under way is refused."""
    if waiting(access.session) is not None:
        raise Refusal("已经在训练新的一版，请等它完成。")
    row = ModelTraining(
        purpose=INTERVIEW, stage=TrainingStage.ASKED, because=because, asked_by=by or access.actor.id, asked_at=now()
    )
    try:
        with access.session.begin_nested():
            access.session.add(row)
    except IntegrityError as problem:
        raise Refusal("已经在训练新的一版，请等它完成。") from problem
    enqueue(access.session, JOB, effect_key=f"train {row.id.hex}", training_id=row.id)
    access.record(TrainingAsked(object_id=row.id))
    return row


def follow_switched_off(access: Access, _happened: Event) -> None:
    """Listener: a domain of the register was switched off. Learn again without it, once there was a model at all.

    Until somebody decides, the edition in use is no longer fed with it (``gather``).
    """
    learned = access.session.scalars(select(RiskModel.id).where(RiskModel.purpose == INTERVIEW).limit(1)).first()
    if learned is not None and waiting(access.session) is None:
        ask(access, because="data_use")


def waiting(session: Session) -> ModelTraining | None:
    """The training that is under way."""
    return session.scalars(
        select(ModelTraining).where(ModelTraining.purpose == INTERVIEW, ModelTraining.stage == TrainingStage.ASKED)
    ).first()


def last(session: Session) -> ModelTraining | None:
    """The training that ended last."""
    ended = select(ModelTraining).where(ModelTraining.purpose == INTERVIEW, ModelTraining.stage != TrainingStage.ASKED)
    return session.scalars(ended.order_by(ModelTraining.ended_at.desc(), ModelTraining.id.desc()).limit(1)).first()


# --- the job ------------------------------------------------------------------------------------------


def prepare(door: Door, beat: Beat, *, training_id: UUID) -> Trained | NotTrained:
    """The worker's long part, with its progress on the page."""

    def told(done: int, total: int) -> None:
        beat(_mark, training_id=training_id, done=done, total=total)

    told(0, 100)
    try:
        return prepare_training(door, told)
    except Refusal as refusal:
        return NotTrained(refusal.sentence)


def _mark(session: Session, *, training_id: UUID, done: int, total: int) -> None:
    session.execute(
        update(ModelTraining)
        .where(ModelTraining.id == training_id)
        .values(progress=done, progress_total=total)
        .execution_options(synchronize_session=False)
    )


def run(access: Access, *, training_id: UUID, prepared: Trained | NotTrained) -> None:
    """The worker's short part: keep the edition, or say why there is none."""
    row = access.session.get_one(ModelTraining, training_id)
    if row.stage is not TrainingStage.ASKED:
        return
    if isinstance(prepared, NotTrained):
        gave_up(access, training_id=training_id, why=prepared.sentence)
        return
    if set(prepared.without) != {one.key for one in features.domains()} - data_use.in_force(access.session):
        gave_up(access, training_id=training_id, why=CHANGED)
        ask(access, because="data_use", by=row.asked_by)
        return
    model = keep(access, prepared, by=row.asked_by, cause="data_use" if row.because == "data_use" else "trained")
    row.move_to(TrainingStage.MADE)
    row.ended_at, row.model_id = now(), model.id
    _tell(access, row.asked_by, "model_trained")


def gave_up(access: Access, *, training_id: UUID, why: str) -> None:
    """No edition: whoever asked is told, and the page says why."""
    row = access.session.get_one(ModelTraining, training_id)
    if row.stage is not TrainingStage.ASKED:
        return
    row.move_to(TrainingStage.NOT_MADE)
    row.ended_at, row.said = now(), why
    _tell(access, row.asked_by, "model_not_trained")
    access.record(TrainingWithoutModel(object_id=row.id))


def _tell(access: Access, staff_id: UUID | None, kind: str) -> None:
    to = staff_id or first_holder(access.session, Role.CENTRE_HEAD)
    if to is not None:
        post.tell(access, to, Role.CENTRE_HEAD, kind)


KIND = Kind(name=JOB, permission=RIGHTS[0], purpose=RIGHTS[1], prepare=prepare, run=run, gave_up=gave_up)
