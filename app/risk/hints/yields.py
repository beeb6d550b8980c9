"""提示采纳与结果: what came of rules, hints and the lot, in numbers of the centre's own work.

Read by the head of the centre: whether the hints are worth the talks they cost,
how often people overrule them and why, which reasons find somebody who needs
help, and, from the talks by lot, how many nothing had spoken of would have
needed one. Nobody is named, and a share of very few talks is not shown.

What the lot says is weighted by the chance each was drawn with (``ml.weights``)
and rests on the talks that were held: it supposes that among those drawn
whoever was reached is no different from whoever was not.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import select

from app.risk.hints.participants import spoken_of, took_part
from app.security.access import Access
from config import catalogue
from ml.intervals import UNKNOWN, Estimate, wilson
from ml.weights import effective_size, inverse
from models.interview import EntryOrigin, InterviewEntry, InterviewStage
from models.screening import ScreeningRound

UNREACHED = (InterviewStage.DECLINED, InterviewStage.NOT_REACHED)


@dataclass(slots=True)
class Tally:
    """What came of the entries of one origin, or with one reason."""

    listed: int = 0
    stages: Counter[InterviewStage] = field(default_factory=Counter)
    results: Counter[str] = field(default_factory=Counter)
    bases: Counter[str] = field(default_factory=Counter)
    helped: int = 0

    @property
    def talked(self) -> int:
        return self.stages[InterviewStage.DONE]

    @property
    def waiting(self) -> int:
        ended = (InterviewStage.DONE, *UNREACHED, InterviewStage.DISMISSED, InterviewStage.KNOWN)
        return self.listed - sum(self.stages[stage] for stage in ended)

    @property
    def reached(self) -> Estimate:
        """Of those somebody tried to reach, how many came to a talk."""
        return _share(self.talked, self.talked + sum(self.stages[stage] for stage in UNREACHED))

    @property
    def needed(self) -> Estimate:
        """Of the talks, how many found somebody who needs further help."""
        return _share(self.helped, self.talked)

    @property
    def overruled(self) -> Estimate:
        """Of the entries somebody decided, how many without a talk: dismissed, or known already."""
        without = self.stages[InterviewStage.DISMISSED] + self.stages[InterviewStage.KNOWN]
        return _share(without, self.listed - self.waiting)

    def add(self, stage: InterviewStage, result: str | None, basis: str | None) -> None:
        self.listed += 1
        self.stages[stage] += 1
        if stage is InterviewStage.DONE and result:
            self.results[result] += 1
            self.helped += result in catalogue.table("risk_model")["positive_results"]
        if basis:
            self.bases[basis] += 1


@dataclass(frozen=True, slots=True)
class ByReason:
    """What talks with one reason found."""

    words: str
    hint: bool
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Unspoken:
    """Of those nothing spoke of: how many would have needed a talk, as the lot tells."""

    people: int
    drawn: int
    talked: int
    helped: int
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Yield:
    """Everything the page shows."""

    by_origin: dict[EntryOrigin, Tally]
    by_reason: list[ByReason]
    unspoken: Unspoken | None


def of_rounds(access: Access, round_ids: Sequence[UUID]) -> Yield:
    """Count the entries of these rounds."""
    by_origin = {origin: Tally() for origin in EntryOrigin}
    by_reason: dict[tuple[bool, str], Tally] = {}
    lots: list[tuple[float, bool]] = []
    for row, reasons, outcome in _entries(access, round_ids):
        result = outcome.get("result")
        by_origin[row.origin].add(row.stage, result, row.basis)
        if row.origin is EntryOrigin.AUDIT:
            if row.stage is InterviewStage.DONE and row.share:
                lots.append((row.share, result in catalogue.table("risk_model")["positive_results"]))
            continue
        for words in dict.fromkeys(reasons):
            tally = by_reason.setdefault((row.origin is EntryOrigin.MODEL, words), Tally())
            tally.add(row.stage, result, row.basis)
    ordered = sorted(by_reason.items(), key=lambda item: (-item[1].talked, -item[1].listed, item[0]))
    return Yield(
        by_origin=by_origin,
        by_reason=[ByReason(words, hint, tally) for (hint, words), tally in ordered],
        unspoken=_unspoken(access, round_ids, by_origin[EntryOrigin.AUDIT], lots),
    )


def _entries(access: Access, round_ids: Sequence[UUID]) -> Iterable[tuple[Any, list[str], dict[str, Any]]]:
    rows = access.session.execute(
        select(
            InterviewEntry.id.label("interview_entry_id"),
            InterviewEntry.student_id,
            InterviewEntry.origin,
            InterviewEntry.stage,
            InterviewEntry.share,
            InterviewEntry.basis,
            InterviewEntry.body,
            InterviewEntry.outcome,
        )
        .where(InterviewEntry.round_id.in_(round_ids), InterviewEntry.stage != InterviewStage.VOID)
        .order_by(InterviewEntry.id)
    ).all()
    bodies = access.open_to_count(rows, InterviewEntry.body)
    outcomes = access.open_to_count(rows, InterviewEntry.outcome)
    for row, body, outcome in zip(rows, bodies, outcomes, strict=True):
        yield row, [reason["text"] for reason in json.loads(body)], json.loads(outcome) if outcome else {}


def _unspoken(
    access: Access, round_ids: Sequence[UUID], tally: Tally, lots: Sequence[tuple[float, bool]]
) -> Unspoken | None:
    """None where nobody was ever drawn: without the lot nothing can be said of the others."""
    if not tally.listed:
        return None
    drawing = access.session.scalars(
        select(ScreeningRound)
        .where(
            ScreeningRound.id.in_(
                select(InterviewEntry.round_id).where(
                    InterviewEntry.origin == EntryOrigin.AUDIT, InterviewEntry.round_id.in_(round_ids)
                )
            )
        )
        .order_by(ScreeningRound.id)
    )
    people = tally.listed + sum(len(took_part(access, row.id) - spoken_of(access, row)) for row in drawing)
    share = _weighted(lots) if len(lots) >= catalogue.table("risk_model")["yield_least_talked"] else UNKNOWN
    return Unspoken(
        people=people,
        drawn=tally.listed,
        talked=len(lots),
        helped=sum(needed for _, needed in lots),
        low=None if share.low is None else round(share.low * people),
        high=None if share.high is None else round(share.high * people),
    )


def _weighted(lots: Sequence[tuple[float, bool]]) -> Estimate:
    weights = inverse(np.array([share for share, _ in lots]))
    needed = np.array([needed for _, needed in lots], dtype=np.float64)
    return wilson(float((weights * needed).sum() / weights.sum()), effective_size(weights))


def _share(part: int, whole: int) -> Estimate:
    """A share with its interval; unknown where too few talks stand behind it."""
    if whole < catalogue.table("risk_model")["yield_least_talked"]:
        return UNKNOWN
    return wilson(part / whole, whole)
