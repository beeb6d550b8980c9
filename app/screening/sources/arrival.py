"""Something arrived from a source: recognised, sealed as a delivery, and followed until it is in or put aside.

The digest of the bytes is its identity: the same delivery again is written
down as repeated and does nothing, however often a folder is looked at, a push
is sent or a worker dies. Whatever waits lies with one person until one time
(law 3); if something critical was seen in it, that time is the one of an
unplaced critical answer, and the head of the centre has it (law 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from statistics import median
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.admin import rulebook
from app.events import Event
from app.intake import batch as life
from app.jobs.queue import enqueue
from app.notices import post
from app.screening.sources import schedule
from app.screening.sources import source as sources
from app.security.access import Access
from app.security.holders import first_holder
from config import catalogue
from models.base import new_id
from models.identity import Role
from models.intake import BatchKind, BatchStage, ImportBatch
from models.moment import now
from models.source import Arrival, ArrivalState, ScreeningSource, SourceKind, Waits
from models.working_time import Clock, ClockKind

PREVIEW = "source.preview"
"""The job that looks into what arrived."""
OVER = frozenset({BatchStage.REFUSED, BatchStage.WITHDRAWN, BatchStage.ROLLED_BACK})
"""A delivery that ended so may come again."""


class DeliveryArrived(Event):
    """A source delivered."""


class DeliveryRepeated(Event):
    """A source delivered the same thing again."""


class DeliveryWaits(Event):
    """A delivery waits for a person."""


def receive(access: Access, source: ScreeningSource, raw: bytes, name: str, *, collected: bool = False) -> Arrival:
    """Take a delivery in, sealed; a worker will look into it. The same bytes again change nothing.

    The caller has locked the source, so that two workers with the same file
    are one after the other. ``collected`` says that single answer sheets were
    put together here: their number tells nothing.
    """
    sources.refuse_retired(source)
    digest = access.digest("file", raw)
    earlier = _same(access, source, digest)
    row = Arrival(
        id=new_id(),
        source_id=source.id,
        state=ArrivalState.WAITING,
        arrived_at=now(),
        digest=digest,
        is_late=schedule.is_late(access, source),
        is_partial=False,
    )
    access.session.add(row)
    if earlier is not None:
        row.state, row.batch_id, row.rows, row.is_late = ArrivalState.REPEATED, earlier.batch_id, earlier.rows, False
        access.record(DeliveryRepeated(object_id=source.id))
        return row
    batch = life.receive(access, BatchKind.SCREENING, raw, name, round_id=source.round_id)
    access.seal_json(batch, ImportBatch.plan, _plan(source, collected=collected))
    row.batch_id = batch.id
    row.owner_id, _ = sources.keeper_of(access.session, source)
    row.due_at = waiting_until(access)
    schedule.came(source)
    look_into(access, batch)
    access.record(DeliveryArrived(object_id=source.id))
    return row


def _same(access: Access, source: ScreeningSource, digest: bytes) -> Arrival | None:
    """The delivery with these bytes that is in the same round, or on its way there."""
    return access.session.scalars(
        select(Arrival)
        .join(ImportBatch, ImportBatch.id == Arrival.batch_id)
        .where(
            Arrival.source_id == source.id,
            Arrival.digest == digest,
            Arrival.state.in_((ArrivalState.WAITING, ArrivalState.COMMITTED)),
            ImportBatch.stage.not_in(OVER),
            ImportBatch.round_id == source.round_id,
        )
        .limit(1)
    ).first()


def _plan(source: ScreeningSource, *, collected: bool) -> dict[str, Any]:
    """What the pages of an import start from; the same as after an upload, with the source beside it."""
    return {"source": source.id.hex, "collected": collected, "sheets": None, "all_sheets": True, "scales": None}


def look_into(access: Access, batch: ImportBatch) -> None:
    """Let the worker read, map and preview it."""
    enqueue(access.session, PREVIEW, effect_key=f"look into {batch.id.hex} {batch.version}", batch_id=batch.id)


def attach(access: Access, plan: Mapping[str, Any], batch: ImportBatch) -> None:
    """A file that a person uploads in the name of a source is a delivery of it, and lies with him."""
    source = sources.named(access.session, plan)
    if source is None:
        return
    row = Arrival(
        id=new_id(),
        source_id=source.id,
        batch_id=batch.id,
        state=ArrivalState.WAITING,
        arrived_at=now(),
        digest=batch.file_digest,
        is_late=schedule.is_late(access, source),
        is_partial=False,
        waits_for=Waits.PERSON.value,
        owner_id=access.actor.id,
        due_at=waiting_until(access),
    )
    access.session.add(row)
    schedule.came(source)
    access.record(DeliveryArrived(object_id=source.id))


def of_batch(access: Access, batch_id: UUID | None) -> Arrival | None:
    """The arrival that brought a delivery; none for what a person uploaded."""
    query = select(Arrival).where(Arrival.batch_id == batch_id, Arrival.state != ArrivalState.REPEATED)
    return access.session.scalars(query.with_for_update() if access.writing else query).first()


# --- waiting --------------------------------------------------------------------------------------


def waiting_until(access: Access, *, urgent: bool = False) -> datetime:
    """Until when a delivery that asks for a person is to be seen to; an urgent one like a critical answer of nobody."""
    book = rulebook.current(access.session)
    if urgent:
        return book.due("identify")
    held = catalogue.table("sources")["waiting"]
    return book.calendar.due(now(), Clock(ClockKind(held["clock"]), held["amount"]))


def wait(access: Access, row: Arrival, reasons: Iterable[Waits], *, urgent: bool) -> None:
    """Let a person see to it: its owner; if something critical was seen in it, the head of the centre, at once."""
    source = access.session.get_one(ScreeningSource, row.source_id)
    keeper, role = sources.keeper_of(access.session, source)
    row.waits_for = " ".join(dict.fromkeys(reason.value for reason in reasons))
    row.is_urgent = urgent
    row.owner_id, row.due_at = keeper, waiting_until(access, urgent=urgent)
    told = {keeper: role}
    if urgent:
        head = first_holder(access.session, Role.CENTRE_HEAD)
        if head is not None:
            row.owner_id = head
            told = {head: Role.CENTRE_HEAD} | ({keeper: role} if keeper != head else {})
    for staff_id, held in told.items():
        post.tell(access, staff_id, held, "delivery_urgent" if urgent else "delivery_waits")
    access.record(DeliveryWaits(object_id=row.source_id))


def end(row: Arrival, state: ArrivalState) -> None:
    """It waits for nobody any more."""
    row.state, row.waits_for, row.is_urgent, row.due_at = state, "", False, None


def is_partial(access: Access, row: Arrival, rows: int) -> bool:
    """Far fewer rows than the source usually brings. Growing exports, the same rows again and new ones, are not."""
    held = catalogue.table("sources")["partial"]
    usual = access.session.scalars(
        select(Arrival.rows)
        .join(ScreeningSource, ScreeningSource.id == Arrival.source_id)
        .where(
            Arrival.source_id == row.source_id,
            Arrival.id != row.id,
            Arrival.state == ArrivalState.COMMITTED,
            Arrival.rows.is_not(None),
            ScreeningSource.kind != SourceKind.UPLOAD,
        )
        .order_by(Arrival.arrived_at.desc(), Arrival.id)
        .limit(held["compared"])
    ).all()
    if len(usual) < held["least"]:
        return False
    return rows < float(held["share"]) * median(count or 0 for count in usual)


# --- what became of it: listeners, in the transaction of the fact -----------------------------------


def follow_committed(access: Access, happened: Event) -> None:
    """It is in."""
    row = of_batch(access, happened.object_id)
    if row is not None and row.state is ArrivalState.WAITING:
        end(row, ArrivalState.COMMITTED)


def follow_withdrawn(access: Access, happened: Event) -> None:
    """A person put it aside."""
    row = of_batch(access, happened.object_id)
    if row is not None and row.state is ArrivalState.WAITING:
        end(row, ArrivalState.WITHDRAWN)


def follow_refused(access: Access, happened: Event) -> None:
    """It cannot go in as it is: whoever answers for the source hears of it."""
    row = of_batch(access, happened.object_id)
    if row is None or row.state is not ArrivalState.WAITING:
        return
    end(row, ArrivalState.UNREADABLE)
    source = access.session.get_one(ScreeningSource, row.source_id)
    schedule.did_not_come(source)
    post.tell(access, *sources.keeper_of(access.session, source), "delivery_unreadable")


def follow_stale(access: Access, happened: Event) -> None:
    """The house moved while it was about to go in by itself: it is looked into again, by itself."""
    row = of_batch(access, happened.object_id)
    if row is not None and row.state is ArrivalState.WAITING and not row.waits_for:
        access.session.flush()
        look_into(access, access.session.get_one(ImportBatch, row.batch_id))
