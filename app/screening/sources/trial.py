"""What a source delivered is looked into by the worker alone: read, mapped, previewed, and committed if it is clean.

*Clean* means that a person's confirmed mapping fits every layout, that nothing
is asked, wrong, doubtful or missing, and that the round takes such files.
Anything else waits for a person, who goes on from the batch's page as after an
upload. Where no confirmed mapping fits, the guessed one serves for one thing:
to see whether something critical is inside. Such a delivery waits with a clock
of hours, not of days; so does one that the worker could not work out at all,
because what nobody has seen is not known to be calm (law 2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.events import Event
from app.intake import batch as life
from app.intake.headers import normal
from app.intake.sheet import Table
from app.screening.importing import prepare as importing
from app.screening.importing import unseen
from app.screening.importing.prepare import PreparedScreening
from app.screening.rounds import round
from app.screening.scales.scale import all_scales
from app.screening.sources import arrival
from app.screening.sources import source as sources
from app.screening.tables import mapping_file
from app.screening.tables.layout import plans_for, suggested
from app.screening.tables.plan import Plan, unique
from app.security.access import Access
from app.security.actor import WORKER
from app.security.door import Door
from app.security.policy import Permission, Purpose
from models.intake import BatchKind, BatchStage, ImportBatch
from models.refusal import Refusal
from models.screening import ScreeningRound
from models.source import Arrival, ArrivalState, ScreeningSource, Waits

STARTS = frozenset({BatchStage.UPLOADED, BatchStage.STALE})


@dataclass(slots=True)
class Trial:
    """What looking into a delivery came to."""

    plan: dict[str, Any] = field(default_factory=dict)
    prepared: PreparedScreening | None = None
    unclear: str = ""
    """What must be decided before there can be a preview, in words."""
    is_confirmed: bool = False
    unreadable: str = ""
    """Why nothing can be read from it, in words."""

    @property
    def receipt(self) -> dict[str, Any]:
        """What the preview says; nothing where there could be none."""
        return self.prepared.receipt if self.prepared is not None else {}


def look(door: Door, beat: Callable[[], None], *, batch_id: UUID) -> Trial:
    """Read, map and work it out, outside any lock; writes nothing."""
    with life.many_objects(), door.enter(WORKER, *RIGHTS, writing=False) as access:
        batch = life.of_kind(access, batch_id, BatchKind.SCREENING)
        row = arrival.of_batch(access, batch_id)
        if row is None or batch.stage not in STARTS:
            return Trial()
        trial = Trial(plan=access.open_json(batch, ImportBatch.plan))
        name = access.open(batch, ImportBatch.file_name)
        try:
            tables = importing.read(life.content(access, batch), name, trial.plan)
        except Refusal as refusal:
            trial.unreadable = refusal.sentence
            return trial
        source = access.session.get_one(ScreeningSource, row.source_id)
        screening_round = access.session.get_one(ScreeningRound, batch.round_id)
        _map(trial, tables, source, screening_round)
        try:
            plans = plans_for(tables, trial.plan["mappings"])
            tell = lambda _done, _total: beat()  # noqa: E731
            trial.prepared = importing.work_out(access, tables, batch, screening_round, plans, tell)
        except Refusal as refusal:
            trial.unclear = refusal.sentence
        return trial


RIGHTS = (Permission.SCREENING_IMPORT, Purpose.CARE)


def _map(trial: Trial, tables: Sequence[Table], source: ScreeningSource, row: ScreeningRound) -> None:
    """The confirmed mappings, if they fit every table; else a guess, for a person to confirm.

    A list of names never tells by its header what list it is: whether those on
    it took part or are in danger is said by a person, each time.
    """
    saved = sources.fitted(source, tables)
    guessed = suggested(tables, None, round.scales_of(row))
    plans = plans_for(tables, saved) if saved is not None else []
    is_list = any(plan.listed is not None for plan in plans)
    trial.is_confirmed = saved is not None and not is_list and not _brings_more(plans, tables, guessed)
    trial.plan["mappings"] = saved if trial.is_confirmed else guessed


def _brings_more(plans: Sequence[Plan], tables: Sequence[Table], guessed: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the export has grown by red-flag items of a scale that the confirmed mapping does not speak of."""
    for table, plan in zip(tables, plans, strict=True):
        for other in guessed:
            fits = mapping_file.headers_of(other) <= {normal(word) for word in unique(table.header)}
            new = set(other.get("scales", {})) - plan.scales.keys() if fits else set()
            if any(all_scales()[key].red_flags and other["scales"][key].get("items") for key in new):
                return True
    return False


