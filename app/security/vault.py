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
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.security.keyring import Keyring, derive
from models.bulk import fetch_many
from models.keys import DataKey
from models.sealed import HEADER, LEAST, KeyClass, Sealed, SealedField

SUITE = 0x01
"""AES-256-GCM, format 1. SM4 gets its own number."""
INDEX_BYTES = 16
_FEW = 1_000
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


_Held = tuple[bytes, bytes]
"""The header that names a data key in every ciphertext, and the raw key.

Raw, because a cipher object holds 2.3 kB: 100,000 of them would be most of an
import's memory, and making one when it is needed costs less than keeping it.
"""


class Vault:
    """Data keys and sealing for one piece of work."""

    def __init__(self, session: Session, keyring: Keyring | None, deployment_id: UUID) -> None:
        self._session = session
        self._keyring = keyring
        self._deployment = deployment_id.bytes
        self._newest: dict[str, dict[bytes, _Held]] = {key_class.value: {} for key_class in KeyClass}
        self._older: dict[tuple[str, bytes, bytes], bytes] = {}
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
            before, after = self._binding(owner_kind, key_class, 1, epoch)
            held, header = self._newest[key_class.value], _header(1)
            for owner in owners:
                key, nonce = os.urandom(32), os.urandom(12)
                held[owner] = (header, key)
                wrapped = nonce + wrapper.encrypt(nonce, key, before + owner + after)
                given.append(WrappedKey(owner, key_class, 1, owner_kind, epoch, wrapped))
        return given

    def fetch_keys(self, owner_kind: str, owners: Iterable[bytes], key_class: KeyClass, *, make: bool) -> None:
        """Unwrap the data keys of many owners at once; ``make`` the missing ones, when sealing."""
        held = self._newest[key_class.value]
        wanted = [owner for owner in dict.fromkeys(owners) if owner not in held]
        self._load(wanted, owner_kind, key_class)
        missing = [owner for owner in wanted if owner not in held]
        if not missing or not make:
            return
        given = self.give_keys(owner_kind, missing, key_class)
        for owner in missing:
            del held[owner]
        rows = [key._asdict() | {"owner_id": UUID(bytes=key.owner_id)} for key in given]
        insert = (postgresql if self._session.get_bind().dialect.name == "postgresql" else sqlite).insert
        self._session.execute(insert(DataKey).on_conflict_do_nothing(), rows)
        self._load(missing, owner_kind, key_class)

    def _load(self, owners: Sequence[bytes], owner_kind: str, key_class: KeyClass) -> None:
        if not owners:
            return
        query = select(DataKey.owner_id, DataKey.generation, DataKey.epoch, DataKey.wrapped)
        query = query.where(DataKey.key_class == key_class).order_by(DataKey.generation)
        if len(owners) > _FEW:
            wanted = frozenset(owners)
            rows = [row for row in fetch_many(self._session, query) if row[0] in wanted]
        else:
            rows = fetch_many(self._session, query.where(DataKey.owner_id.in_([UUID(bytes=owner) for owner in owners])))
        self._unwrap(owner_kind, key_class, rows)

    def _unwrap(self, owner_kind: str, key_class: KeyClass, rows: Iterable[tuple[Any, ...]]) -> None:
        """Take stored data keys (owner, generation, epoch, wrapped) into memory, oldest generation first."""
        held, epochs = self._newest[key_class.value], self.keyring.epochs
        kinds: dict[tuple[int, int], tuple[AESGCM, bytes, bytes, bytes]] = {}
        try:
            for owner, generation, epoch, wrapped in rows:
                kind = kinds.get((generation, epoch))
                if kind is None:
                    binding = self._binding(owner_kind, key_class, generation, epoch)
                    kind = kinds[generation, epoch] = (epochs[epoch], *binding, _header(generation))
                wrapper, before, after, header = kind
                key = wrapper.decrypt(wrapped[:12], wrapped[12:], before + owner + after)
                if owner in held:
                    older_header, older = held[owner]
                    self._older[key_class.value, owner, older_header] = older
                held[owner] = (header, key)
        except (KeyError, InvalidTag) as problem:
            raise Unreadable("data key") from problem

    def _binding(self, kind: str, key_class: KeyClass, generation: int, epoch: int) -> tuple[bytes, bytes]:
        """What a wrapped key is bound to, before and after its owner."""
        before = b"|".join((b"data key/1", self._deployment, kind.encode(), key_class.encode(), b""))
        return before, b"|%d|%d" % (generation, epoch)

    def opens(self, row: DataKey) -> bool:
        """Whether a stored data key unwraps: the test of a restored installation."""
        try:
            self._unwrap(row.owner_kind, row.key_class, [(row.owner_id.bytes, row.generation, row.epoch, row.wrapped)])
        except Unreadable:
            return False
        return True

    def _key_of(self, field: SealedField, owner: bytes, *, make: bool) -> _Held:
        held = self._newest[field.key_class.value].get(owner)
        if held is None:
            self.fetch_keys(field.owner_kind, [owner], field.key_class, make=make)
            held = self._newest[field.key_class.value].get(owner)
        if held is None:
            raise Unreadable(field.group)
        return held

    # --- values ---------------------------------------------------------------

    def seal(self, field: SealedField, owner_id: UUID, row_id: UUID, plain: bytes) -> Sealed:
        [sealed] = self.seal_many(field, [owner_id.bytes], [row_id.bytes], [plain])
        return sealed

    def seal_many(
        self, field: SealedField, owners: Sequence[bytes], rows: Sequence[bytes], plains: Sequence[bytes]
    ) -> list[Sealed]:
        """Seal one value per row. Fetch the owners' keys first when there are many; keep one owner's rows together."""
        prefix, held = self._prefix(field), self._newest[field.key_class.value]
        randomness = os.urandom(12 * len(plains))
        sealed, at, last = [], 0, b""
        for owner, row, plain in zip(owners, rows, plains, strict=True):
            if owner != last:
                header, key = held.get(owner) or self._key_of(field, owner, make=True)
                cipher, last = AESGCM(key), owner
            nonce = randomness[at : at + 12]
            at += 12
            sealed.append(Sealed(header + nonce + cipher.encrypt(nonce, plain, prefix + owner + row + header)))
        return sealed

    def open(self, field: SealedField, owner_id: UUID, row_id: UUID, sealed: Sealed) -> bytes:
        """The plain bytes, or ``Unreadable``. The key is found by the number in the header, never by trying."""
        raw, owner = sealed.ciphertext, owner_id.bytes
        header = raw[:HEADER]
        if len(raw) < LEAST or header[0] != SUITE:
            raise Unreadable(field.group)
        newest, key = self._key_of(field, owner, make=False)
        if newest != header:
            older = self._older.get((field.key_class.value, owner, header))
            if older is None:
                raise Unreadable(field.group)
            key = older
        try:
            bound = self._prefix(field) + owner + row_id.bytes + header
            return AESGCM(key).decrypt(raw[HEADER : HEADER + 12], raw[HEADER + 12 :], bound)
        except InvalidTag as problem:
            raise Unreadable(field.group) from problem

    def open_many(
        self, field: SealedField, owners: Sequence[bytes], rows: Sequence[bytes], sealed: Sequence[Sealed | None]
    ) -> list[bytes | None]:
        """Open one value per row; ids are raw. Fetch the keys first; keep one owner's rows together."""
        prefix, held = self._prefix(field), self._newest[field.key_class.value]
        found: list[bytes | None] = []
        last, header, cipher = b"", b"", AESGCM(bytes(32))
        for owner, row, value in zip(owners, rows, sealed, strict=True):
            if value is None:
                found.append(None)
                continue
            raw = value.ciphertext
            if owner != last:
                header, key = held.get(owner) or self._key_of(field, owner, make=False)
                cipher, last = AESGCM(key), owner
            if raw[:HEADER] != header:
                found.append(self.open(field, UUID(bytes=owner), UUID(bytes=row), value))
                continue
            try:
                bound = prefix + owner + row + header
                found.append(cipher.decrypt(raw[HEADER : HEADER + 12], raw[HEADER + 12 :], bound))
            except InvalidTag as problem:
                raise Unreadable(field.group) from problem
        return found

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


def _header(generation: int) -> bytes:
    return b"%c%c%c" % (SUITE, generation >> 8, generation & 0xFF)


def normal(text: str) -> str:
    """One form per word: NFKC, no blanks, no invisible signs, lower case."""
    if text.isalnum() and unicodedata.is_normalized("NFKC", text):
        return text.lower()
    folded = unicodedata.normalize("NFKC", text)
    return "".join(sign for sign in folded if not sign.isspace() and unicodedata.category(sign) != "Cf").lower()
