"""The page 模型与提示: which edition is in use, why there may be none, what comes next, and every edition there was."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.risk.editions import card_words, life, training_job
from app.risk.editions.moves import OPEN
from app.risk.gathering import data_use
from app.risk.gathering.features import declared, domains
from app.risk.scores import shelf
from app.risk.scores.shelf import INTERVIEW
from app.security.access import Access
from app.security.holders import names_of
from app.security.policy import Permission, Purpose
from app.web.words import stamp
from config import catalogue
from models.model_life import ModelTraining
from models.moment import now
from models.risk_model import ModelStage, RiskModel

MOST = 50
LOOKING = ((Permission.MODEL_MANAGE, Purpose.ADMINISTRATION), (Permission.INTERVIEW_WORK, Purpose.CARE))
"""Rights under which the file may be opened to see that it is whole."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of two editions beside each other: its number and its key figures."""

    edition: int
    rows: list[tuple[str, str, str]]


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
    cost: list[Side]
    """The edition in use beside one that was trained without data that may no longer be used; or nothing."""
    next: dict[UUID, str]
    """What the next step of each open edition is."""
    seen: dict[UUID, list[tuple[str, str]]]
    """What was seen while it was watched."""
    can_ask: dict[UUID, bool]
    """Whether a signature may be asked for now."""
    least: int


def of(access: Access) -> ListPage:
    """The page as it stands now."""
    rows = editions(access)
    active = life.active_edition(access)
    going_on = list(
        access.session.scalars(
            select(RiskModel)
            .where(RiskModel.purpose == INTERVIEW, RiskModel.stage.in_(OPEN))
            .order_by(RiskModel.edition.desc())
        )
    )
    wanted = [row.trained_by for row in rows] + [model.owner_id for model in going_on]
    return ListPage(
        active=active,
        trouble=trouble_of(access, active) if active is not None else shelf.NONE,
        not_fed=not_fed(access, active) if active is not None else [],
        is_old=active is not None and now() > active.trained_at + timedelta(days=_days("retrain_days")),
        open=going_on,
        every=rows,
        names=names_of(access.session, wanted),
        waiting=training_job.waiting(access.session),
        last=training_job.last(access.session),
        cost=_cost(access, active, going_on),
        next={model.id: _next_step(access, model) for model in going_on},
        seen={model.id: card_words.watched_words(model.watched) for model in going_on},
        can_ask={model.id: life.can_ask(access, model) for model in going_on},
        least=_days("least_labels"),
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
    ).where(RiskModel.purpose == INTERVIEW)
    return access.page(query, order=["-edition", "id"], limit=MOST)


def trouble_of(access: Access, model: RiskModel) -> str:
    """What is wrong with its file. Readers who may open no file are told what the worker found last."""
    for permission, purpose in LOOKING:
        if access.may(permission, purpose):
            return shelf.one(access.under(permission, purpose), model.id).trouble
    found: str = json.loads(model.watched).get("trouble", "") if model.watched else ""
    return found


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


def _cost(access: Access, active: RiskModel | None, going_on: list[RiskModel]) -> list[Side]:
    """What it costs to leave data out: only told where the edition in use had them and a newer one has not."""
    if active is None or not not_fed(access, active):
        return []
    newer = [model for model in going_on if model.edition > active.edition and not not_fed(access, model)]
    sides = (active, newer[0]) if newer else ()
    return [Side(model.edition, card_words.key_figures(model.card)) for model in sides]


def _next_step(access: Access, model: RiskModel) -> str:
    """In a sentence: what whoever owes the next step has to do."""
    if model.stage is ModelStage.APPROVED:
        return "两位老师已签字，可以启用。启用后，正在使用的一版同时停用。"
    if model.stage is ModelStage.TRAINED:
        return (
            "指标好得不合常理，可能有泄漏（leak?），不能试运行：请查明是哪一个输入项含有事后才知道的内容。"
            if life.leaks(model)
            else "请先看模型卡，再选一个普查批次试运行：试运行期间只在后台计算，不显示，也不影响名单。"
        )
    if life.is_asked(access, model):
        return "已申请启用，正在等第二位老师签字。"
    if not life.shadow_scores(access, model):
        return "正在试运行，还没有给出过提示：请等后台计算完成。"
    ready = life.watched_until(model)
    if ready is not None and now() < ready:
        return f"正在试运行，{stamp(ready)} 以后可以申请启用。"
    return "试运行已满，可以申请启用，由另一位老师签字。"


def _days(name: str) -> int:
    return int(catalogue.table("risk_model")[name])
