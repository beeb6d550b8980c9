"""The page 模型与提示: which edition is in use, why there may be none, what comes next, and every edition there was."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.risk.model import data_use, life, shelf, training_job
from app.risk.model.features import declared, domains
from app.risk.model.moves import PURPOSE
from app.security.access import Access
from app.security.holders import names_of
from config import catalogue
from models.model_life import ModelTraining
from models.moment import now
from models.risk_model import ModelStage, RiskModel

OPEN = (ModelStage.TRAINED, ModelStage.SHADOW, ModelStage.APPROVED)
MOST = 50


@dataclass(frozen=True, slots=True)
class ListPage:
    """Everything the page shows."""

    active: RiskModel | None
    trouble: str
    """A key of ``[model_trouble]``; empty while the edition in use is sound."""
    not_fed: list[str]
    """Inputs of the edition in use that may no longer be used."""
    is_old: bool
    open: list[RiskModel]
    every: list[Any]
    names: dict[UUID, str]
    waiting: ModelTraining | None
    last: ModelTraining | None
    cost: tuple[RiskModel, RiskModel] | None
    """The edition in use, and one that was trained without data that may no longer be used."""


def of(access: Access) -> ListPage:
    """The page as it stands now."""
    rows = editions(access)
    active = life.active_edition(access)
    going_on = list(
        access.session.scalars(
            select(RiskModel)
            .where(RiskModel.purpose == PURPOSE, RiskModel.stage.in_(OPEN))
            .order_by(RiskModel.edition.desc())
        )
    )
    wanted = [row.trained_by for row in rows] + [model.owner_id for model in going_on]
    return ListPage(
        active=active,
        trouble=shelf.active(access).trouble,
        not_fed=not_fed(access, active) if active is not None else [],
        is_old=active is not None and now() > active.trained_at + timedelta(days=_days("retrain_days")),
        open=going_on,
        every=rows,
        names=names_of(access.session, wanted),
        waiting=training_job.waiting(access.session),
        last=training_job.last(access.session),
        cost=_cost(access, active, going_on),
    )


def editions(access: Access) -> list[Any]:
    """Every edition, the newest first."""
    query = select(
        RiskModel.id,
        RiskModel.edition,
        RiskModel.stage,
        RiskModel.trained_at,
        RiskModel.trained_by,
        RiskModel.labels,
        RiskModel.active_since,
        RiskModel.retired_at,
        RiskModel.retired_because,
    ).where(RiskModel.purpose == PURPOSE)
    return access.page(query, order=["-edition", "id"], limit=MOST)


def not_fed(access: Access, model: RiskModel) -> list[str]:
    """Inputs it learned from that are not gathered any more: their entry of the register is not in force."""
    in_force = data_use.in_force(access.session)
    used = set(json.loads(model.features))
    return [
        one.feature.meaning for one in declared() if one.key in used and one.data_use and one.data_use not in in_force
    ]


def without_words(model: RiskModel) -> list[str]:
    """The domains that were not used when it was trained, by their titles."""
    titles = {one.key: one.title for one in domains()}
    return [titles.get(key, key) for key in json.loads(model.without)]


def _cost(access: Access, active: RiskModel | None, going_on: list[RiskModel]) -> tuple[RiskModel, RiskModel] | None:
    """What it costs to leave data out: only told where the edition in use had them and a newer one has not."""
    if active is None or not not_fed(access, active):
        return None
    newer = [model for model in going_on if model.edition > active.edition and not not_fed(access, model)]
    return (active, newer[0]) if newer else None


def _days(name: str) -> int:
    return int(catalogue.table("risk_model")[name])
