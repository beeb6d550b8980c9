"""What the model said, in words: a band, its reasons, or that it does not know. Never a bare number.

A student whose objection was upheld is left out at once, whatever still lies
in the table: from that moment the rules and people stand alone for him. While
a person reviews it, the hint can still be read, because it is what is reviewed;
whoever orders or adds leaves the student out (``objection.objected``).

A score that does not open any more says nothing of its student, who then stands
by the rules; it hides nobody else's, and no page and no job falls over it (law 2).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.intake.batch import many_objects
from app.risk.scores import shelf
from app.risk.scores.shelf import INTERVIEW
from app.security.access import Access
from app.security.policy import Permission
from app.security.vault import Unreadable
from models.bulk import fetch_sealed
from models.risk_model import ModelObjection, ModelStage, ObjectionStage, RiskModel, RiskScore
from models.sealed import Sealed

SOME = 500
Row = TypeVar("Row")
Text = TypeVar("Text")


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
    raises: tuple[bool, ...] = ()
    """Of each reason, whether it speaks for a talk; none given: all do."""

    @property
    def speaking_for(self) -> tuple[str, ...]:
        """Reasons that speak for a talk."""
        return tuple(words for place, words in enumerate(self.reasons) if not self.raises or self.raises[place])

    @property
    def speaking_against(self) -> tuple[str, ...]:
        """What makes the model speak less loudly: for whoever checks it, never a reason not to talk."""
        return tuple(words for words in self.reasons if words not in self.speaking_for)


def said_of(access: Access, round_id: UUID) -> dict[UUID, Said]:
    """The live scores of one round by the active model; nothing where there is none.

    A machine that orders a whole round opens them counted, and only while the model behind them can still be read:
    otherwise the rules' order holds. A person who looks stands in the log with everybody he saw.
    """
    without = upheld(access.session)
    query = live_words().where(RiskScore.round_id == round_id)
    if access.permission is not Permission.RISK_SCORE:
        rows = [row for row in access.session.execute(query).all() if row.student_id not in without]
        return words_of([row.student_id for row in rows], bodies_of(access.open_each, rows))
    if shelf.active(access).trouble:
        return {}
    students, ids, bodies = fetch_sealed(access.session, query)
    places = range(len(students))
    texts = readable(lambda some: _counted(access, students, ids, bodies, some), places)
    with many_objects():
        held = words_of([UUID(bytes=student) for student in students], [(text or b"").decode() for text in texts])
    return {student_id: said for student_id, said in held.items() if student_id not in without}


def latest(access: Access, student_ids: Iterable[UUID]) -> dict[UUID, Said]:
    """The newest live score by the active model of each of these students, whatever the round."""
    without = upheld(access.session)
    newest: dict[UUID, Any] = {}
    for some in in_parts([student for student in dict.fromkeys(student_ids) if student not in without]):
        query = live_words().where(RiskScore.student_id.in_(some)).order_by(RiskScore.scored_at, RiskScore.id)
        for row in access.session.execute(query):
            newest[row.student_id] = row
    rows = list(newest.values())
    return words_of(list(newest), bodies_of(access.open_each, rows))


def upheld(session: Session) -> set[UUID]:
    """Students of whom the model no longer speaks."""
    return set(session.scalars(select(ModelObjection.student_id).where(ModelObjection.stage == ObjectionStage.UPHELD)))


def bodies_of(way: Callable[..., Sequence[str]], rows: Sequence[Any]) -> list[str]:
    """The bodies of these scores by one way of opening; empty where one does not open."""
    return [text or "" for text in readable(lambda some: way(some, RiskScore.body), rows)]


def readable(way: Callable[[Sequence[Row]], Sequence[Text | None]], rows: Sequence[Row]) -> list[Text | None]:
    """What opens, in the order of the rows, and nothing where a row is damaged: halved until only that one is left."""
    try:
        return list(way(rows))
    except Unreadable:
        if len(rows) == 1:
            return [None]
        middle = len(rows) // 2
        return readable(way, rows[:middle]) + readable(way, rows[middle:])


def _counted(
    access: Access, students: list[bytes], ids: list[bytes], bodies: list[Sealed], some: Sequence[int]
) -> list[bytes | None]:
    """The bodies of a part of a whole round, which the log counts."""
    part = slice(some[0], some[-1] + 1) if some else slice(0)
    return access.open_many_to_count(RiskScore.body, students[part], ids[part], bodies[part])


def in_parts(ids: Sequence[UUID]) -> Iterable[Sequence[UUID]]:
    """So many at a time as one statement takes."""
    return (ids[start : start + SOME] for start in range(0, len(ids), SOME))


def live_words() -> Select[UUID, UUID, Sealed]:
    """Whatever the active model says now, still sealed."""
    return (
        select(RiskScore.student_id, RiskScore.id.label("risk_score_id"), RiskScore.body)
        .join(RiskModel, RiskModel.id == RiskScore.model_id)
        .where(
            RiskModel.purpose == INTERVIEW,
            RiskModel.stage == ModelStage.ACTIVE,
            RiskScore.superseded_at.is_(None),
            RiskScore.shadow.is_(False),
        )
    )


def words_of(students: Sequence[UUID], bodies: Sequence[str]) -> dict[UUID, Said]:
    """Bodies of scores, opened, as what was said of each student; an empty one says nothing."""
    found = {}
    for student_id, body in zip(students, bodies, strict=True):
        if not body:
            continue
        held = json.loads(body)
        log_odds = held["log_odds"]
        found[student_id] = Said(
            student_id,
            Band(held["band"]),
            held["abstains"],
            None if log_odds is None else float.fromhex(log_odds),
            tuple(reason["text"] for reason in held["reasons"]),
            tuple(reason["raises"] for reason in held["reasons"]),
        )
    return found
