"""The report of a round in numbers: who took part, what the scales hint at, what came of it. No names.

Exact counts, for the centre (履职报送, 内部). Sums over sheets open every sheet
of the round once, counted and not named in the log (``open_to_count``).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.events import Event
from app.screening.scales.scale import Scale, all_scales
from app.security.access import Access
from models.interview import InterviewEntry, InterviewStage
from models.participation import AbsenceKind, Retest, RoundAbsence
from models.risk import Alert, Level, Signal
from models.screening import ResponseSet, RoundStage, ScreeningRound, SheetStatus, SheetValidity

WAVES_BACK = 4
"""So many earlier rounds are looked through for the same scale."""


class RoundFiguresRead(Event):
    """The sheets of a round were opened to be counted."""


@dataclass(frozen=True, slots=True)
class Share:
    """One part of a distribution."""

    label: str
    count: int
    percent: str


@dataclass(frozen=True, slots=True)
class ScaleFigures:
    """One scale over the whole round."""

    key: str
    title: str
    sheets: int
    scored: int
    incomplete: int
    doubtful: int
    mean: float | None
    deviation: float | None
    bands: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Wave:
    """The same scale in an earlier round; without figures where that round did not use it."""

    round: str
    day: Any
    figures: ScaleFigures | None


def scale_figures(reader: Access, round_id: UUID, scales: Sequence[str] | None = None) -> list[ScaleFigures]:
    """Every scale of a round, or some, in the order of their keys. ``reader`` may read results of everybody."""
    query = select(
        ResponseSet.id.label("response_set_id"),
        ResponseSet.student_id,
        ResponseSet.scale,
        ResponseSet.status,
        ResponseSet.validity,
        ResponseSet.body,
    ).where(ResponseSet.round_id == round_id, ResponseSet.voided_at.is_(None))
    if scales is not None:
        query = query.where(ResponseSet.scale.in_(scales))
    rows = reader.session.execute(query.order_by(ResponseSet.scale, ResponseSet.student_id)).all()
    held: dict[str, list[tuple[Any, dict[str, Any]]]] = {}
    for row, body in zip(rows, reader.open_to_count(rows, ResponseSet.body), strict=True):
        held.setdefault(row.scale, []).append((row, json.loads(body)))
    if rows:
        reader.record(RoundFiguresRead(object_id=round_id, count=len(rows)))
    return [_of_scale(all_scales().get(key), key, sheets) for key, sheets in sorted(held.items())]


def _of_scale(scale: Scale | None, key: str, sheets: Sequence[tuple[Any, dict[str, Any]]]) -> ScaleFigures:
    totals = [float(body["total"]) for _, body in sheets if body.get("total") is not None]
    return ScaleFigures(
        key,
        scale.title if scale else key,
        len(sheets),
        len(totals),
        sum(row.status is SheetStatus.INCOMPLETE for row, _ in sheets),
        sum(row.validity is SheetValidity.DOUBTFUL for row, _ in sheets),
        fmean(totals) if totals else None,
        pstdev(totals) if len(totals) > 1 else None,
        _bands(scale, Counter(body["band"] for _, body in sheets if body.get("band") is not None)),
    )


def _bands(scale: Scale | None, counted: Counter[str]) -> tuple[Share, ...]:
    """In the order of the scale's file, empty ones too; then whatever an earlier version of it called otherwise."""
    labels = {band.key: band.label for band in scale.bands} if scale else {}
    every = counted.total()
    keys = [*labels, *sorted(key for key in counted if key not in labels)] if every else []
    return tuple(Share(labels.get(key, key), counted[key], percent(counted[key], every)) for key in keys)


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "--"


