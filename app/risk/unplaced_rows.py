"""Critical answers on rows without a known student: one "identify now" each, asked once (decisions 11)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.admin.rule import Rulebook
from app.events import Event
from app.notices import post
from app.risk.duty import NOBODY
from app.risk.rules import Hit
from app.screening.scales.scoring import MISSING
from app.screening.tables.sheets import Bundle
from app.security.access import Access
from app.security.holders import first_holder
from models.base import new_id
from models.identity import Role
from models.intake import ImportBatch
from models.moment import now
from models.refusal import Refusal
from models.screening import ScreeningRound, UnplacedAnswer, UnplacedStage


class CriticalAnswerUnplaced(Event):
    """A critical answer has no known student: somebody must find out whose it is."""


@dataclass(frozen=True, slots=True)
class Unplaced:
    """One row with a critical answer and no student."""

    row: int
    digest: bytes
    held: dict[str, Any]


def unplaced_of(access: Access, bundle: Bundle, place: int, hits: Sequence[Hit]) -> Unplaced:
    identity = bundle.identity(place)
    answers = {
        key: [None if value == MISSING else value for value in held.answers[place].tolist()]
        for key, held in bundle.scales.items()
        if held.present[place]
    }
    held = {
        "identity": identity,
        "answers": answers,
        "rules": [{"rule": hit.rule.id, "text": hit.rule.reason} for hit in hits],
    }
    said = json.dumps([identity, answers], ensure_ascii=False, sort_keys=True).encode()
    return Unplaced(bundle.row_numbers[place], access.digest("unplaced", said)[:16], held)


def not_yet_asked(access: Access, unplaced: list[Unplaced]) -> list[Unplaced]:
    """What came with a file that was rolled back is asked about anew."""
    asked = select(UnplacedAnswer.digest).where(UnplacedAnswer.stage != UnplacedStage.VOID)
    known = set(access.session.scalars(asked)) if unplaced else set()
    kept: dict[bytes, Unplaced] = {}
    for item in unplaced:
        if item.digest not in known:
            kept.setdefault(item.digest, item)
    return list(kept.values())


def write(
    access: Access, book: Rulebook, unplaced: Sequence[Unplaced], screening_round: ScreeningRound, batch: ImportBatch
) -> None:
    """An "identify now" task of the centre head with a clock, in the same transaction (decisions 11)."""
    if not unplaced:
        return
    role, owner = _identifier(access)
    due = book.due("identify")
    for item in unplaced:
        row = UnplacedAnswer(
            id=new_id(),
            batch_id=batch.id,
            round_id=screening_round.id,
            row_number=item.row,
            stage=UnplacedStage.OPEN,
            owner_id=owner,
            due_at=due,
            rule_version=book.version,
            raised_at=now(),
            digest=item.digest,
        )
        access.seal_json(row, UnplacedAnswer.body, item.held)
        access.session.add(row)
    post.tell(access, owner, role, "identify", count=len(unplaced))
    access.record(CriticalAnswerUnplaced(object_id=batch.id, count=len(unplaced)))


def _identifier(access: Access) -> tuple[Role, UUID]:
    for role in (Role.CENTRE_HEAD, Role.AFFAIRS_HEAD):
        owner = first_holder(access.session, role)
        if owner is not None:
            return role, owner
    raise Refusal(NOBODY)
