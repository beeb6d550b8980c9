"""The rounds of one student, scale by scale: what came of each, what changed, and which are missing."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from markupsafe import Markup
from sqlalchemy import select

from app.screening import change, sheet_words
from app.screening.change import Change, Point, Verdict
from app.screening.rounds import cohort
from app.screening.scales.scale import Scale, all_scales
from app.security.access import Access
from app.web import charts
from app.web.words import label
from models.participation import AbsenceKind, RoundAbsence
from models.screening import ResponseSet, RoundStage, ScreeningRound, SheetValidity
from models.student import Student

MISSING = "未参加/无结果"
_ABSENT = {AbsenceKind.DECLINED: "本人选择不参加", AbsenceKind.AWAY: "因故不参加", AbsenceKind.ACCOUNT: "账号无法登录"}


@dataclass(frozen=True, slots=True)
class Wave:
    """One round on the line of one scale; without ``words`` of a result it says why there is none."""

    round: str
    at: datetime
    total: float | None
    words: str
    doubtful: bool
    missing: bool
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Line:
    """One scale over the rounds."""

    title: str
    summary: str
    chart: Markup | None
    waves: tuple[Wave, ...]
    rough: str
    """Where the last total lies by norm or range: only for a rough comparison between scales."""


@dataclass(frozen=True, slots=True)
class _Sheet:
    row: Any
    held: dict[str, Any]

    @property
    def total(self) -> float | None:
        found = self.held.get("total")
        return None if found is None else float(found)

    @property
    def doubtful(self) -> bool:
        return bool(self.row.validity is SheetValidity.DOUBTFUL)

    @property
    def point(self) -> Point:
        return Point(total=self.total, version=self.row.scale_version, doubtful=self.doubtful)


def lines(access: Access, student: Student) -> list[Line]:
    """Every scale this student has answered, over all rounds that were his. Needs the right to open sheets."""
    sheets = _sheets(access, student.id)
    if not sheets:
        return []
    rounds = _rounds(access, student, {sheet.row.round_id for sheet in sheets})
    absences = select(RoundAbsence.round_id, RoundAbsence.kind).where(
        RoundAbsence.student_id == student.id, RoundAbsence.voided_at.is_(None)
    )
    absent = {round_id: kind for round_id, kind in access.session.execute(absences)}
    by_scale: dict[str, dict[UUID, _Sheet]] = defaultdict(dict)
    for sheet in sheets:
        by_scale[sheet.row.scale][sheet.row.round_id] = sheet
    took_part = {sheet.row.round_id for sheet in sheets}
    return [_line(key, held, rounds, absent, took_part) for key, held in sorted(by_scale.items())]


def _sheets(access: Access, student_id: UUID) -> list[_Sheet]:
    rows = access.session.execute(
        select(
            ResponseSet.id.label("response_set_id"),
            ResponseSet.student_id,
            ResponseSet.round_id,
            ResponseSet.scale,
            ResponseSet.scale_version,
            ResponseSet.status,
            ResponseSet.validity,
            ResponseSet.recorded_at,
            ResponseSet.taken_at,
            ResponseSet.body,
        )
        .where(ResponseSet.student_id == student_id, ResponseSet.voided_at.is_(None))
        .order_by(ResponseSet.recorded_at, ResponseSet.id)
    ).all()
    bodies = access.open_each(rows, ResponseSet.body)
    return [_Sheet(row, json.loads(body)) for row, body in zip(rows, bodies, strict=True)]


def _rounds(access: Access, student: Student, known: set[UUID]) -> Sequence[Any]:
    """Rounds that were this student's, oldest first: those with a sheet, and those whose cohort holds him."""
    rows = access.session.execute(
        select(
            ScreeningRound.id,
            ScreeningRound.name,
            ScreeningRound.opened_at,
            ScreeningRound.scales,
            ScreeningRound.cohort,
        )
        .where(ScreeningRound.stage != RoundStage.DRAFT)
        .order_by(ScreeningRound.opened_at, ScreeningRound.id)
    ).all()
    return [
        row for row in rows if row.id in known or (row.opened_at >= student.added_at and _asked(access, row, student))
    ]


def _asked(access: Access, row: Any, student: Student) -> bool:
    """Whether the round's cohort, as it is today, holds the student."""
    held = cohort.condition(cohort.read(row.cohort))
    return access.session.scalar(select(Student.id).where(Student.id == student.id, held)) is not None


def _line(
    key: str,
    held: Mapping[UUID, _Sheet],
    rounds: Sequence[Any],
    absent: Mapping[UUID, AbsenceKind],
    took_part: set[UUID],
) -> Line:
    scale = all_scales().get(key)
    waves: list[Wave] = []
    before: _Sheet | None = None
    for row in rounds:
        sheet = held.get(row.id)
        if sheet is not None:
            verdict = change.between(scale, before.point, sheet.point) if before else None
            waves.append(_result(scale, row, sheet, verdict))
            before = sheet if sheet.total is not None else before
        elif row.id not in took_part and _wanted(row, key):
            words = _ABSENT[absent[row.id]] if row.id in absent else MISSING
            waves.append(Wave(row.name, row.opened_at, None, words, doubtful=False, missing=True, verdict=None))
    title = sheet_words.title_of(key)
    position = (
        change.position(scale, before.total) if scale is not None and before and before.total is not None else None
    )
    return Line(
        title, summary_of(waves), _chart(key, title, scale, waves), tuple(waves), position.words if position else ""
    )


def _wanted(row: Any, key: str) -> bool:
    """A round that asked for other scales is not missing on this one's line."""
    asked = json.loads(row.scales)
    return not asked or key in asked


def _result(scale: Scale | None, row: Any, sheet: _Sheet, verdict: Verdict | None) -> Wave:
    held = sheet.held
    words = "；".join(
        part
        for part in (
            sheet_words.result_words(scale, sheet.row, held),
            sheet_words.stated_words(scale, held),
            sheet_words.doubt_words(held) if sheet.doubtful else "",
        )
        if part
    )
    at = sheet.row.taken_at or sheet.row.recorded_at
    return Wave(row.name, at, sheet.total, words, doubtful=sheet.doubtful, missing=False, verdict=verdict)


def summary_of(waves: Sequence[Wave]) -> str:
    """The last change in words, as a hint."""
    last = next((wave.verdict for wave in reversed(waves) if wave.verdict is not None), None)
    if last is None:
        return "只有一次结果，还看不出变化"
    words = f"与上一次相比，提示：{label(last.change)}"
    return f"{words}（{last.why}）" if last.change is Change.UNKNOWN and last.why else words


def _chart(key: str, title: str, scale: Scale | None, waves: Sequence[Wave]) -> Markup | None:
    totals = [wave.total for wave in waves if wave.total is not None]
    if not totals:
        return None
    lowest, highest = change.span(scale) if scale is not None else (min(totals), max(totals))
    described = "；".join(f"{wave.round}：{wave.words}" for wave in waves)
    marks = [charts.Mark(wave.at.strftime("%Y-%m"), wave.total, doubtful=wave.doubtful) for wave in waves]
    return charts.line(f"chart-{key}", f"{title}历次总分", described, marks, lowest=lowest, highest=highest)
