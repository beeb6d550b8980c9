"""Training an edition of the model: reading, learning, measuring; and keeping what came of it, sealed.

The long part writes nothing; ``keep`` then writes the edition, its file and
its card at once. With too few outcomes there is no edition but a sentence that
says how many are missing: the list stays ordered by the rules, which never
wait for a model. The same facts give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.admin import rulebook
from app.events import Event
from app.risk.editions import measured
from app.risk.editions.moves import note
from app.risk.gathering import data_use, features, gather, labels
from app.risk.scores.shelf import INTERVIEW
from app.security.access import Access
from app.security.actor import WORKER, Actor
from app.security.door import Door
from app.security.holders import first_holder
from app.security.policy import Permission, Purpose
from config import catalogue
from ml import store, train
from models.identity import Role
from models.interview import InterviewEntry, InterviewStage
from models.moment import now
from models.refusal import Refusal
from models.risk_model import ModelStage, RiskModel

RIGHTS = (Permission.RISK_SCORE, Purpose.CARE)
GATHERING, LEARNING, MEASURING = 10, 20, 70
"""What each part takes, in hundredths of the whole."""

Told = Callable[[int, int], None]


class RiskModelTrained(Event):
    """There is a new edition; the digest of its file stands in the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """An edition before it has a number: its file, its card, and what both rest on."""

    raw: bytes
    card: dict[str, Any]
    features: tuple[str, ...]
    without: tuple[str, ...]
    until: datetime
    labels: int
    positives: int
    procedure: str
    rules_version: str


# --- reading, learning, measuring -----------------------------------------------------------------


def prepare_training(
    door: Door, beat: Told, *, without: frozenset[str] = frozenset(), actor: Actor = WORKER
) -> Trained:
    """Everything but the writing. ``without`` leaves out domains of the register beyond those not in force.

    The same facts give the same bytes. Raises ``Refusal`` where there is too little to learn from.
    """
    read = _read(door, actor, without)
    beat(GATHERING, 100)
    settings = _settings()
    known = read.known
    try:
        model = train.train(
            read.gathered.table,
            known.labels,
            rules=known.rules,
            weights=known.weights,
            settings=settings,
            beat=_part(beat, GATHERING, LEARNING),
        )
        card = measured.card_of(
            model,
            read.gathered,
            known,
            read.groups,
            told_at=read.told_at,
            settings=settings,
            beat=_part(beat, GATHERING + LEARNING, MEASURING),
        )
    except train.TooFew as problem:
        raise Refusal(_too_few(known)) from problem
    return Trained(
        raw=store.dump(model),
        card=card,
        features=tuple(feature.key for feature in model.features),
        without=tuple(one.key for one in features.domains() if one.key not in read.in_force),
        until=read.until,
        labels=model.labels,
        positives=model.positives,
        procedure=model.procedure,
        rules_version=read.rules_version,
    )


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read for a training, all at one moment."""

    until: datetime
    in_force: frozenset[str]
    known: labels.Labelled
    gathered: gather.Gathered
    groups: dict[str, NDArray[np.str_]]
    told_at: list[datetime]
    rules_version: str


def _read(door: Door, actor: Actor, without: frozenset[str]) -> _Read:
    until = now()
    with door.enter(actor, *RIGHTS, writing=False) as access:
        in_force = data_use.in_force(access.session) - without
        known = labels.labelled(access, until=until)
        _refuse_too_few(known)
        gathered = gather.gather(access, known.students, at=known.at, domains=in_force)
        groups = labels.groups_of(access, known.students)
        told_at = _told_at(access, known)
        rules_version = rulebook.current(access.session).version
    return _Read(until, in_force, known, gathered, groups, told_at, rules_version)


def _told_at(access: Access, known: labels.Labelled) -> list[datetime]:
    """When each outcome was written down: an earlier round's late outcome is news, not experience."""
    query = select(InterviewEntry.round_id, InterviewEntry.student_id, InterviewEntry.ended_at).where(
        InterviewEntry.stage == InterviewStage.DONE
    )
    ended = {(round_id, student_id): when for round_id, student_id, when in access.session.execute(query)}
    return [ended[place] or now() for place in zip(known.rounds, known.students, strict=True)]


def _settings() -> train.Settings:
    held = catalogue.table("risk_model")
    return train.Settings(
        seed=held["seed"],
        least_labels=held["least_labels"],
        least_positives=held["least_positives"],
        full_labels=held["full_labels"],
        first=held["band_first"],
        soon=held["band_soon"],
    )


def _part(beat: Told, begin: int, share: int) -> Told:
    """Progress of one part as progress of the whole."""
    return lambda done, total: beat(begin + share * done // max(total, 1), 100)


def _refuse_too_few(known: labels.Labelled) -> None:
    held = catalogue.table("risk_model")
    people, hits, others = counts(known)
    if people < held["least_labels"] or min(hits, others) < held["least_positives"]:
        raise Refusal(_too_few(known))


def counts(known: labels.Labelled) -> tuple[int, int, int]:
    """People with an outcome, those with one that counts, those with one that does not."""
    pairs = list(zip(known.students, known.labels.tolist(), strict=True))
    return (
        len(set(known.students)),
        len({who for who, label in pairs if label == 1}),
        len({who for who, label in pairs if label == 0}),
    )


def _too_few(known: labels.Labelled) -> str:
    """How many outcomes are missing. Few are not counted out: a small number could point at somebody."""
    held = catalogue.table("risk_model")
    people, hits, others = counts(known)
    wanted = (
        ("有面谈结果的学生", people, held["least_labels"]),
        ("其中需要继续关注的", hits, held["least_positives"]),
        ("其中暂无需要的", others, held["least_positives"]),
    )
    short = [f"{what}还差 {_short(have, least)} 名（至少 {least} 名）" for what, have, least in wanted if have < least]
    return f"面谈结果还不够，没有训练：{'；'.join(short)}。名单按筛查规则排列，照常使用。"


def _short(have: int, least: int) -> str:
    few = catalogue.table("risk_model")["smallest_positives"]
    return f"{least - few} 至 {least}" if have < few else str(least - have)


# --- keeping ----------------------------------------------------------------------------------------


def keep(access: Access, trained: Trained, *, by: UUID | None = None, cause: str = "trained") -> RiskModel:
    """Write an edition: sealed file, card, and the digest of the file into the log."""
    held, instant = catalogue.table("risk_model"), now()
    digest = hashlib.sha256(trained.raw).digest()
    model = RiskModel(
        purpose=INTERVIEW,
        edition=_next_edition(access.session),
        stage=ModelStage.TRAINED,
        owner_id=by or first_holder(access.session, Role.CENTRE_HEAD),
        due_at=instant + timedelta(days=held["step_days"]),
        trained_at=instant,
        trained_by=by,
        trained_until=trained.until,
        procedure=trained.procedure,
        rules_version=trained.rules_version,
        labels=trained.labels,
        positives=trained.positives,
        features=json.dumps(trained.features),
        without=json.dumps(trained.without),
        sha256=digest,
        card=json.dumps(trained.card, ensure_ascii=False),
    )
    model.file = access.sealed(model, RiskModel.file, trained.raw)
    access.session.add(model)
    access.session.flush()
    note(access, model, before=None, cause=cause, by=by)
    access.record(RiskModelTrained(object_id=model.id, count=model.labels, digest=digest))
    return model


def _next_edition(session: Session) -> int:
    highest = session.scalar(select(func.max(RiskModel.edition)).where(RiskModel.purpose == INTERVIEW))
    return (highest or 0) + 1
