"""Replaying a score: the same inputs under the same model must say the same, to the last bit.

The body is opened, the row it rested on is rebuilt and its keyed digest
compared with the one kept beside it; the model is taken off the shelf and
scores again; then every number is compared by its bits, and the words with it.
Whatever was edited since (the body, the digest, the model, the moment, the
rulebook's version) is named. A score whose file is gone or was exchanged does
not count as replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.risk.gathering.facts import moment64
from app.risk.scores import kept_score, scoring, shelf
from app.risk.scores.kept_score import Kept, Names
from app.risk.scores.shelf import Shelf
from app.security.access import Access
from app.security.vault import Unreadable
from ml.features import FeatureTable
from models.risk_model import RiskScore

Beat = Callable[[int, int], None]
SOME = 500


class Differs(StrEnum):
    """What is not as it was."""

    BODY = "body"
    """It does not open, or is not the body of a score."""
    INPUTS = "inputs"
    """The inputs are not those the digest was made of."""
    MODEL = "model"
    """The model is missing, exchanged, or another than the one that spoke."""
    FACTS = "facts"
    """Moment or rulebook differ between the row and its body."""
    SCORE = "score"
    CONTRIBUTIONS = "contributions"
    WORDS = "words"
    """Band, abstention or reasons."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of replaying one score."""

    score_id: UUID
    differs: tuple[Differs, ...]

    @property
    def same(self) -> bool:
        return not self.differs


@dataclass(slots=True)
class Replays:
    """What came of replaying many."""

    count: int = 0
    different: list[Replayed] = field(default_factory=list)

    @property
    def same(self) -> int:
        return self.count - len(self.different)


_COLUMNS = (
    RiskScore.id.label("risk_score_id"),
    RiskScore.student_id,
    RiskScore.model_id,
    RiskScore.at,
    RiskScore.rules_version,
    RiskScore.inputs,
    RiskScore.body,
)


def replay(access: Access, score_id: UUID) -> Replayed | None:
    """Replay one score; nothing where there is none of this id."""
    row = access.session.execute(select(*_COLUMNS).where(RiskScore.id == score_id)).first()
    if row is None:
        return None
    try:
        text = access.open(row, RiskScore.body)
    except Unreadable:
        text = ""
    return _replayed(access, row, text, shelf.one(access, row.model_id))


def replay_all(
    access: Access, round_id: UUID | None = None, *, limit: int | None = None, beat: Beat | None = None
) -> Replays:
    """Replay the newest scores, of one round or of all; superseded ones too, because they were said."""
    query = select(RiskScore.id).order_by(RiskScore.scored_at.desc(), RiskScore.id.desc())
    if round_id is not None:
        query = query.where(RiskScore.round_id == round_id)
    ids = list(access.session.scalars(query.limit(limit)))
    found, shelves = Replays(), dict[UUID, Shelf]()
    for start in range(0, len(ids), SOME):
        rows = access.session.execute(select(*_COLUMNS).where(RiskScore.id.in_(ids[start : start + SOME]))).all()
        for row, text in zip(rows, _texts(access, rows), strict=True):
            if row.model_id not in shelves:
                shelves[row.model_id] = shelf.one(access, row.model_id)
            replayed = _replayed(access, row, text, shelves[row.model_id])
            found.count += 1
            if not replayed.same:
                found.different.append(replayed)
        if beat is not None:
            beat(found.count, len(ids))
    return found


def _texts(access: Access, rows: Sequence[Any]) -> list[str]:
    """The bodies, counted and not named in the log; a damaged one does not hide the others."""
    try:
        return access.open_to_count(rows, RiskScore.body)
    except Unreadable:
        return [_text(access, row) for row in rows]


def _text(access: Access, row: Any) -> str:
    try:
        return access.open_to_count([row], RiskScore.body)[0]
    except Unreadable:
        return ""


def _replayed(access: Access, row: Any, text: str, held: Shelf) -> Replayed:
    try:
        kept = kept_score.read(text)
    except ValueError:
        return Replayed(row.risk_score_id, (Differs.BODY,))
    found = set[Differs]()
    if kept.at != str(moment64(row.at)) or kept.rules != row.rules_version:
        found.add(Differs.FACTS)
    shelved = held.shelved
    if shelved is None or kept.model != shelved.sha256.hex():
        found.add(Differs.MODEL)
    if shelved is not None:
        found |= _scored_again(access, row, kept, held)
    return Replayed(row.risk_score_id, tuple(sorted(found)))


def _scored_again(access: Access, row: Any, kept: Kept, held: Shelf) -> set[Differs]:
    assert held.shelved is not None  # noqa: S101 - asked before
    model = held.shelved.model
    try:
        table = kept_score.table_of(kept, model.features, row.student_id.hex)
    except ValueError:
        return {Differs.INPUTS}
    found = set[Differs]()
    if set(kept.inputs) - set(table.keys) or scoring.digests_of(access, [row.student_id.bytes], table) != [row.inputs]:
        found.add(Differs.INPUTS)
    again = _again(model, Names(held.shelved.sha256, row.rules_version), table)
    if (again.base, again.log_odds) != (kept.base, kept.log_odds):
        found.add(Differs.SCORE)
    if again.contributions != kept.contributions:
        found.add(Differs.CONTRIBUTIONS)
    if (again.band, again.abstains, again.reasons) != (kept.band, kept.abstains, kept.reasons):
        found.add(Differs.WORDS)
    return found


def _again(model: Any, names: Names, table: FeatureTable) -> Kept:
    """The same row said anew, through the same writing and reading."""
    [body] = scoring.bodies_of(model, names, table, model.score(table))
    return kept_score.read(body.decode())
