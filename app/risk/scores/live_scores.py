"""Who is scored in a round, which scores hold there now, and which have lost their ground."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.risk.gathering.facts import moment64, moments
from app.risk.scores.said import upheld
from app.security.access import Access
from models.bulk import fetch_many
from models.interview import InterviewEntry
from models.risk_model import RiskScore
from models.screening import ResponseSet, RoundStage, ScreeningRound

RUNNING = (RoundStage.OPEN, RoundStage.MAKE_UP)


def scored_rounds(session: Session) -> list[UUID]:
    """Rounds whose students are scored: running ones, and closed ones with talks still open; oldest first."""
    waiting = select(InterviewEntry.round_id).where(InterviewEntry.ended_at.is_(None))
    return list(
        session.scalars(
            select(ScreeningRound.id)
            .where(
                ScreeningRound.stage.in_(RUNNING)
                | ((ScreeningRound.stage == RoundStage.CLOSED) & ScreeningRound.id.in_(waiting))
            )
            .order_by(ScreeningRound.opened_at, ScreeningRound.id)
        )
    )


@dataclass(frozen=True, slots=True)
class Live:
    """A score that holds."""

    id: bytes
    inputs: bytes
    shadow: bool
    at: np.datetime64


def live(access: Access, round_id: UUID, model_id: UUID) -> dict[bytes, Live]:
    """The live scores of one model in one round, by student."""
    query = (
        select(RiskScore.student_id, RiskScore.id, RiskScore.inputs, RiskScore.shadow, RiskScore.at)
        .where(RiskScore.round_id == round_id, RiskScore.model_id == model_id, RiskScore.superseded_at.is_(None))
        .order_by(RiskScore.scored_at, RiskScore.id)
    )
    rows = fetch_many(access.session, query)
    times = moments([row[4] for row in rows])
    return {
        student: Live(score_id, inputs, bool(shadow), at)
        for (student, score_id, inputs, shadow, _), at in zip(rows, times, strict=True)
    }


def taking_part(access: Access, round_id: UUID) -> set[bytes]:
    """Everybody with a sheet that holds, but for those of whom the model no longer speaks."""
    query = select(ResponseSet.student_id).where(ResponseSet.round_id == round_id, ResponseSet.voided_at.is_(None))
    found = {student_id for (student_id,) in fetch_many(access.session, query.distinct())}
    return found - {student_id.bytes for student_id in upheld(access.session)}


def ended(access: Access, round_id: UUID, before: dict[bytes, Live], takes_part: set[bytes] | None) -> list[UUID]:
    """Whose live score has no ground any more.

    A round that is over is not scored again; there a score ends when a sheet it rested on was voided after it.
    """
    holds = taking_part(access, round_id) if takes_part is None else takes_part
    gone = before.keys() - holds
    if takes_part is None:
        voided = select(ResponseSet.student_id, ResponseSet.voided_at).where(
            ResponseSet.round_id == round_id, ResponseSet.voided_at.is_not(None)
        )
        for student_id, voided_at in access.session.execute(voided):
            held = before.get(student_id.bytes)
            if held is not None and voided_at is not None and moment64(voided_at) >= held.at:
                gone.add(student_id.bytes)
    return [UUID(bytes=student_id) for student_id in sorted(gone)]
