"""A results file worked out to the last byte, outside any lock: matched, scored, judged, sealed.

``prepare`` writes nothing. What it returns is either shown as a preview or
written by ``commit`` in one short transaction of inserts (decisions 15).
"""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.admin import rulebook
from app.events import Event
from app.intake.batch import Importer
from app.intake.problem import Problem, listed
from app.intake.sheet import Table, text_of
from app.screening import answers as cells
from app.screening import mapping
from app.screening.mapping import Plan
from app.screening.match import Match, match
from app.screening.scale import Scale, all_scales
from app.screening.scoring import ENGINE, MISSING, score
from app.screening.sheets import Bundle, Fate, Findings, ScaleSheets, findings_in
from app.security.access import Access
from app.security.policy import Permission, Purpose
from models.base import new_ids, raw
from models.bulk import Same
from models.intake import BatchKind, ImportBatch
from models.keys import Deployment
from models.moment import now
from models.refusal import Refusal
from models.sealed import KeyClass, Sealed, field_of
from models.screening import ResponseSet, ScreeningRound, SheetStatus


class ScreeningCommitted(Event):
    """Answer sheets went in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetsVoided(Event):
    """Answer sheets no longer hold: what was concluded from them is void too (law 8)."""

    sheet_ids: tuple[UUID, ...] = ()


@dataclass(slots=True)
class PreparedScreening:
    """What a results file would do."""

    receipt: dict[str, Any]
    base: str
    columns: list[dict[str, Any]]
    """One set of columns per scale, ready for the bulk insert."""
    voided: list[bytes]
    findings: list[Findings]


def base_of(session: Session, batch: ImportBatch) -> str:
    """The roster, the sheets of this round and the rulebook: what a preview was computed from."""
    roster = session.scalar(select(Deployment.roster_version))
    sheets = session.execute(
        select(func.count(), func.max(ResponseSet.id), func.count(ResponseSet.voided_at)).where(
            ResponseSet.round_id == batch.round_id
        )
    ).one()
    return f"{roster} {sheets} {rulebook.current(session).version}"


def prepare(
    access: Access, table: Table, batch: ImportBatch, beat: Callable[[int, int], None] | None = None
) -> PreparedScreening:
    """Work a stored upload out by the plan a person confirmed."""
    plan = Plan.from_table(access.open_json(batch, ImportBatch.plan)["mapping"])
    screening_round = access.session.get_one(ScreeningRound, batch.round_id)
    return work_out(access, table, batch, screening_round, plan, beat or (lambda _done, _total: None))


def work_out(
    access: Access,
    table: Table,
    batch: ImportBatch,
    screening_round: ScreeningRound,
    plan: Plan,
    beat: Callable[[int, int], None],
) -> PreparedScreening:
    """Match, score, judge and seal every row of ``table``. Refuses the whole file in strict mode."""
    mapping.refuse_unfit(plan, list(plan.items))
    total, problems = len(table), []
    base = base_of(access.session, batch)
    students = match(access, table, plan, problems)
    beat(total // 5, total)
    scales = {key: _sheets(table, all_scales()[key], plan.items[key], problems) for key in sorted(plan.items)}
    beat(2 * total // 5, total)
    fate = _fates(access, table, batch, scales, students, problems)
    bundle = Bundle(
        row_numbers=list(table.row_numbers),
        students=[student.student_id if student else None for student in students],
        units=[(student.college_id, student.class_id) if student else None for student in students],
        fate=fate, scales=scales, identity=lambda position: _identity(table, plan, position),
    )
    _number(scales)
    findings = findings_in(access, bundle, screening_round)
    beat(3 * total // 5, total)
    receipt = _receipt(bundle, findings, problems)
    if batch.strict and problems:
        raise Refusal(_strict_words(receipt))
    columns = [_columns(access, bundle, held, batch) for held in scales.values()]
    beat(total, total)
    return PreparedScreening(receipt, base, columns, _to_void(access, batch, bundle), findings)


def _sheets(table: Table, scale: Scale, places: list[int], problems: list[Problem]) -> ScaleSheets:
    answers, blank = cells.read(table, scale, places, problems)
    return ScaleSheets(
        scale=scale, answers=answers, scores=score(scale, answers), present=~blank,
        fresh=np.zeros(len(table), dtype=bool),
    )


# --- the fate of each row ----------------------------------------------------------------


def _fates(
    access: Access,
    table: Table,
    batch: ImportBatch,
    scales: dict[str, ScaleSheets],
    students: list[Match | None],
    problems: list[Problem],
) -> np.ndarray[Any, np.dtype[np.int8]]:
    """Decide row by row: stored, known, incomplete or rejected; marks the fresh sheets of each scale."""
    for held in scales.values():
        held.digests = _digests(access, held)
    stored = _stored(access, batch, scales)
    fate = np.full(len(table), Fate.REJECTED, dtype=np.int8)
    complete = np.logical_and.reduce([np.isfinite(held.scores.totals) for held in scales.values()])
    anything = np.logical_or.reduce([held.present for held in scales.values()])
    first: dict[bytes, int] = {}
    for position, student in enumerate(students):
        if not anything[position]:
            if student is not None:
                problems.append(Problem(table.row_numbers[position], None, "no_answers", "本行没有任何作答，按未完成处理。"))
            continue
        if student is None:
            continue
        earlier = first.setdefault(student.student_id, position)
        if earlier != position:
            fate[position] = _repeated(table, scales, earlier, position, fate, problems)
            continue
        fate[position] = _take(table, batch, scales, stored, student, position, problems)
        if fate[position] == Fate.ACCEPTED and not complete[position]:
            fate[position] = Fate.INCOMPLETE
    for held in scales.values():
        lacking = held.present & ~np.isfinite(held.scores.totals) & (fate != Fate.REJECTED)
        problems += cells.missing_items(table, held.scale, held.answers, np.flatnonzero(lacking).tolist())
        skipped = ~held.present & (fate == Fate.INCOMPLETE)
        problems += [
            Problem(table.row_numbers[position], None, "scale_blank", f"{held.scale.name} 没有作答，未计入。")
            for position in np.flatnonzero(skipped)
        ]
    return fate


def _digests(access: Access, held: ScaleSheets) -> list[bytes]:
    """Keyed digests of the normalised answers; equal sheets of different students share none, for the row key differs."""
    key = access.vault.index_key(f"digest sheet {held.scale.key}")
    packed = (held.answers + 1).astype(np.uint8).tobytes()
    size = held.scale.size
    return [hmac.digest(key, packed[at : at + size], "sha256")[:16] for at in range(0, len(packed), size)]


def _stored(access: Access, batch: ImportBatch, scales: dict[str, ScaleSheets]) -> dict[tuple[bytes, str], bytes]:
    """Live sheets of this round: (student, scale) → digest."""
    rows = access.session.execute(
        select(raw(ResponseSet.student_id), ResponseSet.scale, ResponseSet.digest).where(
            ResponseSet.round_id == batch.round_id, ResponseSet.voided_at.is_(None),
            ResponseSet.scale.in_(list(scales)),
        )
    )
    return {(student_id, scale): digest for student_id, scale, digest in rows}


def _repeated(
    table: Table, scales: dict[str, ScaleSheets], earlier: int, position: int, fate: Any, problems: list[Problem]
) -> Fate:
    if all(held.digests[earlier] == held.digests[position] for held in scales.values()):
        return Fate.KNOWN if fate[earlier] != Fate.REJECTED else Fate.REJECTED
    problems.append(Problem(
        table.row_numbers[position], None, "repeated",
        f"同一学生与第 {table.row_numbers[earlier]} 行作答不同，只采用了第 {table.row_numbers[earlier]} 行；关键题照常检查。",
    ))
    return Fate.REJECTED


def _take(
    table: Table,
    batch: ImportBatch,
    scales: dict[str, ScaleSheets],
    stored: dict[tuple[bytes, str], bytes],
    student: Match,
    position: int,
    problems: list[Problem],
) -> Fate:
    differs, fresh = [], []
    for key, held in scales.items():
        if not held.present[position]:
            continue
        digest = stored.get((student.student_id, key))
        if digest is None:
            fresh.append(held)
        elif digest != held.digests[position]:
            differs.append(held)
    if differs and not batch.replace:
        problems.append(Problem(
            table.row_numbers[position], None, "differs",
            "本批次里已有这名学生不同的作答，未改动；如要以本文件为准，请选择“以新结果替换”。关键题照常检查。",
        ))
        return Fate.REJECTED
    for held in fresh + differs:
        held.fresh[position] = True
    return Fate.ACCEPTED if fresh or differs else Fate.KNOWN


def _number(scales: dict[str, ScaleSheets]) -> None:
    """Give every fresh sheet its id."""
    for held in scales.values():
        places = np.flatnonzero(held.fresh)
        ids: list[bytes | None] = [None] * len(held.fresh)
        for place, new in zip(places.tolist(), new_ids(len(places)), strict=True):
            ids[place] = new
        held.ids = ids


def _identity(table: Table, plan: Plan, position: int) -> dict[str, str]:
    row = table.rows[position]
    return {
        name: text_of(row[plan.columns[name]])
        for name in ("student_number", "name", "class", "college")
        if name in plan.columns
    }


# --- sealing ------------------------------------------------------------------------------


def _columns(access: Access, bundle: Bundle, held: ScaleSheets, batch: ImportBatch) -> dict[str, Any]:
    """The rows of ``response_set`` for one scale, sealed, column by column."""
    places = np.flatnonzero(held.fresh).tolist()
    owners = [bundle.students[place] for place in places]
    ids = [held.ids[place] for place in places]
    access.vault.fetch_keys("student", owners, KeyClass.ANSWERS, make=False)  # type: ignore[arg-type]
    scored = np.isfinite(held.scores.totals)
    sealed: list[Sealed] = access.vault.seal_many(
        field_of(ResponseSet.body), owners, ids, list(_bodies(held, places)),  # type: ignore[arg-type]
    )
    status = (SheetStatus.INCOMPLETE, SheetStatus.SCORED)
    return {
        "id": ids,
        "round_id": Same(batch.round_id),
        "student_id": owners,
        "batch_id": Same(batch.id),
        "scale": Same(held.scale.key),
        "scale_version": Same(held.scale.version),
        "engine_version": Same(ENGINE),
        "status": [status[int(scored[place])] for place in places],
        "recorded_at": Same(now()),
        "digest": [held.digests[place] for place in places],
        "body": sealed,
    }


def _bodies(held: ScaleSheets, places: list[int]) -> Iterable[bytes]:
    """The sealed JSON of each sheet. Written by hand because it is most of the work: str() of a list is JSON."""
    answers = held.answers[places].tolist()
    at_least = held.scores.at_least[places].tolist()
    bands = held.scores.bands[places].tolist()
    positive = held.scores.positive[places].tolist()
    keys = [band.key for band in held.scale.bands]
    words = ("false", "true")
    for row, total, band, is_positive in zip(answers, at_least, bands, positive, strict=True):
        if band < 0:
            shown = str(row).replace(str(MISSING), "null")
            yield f'{{"answers":{shown},"total":null,"band":null,"positive":null}}'.encode()
        else:
            yield f'{{"answers":{row},"total":{total},"band":"{keys[band]}","positive":{words[is_positive]}}}'.encode()


def _to_void(access: Access, batch: ImportBatch, bundle: Bundle) -> list[bytes]:
    """Stored sheets that fresh ones replace."""
    if not batch.replace:
        return []
    fresh = {
        (bundle.students[place], key)
        for key, held in bundle.scales.items()
        for place in np.flatnonzero(held.fresh).tolist()
    }
    rows = access.session.execute(
        select(raw(ResponseSet.id), raw(ResponseSet.student_id), ResponseSet.scale).where(
            ResponseSet.round_id == batch.round_id, ResponseSet.voided_at.is_(None)
        )
    )
    return [sheet_id for sheet_id, student_id, scale in rows if (student_id, scale) in fresh]


# --- the receipt --------------------------------------------------------------------------


def _receipt(bundle: Bundle, findings: list[Findings], problems: list[Problem]) -> dict[str, Any]:
    fates = Counter(bundle.fate.tolist())
    receipt: dict[str, Any] = {
        "rows_read": len(bundle.fate),
        "rows_accepted": fates[Fate.ACCEPTED] + fates[Fate.KNOWN],
        "rows_incomplete": fates[Fate.INCOMPLETE],
        "rows_rejected": fates[Fate.REJECTED],
        "already_known": fates[Fate.KNOWN],
        "scored": {}, "bands": {}, "red_flags": {},
    }
    for key, held in bundle.scales.items():
        scored = held.fresh & np.isfinite(held.scores.totals)
        counted = Counter(held.scores.bands[scored].tolist())
        receipt["scored"][key] = int(scored.sum())
        receipt["bands"][key] = {band.key: counted[place] for place, band in enumerate(held.scale.bands)}
        looked_at = held.fresh | (bundle.fate == Fate.REJECTED)
        receipt["red_flags"][key] = int((held.scores.flagged & looked_at).sum())
    for found in findings:
        receipt |= found.counts
    receipt["problems_total"] = len(problems)
    receipt["problems"] = listed(problems)
    return receipt


def _strict_words(receipt: dict[str, Any]) -> str:
    critical = sum(receipt["red_flags"].values())
    more = f"其中 {critical} 行含关键题提示，请尽快改正后导入。" if critical else ""
    first = receipt["problems"][0]
    return (
        f"严格模式：文件有 {receipt['problems_total']} 处问题，没有导入任何内容。{more}"
        f"第一处：第 {first['row']} 行 {first['column'] or ''} {first['message']}"
    )


# --- writing ------------------------------------------------------------------------------


def commit(access: Access, batch: ImportBatch, prepared: PreparedScreening) -> None:
    """Write sheets, void what they replace, and let every finding be written: one transaction."""
    screening_round = access.session.get_one(ScreeningRound, batch.round_id, with_for_update=True)
    if prepared.voided:
        _void(access, prepared.voided)
    stored = sum(access.insert_many(ResponseSet, columns) for columns in prepared.columns)
    for found in prepared.findings:
        found.write(access, screening_round, batch)
    access.record(ScreeningCommitted(object_id=batch.id, count=stored))


def _void(access: Access, sheet_ids: list[bytes]) -> None:
    ids = [UUID(bytes=sheet_id) for sheet_id in sheet_ids]
    for start in range(0, len(ids), 500):
        access.session.execute(
            update(ResponseSet).where(ResponseSet.id.in_(ids[start : start + 500])).values(voided_at=now())
        )
    access.record(SheetsVoided(sheet_ids=tuple(ids), count=len(ids)))


IMPORTER = Importer(
    kind=BatchKind.SCREENING,
    permission=Permission.SCREENING_IMPORT,
    purpose=Purpose.CARE,
    knows=mapping.knows,
    prepare=prepare,
    commit=commit,
    base=base_of,
)