# --- what comes of it -------------------------------------------------------------------------------


def settle(access: Access, *, batch_id: UUID, prepared: Trial) -> None:
    """Write down what was seen: into the round by itself, or before a person's eyes."""
    batch = life.of_kind(access, batch_id, BatchKind.SCREENING)
    row = arrival.of_batch(access, batch_id)
    if row is None or row.state is not ArrivalState.WAITING or batch.stage not in STARTS or not prepared.plan:
        return
    if prepared.unreadable:
        _to(batch, BatchStage.READ)
        life.refuse(access, batch, prepared.unreadable)
        return
    access.seal_json(batch, ImportBatch.plan, prepared.plan)
    row.rows = prepared.receipt.get("rows_read")
    if prepared.prepared is not None and prepared.is_confirmed:
        _to(batch, BatchStage.PREVIEWED)
        access.seal_json(batch, ImportBatch.receipt, prepared.receipt)
        importing.keep_rejected(access, batch, prepared.prepared)
    else:
        _to(batch, BatchStage.READ)
        access.seal_json(batch, ImportBatch.receipt, {"unclear": prepared.unclear} if prepared.unclear else {})
    collected = bool(prepared.plan.get("collected"))
    row.is_partial = row.rows is not None and not collected and arrival.is_partial(access, row, row.rows)
    reasons = _reasons(access, batch, row, prepared)
    access.session.flush()
    if reasons:
        arrival.wait(access, row, reasons, urgent=prepared.prepared is None or unseen.is_critical(prepared.receipt))
        return
    life.ask_commit(access, batch)


def _to(batch: ImportBatch, stage: BatchStage) -> None:
    """Go there by the allowed steps."""
    if batch.stage is BatchStage.STALE:
        batch.move_to(BatchStage.MAPPED)
    steps = [BatchStage.READ, BatchStage.MAPPED, BatchStage.PREVIEWED]
    begin = steps.index(batch.stage) + 1 if batch.stage in steps else 0
    for step in steps[begin : steps.index(stage) + 1]:
        batch.move_to(step)


def _reasons(access: Access, batch: ImportBatch, row: Arrival, trial: Trial) -> list[Waits]:
    """Everything that asks for a person; nothing means that it is clean."""
    screening_round = access.session.get_one(ScreeningRound, batch.round_id)
    receipt = trial.receipt
    asks = {
        Waits.MAPPING: not trial.is_confirmed,
        Waits.QUESTION: bool(receipt.get("questions")) or (trial.is_confirmed and not receipt),
        Waits.PROBLEMS: bool(receipt.get("problems_total")),
        Waits.DOUBTFUL: _is_doubtful(receipt),
        Waits.PARTIAL: row.is_partial,
        Waits.ROUND: screening_round.stage not in round.RUNNING,
        Waits.PERSON: not screening_round.commits_clean_files,
    }
    found = [reason for reason, asked in asks.items() if asked]
    return found if found == [Waits.PERSON] else [reason for reason in found if reason is not Waits.PERSON]


def _is_doubtful(receipt: Mapping[str, Any]) -> bool:
    """An alarm over the whole batch: a reversal that was missed, the same answers from many people."""
    return any(held.get("alarm") for held in receipt.get("quality", {}).values())


def gave_up(access: Access, *, batch_id: UUID, why: str) -> None:
    """The worker could not look into it: a person is told, and the sealed copy stays for him."""
    batch = life.of_kind(access, batch_id, BatchKind.SCREENING)
    row = arrival.of_batch(access, batch_id)
    if row is not None and row.state is ArrivalState.WAITING and batch.stage in STARTS:
        arrival.wait(access, row, [Waits.FAILED], urgent=True)


def follow_previewed(access: Access, happened: Event) -> None:
    """A person went on with it, and now something critical is seen: from here on it is urgent."""
    row = arrival.of_batch(access, happened.object_id)
    if row is None or row.state is not ArrivalState.WAITING or row.is_urgent:
        return
    batch = access.session.get_one(ImportBatch, row.batch_id)
    if unseen.is_critical(access.open_json(batch, ImportBatch.receipt) or {}):
        arrival.wait(access, row, [Waits.PERSON], urgent=True)
