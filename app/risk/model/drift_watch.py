"""Whether this round still looks like what the model learned from, and whether what it says still comes true.

Reckoned when somebody asks (a page, a command) and by night once a round's
collecting is over, kept nowhere: it is a look at facts that are kept already.
A drift changes nothing by itself. The head of the centre hears of it once per
round and decides; the rules do not depend on it (law 2).

Looking again the next night at the same rows says the same (the draws are
seeded), so a round that does not change cannot ring by being looked at often.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import select

from app.notices import post
from app.risk.model import data_use, inputs, shelf
from app.risk.model.features import declared
from app.risk.model.gather import gather
from app.risk.model.labels import Labelled, labelled
from app.risk.model.shelf import Shelved
from app.security.access import Access
from app.security.holders import holders_of
from config import catalogue
from ml import drift
from ml.drift import Drift
from ml.features import FeatureTable
from ml.model import RULES
from models.identity import Role
from models.moment import now
from models.notice import Notice
from models.risk_model import RiskModel
from models.screening import ResponseSet, RoundStage, ScreeningRound

NOTICE = "model_drift"
COLLECTED = (RoundStage.MAKE_UP, RoundStage.CLOSED, RoundStage.REPORTED)
LEARNED, PREVIOUS = "learned", "previous"


@dataclass(frozen=True, slots=True)
class Watched:
    """What looking at one round came to."""

    round_id: UUID
    found: bool


def drift_of(access: Access, model_id: UUID | None, round_id: UUID) -> dict[str, Any]:
    """What changed: this round against the rows a model learned from, or without a model against the round before.

    ``found`` says whether anything passes the stated false-alarm rate, ``words`` says it in sentences, ``checks``
    holds the numbers (of features, never of a person), ``against`` what it was compared with.
    """
    held = shelf.one(access, model_id) if model_id is not None else shelf.Shelf(trouble=shelf.NONE)
    rate: float = catalogue.table("risk_model")["false_alarm"]
    after = _of_round(access, round_id, held.shelved)
    looked = (
        _against_previous(access, round_id, after, rate)
        if held.shelved is None
        else _against_learned(access, held.shelved, after, rate)
    )
    against = PREVIOUS if held.shelved is None else LEARNED
    found = looked.as_json() if looked is not None else {"checks": [], "words": ["还没有可以比较的批次。"]}
    return found | {"found": bool(looked and looked.findings), "against": against, "trouble": held.trouble}


def watch(access: Access, rounds: Iterable[UUID]) -> list[Watched]:
    """Look at the rounds whose collecting is over, while there is a model, and nobody was told yet."""
    used = shelf.active(access).shelved
    if used is None:
        return []
    told = set(access.session.scalars(select(Notice.object_id).where(Notice.kind == NOTICE)))
    over = set(access.session.scalars(select(ScreeningRound.id).where(ScreeningRound.stage.in_(COLLECTED))))
    return [
        Watched(round_id, drift_of(access, used.id, round_id)["found"])
        for round_id in rounds
        if round_id in over and round_id not in told
    ]


def tell(access: Access, watched: Iterable[Watched]) -> None:
    """Once per round: the head of the centre is told that there is something to look at."""
    for one in watched:
        if not one.found:
            continue
        told = select(Notice.recipient_id).where(Notice.kind == NOTICE, Notice.object_id == one.round_id)
        already = set(access.session.scalars(told))
        for head in holders_of(access.session, Role.CENTRE_HEAD):
            if head not in already:
                post.tell(access, head, Role.CENTRE_HEAD, NOTICE, object_id=one.round_id)


# --- what is compared ------------------------------------------------------------------------------


def _of_round(access: Access, round_id: UUID, shelved: Shelved | None) -> FeatureTable:
    """Everybody who takes part, as of now."""
    query = select(ResponseSet.student_id).where(ResponseSet.round_id == round_id, ResponseSet.voided_at.is_(None))
    students = sorted(set(access.session.scalars(query)))
    return _table(access, students, [now()] * len(students), shelved)


def _table(access: Access, students: list[UUID], at: list[Any], shelved: Shelved | None) -> FeatureTable:
    """Without the rules' order: that is not a fact that could drift by itself."""
    keys = [entry.key for entry in declared()]
    if shelved is not None:
        wanted = {feature.key for feature in shelved.model.features}
        keys = [key for key in keys if key in wanted]
    domains = data_use.in_force(access.session)
    return gather(access, students, at=at, domains=domains, only=keys).table.without([RULES.key])


def _against_learned(access: Access, shelved: Shelved, after: FeatureTable, rate: float) -> Drift:
    """Population and missing values against the rows it learned from; its word against what came since."""
    until = access.session.get_one(RiskModel, shelved.id).trained_until
    every = labelled(access, until=now())
    old = np.array([at <= until for at in every.at], dtype=bool)
    before = _table(access, *_some(every, old), shelved)
    looked = drift.between(before, after, rate=rate / 2)
    line = _calibration(access, shelved, every, ~old, rate / 2)
    return Drift(looked.checks + line.checks, rate, len(before), len(after), looked.notes + line.notes)


def _calibration(access: Access, shelved: Shelved, every: Labelled, new: Any, rate: float) -> Drift:
    students, at = _some(every, new)
    table = inputs.table_for(_table(access, students, at, shelved), shelved.model)
    said = shelved.model.score(table)
    return drift.calibration(
        every.labels[new], said.log_odds, weights=every.weights[new], people=table.people, rate=rate
    )


def _some(every: Labelled, which: Any) -> tuple[list[UUID], list[Any]]:
    places = np.flatnonzero(which)
    return [every.students[place] for place in places], [every.at[place] for place in places]


def _against_previous(access: Access, round_id: UUID, after: FeatureTable, rate: float) -> Drift | None:
    """The round before this one that has results, each student as of the end of its own collecting."""
    own = access.session.get_one(ScreeningRound, round_id)
    row = access.session.execute(
        select(ScreeningRound.id)
        .where(
            ScreeningRound.opened_at < own.opened_at,
            ScreeningRound.id.in_(select(ResponseSet.round_id).where(ResponseSet.voided_at.is_(None))),
        )
        .order_by(ScreeningRound.opened_at.desc(), ScreeningRound.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    sheets = select(ResponseSet.student_id, ResponseSet.recorded_at).where(
        ResponseSet.round_id == row.id, ResponseSet.voided_at.is_(None)
    )
    rows = access.session.execute(sheets.order_by(ResponseSet.recorded_at))
    newest = {student_id: recorded_at for student_id, recorded_at in rows}
    before = _table(access, list(newest), list(newest.values()), None)
    return drift.between(before, after, rate=rate)
