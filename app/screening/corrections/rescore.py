"""重新计分: stored answers scored by the scales as they are now. Only when a person asks for it.

Neither an import nor a start does this by itself: a new version of a scale
changes what is known about people, and somebody has to have looked at the
difference first. A score is never edited: the earlier sheet is void, a new one
with the same answers takes its place. Sheets that a source stated without
answers cannot be scored anew and stay as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Row, select

from app.events import Event
from app.screening.corrections import stored
from app.screening.importing import fate, restore, sealing
from app.screening.scales.scale import Scale, all_scales
from app.screening.scales.scoring import ENGINE
from app.screening.tables.sheets import ScaleSheets
from app.security.access import Access
from models.base import new_ids
from models.bulk import Same
from models.correction import Correction, CorrectionKind
from models.moment import now
from models.refusal import Refusal
from models.screening import ResponseSet, ScreeningRound, SheetStatus

AT_ONCE = 1_000
NO_BAND = "--"


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetsRescored(Event):
    """Sheets were scored anew. ``object_id`` is the correction."""

    round_id: UUID
    pairs: tuple[tuple[UUID, UUID], ...] = ()
    """Earlier sheet → the one in its place."""


@dataclass(slots=True)
class Difference:
    """What scoring anew changes of one scale in one round: counts, nobody's identity."""

    round: str
    scale: str
    versions: Counter[str] = field(default_factory=Counter)
    """``scale version / engine version`` the sheets have → how many."""
    to_version: str = ""
    sheets: int = 0
    unchanged: int = 0
    bands: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Earlier band, new band → how many."""
    critical_new: int = 0
    critical_gone: int = 0

    def as_table(self) -> dict[str, Any]:
        moved = [
            {"from": before, "to": after, "sheets": count} for (before, after), count in sorted(self.bands.items())
        ]
        return {
            "round": self.round,
            "scale": self.scale,
            "from": dict(sorted(self.versions.items())),
            "to": self.to_version,
            "sheets": self.sheets,
            "unchanged": self.unchanged,
            "bands": moved,
            "critical_new": self.critical_new,
            "critical_gone": self.critical_gone,
        }


CriticalJudge = Callable[[Access, Sequence[Row[Any]], Sequence[Any]], tuple[int, int]]
_judges: list[CriticalJudge] = []


def judge_with(judge: CriticalJudge) -> None:
    """Let ``judge`` say for how many students a critical rule newly fires, and for how many one no longer does."""
    if judge not in _judges:
        _judges.append(judge)


@dataclass(frozen=True, slots=True)
class Slice:
    """Sheets of one scale in one round that are scored anew in one transaction."""

    round_id: UUID
    round_name: str
    scale: str
    ids: tuple[UUID, ...]


def slices(access: Access, *, scale: str | None = None, round_name: str | None = None) -> list[Slice]:
    """What another version of a scale or of the arithmetic has scored, in slices of one round and scale each."""
    if scale is not None and scale not in all_scales():
        raise Refusal(f"不认识的量表 {scale}；可用：{'、'.join(sorted(all_scales()))}。")
    query = select(ScreeningRound.id, ScreeningRound.name).order_by(ScreeningRound.opened_at, ScreeningRound.id)
    if round_name is not None:
        query = query.where(ScreeningRound.name == " ".join(round_name.split()))
    rounds = access.session.execute(query).all()
    if round_name is not None and not rounds:
        raise Refusal(f"没有叫“{round_name}”的批次，请核对名称。")
    found = []
    for row in rounds:
        for key, held in sorted(all_scales().items()):
            if scale in {None, key}:
                ids = access.session.scalars(
                    select(ResponseSet.id)
                    .where(*outdated(held), ResponseSet.round_id == row.id)
                    .order_by(ResponseSet.student_id, ResponseSet.id)
                ).all()
                found += [
                    Slice(row.id, row.name, key, tuple(ids[start : start + AT_ONCE]))
                    for start in range(0, len(ids), AT_ONCE)
                ]
    return found


def difference_of(part: Slice) -> Difference:
    """The difference a slice belongs to, still empty."""
    return Difference(part.round_name, part.scale, to_version=f"{all_scales()[part.scale].version} / {ENGINE}")


def begin(access: Access) -> Correction:
    """The act on whose account earlier scores become void."""
    correction = Correction(kind=CorrectionKind.RESCORED, made_at=now(), made_by=access.actor.id)
    access.session.add(correction)
    access.session.flush()
    return correction


def compare(access: Access, part: Slice, difference: Difference, *, by: UUID | None = None) -> int:
    """Work out what changes and count it; ``by`` a correction, write it. Returns how many sheets it was.

    A sheet that somebody has corrected meanwhile is left to the next run.
    """
    scale = all_scales()[part.scale]
    rows = stored.sheets_of(access, ResponseSet.id.in_(part.ids), *outdated(scale))
    if not rows:
        return 0
    if by is not None:
        access.session.get_one(ScreeningRound, part.round_id, with_for_update=True)
        access.lock_students(row.student_id for row in rows)
        rows = stored.sheets_of(access, ResponseSet.id.in_(part.ids), *outdated(scale))
    bodies = stored.bodies_of(access, rows)
    held = stored.bundle_of(access, rows, bodies).scales[scale.key]
    _count(scale, rows, bodies, held, difference)
    for judge in _judges:
        new, gone = judge(access, rows, bodies)
        difference.critical_new += new
        difference.critical_gone += gone
    if by is not None:
        _write(access, rows, held, by)
    return len(rows)


def outdated(scale: Scale) -> tuple[Any, ...]:
    """Sheets with answers that another version of this scale or of the arithmetic has scored."""
    return (
        ResponseSet.scale == scale.key,
        ResponseSet.voided_at.is_(None),
        ResponseSet.status != SheetStatus.STATED,
        (ResponseSet.scale_version != scale.version) | (ResponseSet.engine_version != ENGINE),
    )


def _count(
    scale: Scale, rows: Sequence[Row[Any]], bodies: Sequence[Any], held: ScaleSheets, difference: Difference
) -> None:
    labels = {band.key: band.label for band in scale.bands}
    for place, (row, body) in enumerate(zip(rows, bodies, strict=True)):
        at = int(held.scores.bands[place])
        after = scale.bands[at].label if at >= 0 else NO_BAND
        before = body.get("label") or labels.get(body.get("band"), body.get("band")) or NO_BAND
        difference.sheets += 1
        difference.versions[f"{row.scale_version} / {row.engine_version}"] += 1
        total = held.scores.totals[place]
        same_total = body.get("total") == (None if np.isnan(total) else total)
        difference.unchanged += bool(before == after and same_total)
        if before != after:
            difference.bands[before, after] += 1


def _write(access: Access, rows: Sequence[Row[Any]], held: ScaleSheets, by: UUID) -> None:
    """New sheets with the same answers; digests name answers, so that they stay."""
    olds = [row.response_set_id for row in rows]
    ids = new_ids(len(rows))
    owners = [row.student_id.bytes for row in rows]
    digests = fate.digests_of(access, held, owners)
    restore.let_go(access, olds, by=by)
    statuses = sealing.statuses(held)
    access.insert_many(
        ResponseSet,
        {
            "id": ids,
            "round_id": [row.round_id for row in rows],
            "student_id": owners,
            "batch_id": [row.batch_id for row in rows],
            "scale": Same(held.scale.key),
            "scale_version": Same(held.scale.version),
            "engine_version": Same(ENGINE),
            "status": statuses.tolist(),
            "validity": [row.validity for row in rows],
            "coding": [row.coding for row in rows],
            "norm": Same(held.scale.norm.key if held.scale.norm is not None else None),
            "taken_at": [row.taken_at for row in rows],
            "recorded_at": Same(now()),
            "digest": digests,
            "body": access.seal_many(ResponseSet.body, owners, ids, list(sealing.bodies(held))),
        },
    )
    pairs = tuple(zip(olds, (UUID(bytes=new) for new in ids), strict=True))
    access.record(SheetsRescored(object_id=by, count=len(rows), round_id=rows[0].round_id, pairs=pairs))


def words_of(found: Sequence[Difference], *, dry_run: bool) -> str:
    """The differences for a person at the command line."""
    if not found:
        return "没有需要重新计分的结果：都是按现在的量表版本计分的。"
    lines = ["以下是差异，没有写入任何内容。" if dry_run else "已重新计分；原来的计分已作废，没有删除。"]
    for item in found:
        lines.append(
            f"{item.round} · {item.scale}（→ {item.to_version}）：{item.sheets} 份，其中 {item.unchanged} 份不变"
        )
        lines += [f"  {before} → {after}：{count} 份" for (before, after), count in sorted(item.bands.items())]
        if item.critical_new or item.critical_gone:
            lines.append(f"  新增关键题提示 {item.critical_new} 人，不再提示 {item.critical_gone} 人（仍留待人工判断）")
    return "\n".join(lines)
