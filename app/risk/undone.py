"""What was concluded from a delivery, when it is rolled back: alerts, the interview list, answers without a student."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.risk import corrected, dropped, extension, relist
from app.risk.corrected import After
from app.screening.corrections.rollback import BatchRolledBack, Undoing
from app.screening.importing import witness
from app.security.access import Access
from models.correction import WitnessKind
from models.intake import ImportBatch
from models.moment import now
from models.risk import Alert, AlertExtension, AlertStage, Signal
from models.screening import ScreeningRound, UnplacedAnswer, UnplacedStage

SOME = 500


@dataclass(frozen=True, slots=True)
class Reasons:
    """Signals that change."""

    gone: tuple[Signal, ...]
    again: tuple[Signal, ...]
    kept: dict[UUID, UUID]
    """Signals that another delivery gives as well, and which."""


def count(access: Access, batch: ImportBatch, undoing: Undoing) -> dict[str, int]:
    """What rolling back would come to for the people who care; writes nothing."""
    reasons = _reasons(access, batch.id, undoing)
    ids = {signal.alert_id for signal in reasons.gone}
    grounds = corrected.grounds(
        access,
        ids,
        gone=(signal.id for signal in reasons.gone),
        again=(signal.id for signal in reasons.again),
    )
    open_ones = [alert for alert in _alerts(access, ids) if not alert.has_ended]
    outcomes = {alert.id: grounds[alert.id].outcome(alert) for alert in open_ones}
    voided = [alert for alert in open_ones if outcomes[alert.id] is After.VOID]
    listed = dropped.resting_on(access, batch.id, kept=undoing.kept)
    return {
        "alerts_voided": len(voided),
        "alerts_acted_on": len(corrected.acted_on(access, voided)),
        "alerts_lowered": sum(outcome is After.FALLS for outcome in outcomes.values()),
        "cases_told": _with_case(access, ids, grounds),
        "interviews_voided": len(listed.idle),
        "interviews_in_work": len(listed.in_work),
        "interviews_restored": len(dropped.dropped_by(access, batch.id)),
        "unplaced_voided": len(_unplaced(access, batch.id)),
    }


def undo(access: Access, happened: BatchRolledBack) -> None:
    """Listener: everything that was concluded from the delivery is as it was before."""
    batch = access.session.get_one(ImportBatch, happened.object_id)
    undoing = happened.undoing
    reasons = _reasons(access, batch.id, undoing)
    access.lock_students(signal.student_id for signal in [*reasons.gone, *reasons.again])
    inherited = _hand_over(access, batch.id, reasons)
    for signal in reasons.gone:
        signal.voided_at = signal.voided_at or now()
        signal.void_cause, signal.voided_by = "rolled_back", batch.id
    lost = hold_again(access, reasons.again)
    touched = {signal.alert_id for signal in [*reasons.gone, *reasons.again]}
    extended = _extended(access, batch.id) - inherited
    for alert in _alerts(access, extended):
        extension.undo(access, alert, batch.id)
    void = corrected.settle(access, touched, by=batch.id)
    released = dropped.undo(access, batch.id, kept=undoing.kept)
    _void_unplaced(access, batch.id)
    screening_round = access.session.get_one(ScreeningRound, batch.round_id)
    relist.raise_again(access, screening_round, lost)
    since = batch.committed_at or batch.uploaded_at
    students = {signal.student_id for signal in reasons.gone} | void | released
    relist.list_again(access, students, since=since, sheets=undoing.kept)


# --- reasons ----------------------------------------------------------------------------------


def _reasons(access: Access, batch_id: UUID, undoing: Undoing) -> Reasons:
    own = access.session.scalars(
        select(Signal).where(Signal.batch_id == batch_id).order_by(Signal.alert_id, Signal.id)
    ).all()
    rows = _still_said(access, batch_id, WitnessKind.ROW, own)
    unplaced = _unplaced_still_said(access, batch_id)
    kept: dict[UUID, UUID] = {}
    for signal in own:
        source = signal.source_id
        heirs = {"response_set": undoing.kept, "rejected_row": rows, "unplaced_answer": unplaced}
        heir = heirs.get(signal.source_kind, {}).get(source) if source is not None else None
        if heir is not None:
            kept[signal.id] = heir
    return Reasons(
        tuple(signal for signal in own if signal.id not in kept), tuple(of_sheets(access, undoing.again)), kept
    )


def _still_said(access: Access, batch_id: UUID, kind: WitnessKind, own: Sequence[Signal]) -> dict[UUID, UUID]:
    digests = [signal.source_id.bytes for signal in own if signal.source_kind == "rejected_row" and signal.source_id]
    found = witness.still_said(access, kind, digests, without=batch_id)
    return {UUID(bytes=digest): heir for digest, heir in found.items()}


def of_sheets(access: Access, sheet_ids: Sequence[UUID]) -> list[Signal]:
    """Reasons that had gone with sheets that hold again."""
    return [
        signal
        for start in range(0, len(sheet_ids), SOME)
        for signal in access.session.scalars(
            select(Signal)
            .where(
                Signal.source_id.in_(sheet_ids[start : start + SOME]),
                Signal.source_kind == "response_set",
                Signal.void_cause == "sheet_voided",
            )
            .order_by(Signal.alert_id, Signal.id)
        )
    ]


def _hand_over(access: Access, batch_id: UUID, reasons: Reasons) -> set[UUID]:
    """What another delivery says as well is its own from now on; returns the alerts concerned."""
    ids = list(reasons.kept)
    alerts: dict[UUID, UUID] = {}
    for start in range(0, len(ids), SOME):
        for signal in access.session.scalars(select(Signal).where(Signal.id.in_(ids[start : start + SOME]))):
            signal.batch_id = reasons.kept[signal.id]
            alerts[signal.alert_id] = signal.batch_id
    for alert_id, heir in alerts.items():
        extension.hand_over(access, [alert_id], batch_id, heir)
    access.session.flush()
    return set(alerts)


def hold_again(access: Access, signals: Sequence[Signal]) -> list[Signal]:
    """Let reasons hold again; returns those that cannot.

    Somebody ended their alert while they were void: it was ended for that, and
    has to be raised anew.
    """
    alerts = {alert.id: alert for alert in _alerts(access, {signal.alert_id for signal in signals})}
    lost = [signal for signal in signals if _ended_meanwhile(alerts[signal.alert_id], signal)]
    for signal in signals:
        if signal not in lost:
            signal.voided_at = signal.void_cause = signal.voided_by = None
    access.session.flush()
    return lost


def _ended_meanwhile(alert: Alert, signal: Signal) -> bool:
    if alert.stage not in {AlertStage.DISPROVED, AlertStage.VOID} or alert.ended_at is None:
        return False
    return signal.voided_at is not None and alert.ended_at >= signal.voided_at


def _extended(access: Access, batch_id: UUID) -> set[UUID]:
    return set(
        access.session.scalars(
            select(AlertExtension.alert_id).where(
                AlertExtension.batch_id == batch_id, AlertExtension.undone_at.is_(None)
            )
        )
    )


def _alerts(access: Access, ids: Iterable[UUID]) -> list[Alert]:
    wanted = sorted(ids)
    return [
        alert
        for start in range(0, len(wanted), SOME)
        for alert in access.session.scalars(
            select(Alert).where(Alert.id.in_(wanted[start : start + SOME])).order_by(Alert.student_id, Alert.id)
        )
    ]


def _with_case(access: Access, ids: Iterable[UUID], grounds: dict[UUID, Any]) -> int:
    return sum(
        alert.stage is AlertStage.CASE_OPENED and grounds[alert.id].outcome(alert) is After.VOID
        for alert in _alerts(access, ids)
    )


# --- answers without a student ------------------------------------------------------------------


def _unplaced(access: Access, batch_id: UUID) -> list[UnplacedAnswer]:
    """Those of the delivery that are open or placed, and that no other delivery says."""
    rows = access.session.scalars(
        select(UnplacedAnswer)
        .where(
            UnplacedAnswer.batch_id == batch_id,
            UnplacedAnswer.stage.in_((UnplacedStage.OPEN, UnplacedStage.PLACED)),
        )
        .order_by(UnplacedAnswer.row_number, UnplacedAnswer.id)
    ).all()
    said = witness.still_said(access, WitnessKind.UNPLACED, [row.digest for row in rows], without=batch_id)
    return [row for row in rows if row.digest not in said]


def _unplaced_still_said(access: Access, batch_id: UUID) -> dict[UUID, UUID]:
    rows = access.session.execute(
        select(UnplacedAnswer.id, UnplacedAnswer.digest).where(UnplacedAnswer.batch_id == batch_id)
    ).all()
    said = witness.still_said(access, WitnessKind.UNPLACED, [row.digest for row in rows], without=batch_id)
    return {row.id: said[row.digest] for row in rows if row.digest in said}


def _void_unplaced(access: Access, batch_id: UUID) -> None:
    """Nobody has to find out any more whose they were; brought in again, they are asked about again.

    One that has been placed had ended for whoever worked on it; with its file it is void all the same.
    """
    for row in _unplaced(access, batch_id):
        row.stage = UnplacedStage.VOID
        row.ended_at = row.ended_at or now()
