"""Lock 4, the drawer: sealed fields open and close only here, within reach, and only those the policy lists."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import inspect, select
from sqlalchemy.orm import InstrumentedAttribute

from app.security.decision import Decision, Undecided
from app.security.policy import OPENS
from app.security.vault import Vault
from models.base import Base
from models.bulk import Same, insert_many
from models.sealed import Sealed, SealedField, field_of


class Opening(Decision):
    """A decision that can open and seal."""

    # --- opening ------------------------------------------------------------------------

    def open(self, row: Any, attribute: InstrumentedAttribute[Any], *, label: str | None = None) -> str:
        """The text of one sealed field; empty when the field is. Recorded."""
        [text] = self.open_each([row], attribute, label=label)
        return text

    def open_each(
        self, rows: Sequence[Any], attribute: InstrumentedAttribute[Any], *, label: str | None = None
    ) -> list[str]:
        """One sealed field of many rows, in their order: one decision, one entry in the log."""
        return [raw.decode() if raw else "" for raw in self.open_bytes(rows, attribute, label=label)]

    def open_json(self, row: Any, attribute: InstrumentedAttribute[Any], *, label: str | None = None) -> Any:
        text = self.open(row, attribute, label=label)
        return json.loads(text) if text else None

    def open_bytes(
        self, rows: Sequence[Any], attribute: InstrumentedAttribute[Any], *, label: str | None = None
    ) -> list[bytes | None]:
        field = field_of(attribute)
        self._refuse_unlisted(field)
        places = [self._place(row, field) for row in rows]
        values = [self._value(row, attribute, label) for row in rows]
        held = [owner.bytes for (owner, _), value in zip(places, values, strict=True) if value is not None]
        if len(held) > 1:
            self._vault.fetch_keys(field.owner_kind, held, field.key_class, make=False)
        if held:
            self._fields[field.group] = None
        return [
            None if value is None else self._vault.open(field, owner, row_id, value)
            for (owner, row_id), value in zip(places, values, strict=True)
        ]

    def open_to_count(self, rows: Sequence[Any], attribute: InstrumentedAttribute[Any]) -> list[str]:
        """One sealed field of very many rows, only to add them up: the log says which field and how many, not whom.

        For sums over a whole round, where naming every student in the log would bury what matters there.
        """
        self._refuse_sums_of_some()
        before = dict(self._subjects)
        texts = self.open_each(rows, attribute)
        self._subjects = before
        self._counted += len(texts)
        return texts

    def open_many_to_count(
        self,
        attribute: InstrumentedAttribute[Any],
        owners: Sequence[bytes],
        rows: Sequence[bytes],
        sealed: Sequence[Sealed | None],
    ) -> list[bytes | None]:
        """The same column by column, ids raw, one owner's rows together: where a row object each would cost more."""
        self._refuse_sums_of_some()
        field = field_of(attribute)
        self._refuse_unlisted(field)
        self._vault.fetch_keys(field.owner_kind, owners, field.key_class, make=False)
        if owners:
            self._fields[field.group] = None
        self._counted += len(owners)
        return self._vault.open_many(field, owners, rows, sealed)

    def _refuse_sums_of_some(self) -> None:
        if not self._everybody:
            raise Undecided("sums need a rule over everything")

    def _refuse_unlisted(self, field: SealedField) -> None:
        if field.group not in OPENS.get(self.permission, frozenset()):
            raise Undecided(f"{self.permission} does not open {field.group}")

    def _place(self, row: Any, field: SealedField) -> tuple[UUID, UUID]:
        """Owner and row of a sealed value, from an entity or from a list row labelled ``<table>_id``."""
        table = field.model.__tablename__  # type: ignore[attr-defined]
        if isinstance(row, field.model):
            owner, row_id = getattr(row, field.owner_column), row.id  # type: ignore[attr-defined]
        else:
            owner = getattr(row, f"{field.owner_kind}_id")
            row_id = owner if field.owner_column == "id" else getattr(row, f"{table}_id")
        if field.owner_kind == "student":
            self._refuse_unreached(owner, field.group)
            self._subjects[owner] = None
        return owner, row_id

    def _value(self, row: Any, attribute: InstrumentedAttribute[Any], label: str | None) -> Sealed | None:
        if not isinstance(row, Base):
            held: Sealed | None = getattr(row, label or attribute.key)
        elif attribute.key in inspect(row).unloaded:
            model: Any = type(row)
            held = self.session.scalar(select(attribute).where(model.id == row.id))  # type: ignore[attr-defined]
        else:
            held = getattr(row, attribute.key)
        return held

    # --- sealing ------------------------------------------------------------------------

    def seal(self, row: Any, attribute: InstrumentedAttribute[Any], text: str | None) -> None:
        """Put text into a sealed field of a row that knows its student and its id."""
        setattr(row, attribute.key, None if text is None else self.sealed(row, attribute, text.encode()))

    def seal_json(self, row: Any, attribute: InstrumentedAttribute[Any], held: Any) -> None:
        self.seal(row, attribute, json.dumps(held, ensure_ascii=False, separators=(",", ":")))

    def sealed(self, row: Any, attribute: InstrumentedAttribute[Any], raw: bytes) -> Sealed:
        field = field_of(attribute)
        owner = getattr(row, field.owner_column)
        if field.owner_kind == "student":
            self._refuse_unreached(owner, field.group)
        with self.session.no_autoflush:
            return self._vault.seal(field, owner, row.id, raw)

    # --- many rows ------------------------------------------------------------------------

    @property
    def vault(self) -> Vault:
        """The vault itself, for imports that match and seal whole files."""
        if not self._everybody:
            raise Undecided("bulk work needs a rule over everything")
        return self._vault

    def seal_many(
        self,
        attribute: InstrumentedAttribute[Any],
        students: Sequence[bytes],
        rows: Sequence[bytes],
        plains: Sequence[bytes],
    ) -> list[Sealed]:
        """Seal one value per row, within reach; ids are raw."""
        self._refuse_any_unreached(students, attribute.key)
        field = field_of(attribute)
        self._vault.fetch_keys("student", students, field.key_class, make=True)
        return self._vault.seal_many(field, students, rows, plains)

    def insert_many(self, model: type[Base], columns: Mapping[str, Sequence[Any] | Same]) -> int:
        """Bulk insert, within reach and past the ORM but not past the seals."""
        owners = columns.get("student_id")
        self._refuse_any_unreached([owners.value] if isinstance(owners, Same) else owners or [], model.__name__)
        return insert_many(self.session, model.__table__, columns)  # type: ignore[arg-type]

    def _refuse_any_unreached(self, students: Sequence[Any], what: str) -> None:
        if not self._everybody:
            for student in students:
                self._refuse_unreached(UUID(bytes=student) if isinstance(student, bytes) else student, what)

    def index(self, name: str, text: str) -> bytes:
        """The keyed hash under which a number, name or phone is found."""
        return self._vault.index(name, text)

    def digest(self, purpose: str, raw: bytes) -> bytes:
        """A keyed digest: equal content is recognised, content is not guessed from it."""
        return self._vault.digest(purpose, raw)
