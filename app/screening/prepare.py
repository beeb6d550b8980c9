"""A results file worked out to the last byte, outside any lock: matched, scored, judged, sealed.

``prepare`` writes nothing. What it returns is either shown as a preview or
written by ``commit`` in one short transaction of inserts (decisions 15).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.admin import rulebook
from app.events import Event
from app.intake.batch import Importer
from app.intake.problem import Problem
from app.intake.sheet import Cell, Table, text_of
from app.screening import answers as cells
from app.screening import fate, mapping, sealing
from app.screening.mapping import Plan
from app.screening.match import Identities, match
from app.screening.receipt import receipt_of, strict_words
from app.screening.scale import Scale, all_scales
from app.screening.scoring import score
from app.screening.sheets import Bundle, Findings, ScaleSheets, findings_in
from app.security.access import Access
from app.security.policy import Permission, Purpose
from models.bulk import fetch_many
from models.intake import BatchKind, ImportBatch
from models.keys import Deployment
from models.moment import now
from models.refusal import Refusal
from models.screening import ResponseSet, ScreeningRound


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
    columns: dict[str, Any]
    """The sheets, ready for the bulk insert."""
    voided: list[bytes]
    findings: list[Findings]


def base_of(session: Session, batch: ImportBatch) -> str:
    """The roster, the sheets of this round and the rulebook: what a preview was computed from."""
    roster = session.scalar(select(Deployment.roster_version))
    sheets = session.execute(
        select(func.count(), func.count(ResponseSet.voided_at)).where(ResponseSet.round_id == batch.round_id)
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
    total = len(table)
    problems: list[Problem] = []
    base = base_of(access.session, batch)
    students = match(access, _identities(table, plan), {}, problems).students
    beat(total // 5, total)
    scales = {key: _sheets(table, all_scales()[key], plan.items[key], problems) for key in sorted(plan.items)}
    beat(2 * total // 5, total)
    fates = fate.decide(access, table, batch, scales, students, problems)
    bundle = Bundle(
        row_numbers=list(table.row_numbers),
        students=[student.student_id if student else None for student in students],
        units=[(student.college_id, student.class_id) if student else None for student in students],
        fate=fates,
        scales=scales,
        identity=lambda position: _identity(table, plan, position),
    )
    sealing.number(scales)
    findings = findings_in(access, bundle, screening_round)
    beat(3 * total // 5, total)
    receipt = receipt_of(bundle, findings, problems)
    if batch.strict and problems:
        raise Refusal(strict_words(receipt))
    columns = sealing.columns(access, bundle, batch)
    beat(total, total)
    return PreparedScreening(receipt, base, columns, _to_void(access, batch, bundle), findings)


def _sheets(table: Table, scale: Scale, places: list[int], problems: list[Problem]) -> ScaleSheets:
    answers, blank = cells.read(table, scale, places, problems)
    return ScaleSheets(
        scale=scale,
        answers=answers,
        scores=score(scale, answers),
        present=~blank,
        fresh=np.zeros(len(table), dtype=bool),
    )


def _identities(table: Table, plan: Plan) -> Identities:
    fields = [name for name in ("student_number", "name", "class", "college", "birth_date") if name in plan.columns]
    columns: dict[str, list[Cell]] = {name: [row[plan.columns[name]] for row in table.rows] for name in fields}
    return Identities.of(table.row_numbers, columns, {name: table.header[plan.columns[name]] for name in fields})


def _identity(table: Table, plan: Plan, position: int) -> dict[str, str]:
    row = table.rows[position]
    return {
        name: text_of(row[plan.columns[name]])
        for name in ("student_number", "name", "class", "college")
        if name in plan.columns
    }


def _to_void(access: Access, batch: ImportBatch, bundle: Bundle) -> list[bytes]:
    """Stored sheets that fresh ones replace."""
    if not batch.replace:
        return []
    fresh = {
        (bundle.students[place], key)
        for key, held in bundle.scales.items()
        for place in np.flatnonzero(held.fresh).tolist()
    }
    query = select(ResponseSet.id, ResponseSet.student_id, ResponseSet.scale).where(
        ResponseSet.round_id == batch.round_id, ResponseSet.voided_at.is_(None)
    )
    rows = fetch_many(access.session, query)
    return [sheet_id for sheet_id, student_id, scale in rows if (student_id, scale) in fresh]


# --- writing ------------------------------------------------------------------------------


def commit(access: Access, batch: ImportBatch, prepared: PreparedScreening) -> None:
    """Write sheets, void what they replace, and let every finding be written: one transaction."""
    screening_round = access.session.get_one(ScreeningRound, batch.round_id, with_for_update=True)
    if prepared.voided:
        _void(access, prepared.voided)
    stored = access.insert_many(ResponseSet, prepared.columns)
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
