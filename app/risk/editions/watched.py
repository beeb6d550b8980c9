"""What is seen while an edition is watched: how its order would have differed from the one in use, and drift.

Reckoned by the worker, because it opens scores; kept with the edition as
counts and sentences, so that a page about a model never opens anything of a
student. Runs by night and after an edition in its shadow round has scored.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import nulls_last, select

from app.jobs.queue import Kind, enqueue
from app.risk.scores import beside, drift_watch, shelf
from app.risk.scores.live_scores import scored_rounds
from app.risk.scores.said import bodies_of, words_of
from app.risk.scores.scoring import RoundScored
from app.risk.scores.shelf import INTERVIEW
from app.security.access import Access
from app.security.actor import WORKER
from app.security.door import Door
from app.security.policy import Permission, Purpose
from config import catalogue
from models.base import new_id
from models.interview import EntryOrigin, InterviewEntry, InterviewStage
from models.moment import now
from models.risk_model import ModelStage, RiskModel, RiskScore
from models.screening import ScreeningRound

JOB = "risk.watch"
RIGHTS = (Permission.RISK_SCORE, Purpose.CARE)
WATCHED = (ModelStage.SHADOW, ModelStage.APPROVED)


def follow_scored(access: Access, happened: RoundScored) -> None:
    """Listener: an edition that is being watched has scored its round."""
    if happened.shadow:
        enqueue(access.session, JOB, effect_key=f"{JOB} {new_id().hex}")


def look(door: Door, beat: Callable[[], None]) -> dict[UUID, dict[str, Any]]:
    """The worker's long part: everything that is told of each edition that is watched or used."""
    with door.enter(WORKER, *RIGHTS, writing=False) as access:
        found = {}
        for model in _models(access):
            beat()
            found[model.id] = _look_at(access, model)
        return found


def keep(access: Access, *, prepared: dict[UUID, dict[str, Any]]) -> None:
    """The worker's short part."""
    for model in _models(access):
        if model.id in prepared:
            model.watched = json.dumps(prepared[model.id], ensure_ascii=False)


def _models(access: Access) -> list[RiskModel]:
    stages = (ModelStage.ACTIVE, *WATCHED)
    query = select(RiskModel).where(RiskModel.purpose == INTERVIEW, RiskModel.stage.in_(stages))
    return list(access.session.scalars(query.order_by(RiskModel.edition)))


def _look_at(access: Access, model: RiskModel) -> dict[str, Any]:
    held: dict[str, Any] = {"at": now().isoformat(timespec="seconds"), "order": None, "drift": None}
    held["trouble"] = shelf.one(access, model.id).trouble
    if model.stage in WATCHED and model.shadow_round_id is not None:
        held["order"] = order_of(access, model, model.shadow_round_id)
        return held
    rounds = scored_rounds(access.session)
    if rounds:
        row = access.session.get_one(ScreeningRound, rounds[-1])
        found = drift_watch.drift_of(access, model.id, row.id)
        held["drift"] = {"round": row.name, "found": found["found"], "words": found["words"]}
    return held


def order_of(access: Access, model: RiskModel, round_id: UUID) -> dict[str, Any]:
    """How many of the uppermost places of a round's list would have been others, and how many names it would add."""
    config = catalogue.table("risk_model")
    said = _said(access, model, round_id)
    in_use = _in_use(access, round_id)
    listed = [student_id for student_id in in_use if said.get(student_id) is not None]
    held = {"scored": len(said), "unknown": sum(value is None for value in said.values()), "listed": len(listed)}
    if len(listed) < config["smallest_group"]:
        return held | {"tops": [], "added": None}
    own = sorted(listed, key=lambda student_id: (-(said[student_id] or 0.0), student_id))
    tops = [(top, top - len(set(listed[:top]) & set(own[:top]))) for top in config["watch_top"] if top < len(listed)]
    by_rules = [student_id for student_id, origin in in_use.items() if origin is EntryOrigin.RULES]
    known = [value for student_id in by_rules if (value := said.get(student_id)) is not None]
    least = beside.least(known) if known else math.inf
    high = sum(value is not None and value >= least for student_id, value in said.items() if student_id not in in_use)
    return held | {"tops": tops, "added": min(beside.most(len(by_rules)), high)}


def _said(access: Access, model: RiskModel, round_id: UUID) -> dict[UUID, float | None]:
    """What it said of each student while being watched; none where it did not know."""
    rows = access.session.execute(
        select(RiskScore.id.label("risk_score_id"), RiskScore.student_id, RiskScore.body)
        .where(RiskScore.model_id == model.id, RiskScore.round_id == round_id, RiskScore.superseded_at.is_(None))
        .order_by(RiskScore.id)
    ).all()
    found = words_of([row.student_id for row in rows], bodies_of(access.open_to_count, rows))
    return {student_id: one.log_odds for student_id, one in found.items()}


def _in_use(access: Access, round_id: UUID) -> dict[UUID, EntryOrigin]:
    """The round's list in the order in which it is worked through now, and what put each on it."""
    query = select(InterviewEntry.student_id, InterviewEntry.origin).where(
        InterviewEntry.round_id == round_id, InterviewEntry.stage != InterviewStage.VOID
    )
    order = (nulls_last(InterviewEntry.place.asc()), InterviewEntry.weight.desc(), InterviewEntry.id)
    return {row.student_id: row.origin for row in access.session.execute(query.order_by(*order))}


KIND = Kind(name=JOB, permission=RIGHTS[0], purpose=RIGHTS[1], prepare=look, run=keep)
