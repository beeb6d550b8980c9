"""The life of one delivery: received and sealed, previewed, committed, refused.

The steps that read and compute run outside any transaction; each ends in one
short transaction that moves the batch on. A commit prepares again, compares
with what was previewed, and writes everything at once or nothing.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.intake import sheet
from app.intake.file_events import FileCommitted, FilePreviewed, FileReceived, FileRefused, FileStale, FileWithdrawn
from app.jobs.queue import Kind, enqueue
from app.jobs.worker import Beat
from app.security.access import Access, NotFound
from app.security.actor import WORKER
from app.security.door import Door
from app.security.policy import Permission, Purpose
from models.base import new_id
from models.intake import BatchChunk, BatchKind, BatchStage, ImportBatch
from models.moment import now
from models.refusal import Refusal, Unclear

CHUNK = 512 * 1024


class Prepared(Protocol):
    """What a file would do: counts and problems for the reader, sealed rows for the commit."""

    receipt: dict[str, Any]
    base: str
    """A token of what it was computed from; another token at commit means that the base has moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """How one kind of file is understood. Rooms provide one each."""

    kind: BatchKind
    permission: Permission
    purpose: Purpose
    knows: Callable[[str], bool]
    """Whether a header cell is one that this kind of file has."""
    read: Callable[[bytes, str, dict[str, Any] | None], Any] | None = None
    """``read(raw, file_name, plan)``: what ``prepare`` gets; without it, the one table of the sheet that was chosen."""
    prepare: Callable[..., Prepared]
    """``prepare(access, table, batch, beat)``: reads the house, writes nothing."""
    commit: Callable[[Access, ImportBatch, Any], None]
    """Writes what was prepared, in the caller's transaction."""
    previewed: Callable[[Access, ImportBatch, Any], None] | None = None
    """What else the preview keeps, in its transaction."""
    base: Callable[[Session, ImportBatch], str]
    """The token of what a preparation depends on, as it is now."""


