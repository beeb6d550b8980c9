"""Writing the log: one row per act, in the transaction of the act, chained per writer.

A row's bytes are canonical JSON without floats. Its hash covers the writer,
the place in the writer's chain, the previous hash and the bytes; its MAC is
keyed with a key that never enters the database.

On PostgreSQL each connection claims a numbered writer by a session advisory
lock and keeps the tip of its chain in memory, so that eight writers do not
queue for one tip (decisions 3). The tip advances on commit only; after any
doubt it is read again. On SQLite there is one chain, read inside the
``IMMEDIATE`` transaction.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import event, insert, select, text
from sqlalchemy.orm import Session

from models.audit import LedgerEntry, LedgerSubject
from models.base import new_id
from models.moment import now

FORMAT = 1
GENESIS = bytes(32)
MOST_SUBJECTS = 500
"""An act on more people than this names its batch and a count instead of each person."""
_LOCK_SPACE = 0x58494E59
"""Class of the advisory locks that writers hold ("XINY")."""
_MOST_WRITERS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What the log is to remember of one act. Ids and words of the house, never content."""

    actor_id: UUID | None
    role: str
    act: str
    permission: str
    purpose: str
    basis: str
    outcome: str
    session_id: UUID | None = None
    request_id: str = ""
    object_id: UUID | None = None
    subjects: tuple[UUID, ...] = ()
    fields: tuple[str, ...] = ()
    count: int | None = None
    digest: bytes | None = None


@dataclass(slots=True)
class _Chain:
    writer: int
    seq: int
    tip: bytes
    trusted: bool = True
    pending: list[tuple[int, bytes]] = field(default_factory=list)


def _named(record: Record) -> list[UUID]:
    """The people an entry names, each once; nobody when they are too many."""
    named = list(dict.fromkeys(record.subjects))
    return named if len(named) <= MOST_SUBJECTS else []


def payload_of(record: Record, entry_id: UUID, at: datetime) -> bytes:
    """The exact bytes that are hashed: sorted keys, no blanks, UTC, no floats."""
    held: dict[str, Any] = {
        "v": FORMAT,
        "id": entry_id.hex,
        "at": at.isoformat(timespec="microseconds"),
        "actor": record.actor_id.hex if record.actor_id else None,
        "role": record.role,
        "session": record.session_id.hex if record.session_id else None,
        "act": record.act,
        "permission": record.permission,
        "purpose": record.purpose,
        "basis": record.basis,
        "outcome": record.outcome,
        "request": record.request_id,
        "object": record.object_id.hex if record.object_id else None,
        "subjects": [subject.hex for subject in _named(record)],
        "fields": list(record.fields),
        "count": record.count if record.count is not None else len(record.subjects),
    }
    if record.digest is not None:
        held["digest"] = record.digest.hex()
    return json.dumps(held, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def hash_of(writer: int, seq: int, previous: bytes, payload: bytes) -> bytes:
    place = writer.to_bytes(4, "big") + seq.to_bytes(8, "big")
    return hashlib.sha256(b"xinyu log\0" + bytes([FORMAT]) + place + previous + payload).digest()


def mac_of(key: bytes, digest: bytes) -> bytes:
    return hmac.digest(key, digest, "sha256")


def append(session: Session, mac_key: bytes, records: Sequence[Record]) -> None:
    """Add rows to this connection's chain, in the caller's write transaction."""
    if not records:
        return
    chain = _chain(session)
    seq, tip, at = chain.seq, chain.tip, now()
    rows: list[dict[str, Any]] = []
    subjects: list[dict[str, Any]] = []
    for record in records:
        seq += 1
        entry_id = new_id()
        payload = payload_of(record, entry_id, at)
        digest = hash_of(chain.writer, seq, tip, payload)
        rows.append(
            {
                "id": entry_id,
                "writer": chain.writer,
                "seq": seq,
                "at": at,
                "actor_id": record.actor_id,
                "role": record.role,
                "act": record.act,
                "purpose": record.purpose,
                "outcome": record.outcome,
                "object_id": record.object_id,
                "payload": payload,
                "previous": tip,
                "hash": digest,
                "mac": mac_of(mac_key, digest),
            }
        )
        subjects += [{"subject_id": subject, "entry_id": entry_id} for subject in _named(record)]
        tip = digest
    session.execute(insert(LedgerEntry), rows)
    if subjects:
        session.execute(insert(LedgerSubject), subjects)
    _advance_on_commit(session, chain, seq, tip)


def _chain(session: Session) -> _Chain:
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return _read_chain(session, 0)
    held: _Chain | None = connection.info.get("ledger chain")
    if held is None:
        held = _read_chain(session, _claim_writer(session))
        connection.info["ledger chain"] = held
    elif not held.trusted:
        fresh = _read_chain(session, held.writer)
        held.seq, held.tip, held.trusted = fresh.seq, fresh.tip, True
    return held


def _read_chain(session: Session, writer: int) -> _Chain:
    last = session.execute(
        select(LedgerEntry.seq, LedgerEntry.hash)
        .where(LedgerEntry.writer == writer)
        .order_by(LedgerEntry.seq.desc())
        .limit(1)
    ).first()
    return _Chain(writer, last.seq, last.hash) if last else _Chain(writer, 0, GENESIS)


def _claim_writer(session: Session) -> int:
    claim = text("SELECT pg_try_advisory_lock(:space, :writer)")
    for writer in range(1, _MOST_WRITERS + 1):
        if session.scalar(claim, {"space": _LOCK_SPACE, "writer": writer}):
            return writer
    raise RuntimeError("every writer of the log is taken")


def _advance_on_commit(session: Session, chain: _Chain, seq: int, tip: bytes) -> None:
    """Distrust the tip until the commit is known to have happened."""
    chain.trusted = False
    chain.pending = [(seq, tip)]

    @event.listens_for(session, "after_commit", once=True)
    def committed(_session: Session) -> None:
        if chain.pending == [(seq, tip)]:
            chain.seq, chain.tip, chain.trusted, chain.pending = seq, tip, True, []
