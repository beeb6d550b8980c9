"""Seals and opens. Knows keys and bytes, not rules: only ``Access`` may hold one.

Ciphertext: suite (1 byte) · generation of the data key (2) · nonce (12) · AES-256-GCM.
Bound data: deployment · frozen field tag · owner · row · header. A value that
is moved to another row, column, student or installation does not open.
Data keys are wrapped by the current epoch key; a key is found by its number,
never by trying.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.security.keyring import Keyring, derive
from models.base import raw
from models.keys import DataKey
from models.sealed import HEADER, LEAST, KeyClass, Sealed, SealedField

SUITE = 0x01
"""AES-256-GCM, format 1. SM4 gets its own number."""
INDEX_BYTES = 16
_CHUNK = 1_000
"""Up to so many owners are asked for by name; for more, the whole class is read once."""


class Unreadable(Exception):
    """A ciphertext does not open: damaged, moved, or of another installation."""


class SealedMode(Exception):
    """The content keys are not at hand. Clocks go on, nothing opens."""


class WrappedKey(NamedTuple):
    """A row of ``data_key``, with the owner as raw bytes for bulk inserts."""

    owner_id: bytes
    key_class: KeyClass
    generation: int
    owner_kind: str
    epoch: int
    wrapped: bytes


class Vault:
    """Data keys and sealing for one piece of work."""

    def __init__(self, session: Session, keyring: Keyring | None, deployment_id: UUID) -> None:
        self._session = session
        self._keyring = keyring
        self._deployment = deployment_id.bytes
        self._keys: dict[tuple[bytes, KeyClass, int], AESGCM] = {}
        self._newest: dict[tuple[bytes, KeyClass], int] = {}
        self._index_keys: dict[str, bytes] = {}

    @property
    def keyring(self) -> Keyring:
        if self._keyring is None:
            raise SealedMode
        return self._keyring

    # --- keys -----------------------------------------------------------------

    def give_keys(self, owner_kind: str, owners: Sequence[bytes], *classes: KeyClass) -> list[WrappedKey]:
        """Make data keys for new owners; the caller inserts them together with the owners."""
        ring = self.keyring
        wrapper, epoch = ring.epochs[ring.current_epoch], ring.current_epoch
        given = []
        for key_class in classes:
            for owner in owners:
                key, nonce = os.urandom(32), os.urandom(12)
                bound = self._bind_key(owner_kind, owner, key_class, 1, epoch)
                self._hold(owner, key_class, 1, key)
                wrapped = nonce + wrapper.encrypt(nonce, key, bound)
                given.append(WrappedKey(owner, key_class, 1, owner_kind, epoch, wrapped))
        return given

    def fetch_keys(self, owner_kind: str, owners: Iterable[bytes], key_class: KeyClass, *, make: bool) -> None:
        """Unwrap the data keys of many owners at once; ``make`` the missing ones, when sealing."""
        wanted = [owner for owner in dict.fromkeys(owners) if (owner, key_class) not in self._newest]
        self._load(wanted, owner_kind, key_class)
        missing = [owner for owner in wanted if (owner, key_class) not in self._newest]
        if not missing or not make:
            return
        given = self.give_keys(owner_kind, missing, key_class)
        for key in given:
            del self._newest[key.owner_id, key_class]
        rows = [key._asdict() | {"owner_id": UUID(bytes=key.owner_id)} for key in given]
        insert = (postgresql if self._session.get_bind().dialect.name == "postgresql" else sqlite).insert
        self._session.execute(insert(DataKey).on_conflict_do_nothing(), rows)
        self._load(missing, owner_kind, key_class)

    def _load(self, owners: Sequence[bytes], owner_kind: str, key_class: KeyClass) -> None:
        columns = select(raw(DataKey.owner_id), DataKey.generation, DataKey.epoch, DataKey.wrapped)
        columns = columns.where(DataKey.key_class == key_class).order_by(DataKey.generation)
        if len(owners) > _CHUNK:
            wanted = frozenset(owners)
            for owner, generation, epoch, wrapped in self._session.execute(columns):
                if owner in wanted:
                    self.unwrap(owner_kind, owner, key_class, generation, epoch, wrapped)
        elif owners:
            ids = [UUID(bytes=owner) for owner in owners]
            for owner, generation, epoch, wrapped in self._session.execute(columns.where(DataKey.owner_id.in_(ids))):
                self.unwrap(owner_kind, owner, key_class, generation, epoch, wrapped)

    def unwrap(
        self, owner_kind: str, owner: bytes, key_class: KeyClass, generation: int, epoch: int, wrapped: bytes
    ) -> None:
        """Take one stored data key into memory."""
        bound = self._bind_key(owner_kind, owner, key_class, generation, epoch)
        try:
            key = self.keyring.epochs[epoch].decrypt(wrapped[:12], wrapped[12:], bound)
        except (KeyError, InvalidTag) as problem:
            raise Unreadable("data key") from problem
        self._hold(owner, key_class, generation, key)

    def opens(self, row: DataKey) -> bool:
        """Whether a stored data key unwraps: the test of a restored installation."""
        try:
            self.unwrap(row.owner_kind, row.owner_id.bytes, row.key_class, row.generation, row.epoch, row.wrapped)
        except Unreadable:
            return False
        return True

    def _hold(self, owner: bytes, key_class: KeyClass, generation: int, key: bytes) -> None:
        self._keys[owner, key_class, generation] = AESGCM(key)
        self._newest[owner, key_class] = max(generation, self._newest.get((owner, key_class), 0))

    def _bind_key(self, kind: str, owner: bytes, key_class: KeyClass, generation: int, epoch: int) -> bytes:
        return b"|".join(
            (b"data key/1", self._deployment, kind.encode(), owner, key_class.encode(), b"%d|%d" % (generation, epoch))
        )

    def _newest_key(self, field: SealedField, owner: bytes, *, make: bool) -> tuple[int, AESGCM]:
        if (owner, field.key_class) not in self._newest:
            self.fetch_keys(field.owner_kind, [owner], field.key_class, make=make)
        generation = self._newest.get((owner, field.key_class))
        if generation is None:
            raise Unreadable(field.group)
        return generation, self._keys[owner, field.key_class, generation]

    # --- values ---------------------------------------------------------------

    def seal(self, field: SealedField, owner_id: UUID, row_id: UUID, plain: bytes) -> Sealed:
        [sealed] = self.seal_many(field, [owner_id.bytes], [row_id.bytes], [plain])
        return sealed

    def seal_many(
        self, field: SealedField, owners: Sequence[bytes], rows: Sequence[bytes], plains: Sequence[bytes]
    ) -> list[Sealed]:
        """Seal one value per row. Fetch the owners' keys first when there are many."""
        prefix = self._prefix(field)
        randomness = os.urandom(12 * len(plains))
        sealed = []
        for place, (owner, row, plain) in enumerate(zip(owners, rows, plains, strict=True)):
            generation, key = self._newest_key(field, owner, make=True)
            header = b"%c%c%c" % (SUITE, generation >> 8, generation & 0xFF)
            nonce = randomness[12 * place : 12 * place + 12]
            sealed.append(Sealed(header + nonce + key.encrypt(nonce, plain, prefix + owner + row + header)))
        return sealed

    def open(self, field: SealedField, owner_id: UUID, row_id: UUID, sealed: Sealed) -> bytes:
        """The plain bytes, or ``Unreadable``."""
        raw = sealed.ciphertext
        if len(raw) < LEAST or raw[0] != SUITE:
            raise Unreadable(field.group)
        owner, header = owner_id.bytes, raw[:HEADER]
        self._newest_key(field, owner, make=False)
        key = self._keys.get((owner, field.key_class, int.from_bytes(header[1:], "big")))
        if key is None:
            raise Unreadable(field.group)
        bound = self._prefix(field) + owner + row_id.bytes + header
        try:
            return key.decrypt(raw[HEADER : HEADER + 12], raw[HEADER + 12 :], bound)
        except InvalidTag as problem:
            raise Unreadable(field.group) from problem

    def _prefix(self, field: SealedField) -> bytes:
        return self._deployment + field.tag.encode() + b"\0"

    # --- keyed hashes ---------------------------------------------------------

    def index(self, field: str, text: str) -> bytes:
        """The keyed hash under which ``text`` is found again: exact match after normalising."""
        return hmac.digest(self.index_key(field), normal(text).encode(), hashlib.sha256)[:INDEX_BYTES]

    def index_many(self, field: str, texts: Iterable[str]) -> Iterator[bytes]:
        """Keyed hashes of texts that are already normal; equal texts are hashed once."""
        key = self.index_key(field)
        known: dict[str, bytes] = {}
        for text in texts:
            found = known.get(text)
            if found is None:
                found = known[text] = hmac.digest(key, text.encode(), "sha256")[:INDEX_BYTES]
            yield found

    def digest(self, purpose: str, raw: bytes) -> bytes:
        """A keyed digest: equal content is recognised, content is not guessed from it."""
        return hmac.digest(self.index_key(f"digest {purpose}"), raw, "sha256")

    def index_key(self, field: str) -> bytes:
        if field not in self._index_keys:
            info = f"xinyu index/1 {self._deployment.hex()} {field}"
            self._index_keys[field] = derive(self.keyring.index_root, info)
        return self._index_keys[field]


def normal(text: str) -> str:
    """One form per word: NFKC, no blanks, no invisible signs, lower case."""
    if text.isascii():
        return "".join(text.split()).lower()
    folded = unicodedata.normalize("NFKC", text)
    return "".join(sign for sign in folded if not sign.isspace() and unicodedata.category(sign) != "Cf").lower()
