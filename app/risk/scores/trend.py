"""动态跟踪 on the student's file: what the model said over time, in words, beside the level of attention of that time.

For the centre only (law 4). Never a number: a band, its reasons, or that it
does not know and why. A line stands for as long as nothing changed. What
rested on data that has been corrected since is shown as such and not as words
about this student (law 8). What a model said while it was only being watched
is not shown: nothing followed from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from markupsafe import Markup
from sqlalchemy import select

from app.risk.scores import kept_score
from app.risk.scores.kept_score import Kept
from app.risk.scores.said import Band
from app.risk.scores.shelf import INTERVIEW
from app.risk.scores.standing import Standings, standings_of
from app.security.access import Access
from app.security.policy import Permission
from app.security.vault import Unreadable
from app.students.record import Section
from app.web import charts
from app.web.words import day, label
from config import catalogue
from models.risk import Level
from models.risk_model import ModelObjection, ModelStage, ObjectionStage, RiskModel, RiskScore
from models.screening import ResponseSet, ScreeningRound
from models.student import Student

LADDER = (Band.USUAL, Band.SOON, Band.FIRST)
"""From the bottom of the chart to its top."""


@dataclass(frozen=True, slots=True)
class Line:
    """What was said from one moment on, until the line above it."""

    at: datetime
    round: str
    edition: int
    band: Band
    why_not: str
    raising: tuple[str, ...]
    easing: tuple[str, ...]
    changed: str
    level: Level | None
    in_case: bool
    void: bool
    """It rested on data that has been corrected since."""
    ended: bool
    """Nothing took its place: the student no longer takes part, or the model no longer speaks of him."""


@dataclass(frozen=True, slots=True)
class Trend:
    """The card on the file."""

    lines: tuple[Line, ...]
    chart: Markup | None
    objection: str
    has_model: bool
    more: bool


def section(access: Access, student_id: UUID) -> Iterable[Section]:
    """The card, for whoever may read it."""
    if not access.may(Permission.RISK_READ):
        return
    reading = access.under(Permission.RISK_READ)
    yield Section(template="risk/trend.html", held=trend_of(reading, reading.find(Student, student_id)))


def trend_of(access: Access, student: Student) -> Trend:
    """What the model said of one student, newest first."""
    table = catalogue.table("risk_model")["trend"]
    rows = _rows(access, student.id, table["most_rows"] + 1)
    lines = _lines(access, student.id, rows[: table["most_rows"]])
    most: int = table["most_lines"]
    return Trend(
        tuple(reversed(lines[-most:])),
        _chart(lines[-most:]),
        _objection(access, student.id),
        _has_model(access),
        len(lines) > most or len(rows) > table["most_rows"],
    )


def _rows(access: Access, student_id: UUID, most: int) -> Sequence[Any]:
    """The newest scores, newest first, whether they still hold or not; never those of a shadow."""
    return access.session.execute(
        select(
            RiskScore.id.label("risk_score_id"),
            RiskScore.student_id,
            RiskScore.round_id,
            RiskScore.model_id,
            RiskScore.scored_at,
            RiskScore.superseded_at,
            RiskScore.body,
            RiskModel.edition,
            ScreeningRound.name.label("round"),
        )
        .join(RiskModel, RiskModel.id == RiskScore.model_id)
        .outerjoin(ScreeningRound, ScreeningRound.id == RiskScore.round_id)
        .where(RiskScore.student_id == student_id, RiskScore.shadow.is_(False), RiskModel.purpose == INTERVIEW)
        .order_by(RiskScore.scored_at.desc(), RiskScore.id.desc())
        .limit(most)
    ).all()


def _has_model(access: Access) -> bool:
    query = select(RiskModel.id).where(RiskModel.purpose == INTERVIEW, RiskModel.stage == ModelStage.ACTIVE)
    return access.session.scalar(query) is not None


def _objection(access: Access, student_id: UUID) -> str:
    """A key of ``[trend_objection]``: whether the student does not want it, and what came of that."""
    stages = (ObjectionStage.OPEN, ObjectionStage.UPHELD)
    query = select(ModelObjection.stage).where(
        ModelObjection.student_id == student_id, ModelObjection.stage.in_(stages)
    )
    found = set(access.session.scalars(query))
    return next((stage.value for stage in reversed(stages) if stage in found), "")


# --- the lines -------------------------------------------------------------------------------------


def _lines(access: Access, student_id: UUID, rows: Sequence[Any]) -> list[Line]:
    """Oldest first; what says the same as the line before it makes no line of its own."""
    if not rows:
        return []
    corrected = _corrected(access, student_id)
    began = {(row.round_id, row.model_id, row.scored_at) for row in rows}
    at_the_time = standings_of(access, student_id)
    lines: list[Line] = []
    for row, kept in zip(reversed(rows), _kept(access, list(reversed(rows))), strict=True):
        if kept is None:
            continue
        gone = row.superseded_at is not None and (row.round_id, row.model_id, row.superseded_at) not in began
        void = any(row.scored_at < at <= (row.superseded_at or at) for at in corrected.get(row.round_id, ()))
        line = _line(row, kept, lines, at_the_time, void=void, ended=gone)
        if lines and not line.changed and not void:
            lines[-1] = replace(lines[-1], ended=gone)
        else:
            lines.append(line)
    return lines


def _kept(access: Access, rows: Sequence[Any]) -> list[Kept | None]:
    """The bodies; one that does not open says nothing and hides nothing else."""
    try:
        return [kept_score.read(text) for text in access.open_each(rows, RiskScore.body)]
    except (Unreadable, ValueError):
        return [_one(access, row) for row in rows]


def _one(access: Access, row: Any) -> Kept | None:
    try:
        return kept_score.read(access.open(row, RiskScore.body))
    except (Unreadable, ValueError):
        return None


def _corrected(access: Access, student_id: UUID) -> Mapping[UUID, list[datetime]]:
    """When sheets of this student were voided, by round."""
    found: dict[UUID, list[datetime]] = {}
    for round_id, voided_at in access.session.execute(
        select(ResponseSet.round_id, ResponseSet.voided_at).where(
            ResponseSet.student_id == student_id, ResponseSet.voided_at.is_not(None)
        )
    ):
        if voided_at is not None:
            found.setdefault(round_id, []).append(voided_at)
    return found


def _line(row: Any, kept: Kept, lines: Sequence[Line], at_the_time: Standings, *, void: bool, ended: bool) -> Line:
    band = Band(kept.band)
    raising = tuple(reason["text"] for reason in kept.reasons if reason["raises"])
    easing = tuple(reason["text"] for reason in kept.reasons if not reason["raises"])
    return Line(
        at=row.scored_at,
        round=row.round or "--",
        edition=row.edition,
        band=band,
        why_not=label(kept.abstains, "model_abstains") if kept.abstains else "",
        raising=raising,
        easing=easing,
        changed=_changed(lines, row, band, raising, easing),
        level=at_the_time.level(row.scored_at),
        in_case=at_the_time.in_case(row.scored_at),
        void=void,
        ended=ended,
    )


def _changed(lines: Sequence[Line], row: Any, band: Band, raising: tuple[str, ...], easing: tuple[str, ...]) -> str:
    """What is new since the last line that still holds, in words; empty where nothing is.

    What rested on data that were corrected is nothing to compare with: it may speak of somebody else.
    """
    before = next((line for line in reversed(lines) if not line.void), None)
    parts = ["数据更正后重新提示"] if lines and lines[-1].void else []
    if before is None:
        return "；".join(parts) or "首次提示"
    if before.round != (row.round or "--"):
        parts.append("新的批次")
    if before.edition != row.edition:
        parts.append(f"改用第 {row.edition} 版模型")
    if before.band is not band:
        parts.append(f"由“{label(before.band)}”变为“{label(band)}”")
    new = [words for words in (*raising, *easing) if words not in (*before.raising, *before.easing)]
    gone = [words for words in (*before.raising, *before.easing) if words not in (*raising, *easing)]
    parts += [f"新出现：{'、'.join(new)}"] if new else []
    parts += [f"不再突出：{'、'.join(gone)}"] if gone else []
    if not parts and before.ended:
        parts.append("恢复提示")
    return "；".join(parts)


def _chart(lines: Sequence[Line]) -> Markup | None:
    """Steps of the bands, oldest first; where it did not know, or the data were corrected, there is no step."""
    known = [LADDER.index(line.band) if line.band in LADDER and not line.void else None for line in lines]
    if len(lines) < 2 or not any(place is not None for place in known):
        return None
    described = "；".join(f"{day(line.at)} {'已更正' if line.void else label(line.band)}" for line in lines)
    marks = [charts.Mark(day(line.at)[5:], place) for line, place in zip(lines, known, strict=True)]
    names = [label(band, "band_short") for band in LADDER]
    return charts.steps("chart-trend", "模型提示的变化", described, marks, names=names)
