"""Whether this round still looks like what the model learned from, and whether what it says still comes true.

Reckoned when somebody asks (a page, a command) and by night once a round's
collecting is over, kept nowhere: it is a look at facts that are kept already.
A drift changes nothing by itself. The head of the centre hears of it once per
round and decides; the rules do not depend on it (law 2).

Looking again the next night at the same rows says the same (the draws are
seeded), so a round that does not change cannot ring by being looked at often.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from app.notices import post
from app.risk.gathering import data_use, inputs
from app.risk.gathering.features import Declared, declared
from app.risk.gathering.gather import gather
from app.risk.gathering.labels import Labelled, labelled
from app.risk.gathering.reckon import Reckoning
from app.risk.scores import shelf
from app.risk.scores.shelf import Shelved
from app.security.access import Access
from app.security.holders import holders_of
from config import catalogue
from ml import drift
from ml.drift import Drift
from ml.features import FeatureTable
from models.identity import Role
from models.moment import now
from models.notice import Notice
from models.risk_model import RiskModel
from models.screening import ResponseSet, RoundStage, ScreeningRound

NOTICE = "model_drift"
OF_THE_HOUSE = frozenset({"alert", "case", "interview", "talk", "retest"})
"""Sources that tell of the house's own work: it grows with every year, and that is no change in the students."""
NOTHING = "还没有可以比较的批次。"
COLLECTED = (RoundStage.MAKE_UP, RoundStage.CLOSED, RoundStage.REPORTED)


@dataclass(frozen=True, slots=True)
class Watched:
    """What looking at one round came to."""

    round_id: UUID
    found: bool


def drift_of(access: Access, model_id: UUID | None, round_id: UUID) -> dict[str, Any]:
    """What changed: this round against those a model learned from, or without a model against the round before.

    ``found`` says whether anything passes the stated false-alarm rate, ``words`` says it in sentences, ``checks``
    holds the numbers (of features, never of a person), ``trouble`` why a model could not be asked.
    """
    held = shelf.one(access, model_id) if model_id is not None else shelf.Shelf(trouble=shelf.NONE)
    rate: float = catalogue.table("risk_model")["false_alarm"]
    looked = _looked_at(access, held.shelved, round_id, rate)
    return looked.as_json() | {"found": bool(looked.findings), "trouble": held.trouble}


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


def _of_rounds(access: Access, rounds: Collection[UUID], shelved: Shelved | None) -> FeatureTable:
    """Everybody who took part in these rounds, each as of his last sheet there.

    Everybody, not those who were talked to: they were chosen, and a whole round always looks unlike them. And as of
    the sheet: what a round's own talks brought to light would tell an old round from a new one. Changes since the
    round before are left out, because the first round of a house has none.
    """
    entries = [entry for entry in declared() if entry.source not in OF_THE_HOUSE and entry.how is not Reckoning.CHANGE]
    rows = access.session.execute(
        select(ResponseSet.round_id, ResponseSet.student_id, func.max(ResponseSet.recorded_at))
        .where(ResponseSet.round_id.in_(rounds), ResponseSet.voided_at.is_(None))
        .group_by(ResponseSet.round_id, ResponseSet.student_id)
        .order_by(ResponseSet.round_id, ResponseSet.student_id)
    ).all()
    return _table(access, [row[1] for row in rows], [row[2] for row in rows], shelved, entries)


def _table(
    access: Access,
    students: list[UUID],
    at: list[datetime],
    shelved: Shelved | None,
    entries: Sequence[Declared],
) -> FeatureTable:
    """Without the rules' order: that is not a fact that could drift by itself."""
    keys = [entry.key for entry in entries]
    if shelved is not None:
        wanted = {feature.key for feature in shelved.model.features}
        keys = [key for key in keys if key in wanted]
    return gather(access, students, at=at, domains=data_use.in_force(access.session), only=keys).table


def _looked_at(access: Access, shelved: Shelved | None, round_id: UUID, rate: float) -> Drift:
    """This round against earlier ones; and with a model, its word against the outcomes that came since."""
    before = _round_before(access, round_id)
    if shelved is None:
        return _between(access, None, before, round_id, rate)
    until = access.session.get_one(RiskModel, shelved.id).trained_until
    every = labelled(access, until=now())
    old = np.array([at <= until for at in every.at], dtype=bool)
    learned = {held for held, is_old in zip(every.rounds, old, strict=True) if is_old} - {round_id}
    looked = _between(access, shelved, learned or before, round_id, rate / 2)
    line = _calibration(access, shelved, every, np.flatnonzero(~old), rate / 2)
    notes = looked.notes + line.notes
    return Drift(looked.checks + line.checks, rate, looked.rows_before, looked.rows_after, notes)


def _between(access: Access, shelved: Shelved | None, earlier: Collection[UUID], round_id: UUID, rate: float) -> Drift:
    """Earlier rounds against this one, where both are large enough to be told apart."""
    least: int = catalogue.table("risk_model")["smallest_round"]
    before, after = _of_rounds(access, earlier, shelved), _of_rounds(access, [round_id], shelved)
    if min(len(before), len(after)) < least:
        words = NOTHING if not len(before) else f"有一轮不足 {least} 人，尚不能比较。"
        return Drift((), rate, len(before), len(after), (words,))
    return drift.between(before, after, rate=rate)


def _calibration(access: Access, shelved: Shelved, every: Labelled, new: NDArray[np.intp], rate: float) -> Drift:
    """Those listed since it was trained, each as of the moment he was listed."""
    students, at = [every.students[place] for place in new], [every.at[place] for place in new]
    table = _table(access, students, at, shelved, declared())
    if shelved.model.needs_rules:
        table = inputs.with_rules(table, every.rules[new])
    said = shelved.model.score(inputs.table_for(table, shelved.model))
    return drift.calibration(
        every.labels[new], said.log_odds, weights=every.weights[new], people=table.people, rate=rate
    )


def _round_before(access: Access, round_id: UUID) -> list[UUID]:
    """The newest round before this one that has results."""
    own = access.session.get_one(ScreeningRound, round_id)
    return list(
        access.session.scalars(
            select(ScreeningRound.id)
            .where(
                ScreeningRound.opened_at < own.opened_at,
                ScreeningRound.id.in_(select(ResponseSet.round_id).where(ResponseSet.voided_at.is_(None))),
            )
            .order_by(ScreeningRound.opened_at.desc(), ScreeningRound.id.desc())
            .limit(1)
        )
    )