def waves(reader: Access, row: ScreeningRound, scales: Iterable[str]) -> dict[str, list[Wave]]:
    """Scale → earlier rounds, newest first, back to the last one that used it; those between as missing."""
    earlier = reader.session.execute(
        select(ScreeningRound.id, ScreeningRound.name, ScreeningRound.opened_at)
        .where(ScreeningRound.opened_at < row.opened_at, ScreeningRound.stage != RoundStage.DRAFT)
        .order_by(ScreeningRound.opened_at.desc(), ScreeningRound.id)
        .limit(WAVES_BACK)
    ).all()
    used = _used(reader, [found.id for found in earlier])
    compared: dict[str, list[Wave]] = {}
    for key in scales:
        back = next((place for place, found in enumerate(earlier) if key in used.get(found.id, ())), None)
        if back is None:
            continue
        missing = [Wave(found.name, found.opened_at, None) for found in earlier[:back]]
        [figures] = scale_figures(reader, earlier[back].id, [key])
        compared[key] = [*missing, Wave(earlier[back].name, earlier[back].opened_at, figures)]
    return compared


def _used(reader: Access, round_ids: Sequence[UUID]) -> dict[UUID, set[str]]:
    query = select(ResponseSet.round_id, ResponseSet.scale).where(
        ResponseSet.round_id.in_(round_ids), ResponseSet.voided_at.is_(None)
    )
    held: dict[UUID, set[str]] = {}
    for round_id, scale in reader.session.execute(query.distinct()):
        held.setdefault(round_id, set()).add(scale)
    return held


def alerts_by_level(access: Access, round_id: UUID) -> list[tuple[Level, int, int]]:
    """Level, alerts with a live reason from this round's sheets, and how many of them are still open."""
    from_here = (
        select(Signal.alert_id)
        .join(ResponseSet, ResponseSet.id == Signal.source_id)
        .where(ResponseSet.round_id == round_id, Signal.voided_at.is_(None))
    )
    rows = access.session.execute(
        select(Alert.level, func.count(), func.count().filter(Alert.ended_at.is_(None)))
        .where(Alert.id.in_(from_here))
        .group_by(Alert.level)
    )
    held = {level: (every, still) for level, every, still in rows}
    return [(level, *held[level]) for level in Level if level in held]


def interviews_by_stage(access: Access, round_id: UUID) -> list[tuple[InterviewStage, int]]:
    rows = access.session.execute(
        select(InterviewEntry.stage, func.count())
        .where(InterviewEntry.round_id == round_id, InterviewEntry.stage != InterviewStage.VOID)
        .group_by(InterviewEntry.stage)
    )
    held = {stage: count for stage, count in rows}
    return [(stage, held[stage]) for stage in InterviewStage if stage in held]


def absences_by_kind(access: Access, round_id: UUID) -> list[tuple[AbsenceKind, int]]:
    rows = access.session.execute(
        select(RoundAbsence.kind, func.count())
        .where(RoundAbsence.round_id == round_id, RoundAbsence.voided_at.is_(None))
        .group_by(RoundAbsence.kind)
    )
    held = {kind: count for kind, count in rows}
    return [(kind, held.get(kind, 0)) for kind in AbsenceKind]


def retests(access: Access, round_id: UUID) -> tuple[int, int]:
    """Re-tests asked for, and those still open."""
    every, still = access.session.execute(
        select(func.count(), func.count().filter(Retest.ended_at.is_(None))).where(Retest.round_id == round_id)
    ).one()
    return every, still


def versions(access: Access, round_id: UUID) -> dict[str, list[str]]:
    """By which rules and which versions of scales and scoring the round was judged."""
    session = access.session
    sheets = session.execute(
        select(ResponseSet.scale, ResponseSet.scale_version, ResponseSet.engine_version)
        .where(ResponseSet.round_id == round_id, ResponseSet.voided_at.is_(None))
        .distinct()
        .order_by(ResponseSet.scale, ResponseSet.scale_version, ResponseSet.engine_version)
    ).all()
    listed = select(InterviewEntry.rule_version).where(InterviewEntry.round_id == round_id)
    raised = (
        select(Signal.rule_version)
        .join(ResponseSet, ResponseSet.id == Signal.source_id)
        .where(ResponseSet.round_id == round_id)
    )
    rules = {*session.scalars(listed.distinct()), *session.scalars(raised.distinct())}
    names = {key: scale.name for key, scale in all_scales().items()}
    return {
        "scales": [f"{names.get(row.scale, row.scale)} {row.scale_version}" for row in sheets],
        "engines": sorted({row.engine_version for row in sheets}),
        "rules": sorted(rules),
    }
