"""Scoring a round: what the models say of everybody who takes part, kept so that it can be replayed.

``prepare_round`` reads, gathers and scores outside the write transaction;
``write_round`` only writes. A row is written where inputs or model changed
since the student's live score of that round and model; the earlier one is
superseded, never deleted (law 8). Whoever no longer takes part, and whoever's
objection was upheld, has no live score any more.

Nothing else is touched: no alert, no duty, no signal, no entry of a list. What
follows from a score is the business of whoever listens to ``RoundScored``, and
none of it can be less than what the rules say (law 2). Without a model nothing
is written and the fact is told all the same, so that the rules' order holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import isnan
from uuid import UUID

import numpy as np
from sqlalchemy import select, update

from app.admin import rulebook
from app.events import Event
from app.risk.gathering.facts import moment64
from app.risk.gathering.inputs import gathered, table_for
from app.risk.scores import kept_score
from app.risk.scores.kept_score import Names
from app.risk.scores.live_scores import Live, ended, live, scored_rounds, taking_part
from app.risk.scores.said import Band, in_parts, upheld
from app.risk.scores.shelf import WATCHED, Shelved, active, shadows
from app.security.access import Access
from ml.features import FeatureTable
from ml.model import Model, Scored, reasons
from models.base import new_ids
from models.bulk import Same
from models.moment import now
from models.risk_model import ModelStage, RiskModel, RiskScore
from models.screening import ScreeningRound
from models.sealed import KeyClass, Sealed

Beat = Callable[[int, int], None]
BLOCK = 4096
"""Rows whose bodies are in memory in plain at one time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundScored(Event):
    """A model said what it says of a round; ``count`` is how many scores are new."""

    shadow: bool
    model: UUID | None = None
    """Which edition; none where there is no model, and the rules' order holds alone."""


@dataclass(slots=True)
class Column:
    """The new scores of one model, ready for the bulk insert, and whose live ones end."""

    shelved: Shelved
    shadow: bool
    rules_version: str
    ids: list[bytes] = field(default_factory=list)
    students: list[bytes] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    sealed: list[Sealed] = field(default_factory=list)
    ended: list[UUID] = field(default_factory=list)
    """Students who have no score any more."""


@dataclass(slots=True)
class Prepared:
    """What scoring a round came to; nothing of it is written yet."""

    round_id: UUID
    at: datetime
    trouble: str
    """A key of ``[model_trouble]`` where the active model could not be used."""
    columns: list[Column] = field(default_factory=list)


def prepare_round(access: Access, round_id: UUID, *, at: datetime | None = None, beat: Beat | None = None) -> Prepared:
    """Score everybody who takes part, by the active model and by each shadow; writes nothing."""
    beat = beat or (lambda _done, _of: None)
    at = at or now()
    used = active(access)
    prepared = Prepared(round_id, at, used.trouble)
    shelves = [shelf.shelved for shelf in (used, *shadows(access)) if shelf.shelved is not None]
    if not shelves:
        return prepared
    takes_part = taking_part(access, round_id) if round_id in scored_rounds(access.session) else None
    students = sorted(takes_part or ())
    steps = len(shelves) + 1
    given = gathered(access, round_id, students, [shelved.model for shelved in shelves], at=at) if students else None
    beat(1, steps)
    for step, shelved in enumerate(shelves):
        column = Column(shelved, shelved.stage is not ModelStage.ACTIVE, rulebook.current(access.session).version)
        before = live(access, round_id, shelved.id)
        if given is not None:
            _score(access, column, before, students, table_for(given, shelved.model))
        column.ended = ended(access, round_id, before, takes_part)
        prepared.columns.append(column)
        beat(step + 2, steps)
    return prepared


def write_round(access: Access, prepared: Prepared) -> None:
    """Write what is new, end what no longer holds, and say so.

    The round is locked before anything of a student, as a delivery does: neither ever waits for the other in a ring.
    """
    access.session.execute(select(ScreeningRound.id).where(ScreeningRound.id == prepared.round_id).with_for_update())
    told = False
    for column in sorted(prepared.columns, key=lambda held: held.shelved.id):
        if not _still_stands(access, column):
            continue
        written = _write(access, prepared, column)
        told = told or not column.shadow
        if written or not column.shadow:
            access.record(
                RoundScored(object_id=prepared.round_id, shadow=column.shadow, model=column.shelved.id, count=written)
            )
    if not told:
        access.record(RoundScored(object_id=prepared.round_id, shadow=False, count=0))


# --- scoring --------------------------------------------------------------------------------------