def receive(
    access: Access,
    kind: BatchKind,
    raw: bytes,
    name: str,
    *,
    round_id: UUID | None = None,
    strict: bool = False,
    replace: bool = False,
    keep: bool = True,
) -> ImportBatch:
    """Take a file in: sealed in slices under its own key, never on disk. ``keep=False`` when it is used at once."""
    if not raw:
        raise Refusal("请选择要导入的文件。", field="upload")
    batch = ImportBatch(
        kind=kind,
        stage=BatchStage.UPLOADED,
        round_id=round_id,
        owner_id=access.actor.id,
        uploaded_at=now(),
        file_digest=access.digest("file", raw),
        bytes_total=len(raw),
        strict=strict,
        replace=replace,
    )
    access.seal(batch, ImportBatch.file_name, name[-120:])
    access.session.add(batch)
    access.session.flush()
    for place in range(0, len(raw) if keep else 0, CHUNK):
        chunk = BatchChunk(id=new_id(), batch_id=batch.id, place=place // CHUNK)
        chunk.body = access.sealed(chunk, BatchChunk.body, raw[place : place + CHUNK])
        access.session.add(chunk)
    access.record(FileReceived(object_id=batch.id))
    return batch


def content(access: Access, batch: ImportBatch) -> bytes:
    """The bytes of a received file."""
    rows = access.session.execute(
        select(BatchChunk.id.label("batch_chunk_id"), BatchChunk.batch_id.label("import_batch_id"), BatchChunk.body)
        .where(BatchChunk.batch_id == batch.id)
        .order_by(BatchChunk.place)
    ).all()
    return b"".join(part or b"" for part in access.open_bytes(rows, BatchChunk.body))


def of_kind(access: Access, batch_id: UUID, *kinds: BatchKind, version: int | None = None) -> ImportBatch:
    """The batch, if it is of a kind this permission is about. Others are not found."""
    batch = access.session.get(ImportBatch, batch_id)
    if batch is None or batch.kind not in kinds:
        raise NotFound("ImportBatch")
    access.about(batch.id)
    if version is not None and batch.version != version:
        access.refuse_stale(batch.id)
    return batch


def forget_file(session: Session, batch: ImportBatch) -> None:
    """Once a file has gone in, been refused or withdrawn, its copy is of no use and is removed."""
    session.execute(delete(BatchChunk).where(BatchChunk.batch_id == batch.id))


def refuse(access: Access, batch: ImportBatch, sentence: str, *, urgent: bool = False) -> None:
    batch.move_to(BatchStage.REFUSED)
    access.seal_json(batch, ImportBatch.receipt, {"refused": sentence})
    forget_file(access.session, batch)
    access.record(FileRefused(object_id=batch.id, urgent=urgent))


def withdraw(access: Access, batch: ImportBatch) -> None:
    """Put a file aside before it went in."""
    batch.move_to(BatchStage.WITHDRAWN)
    forget_file(access.session, batch)
    access.record(FileWithdrawn(object_id=batch.id))


def ask_commit(access: Access, batch: ImportBatch) -> None:
    """Let the worker commit what was previewed."""
    batch.move_to(BatchStage.COMMITTING)
    batch.progress = 0
    enqueue(
        access.session, f"{batch.kind}.commit", effect_key=f"commit {batch.id.hex} {batch.version}", batch_id=batch.id
    )


def ask_preview(access: Access, batch: ImportBatch) -> None:
    """Let the worker work out what the file would do."""
    if batch.stage is not BatchStage.MAPPED and batch.stage is not BatchStage.UPLOADED:
        batch.move_to(BatchStage.MAPPED)
    batch.progress = 0
    enqueue(
        access.session,
        f"{batch.kind}.preview",
        effect_key=f"preview {batch.id.hex} {batch.version}",
        batch_id=batch.id,
    )


# --- the worker's steps ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Outcome:
    prepared: Prepared | None
    refused: str | None
    unclear: bool = False
    """A person can still say what is missing; the file is kept."""
    urgent: bool = False
    """What was refused holds something critical."""


def kinds(importer: Importer) -> list[Kind]:
    """The two jobs of a kind of file: preview and commit."""

    def prepare(door: Door, beat: Beat, *, batch_id: UUID) -> _Outcome:
        try:
            with many_objects(), door.enter(WORKER, importer.permission, importer.purpose, writing=False) as access:
                batch = of_kind(access, batch_id, importer.kind)
                return _Outcome(
                    importer.prepare(access, _read(access, importer, batch), batch, _progress(beat, batch_id)), None
                )
        except Refusal as refusal:
            return _Outcome(None, refusal.sentence, isinstance(refusal, Unclear), refusal.urgent)

    def preview(access: Access, *, batch_id: UUID, prepared: _Outcome) -> None:
        batch = of_kind(access, batch_id, importer.kind)
        if batch.stage not in {BatchStage.UPLOADED, BatchStage.MAPPED}:
            return
        if prepared.prepared is None and prepared.unclear:
            batch.move_to(BatchStage.READ)
            access.seal_json(batch, ImportBatch.receipt, {"unclear": prepared.refused})
            return
        if prepared.prepared is None:
            refuse(access, batch, prepared.refused or "", urgent=prepared.urgent)
            return
        if batch.stage is BatchStage.UPLOADED:
            batch.move_to(BatchStage.READ)
            batch.move_to(BatchStage.MAPPED)
        batch.move_to(BatchStage.PREVIEWED)
        access.seal_json(batch, ImportBatch.receipt, prepared.prepared.receipt)
        if importer.previewed is not None:
            importer.previewed(access, batch, prepared.prepared)
        access.record(FilePreviewed(object_id=batch.id))

    def commit(access: Access, *, batch_id: UUID, prepared: _Outcome) -> None:
        batch = of_kind(access, batch_id, importer.kind)
        if batch.stage is not BatchStage.COMMITTING:
            return
        if prepared.prepared is None or _has_moved(access, importer, batch, prepared.prepared):
            _stop(access, batch, prepared.refused)
            return
        write(access, importer, batch, prepared.prepared)

    def gave_up(access: Access, *, batch_id: UUID, why: str) -> None:
        batch = of_kind(access, batch_id, importer.kind)
        if batch.stage is BatchStage.COMMITTING:
            _stop(access, batch, why)
        elif BatchStage.REFUSED in ImportBatch.__moves__[batch.stage]:
            refuse(access, batch, why)

    rights = {"permission": importer.permission, "purpose": importer.purpose, "gave_up": gave_up}
    return [
        Kind(name=f"{importer.kind}.preview", prepare=prepare, run=preview, **rights),  # type: ignore[arg-type]
        Kind(name=f"{importer.kind}.commit", prepare=prepare, run=commit, **rights),  # type: ignore[arg-type]
    ]


def _stop(access: Access, batch: ImportBatch, why: str | None) -> None:
    """What was confirmed cannot be written now. The file stays: what is critical in it must not be forgotten."""
    batch.move_to(BatchStage.STALE)
    if why:
        shown = access.open_json(batch, ImportBatch.receipt) or {}
        access.seal_json(batch, ImportBatch.receipt, shown | {"stopped": why})
    access.record(FileStale(object_id=batch.id))


def _read(access: Access, importer: Importer, batch: ImportBatch) -> Any:
    plan, raw = access.open_json(batch, ImportBatch.plan), content(access, batch)
    if importer.read is not None:
        return importer.read(raw, access.open(batch, ImportBatch.file_name), plan)
    return sheet.read(raw, sheet=plan.get("sheet") if plan else None, knows=importer.knows)


def _has_moved(access: Access, importer: Importer, batch: ImportBatch, prepared: Prepared) -> bool:
    """Whether the house, or what the file would do, is no longer what the reader saw and confirmed."""
    shown = access.open_json(batch, ImportBatch.receipt)
    would_do = json.loads(json.dumps(prepared.receipt))
    return importer.base(access.session, batch) != prepared.base or shown != would_do


@contextmanager
def many_objects() -> Iterator[None]:
    """A piece of work that builds millions of cells and frees them by itself.

    The cycle collector would walk through all of them again and again (a
    quarter of an import's time) and find nothing.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def write(access: Access, importer: Importer, batch: ImportBatch, prepared: Prepared) -> None:
    """Commit a prepared file: everything it says, its receipt, and the end of its life, in one transaction."""
    importer.commit(access, batch, prepared)
    batch.stage = BatchStage.COMMITTED
    batch.committed_at = now()
    access.seal_json(batch, ImportBatch.receipt, prepared.receipt)
    forget_file(access.session, batch)
    access.record(FileCommitted(object_id=batch.id))


def _progress(beat: Beat, batch_id: UUID) -> Callable[[int, int], None]:
    def mark(session: Session, done: int, total: int) -> None:
        session.execute(
            ImportBatch.__table__.update()  # type: ignore[attr-defined]
            .where(ImportBatch.id == batch_id)
            .values(progress=done, progress_total=total)
        )

    return lambda done, total: beat(mark, done=done, total=total)
