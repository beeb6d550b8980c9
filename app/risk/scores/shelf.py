"""Taking a model off the shelf, safely: sealed, hashed, read by an allow-list, and never an exception.

The rules do not need the model (law 2), so whatever is wrong with its file is
a sentence on a page and nothing else. A file counts only if its seal opens,
if its hash is the one in its row *and* the one the log remembers from the day
it was trained, and if it can be read by the libraries that stand here now.

What was read once is kept in this process under the hash of the ciphertext:
an exchanged file is another ciphertext, so the memory cannot hide it.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, cast, select, type_coerce

from app.security.access import Access
from app.security.vault import SealedMode, Unreadable
from ml import store
from ml.model import Model
from models.audit import LedgerEntry
from models.risk_model import ModelStage, RiskModel

INTERVIEW = "interview"
"""The purpose of the model that orders interview lists."""
WATCHED = (ModelStage.SHADOW, ModelStage.APPROVED)
"""Stages in which an edition scores and nothing follows from it."""
NONE, MISSING, TAMPERED, UNREADABLE, OTHER = "none", "missing", "tampered", "unreadable", "other_versions"
_KEPT = 4
_ANY_FORMAT = store.MAGIC.rsplit(b"-", 1)[0]
"""How a model file of any version of this software begins."""
_HASH = re.compile(rb"\b[0-9a-f]{64}\b")
_read: OrderedDict[tuple[bytes, bytes], Model] = OrderedDict()
"""Models of this process by the hashes of ciphertext and file, the last used at the end."""


@dataclass(frozen=True, slots=True)
class Shelved:
    """One edition, ready to score."""

    id: UUID
    edition: int
    stage: ModelStage
    rules_version: str
    sha256: bytes
    model: Model


@dataclass(frozen=True, slots=True)
class Shelf:
    """A model, or in a word of ``[model_trouble]`` why there is none."""

    shelved: Shelved | None = None
    trouble: str = ""


_FILE = type_coerce(cast(RiskModel.file, LargeBinary), RiskModel.file.type).label("file")
"""As bytes, whatever somebody made of the column with a shell: SQLite keeps the type that was written."""
_COLUMNS = (
    RiskModel.id.label("risk_model_id"),
    RiskModel.edition,
    RiskModel.stage,
    RiskModel.rules_version,
    RiskModel.sha256,
    _FILE,
)


def active(access: Access) -> Shelf:
    """The model that is used now, or why the rules go on alone."""
    row = access.session.execute(
        select(*_COLUMNS).where(RiskModel.purpose == INTERVIEW, RiskModel.stage == ModelStage.ACTIVE)
    ).first()
    return _take(access, row) if row is not None else Shelf(trouble=NONE)


def one(access: Access, model_id: UUID) -> Shelf:
    """Any edition: for a page about it, or to replay what it once said."""
    row = access.session.execute(select(*_COLUMNS).where(RiskModel.id == model_id)).first()
    return _take(access, row) if row is not None else Shelf(trouble=MISSING)


def shadows(access: Access) -> list[Shelf]:
    """The editions that are only being watched, oldest first."""
    rows = access.session.execute(
        select(*_COLUMNS)
        .where(RiskModel.purpose == INTERVIEW, RiskModel.stage.in_(WATCHED))
        .order_by(RiskModel.edition)
    )
    return [_take(access, row) for row in rows.all()]


def _take(access: Access, row: Any) -> Shelf:
    if not row.file.ciphertext:
        return Shelf(trouble=MISSING)
    if not _as_logged(access, row):
        return Shelf(trouble=TAMPERED)
    place = (hashlib.sha256(row.file.ciphertext).digest(), row.sha256)
    model = _read.get(place)
    if model is None:
        found = _opened(access, row)
        if isinstance(found, str):
            return Shelf(trouble=found)
        model = found
    _keep(place, model)
    return Shelf(Shelved(row.risk_model_id, row.edition, row.stage, row.rules_version, row.sha256, model))


def _as_logged(access: Access, row: Any) -> bool:
    """Whether the log, where it holds a hash of this model, holds this one: an exchanged row is not believed either."""
    entries = access.session.scalars(
        select(LedgerEntry.payload).where(
            LedgerEntry.object_id == row.risk_model_id, LedgerEntry.act == "risk_model_trained"
        )
    )
    said = {digest for payload in entries for digest in _HASH.findall(payload)}
    return not said or row.sha256.hex().encode() in said


def _opened(access: Access, row: Any) -> Model | str:
    try:
        [raw] = access.open_bytes([row], RiskModel.file)
    except Unreadable:
        return TAMPERED
    except SealedMode:
        return UNREADABLE
    if raw is None or hashlib.sha256(raw).digest() != row.sha256:
        return TAMPERED
    if raw.startswith(_ANY_FORMAT) and not raw.startswith(store.MAGIC):
        return OTHER
    try:
        return store.load(raw)
    except store.BadModel:
        return UNREADABLE


def _keep(place: tuple[bytes, bytes], model: Model) -> None:
    _read[place] = model
    _read.move_to_end(place)
    while len(_read) > _KEPT:
        _read.popitem(last=False)
