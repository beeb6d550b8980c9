"""A delivery worked out to the last byte, outside any lock: matched, scored, judged, sealed.

``work_out`` writes nothing. What it returns is either shown as a preview or
written by ``commit`` in one short transaction of inserts (decisions 15).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.admin import rulebook
from app.events import Event
from app.intake import delivery
from app.intake.batch import Importer
from app.intake.sheet import Table
from app.screening import retest
from app.screening.importing import fate, rejected, restore, sealing, witness
from app.screening.importing.receipt import people, receipt_of, strict_words
from app.screening.matching.match import Matched, match
from app.screening.rounds import absence
from app.screening.tables import reading
from app.screening.tables.layout import plans_for
from app.screening.tables.plan import Plan
from app.screening.tables.reading import Reading
from app.screening.tables.sheets import Bundle, Findings, findings_in
from app.screening.tables.suggest import knows
from app.security.access import Access
from app.security.policy import Permission, Purpose
from models.bulk import fetch_many
from models.correction import WitnessKind
from models.intake import BatchKind, BatchStage, ImportBatch
from models.keys import Deployment
from models.refusal import Refusal
from models.screening import ResponseSet, ScreeningRound

Beat = Callable[[int, int], None]


class ScreeningCommitted(Event):
    """Answer sheets went in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetsVoided(Event):
    """Answer sheets no longer hold: what was concluded from them is void too (law 8)."""

    sheet_ids: tuple[UUID, ...] = ()
    by: UUID | None = None
    """The batch or correction on whose account."""
    was_anothers: bool = False
    """The answers were another person's: whatever rested on them never had a ground."""


@dataclass(slots=True)
class PreparedScreening:
    """What a delivery would do."""

    receipt: dict[str, Any]
    base: str
    columns: dict[str, Any]
    """The sheets, ready for the bulk insert."""
    voided: list[bytes]
    findings: list[Findings]
    doubtful: list[tuple[bytes, bytes, bytes]]
    """Student, college and class of those whose fresh answers are doubtful."""
    doubts: list[dict[str, list[str]]]
    """In their order: scale → why."""
    answered_again: list[UUID]
    """Students whose believable answers take the place of earlier ones."""
    took_part: list[UUID] = field(default_factory=list)
    known: list[bytes] = field(default_factory=list)
    """Digests of sheets that the round holds already: this delivery says them as well."""
    rejected: dict[str, Any] | None = None
    """The rows that do not go in, for the workbook that goes back."""


def base_of(session: Session, batch: ImportBatch) -> str:
    """The roster, the round and its sheets, and the rulebook: what a preview was computed from."""
    roster = session.scalar(select(Deployment.roster_version))
    sheets = session.execute(
        select(func.count(), func.count(ResponseSet.voided_at)).where(ResponseSet.round_id == batch.round_id)
    ).one()
    rule = session.scalar(select(ScreeningRound.repeat_rule).where(ScreeningRound.id == batch.round_id))
    undone = session.scalar(
        select(func.count()).where(ImportBatch.round_id == batch.round_id, ImportBatch.stage == BatchStage.ROLLED_BACK)
    )
    return f"{roster} {sheets} {undone} {rule} {rulebook.current(session).version}"


def read(raw: bytes, name: str, held: Mapping[str, Any] | None) -> list[Table]:
    """The tables of a stored delivery."""
    sheets = (held or {}).get("sheets")
    return delivery.tables(raw, name, sheets=sheets, knows=knows, all_sheets=bool((held or {}).get("all_sheets")))


def prepare(access: Access, tables: Sequence[Table], batch: ImportBatch, beat: Beat | None = None) -> PreparedScreening:
    """Work a stored upload out by the mapping a person confirmed."""
    held = access.open_json(batch, ImportBatch.plan)
    screening_round = access.session.get_one(ScreeningRound, batch.round_id)
    plans = plans_for(tables, held["mappings"])
    decisions = held.get("identities", {})
    return work_out(
        access, tables, batch, screening_round, plans, beat or (lambda _done, _total: None), decisions=decisions
    )


