"""Signed pushes: a platform, or a school's own script, sends results over HTTP.

Two ways of proving oneself with the push key of the source:

* *Ours*, for files and for JSON: ``X-Xinyu-Time`` holds the seconds since 1970
  (UTC), ``X-Xinyu-Signature`` the hex HMAC-SHA256 of ``<time>.<body>`` under
  the key. The time may be five minutes off; the same signature is taken once.
* *问卷星*, whose pushes carry ``sign = sha1(activity + index + key)`` inside
  their JSON (open documentation, 答卷api推送). That signature does not cover
  the answers: the pair of activity and index is taken once, the first counts.

JSON brings answer sheets, one object each; what comes within some minutes is
put together into one delivery. The answer says accepted, repeated or refused
and nothing else: an unknown source, a wrong key and a broken body look alike.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select

from app.events import Event
from app.screening.sources import answer_sheets, arrival
from app.security import sign_in
from app.security.access import Access
from app.security.actor import WORKER
from app.security.door import Door
from app.security.policy import Permission, Purpose
from config import catalogue
from models.base import new_id
from models.moment import now
from models.source import ArrivalState, Push, ScreeningSource, SourceKind

TIME, SIGNATURE = "X-Xinyu-Time", "X-Xinyu-Signature"
JSON = "application/json"
FILES: Mapping[str, str] = {
    "text/csv": "csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.ms-excel": "xls",
    "application/zip": "zip",
}
RIGHTS = (Permission.SOURCE_RECEIVE, Purpose.CARE)


class PushAnswer(StrEnum):
    """All that a push is told."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    REFUSED = "refused"


class SheetsPushed(Event):
    """Answer sheets were pushed, to be put together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What came over HTTP, read without trust."""

    body: bytes
    kind: str
    """Content type, without parameters."""
    time: str
    signature: str
    address: str


@dataclass(frozen=True, slots=True)
class _Proof:
    """What makes a push this one and no other, once it has proved itself."""

    mark: bytes
    sheets: list[dict[str, str]] | None
    """None for a file."""


def take(door: Door, source_id: UUID | None, posted: Posted) -> PushAnswer:
    """Check a push and let it arrive. Failures are counted like those of signing in."""
    account = f"push {source_id}"
    if sign_in.is_throttled(door, account, posted.address):
        return PushAnswer.REFUSED
    proof = _proof(posted, _key_of(door, source_id))
    if proof is None or source_id is None:
        sign_in.count_failure(door, account, posted.address)
        return PushAnswer.REFUSED
    with door.enter(WORKER, *RIGHTS) as access:
        return _arrive(access, access.find(ScreeningSource, source_id), posted, proof)


def _key_of(door: Door, source_id: UUID | None) -> bytes:
    """The key of a source; for one there is not, a key that nobody has."""
    with door.enter(WORKER, *RIGHTS, writing=False) as access:
        row = access.session.execute(
            select(ScreeningSource.id.label("screening_source_id"), ScreeningSource.push_key).where(
                ScreeningSource.id == source_id,
                ScreeningSource.kind == SourceKind.PUSH,
                ScreeningSource.retired_at.is_(None),
            )
        ).one_or_none()
        key = access.open(row, ScreeningSource.push_key) if row is not None else ""
    return (key or secrets.token_urlsafe(32)).encode()


def _proof(posted: Posted, key: bytes) -> _Proof | None:
    if posted.kind != JSON and posted.kind not in FILES:
        return None
    if posted.signature:
        if not _is_signed(posted, key):
            return None
        sheets = answer_sheets.read(posted.body) if posted.kind == JSON else None
        return None if posted.kind == JSON and not sheets else _Proof(posted.signature.lower().encode(), sheets)
    sheets = answer_sheets.read(posted.body) if posted.kind == JSON else None
    if not sheets or len(sheets) != 1:
        return None
    return _as_survey(sheets[0], key)


def _is_signed(posted: Posted, key: bytes) -> bool:
    """Our own signature, and in time. Both are looked at, whatever the first one says."""
    made = hmac.new(key, posted.time.encode() + b"." + posted.body, hashlib.sha256).hexdigest()
    fits = hmac.compare_digest(made.encode(), posted.signature.lower().encode())
    seconds = int(posted.time) if posted.time.isascii() and posted.time.isdecimal() and len(posted.time) < 12 else 0
    window = catalogue.table("sources")["push"]["window_seconds"]
    return fits and abs(now().timestamp() - seconds) <= window


def _as_survey(sheet: dict[str, str], key: bytes) -> _Proof | None:
    """问卷星: the signature is inside, and goes out of the sheet."""
    sign, activity, index = (sheet.get(name, "") for name in ("sign", "activity", "index"))
    made = hashlib.sha1((activity + index).encode() + key, usedforsecurity=False).hexdigest()
    if not hmac.compare_digest(made.encode(), sign.lower().encode()) or not activity or not index:
        return None
    kept = {name: value for name, value in sheet.items() if name != "sign"}
    return _Proof(f"survey {activity} {index}".encode(), [kept])


def _arrive(access: Access, source: ScreeningSource, posted: Posted, proof: _Proof) -> PushAnswer:
    """Once per signature, and for a file once per content."""
    digest = access.digest("push", proof.mark)
    if source.retired_at is not None:
        return PushAnswer.REFUSED
    if access.session.scalar(select(Push.id).where(Push.source_id == source.id, Push.digest == digest)) is not None:
        return PushAnswer.REPEATED
    row = Push(id=new_id(), source_id=source.id, digest=digest, arrived_at=now())
    access.session.add(row)
    if proof.sheets is not None:
        access.seal_json(row, Push.body, proof.sheets)
        access.record(SheetsPushed(object_id=source.id, count=len(proof.sheets)))
        return PushAnswer.ACCEPTED
    arrived = arrival.receive(access, source, posted.body, f"推送.{FILES[posted.kind]}")
    return PushAnswer.REPEATED if arrived.state is ArrivalState.REPEATED else PushAnswer.ACCEPTED