def _score(
    access: Access, column: Column, before: dict[bytes, Live], students: Sequence[bytes], table: FeatureTable
) -> None:
    """Score every row, and keep those that say something new, sealed."""
    model, names = column.shelved.model, Names(column.shelved.sha256, column.rules_version)
    digests = digests_of(access, students, table)
    new = [
        place
        for place, (student, digest) in enumerate(zip(students, digests, strict=True))
        if (held := before.get(student)) is None or held.inputs != digest or held.shadow != column.shadow
    ]
    access.vault.fetch_keys("student", [students[place] for place in new], KeyClass.CARE, make=False)
    for start in range(0, len(new), BLOCK):
        some = new[start : start + BLOCK]
        rows = table.rows(np.array(some))
        scored = model.score(rows)
        column.students += [students[place] for place in some]
        column.digests += [digests[place] for place in some]
        plains = list(bodies_of(model, names, rows, scored))
        ids = new_ids(len(some))
        column.ids += ids
        column.sealed += access.seal_many(RiskScore.body, column.students[-len(some) :], ids, plains)


def digests_of(access: Access, students: Sequence[bytes], table: FeatureTable) -> list[bytes]:
    """Keyed digests of what each score rests on: bound to the student, so that equal inputs do not look alike."""
    return [
        access.digest("risk score inputs", student + digest)
        for student, digest in zip(students, table.digests(), strict=True)
    ]


def bodies_of(model: Model, names: Names, table: FeatureTable, scored: Scored) -> Iterator[bytes]:
    """The bodies to be sealed, row by row. Where the model does not know, it gives no reasons either."""
    bands = [band_of(model, value) for value in scored.log_odds.tolist()]
    why = [[] if band is Band.UNKNOWN else reasons(model, scored, row) for row, band in enumerate(bands)]
    return kept_score.bodies(model, names, table, scored, bands, why)


def band_of(model: Model, log_odds: float) -> Band:
    """The band by the model's own cuts; where it abstains, that it does not know."""
    if isnan(log_odds):
        return Band.UNKNOWN
    first, soon = model.cuts
    if log_odds > first:
        return Band.FIRST
    return Band.SOON if log_odds > soon else Band.USUAL


# --- writing --------------------------------------------------------------------------------------


def _still_stands(access: Access, column: Column) -> bool:
    """Whether the model is still used, or still watched. Locks it, so that two never write at once."""
    stage = access.session.scalar(select(RiskModel.stage).where(RiskModel.id == column.shelved.id).with_for_update())
    return stage in WATCHED if column.shadow else stage is ModelStage.ACTIVE


def _write(access: Access, prepared: Prepared, column: Column) -> int:
    """The rows that are still new, now that nobody else writes; a later moment is never overwritten by an earlier."""
    held, instant, at = live(access, prepared.round_id, column.shelved.id), now(), moment64(prepared.at)
    silent = {student_id.bytes for student_id in upheld(access.session)}
    keep = [
        place
        for place, (student, digest) in enumerate(zip(column.students, column.digests, strict=True))
        if student not in silent and _is_news(held.get(student), digest, column.shadow, at)
    ]
    over = [student_id.bytes for student_id in column.ended]
    ends = [student for student in over if student in held and held[student].at <= at]
    ends += [student for student in silent & held.keys() if student not in ends]
    replaced = [held[column.students[place]].id for place in keep if column.students[place] in held]
    _supersede(access, [UUID(bytes=row) for row in [*replaced, *(held[student].id for student in ends)]], instant)
    return access.insert_many(
        RiskScore,
        {
            "id": [column.ids[place] for place in keep],
            "student_id": [column.students[place] for place in keep],
            "round_id": Same(prepared.round_id),
            "model_id": Same(column.shelved.id),
            "at": Same(prepared.at),
            "scored_at": Same(instant),
            "shadow": Same(column.shadow),
            "rules_version": Same(column.rules_version),
            "inputs": [column.digests[place] for place in keep],
            "body": [column.sealed[place] for place in keep],
        },
    )


def _is_news(held: Live | None, digest: bytes, shadow: bool, at: np.datetime64) -> bool:
    if held is None:
        return True
    return bool(held.at <= at) and (held.inputs != digest or held.shadow != shadow)


def _supersede(access: Access, ids: Sequence[UUID], instant: datetime) -> None:
    for some in in_parts(ids):
        access.session.execute(
            update(RiskScore).where(RiskScore.id.in_(some)).values(superseded_at=instant),
            execution_options={"synchronize_session": False},
        )
