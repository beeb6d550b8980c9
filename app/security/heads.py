"""Heads of the log: the tips of all chains at one time, signed, and written outside the database too.

A head commits to every row up to it. Whoever cuts the end of a chain, or
restores an older database, meets a head that names rows which are gone. Rows
younger than the newest head are protected by the MAC only against change,
not against being cut off: that window is the interval between heads.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.security.keyring import InstanceKeys
from app.security.ledger import GENESIS
from models.audit import LedgerEntry, LedgerHead
from models.moment import now

ANCHORS = "log-heads.jsonl"


class BadHead(Exception):
    """Bytes that should be a head and are not; said in words."""


@dataclass(frozen=True, slots=True)
class Head:
    """A head as it is read back: its number, the tip of every writer, and its own bytes."""

    number: int
    tips: dict[int, tuple[int, str]]
    previous: str
    payload: bytes
    signature: bytes


def take(session: Session, keys: InstanceKeys) -> LedgerHead | None:
    """Write a head if anything happened since the last one; the caller's transaction commits it."""
    last = session.scalars(select(LedgerHead).order_by(LedgerHead.number.desc()).limit(1)).first()
    tips = _tips(session)
    if last is not None and json.loads(last.payload)["tips"] == tips:
        return None
    held = {
        "v": 1,
        "number": last.number + 1 if last else 1,
        "at": now().isoformat(timespec="seconds"),
        "previous": (last.hash if last else GENESIS).hex(),
        "tips": tips,
    }
    payload = json.dumps(held, sort_keys=True, separators=(",", ":")).encode()
    head = LedgerHead(
        number=held["number"],
        at=now(),
        payload=payload,
        hash=hashlib.sha256(b"xinyu head\0" + payload).digest(),
        signature=keys.log_signer.sign(payload),
    )
    session.add(head)
    return head


def _tips(session: Session) -> dict[str, list[Any]]:
    newest = select(LedgerEntry.writer, func.max(LedgerEntry.seq).label("seq")).group_by(LedgerEntry.writer).subquery()
    rows = session.execute(
        select(LedgerEntry.writer, LedgerEntry.seq, LedgerEntry.hash).join(
            newest, (newest.c.writer == LedgerEntry.writer) & (newest.c.seq == LedgerEntry.seq)
        )
    )
    return {str(row.writer): [row.seq, row.hash.hex()] for row in rows}


def anchor(folder: Path, head: LedgerHead) -> None:
    """Append a committed head to the anchor file. Copy that file to another machine daily."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    line = json.dumps({"payload": head.payload.decode(), "signature": head.signature.hex()})
    handle = os.open(folder / ANCHORS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "a") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def anchored(folder: Path) -> list[Head]:
    """Every head in the anchor file, in order; none if the file does not exist."""
    path = folder / ANCHORS
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
        try:
            held = json.loads(line)
            found.append(read(held["payload"].encode(), bytes.fromhex(held["signature"])))
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise BadHead(f"锚定文件第 {number} 行无法读取（被改动或写到一半）") from problem
    return found


def read(payload: bytes, signature: bytes) -> Head:
    """A head from its bytes. Raises ``BadHead`` on bytes that are none."""
    try:
        held = json.loads(payload)
        tips = {int(writer): (int(seq), str(digest)) for writer, (seq, digest) in held["tips"].items()}
        return Head(int(held["number"]), tips, str(held["previous"]), payload, signature)
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise BadHead("日志头无法读取（被改动）") from problem


def is_signed(head: Head, key: Ed25519PublicKey) -> bool:
    try:
        key.verify(head.signature, head.payload)
    except InvalidSignature:
        return False
    return True
