"""Editions of the model for tests: small ones, really trained, really sealed; and the steps of their lives."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from sqlalchemy import select

from app.risk.editions import life, measured, training
from app.risk.editions.training import Trained
from app.risk.gathering.features import declared
from app.risk.gathering.gather import Gathered
from app.risk.gathering.labels import Labelled
from app.security.policy import Permission, Purpose
from ml import store, train
from ml.features import FeatureTable
from ml.model import Model
from models.approval import Approval, ApprovalKind, ApprovalStage
from models.base import new_id
from models.moment import now, travel
from models.risk_model import RiskModel, RiskScore
from models.screening import ScreeningRound
from models.student import Student
from tests.house import Client, House

RIGHTS = (Permission.RISK_SCORE, Purpose.CARE)
MANAGE = (Permission.MODEL_MANAGE, Purpose.ADMINISTRATION)
SETTINGS = train.Settings(folds=3)
LEARNED_ON = datetime(2026, 5, 1, tzinfo=UTC)


class Learned(NamedTuple):
    """A model and what it learned from."""

    model: Model
    gathered: Gathered
    known: Labelled
    groups: dict[str, Any]


@cache
def learned(
    seed: int = 1, rows: int = 260, features: int = 5
) -> tuple[train.Model, Gathered, Labelled, dict[str, Any]]:
    """A model and what it learned from: two rounds of invented students."""
    rng = np.random.default_rng(seed)
    held = tuple(entry.feature for entry in declared() if not entry.data_use)[:features]
    hidden = rng.normal(size=rows)
    lows = np.array([feature.lowest if feature.lowest is not None else 0.0 for feature in held])
    highs = np.array([feature.highest if feature.highest is not None else 10.0 for feature in held])
    level = 1 / (1 + np.exp(-(hidden[:, None] + rng.normal(size=(rows, features)))))
    values = np.round(lows + (highs - lows) * level)
    values[rng.random((rows, features)) < 0.1] = np.nan
    values[:, 0] = np.where(np.isnan(values[:, 0]), lows[0], values[:, 0])
    rounds = [new_id(), new_id()]
    later = np.arange(rows) >= rows // 2
    at = np.where(later, np.datetime64("2026-04-01", "us"), np.datetime64("2025-10-01", "us"))
    students = [new_id() for _ in range(rows)]
    table = FeatureTable(
        held,
        np.array([one.hex for one in students]),
        at,
        np.full(rows, "1"),
        values,
        np.where(np.isnan(values), np.datetime64("NaT", "us"), at[:, None]),
    )
    labels = (hidden + 0.7 * rng.normal(size=rows) > 0.4).astype(np.int8)
    known = Labelled(
        students=students,
        at=[moment.replace(tzinfo=UTC) for moment in at.astype(object)],
        labels=labels,
        weights=np.ones(rows),
        rules=np.nan_to_num(values[:, 0]),
        rounds=[rounds[int(one)] for one in later],
        origins=["rules"] * rows,
        event_days=np.where(labels == 1, 5.0, np.nan),
        counts={"done": rows, "declined": 3, "not_reached": 41, "open": 0, "no_result": 0},
    )
    model = train.train(table, labels, rules=known.rules, weights=known.weights, settings=SETTINGS)
    groups = {
        "sex": np.where(np.arange(rows) % 2 == 0, "男", "女"),
        "college": np.where(np.arange(rows) < rows - 9, "甲学院", "乙学院"),
    }
    return Learned(model, Gathered(table, students, 0), known, groups)


@cache
def card() -> dict[str, Any]:
    """A card as ``measured_card`` gave it once: measuring takes as long as everything else together."""
    held: dict[str, Any] = json.loads(Path(__file__).with_name("card.json").read_text(encoding="utf-8"))
    return held


@cache
def measured_card() -> dict[str, Any]:
    """The card of the first edition, measured now."""
    model, gathered, known, groups = learned()
    told_at = [moment + timedelta(days=14) for moment in known.at]
    return measured.card_of(
        model, gathered, known, groups, told_at=told_at, settings=SETTINGS, beat=lambda _done, _total: None
    )


@cache
def trained(seed: int = 1, *, leak: bool = False, without: tuple[str, ...] = ()) -> Trained:
    """Ready to be kept."""
    model = learned(seed).model
    return Trained(
        raw=store.dump(model),
        card=card() | {"leak": leak},
        features=tuple(feature.key for feature in model.features),
        without=without,
        until=LEARNED_ON,
        labels=model.labels,
        positives=model.positives,
        procedure=model.procedure,
        rules_version="test/1",
    )


def keep_in(house: House, by: Client, made: Trained | None = None) -> UUID:
    """Keep an edition as the worker does, in anybody's house."""
    with house.console(*RIGHTS) as access:
        return training.keep(access, made or trained(), by=by.id).id


