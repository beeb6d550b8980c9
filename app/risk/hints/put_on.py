"""Putting students on a round's list beside the rules: each with an owner and a deadline from the first moment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from app.admin import rulebook
from app.risk.hints.participants import Place
from app.security.access import Access
from models.base import new_ids
from models.bulk import Same
from models.interview import EntryOrigin, InterviewEntry, InterviewStage
from models.moment import now
from models.screening import ScreeningRound


def put_on(
    access: Access,
    screening_round: ScreeningRound,
    places: Sequence[Place],
    *,
    origin: EntryOrigin,
    reasons: Mapping[UUID, Sequence[tuple[str, str]]],
    share: float | None = None,
) -> None:
    """Write the entries. ``reasons``: student → rule and words, as a rule's own reasons are kept."""
    students, ids = [place.student_id.bytes for place in places], new_ids(len(places))
    bodies = [
        json.dumps(
            [{"rule": rule, "text": text, "focus": []} for rule, text in reasons[place.student_id]], ensure_ascii=False
        ).encode()
        for place in places
    ]
    access.insert_many(
        InterviewEntry,
        {
            "id": ids,
            "version": Same(1),
            "round_id": Same(screening_round.id),
            "student_id": students,
            "college_id": [place.college_id.bytes for place in places],
            "class_id": [place.class_id.bytes for place in places],
            "stage": Same(InterviewStage.LISTED),
            "owner_id": Same(screening_round.owner_id),
            "due_at": Same(screening_round.interviews_due_at),
            "weight": Same(0),
            "origin": Same(origin),
            "share": Same(share),
            "rule_version": Same(rulebook.current(access.session).version),
            "listed_at": Same(now()),
            "body": access.seal_many(InterviewEntry.body, students, ids, bodies),
        },
    )
