"""What is seen while an edition is watched: how its order would have differed from the one in use, and drift.

Reckoned by the worker, because it opens scores; kept with the edition as
counts and sentences, so that a page about a model never opens anything of a
student. Runs by night and after an edition in its shadow round has scored.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import nulls_last, select

from app.jobs.queue import Kind, enqueue
from app.risk.editions.moves import PURPOSE
from app.risk.scores import drift_watch, kept_score, shelf
from app.risk.scores.said import bodies_of
from app.risk.scores.scoring import RoundScored, scored_rounds
from app.security.access import Access
from app.security.actor import WORKER
from app.security.door import Door
from app.security.policy import Permission, Purpose
from config import catalogue
from models.base import new_id
from models.interview import InterviewEntry, InterviewStage
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
    query = select(RiskModel).where(RiskModel.purpose == PURPOSE, RiskModel.stage.in_(stages))
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
    listed = [student_id for student_id in _in_use(access, round_id) if said.get(student_id) is not None]
    held = {"scored": len(said), "unknown": sum(value is None for value in said.values()), "listed": len(listed)}
    if len(listed) < config["smallest_group"]:
        return held | {"tops": [], "added": None}
    own = sorted(listed, key=lambda student_id: (-(said[student_id] or 0.0), student_id))
    tops = [(top, top - len(set(listed[:top]) & set(own[:top]))) for top in config["watch_top"] if top < len(listed)]
    middle = said[own[len(own) // 2]] or 0.0
    others = [value for student_id, value in said.items() if student_id not in set(listed) and value is not None]
    most = min(config["added_most"], -(-len(listed) * int(config["added_share"] * 100) // 100))
    return held | {"tops": tops, "added": min(most, sum(value >= middle for value in others))}


def _said(access: Access, model: RiskModel, round_id: UUID) -> dict[UUID, float | None]:
    """What it said of each student while being watched; none where it did not know."""
    rows = access.session.execute(
        select(RiskScore.id.label("risk_score_id"), RiskScore.student_id, RiskScore.body)
        .where(RiskScore.model_id == model.id, RiskScore.round_id == round_id, RiskScore.superseded_at.is_(None))
        .order_by(RiskScore.id)
    ).all()
    texts = bodies_of(access.open_to_count, rows)
    kept = {row.student_id: kept_score.read(text) for row, text in zip(rows, texts, strict=True) if text}
    return {
        student_id: None if one.log_odds is None else float.fromhex(one.log_odds) for student_id, one in kept.items()
    }


def _in_use(access: Access, round_id: UUID) -> list[UUID]:
    """The round's list in the order in which it is worked through now."""
    query = select(InterviewEntry.student_id).where(
        InterviewEntry.round_id == round_id, InterviewEntry.stage != InterviewStage.VOID
    )
    order = (nulls_last(InterviewEntry.place.asc()), InterviewEntry.weight.desc(), InterviewEntry.id)
    return list(access.session.scalars(query.order_by(*order)))


KIND = Kind(name=JOB, permission=RIGHTS[0], purpose=RIGHTS[1], prepare=look, run=keep)
