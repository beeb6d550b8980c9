"""Proves the log, or names the first bad row.

Walks every chain in order and checks place, previous hash, hash, MAC, the
search columns and the subjects against the bytes; then every head against the
chains, and the anchor file against the heads.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import LargeBinary, cast, func, select
from sqlalchemy.orm import Session

from app.security import heads
from app.security.keyring import InstanceKeys
from app.security.ledger import FORMAT, GENESIS, hash_of, mac_of
from models.audit import LedgerEntry, LedgerHead, LedgerSubject

_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class BadRow:
    """The first thing that does not hold."""

    what: str
    writer: int | None = None
    seq: int | None = None
    at: datetime | None = None


@dataclass(slots=True)
class Proof:
    """What was checked, and the first bad row if there is one."""

    rows: int = 0
    writers: int = 0
    heads: int = 0
    anchors: int = 0
    unheaded: int = 0
    """Rows younger than the newest head: not yet protected against cutting off."""
    bad: BadRow | None = None

    @property
    def holds(self) -> bool:
        return self.bad is None


def verify(session: Session, keys: InstanceKeys, anchor_dir: Path) -> Proof:
    """Check the whole log. Reads in slices; memory does not grow with its length, save for the heads."""
    proof = Proof()
    try:
        _check(session, keys, anchor_dir, proof)
    except heads.BadHead as problem:
        proof.bad = BadRow(str(problem))
    except (ValueError, TypeError):
        proof.bad = BadRow(f"第 {proof.rows} 行之后有无法读取的值（被改动）")
    return proof


def _check(session: Session, keys: InstanceKeys, anchor_dir: Path, proof: Proof) -> None:
    found = session.execute(select(LedgerHead.payload, LedgerHead.signature).order_by(LedgerHead.number))
    stored = [heads.read(row.payload, row.signature) for row in found]
    wanted: dict[int, dict[int, str]] = {}
    for head in stored:
        for writer, (seq, digest) in head.tips.items():
            wanted.setdefault(writer, {})[seq] = digest
    _walk_chains(session, keys, proof, wanted)
    if proof.holds:
        _check_heads(session, keys, proof, stored, wanted)
    if proof.holds:
        _check_anchors(keys.log_signer.public_key(), anchor_dir, proof, stored)


def _walk_chains(session: Session, keys: InstanceKeys, proof: Proof, wanted: dict[int, dict[int, str]]) -> None:
    writers = session.scalars(select(LedgerEntry.writer).distinct().order_by(LedgerEntry.writer)).all()
    proof.writers = len(writers)
    for writer in writers:
        previous, expected = GENESIS, 1
        newest_head = max(wanted.get(writer, {0: ""}))
        for row, subjects in _rows(session, writer):
            proof.rows += 1
            proof.unheaded += row.seq > newest_head
            what = _fault(row, subjects, previous, expected, keys)
            headed = wanted.get(writer, {}).pop(row.seq, None)
            if what is None and headed is not None and headed != row.hash.hex():
                what = "与已签名的日志头不一致"
            if what is not None:
                proof.bad = BadRow(what, writer, row.seq, row.at)
                return
            previous, expected = row.hash, expected + 1


def _rows(session: Session, writer: int) -> Iterator[tuple[Any, set[str]]]:
    """Rows of one chain in order, each with its subjects. Bytes are read as bytes even if somebody made them text."""
    after = 0
    columns = select(
        *(
            cast(column, LargeBinary).label(column.name) if isinstance(column.type, LargeBinary) else column
            for column in LedgerEntry.__table__.c
        )
    )
    while True:
        rows = session.execute(
            columns.where(LedgerEntry.writer == writer, LedgerEntry.seq > after).order_by(LedgerEntry.seq).limit(_BATCH)
        ).all()
        if not rows:
            return
        named: dict[UUID, set[str]] = {}
        found = session.execute(
            select(LedgerSubject.entry_id, LedgerSubject.subject_id)
            .join(LedgerEntry, LedgerEntry.id == LedgerSubject.entry_id)
            .where(LedgerEntry.writer == writer, LedgerEntry.seq > after, LedgerEntry.seq <= rows[-1].seq)
        )
        for entry_id, subject_id in found:
            named.setdefault(entry_id, set()).add(subject_id.hex)
        for row in rows:
            yield row, named.get(row.id, set())
        after = rows[-1].seq


def _fault(row: Any, subjects: set[str], previous: bytes, expected: int, keys: InstanceKeys) -> str | None:
    if row.seq != expected:
        return f"缺少第 {expected} 行（被删除或重排）"
    if row.previous != previous:
        return "与上一行的链接断开"
    if row.hash != hash_of(row.writer, row.seq, row.previous, row.payload):
        return "内容被改动"
    if not hmac.compare_digest(row.mac, mac_of(keys.log_mac, row.hash)):
        return "校验码不符（不是本系统写入）"
    return _column_fault(row, subjects)


def _column_fault(row: Any, subjects: set[str]) -> str | None:
    held = json.loads(row.payload)
    columns = {
        "v": FORMAT,
        "id": row.id.hex,
        "at": row.at.isoformat(timespec="microseconds"),
        "actor": row.actor_id.hex if row.actor_id else None,
        "role": row.role,
        "act": row.act,
        "purpose": row.purpose,
        "outcome": row.outcome,
        "object": row.object_id.hex if row.object_id else None,
    }
    for name, value in columns.items():
        if held[name] != value:
            return f"检索列 {name} 被改动"
    return None if set(held["subjects"]) == subjects else "涉及学生的索引被改动"


def _check_heads(
    session: Session,
    keys: InstanceKeys,
    proof: Proof,
    stored: list[heads.Head],
    missing: dict[int, dict[int, str]],
) -> None:
    previous = GENESIS.hex()
    public = keys.log_signer.public_key()
    count = session.scalar(select(func.max(LedgerHead.number))) or 0
    for number, head in enumerate(stored, start=1):
        proof.heads += 1
        if head.number != number or head.previous != previous or not heads.is_signed(head, public):
            proof.bad = BadRow(f"第 {number} 个日志头缺失或被改动")
            return
        previous = hashlib.sha256(b"xinyu head\0" + head.payload).hexdigest()
    if count != len(stored):
        proof.bad = BadRow("日志头的编号不连续")
        return
    for writer, tips in sorted(missing.items()):
        if tips:
            seq = min(tips)
            proof.bad = BadRow(f"第 {seq} 行已被截断：日志头记得它，日志里没有", writer, seq)
            return


def _check_anchors(public: Ed25519PublicKey, folder: Path, proof: Proof, stored: list[heads.Head]) -> None:
    by_number = {head.number: head for head in stored}
    for head in heads.anchored(folder):
        proof.anchors += 1
        if not heads.is_signed(head, public):
            proof.bad = BadRow(f"锚定文件中第 {head.number} 个日志头的签名不符")
            return
        kept = by_number.get(head.number)
        if kept is None or kept.payload != head.payload:
            proof.bad = BadRow(f"数据库被回退到第 {head.number} 个日志头之前")
            return
