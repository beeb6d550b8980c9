"""What the model said, in words: a band, its reasons, or that it does not know. Never a bare number.

A student whose objection was upheld is left out at once, whatever still lies
in the table: from that moment the rules and people stand alone for him. While
a person reviews it, the hint can still be read, because it is what is reviewed;
whoever orders or adds leaves the student out (``objection.objected``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.risk.model import kept_score
from app.risk.model.shelf import INTERVIEW
from app.security.access import Access
from app.security.policy import Permission
from models.risk_model import ModelObjection, ModelStage, ObjectionStage, RiskModel, RiskScore
from models.sealed import Sealed

SOME = 500


class Band(StrEnum):
    """Where a student stands among those the model learned from; ``UNKNOWN`` is its own state, never low."""

    FIRST = "first"
    SOON = "soon"
    USUAL = "usual"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Said:
    """The live word of the active model on one student."""

    student_id: UUID
    band: Band
    abstains: str
    """A key of ``[model_abstains]`` in ``config/words.toml`` where it does not know."""
    log_odds: float | None
    """For order only; it never stands on a screen."""
    reasons: tuple[str, ...]


def said_of(access: Access, round_id: UUID) -> dict[UUID, Said]:
    """The live scores of one round by the active model; nothing where there is none."""
    rows = access.session.execute(_live().where(RiskScore.round_id == round_id)).all()
    counted = access.permission is Permission.RISK_SCORE
    without = upheld(access.session)
    kept = [row for row in rows if row.student_id not in without]
    return _said(kept, _opened(access, kept, counted=counted))


def latest(access: Access, student_ids: Iterable[UUID]) -> dict[UUID, Said]:
    """The newest live score by the active model of each of these students, whatever the round."""
    wanted = list(dict.fromkeys(student_ids))
    without = upheld(access.session)
    newest: dict[UUID, Any] = {}
    for some in in_parts([student_id for student_id in wanted if student_id not in without]):
        for row in access.session.execute(_live().where(RiskScore.student_id.in_(some))):
            newest[row.student_id] = row
    rows = list(newest.values())
    return _said(rows, _opened(access, rows, counted=False))


def upheld(session: Session) -> set[UUID]:
    """Students of whom the model no longer speaks."""
    return set(session.scalars(select(ModelObjection.student_id).where(ModelObjection.stage == ObjectionStage.UPHELD)))


def in_parts(ids: Sequence[UUID]) -> Iterable[Sequence[UUID]]:
    """So many at a time as one statement takes."""
    return (ids[start : start + SOME] for start in range(0, len(ids), SOME))


def _live() -> Select[UUID, UUID, Sealed]:
    return (
        select(RiskScore.id.label("risk_score_id"), RiskScore.student_id, RiskScore.body)
        .join(RiskModel, RiskModel.id == RiskScore.model_id)
        .where(
            RiskModel.purpose == INTERVIEW,
            RiskModel.stage == ModelStage.ACTIVE,
            RiskScore.superseded_at.is_(None),
            RiskScore.shadow.is_(False),
        )
        .order_by(RiskScore.scored_at, RiskScore.id)
    )


def _opened(access: Access, rows: Sequence[Any], *, counted: bool) -> list[str]:
    """A whole round is counted in the log, a page of people is named."""
    if counted:
        return access.open_to_count(rows, RiskScore.body)
    return access.open_each(rows, RiskScore.body)


def _said(rows: Sequence[Any], texts: Sequence[str]) -> dict[UUID, Said]:
    found = {}
    for row, text in zip(rows, texts, strict=True):
        kept = kept_score.read(text)
        found[row.student_id] = Said(
            row.student_id,
            Band(kept.band),
            kept.abstains,
            None if kept.log_odds is None else float.fromhex(kept.log_odds),
            tuple(reason["text"] for reason in kept.reasons),
        )
    return found