def work_out(
    access: Access,
    tables: Sequence[Table],
    batch: ImportBatch,
    screening_round: ScreeningRound,
    plans: Sequence[Plan],
    beat: Beat,
    *,
    decisions: Mapping[str, str | None] | None = None,
) -> PreparedScreening:
    """Read, match, score, judge and seal every row. Refuses the whole delivery in strict mode."""
    base = base_of(access.session, batch)
    found = reading.read(tables, plans)
    total = len(found)
    beat(total // 5, total)
    matched = match(access, found.identities, decisions or {}, found.problems)
    beat(2 * total // 5, total)
    bundle = _bundle(access, batch, screening_round, found, matched)
    sealing.number(bundle.scales)
    findings = findings_in(access, bundle, screening_round)
    beat(3 * total // 5, total)
    receipt = receipt_of(bundle, findings, found)
    receipt["rests_on"] = _rests_on(access, bundle)
    receipt["questions"] = [question.as_table() for question in matched.questions]
    if batch.strict and found.problems:
        raise Refusal(strict_words(receipt), urgent=bool(sum(receipt["red_flags"].values())))
    columns = sealing.columns(access, bundle, batch)
    beat(total, total)
    return PreparedScreening(
        receipt=receipt,
        base=base,
        columns=columns,
        voided=_to_void(access, batch, bundle),
        findings=findings,
        **_afterwards(bundle),
        rejected=rejected.rows_of(tables, bundle, found),
    )


def _rests_on(access: Access, bundle: Bundle) -> dict[str, Any]:
    """What was confirmed with the counts: another rulebook, scale file or owner of a row makes a preview stale."""
    owners = b"".join(student or bytes(16) for student in bundle.students)
    return {
        "rules": rulebook.current(access.session).version,
        "scales": {key: held.scale.version for key, held in bundle.scales.items()},
        "students": access.digest("owners", owners)[:16].hex(),
    }


def _bundle(
    access: Access, batch: ImportBatch, screening_round: ScreeningRound, found: Reading, matched: Matched
) -> Bundle:
    fates = fate.decide(access, batch, screening_round.repeat_rule, found, matched.students)
    return Bundle(
        row_numbers=found.row_numbers,
        files=found.files,
        students=[student.student_id if student else None for student in matched.students],
        units=[(student.college_id, student.class_id) if student else None for student in matched.students],
        fate=fates,
        scales=found.scales,
        taken_at=found.taken_at,
        identity=found.identities.said,
    )


def _afterwards(bundle: Bundle) -> dict[str, Any]:
    """Whose answers are to be given again, who has given them again, and who has taken part after all."""
    none = np.zeros(len(bundle.fate), dtype=bool)
    fresh, again = none.copy(), none.copy()
    doubts: dict[bytes, dict[str, list[str]]] = {}
    for key, held in bundle.scales.items():
        fresh |= held.fresh
        again[[place for place in held.replaces if held.fresh[place] and not held.validity.doubtful[place]]] = True
        for place in np.flatnonzero(held.fresh & held.validity.doubtful).tolist():
            doubts.setdefault(bundle.students[place] or b"", {})[key] = held.validity.of(place)
    asked = [person for person in people(bundle, fresh) if person[0] in doubts]
    return {
        "doubtful": asked,
        "doubts": [doubts[student] for student, _, _ in asked],
        "answered_again": [UUID(bytes=person[0]) for person in people(bundle, again) if person[0] not in doubts],
        "took_part": [UUID(bytes=student) for student, _, _ in people(bundle, fresh)],
        "known": [
            held.digests[place] for held in bundle.scales.values() for place in np.flatnonzero(held.known).tolist()
        ],
    }


def _to_void(access: Access, batch: ImportBatch, bundle: Bundle) -> list[bytes]:
    """Stored sheets that fresh ones replace."""
    replaced = {
        (bundle.students[place], key)
        for key, held in bundle.scales.items()
        for place in held.replaces
        if held.fresh[place]
    }
    if not replaced:
        return []
    query = select(ResponseSet.id, ResponseSet.student_id, ResponseSet.scale).where(
        ResponseSet.round_id == batch.round_id, ResponseSet.voided_at.is_(None)
    )
    rows = fetch_many(access.session, query)
    return [sheet_id for sheet_id, student_id, scale in rows if (student_id, scale) in replaced]


# --- writing ------------------------------------------------------------------------------


def commit(access: Access, batch: ImportBatch, prepared: PreparedScreening) -> None:
    """Write sheets, void what they replace, and let every finding be written: one transaction."""
    screening_round = access.session.get_one(ScreeningRound, batch.round_id, with_for_update=True)
    if prepared.voided:
        void(access, [UUID(bytes=sheet_id) for sheet_id in prepared.voided], by=batch.id)
    stored = access.insert_many(ResponseSet, prepared.columns)
    for found in prepared.findings:
        found.write(access, screening_round, batch)
    retest.settle(access, screening_round.id, prepared.answered_again, by=batch.id)
    retest.ask(access, screening_round, batch.id, prepared.doubtful, prepared.doubts)
    absence.settle(access, screening_round.id, prepared.took_part, by=batch.id)
    witness.write(access, batch.id, WitnessKind.SHEET, prepared.known)
    keep_rejected(access, batch, prepared)
    access.record(ScreeningCommitted(object_id=batch.id, count=stored))


def keep_rejected(access: Access, batch: ImportBatch, prepared: PreparedScreening) -> None:
    """The rows that do not go in stay with the batch, so that they can be mended and brought again."""
    if prepared.rejected is not None:
        access.seal_json(batch, ImportBatch.rejected, prepared.rejected)
    else:
        batch.rejected = None


def void(access: Access, ids: Sequence[UUID], *, by: UUID, was_anothers: bool = False) -> None:
    """Let sheets no longer hold, on account of a batch or a correction."""
    restore.let_go(access, ids, by=by)
    access.record(SheetsVoided(sheet_ids=tuple(ids), by=by, was_anothers=was_anothers, count=len(ids)))


IMPORTER = Importer(
    kind=BatchKind.SCREENING,
    permission=Permission.SCREENING_IMPORT,
    purpose=Purpose.CARE,
    knows=knows,
    read=read,
    prepare=prepare,
    commit=commit,
    previewed=keep_rejected,
    base=base_of,
)
