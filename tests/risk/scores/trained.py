"""A house with a model on the shelf: learned from invented rows with the real columns, kept as the real one is kept."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from hashlib import sha256
from typing import Any

import numpy as np
from sqlalchemy import select, true
from threadpoolctl import threadpool_limits

from app.admin import rulebook
from app.risk.gathering.features import declared
from app.risk.scores import rescoring, scoring
from app.security.actor import WORKER
from app.security.policy import Permission
from ml import store
from ml.features import FeatureTable, plain_table
from ml.model import Model
from ml.train import Settings, train
from models.base import new_id
from models.moment import now
from models.risk_model import ModelStage, RiskModel, RiskScore
from models.screening import ScreeningRound
from tests.house import House

RAISES = {"phq9_total": 0.35, "gad7_total": 0.12, "red_flags": 0.5, "talks_missed": 0.4}
"""What the invented outcome depends on; the other known columns are noise."""
NOISE = ("phq9_change", "talks")
HIGHEST = {"phq9_total": 27, "gad7_total": 21, "red_flags": 4, "talks_missed": 3, "phq9_change": 9, "talks": 5}
SETTINGS = Settings(least_labels=100, least_positives=20, full_labels=200, full_positives=40, first=0.2, soon=0.5)

FEW = Settings(least_labels=50, least_positives=10, full_labels=900)


def invented(rows: int = 320, *, seed: int = 7) -> tuple[FeatureTable, np.ndarray[Any, Any]]:
    """A table with a few of the declared columns and an outcome that follows some of them."""
    rng = np.random.default_rng(seed)
    features = tuple(entry.feature for entry in declared() if entry.key in RAISES or entry.key in NOISE)
    values = np.empty((rows, len(features)))
    odds = np.full(rows, -3.2)
    for place, feature in enumerate(features):
        highest = HIGHEST[feature.key]
        values[:, place] = np.minimum(rng.integers(0, highest + 1, rows), rng.integers(0, highest + 1, rows))
        odds += RAISES.get(feature.key, 0) * values[:, place]
    labels = (rng.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    return plain_table(features, values), labels


@cache
def model_of(seed: int = 7, *, few: bool = False) -> Model:
    """A model learned from such a table, once per process; ``few``: so few outcomes that it leans on the rules."""
    table, labels = invented(seed=seed)
    rules = np.floor(table.column("phq9_total") / 10) if few else None
    with threadpool_limits(limits=1):  # on so few rows more threads only wait for one another
        return train(table, labels, rules=rules, settings=FEW if few else SETTINGS)


def shelve(
    house: House,
    model: Model | None = None,
    *,
    stage: ModelStage = ModelStage.ACTIVE,
    raw: bytes | None = None,
    card: dict[str, Any] | None = None,
) -> RiskModel:
    """Put a model on the shelf; ``raw`` stands in place of its file."""
    model = model or model_of()
    raw = store.dump(model) if raw is None else raw
    with house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        editions = access.session.scalars(select(RiskModel.edition)).all()
        row = RiskModel(
            id=new_id(),
            purpose="interview",
            edition=max(editions, default=0) + 1,
            stage=stage,
            trained_at=now(),
            trained_until=now() - timedelta(days=30),
            procedure=model.procedure,
            rules_version=rulebook.current(access.session).version,
            labels=model.labels,
            positives=model.positives,
            features=json.dumps([feature.key for feature in model.features]),
            without="[]",
            sha256=sha256(raw).digest(),
            card=json.dumps(card or {}),
            active_since=now() if stage is ModelStage.ACTIVE else None,
        )
        row.file = access.sealed(row, RiskModel.file, raw)
        access.session.add(row)
    return row


def score_round(house: House, row: ScreeningRound) -> None:
    """Score a round as the job does."""
    prepared = rescoring.prepare(house.door, lambda: None, round_id=row.id)
    with house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        scoring.write_round(access, prepared)


def scores(house: House, *where: Any) -> list[RiskScore]:
    """Stored scores, oldest first."""
    return [row for (row,) in house.all(select(RiskScore).where(*where).order_by(RiskScore.scored_at, RiskScore.id))]


def live(house: House, *where: Any) -> list[RiskScore]:
    return scores(house, RiskScore.superseded_at.is_(None), *where)


def the_round(house: House, name: str = "") -> ScreeningRound:
    """The only round of the house, or the one of this name."""
    [(row,)] = house.all(select(ScreeningRound).where(ScreeningRound.name == name if name else true()))
    return row  # type: ignore[no-any-return]