@dataclass
class Models:
    """The steps of a life, as the people of a house take them."""

    house: House
    head: Client
    psychologist: Client
    affairs: Client
    round: ScreeningRound
    students: Sequence[Student] = field(default_factory=list)

    def keep(self, seed: int = 1, **more: Any) -> UUID:
        """A new edition."""
        return keep_in(self.house, self.head, trained(seed, **more))

    def model(self, model_id: UUID) -> RiskModel:
        with self.house.session() as session:
            found: RiskModel = session.get(RiskModel, model_id)
            return found

    def active(self) -> list[UUID]:
        return [row.id for row in self.house.all(select(RiskModel.id).where(RiskModel.stage == "active"))]

    @contextmanager
    def acting(self, model_id: UUID, person: Client | None = None) -> Any:
        """The head, with an edition in hand."""
        with (person or self.head).under(*MANAGE) as access:
            yield access, access.find(RiskModel, model_id)

    def shadow(self, model_id: UUID) -> None:
        with self.acting(model_id) as (access, model):
            life.start_shadow(access, model, round_id=self.round.id)

    def score(self, model_id: UUID) -> None:
        """The least that counts as having scored its round."""
        with self.house.console(*RIGHTS) as access:
            row = RiskScore(
                student_id=self.students[0].id,
                round_id=self.round.id,
                model_id=model_id,
                at=now(),
                scored_at=now(),
                shadow=True,
                rules_version="test/1",
                inputs=hashlib.sha256(model_id.bytes).digest(),
            )
            access.seal_json(row, RiskScore.body, {"v": 1})
            access.session.add(row)

    def ask(self, model_id: UUID) -> None:
        with self.acting(model_id) as (access, model):
            life.ask_for_use(access, model)

    def waiting(self, model_id: UUID) -> UUID | None:
        rows = self.house.all(
            select(Approval.id).where(
                Approval.kind == ApprovalKind.MODEL_USE,
                Approval.object_id == model_id,
                Approval.stage == ApprovalStage.WAITING,
            )
        )
        return rows[0].id if rows else None

    def decide(self, model_id: UUID, *, approve: bool = True, person: Client | None = None) -> Any:
        asked = self.waiting(model_id)
        who = person or self.psychologist
        return who.post(f"/approvals/{asked}", decision="approve" if approve else "decline", version="1")

    def decide_as(self, model_id: UUID, *, who: str, approve: bool) -> None:
        self.decide(model_id, approve=approve, person=getattr(self, who))

    def activate(self, model_id: UUID) -> None:
        with self.acting(model_id) as (access, model):
            life.activate(access, model)

    def use(self, model_id: UUID) -> None:
        """All the way, in the time it takes."""
        self.shadow(model_id)
        self.score(model_id)
        with self.later() as then:
            then.ask(model_id)
            then.decide(model_id)
            then.activate(model_id)

    @contextmanager
    def later(self, days: int = 15) -> Iterator[Models]:
        """The same people, signed in anew, some days on."""
        with travel(now() + timedelta(days=days)):
            yield replace(self, head=_anew(self.head), psychologist=_anew(self.psychologist))

    def roll_back(self, model_id: UUID, reason: str = "新版把名单排乱了") -> None:
        with self.acting(model_id) as (access, model):
            life.roll_back(access, model, reason=reason)

    def retire(self, model_id: UUID, reason: str = "不再需要这一版") -> None:
        with self.acting(model_id) as (access, model):
            life.retire(access, model, reason=reason)


def _anew(person: Client) -> Client:
    """The same person, signed in at the present moment."""
    return Client(person.house, person.staff, person.role)


def models_of(house: House) -> Models:
    """A house with the people and the round that a life needs."""
    head, psychologist, affairs = house.make.team()
    return Models(house, head, psychologist, affairs, house.make.round(), house.make.students(2))
