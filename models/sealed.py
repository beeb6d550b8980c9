"""Columns that hold ciphertext, and the value they yield.

A sealed column never yields text. It yields ``Sealed``, which prints as
``<sealed>``, cannot be pickled, and is opened only by the vault on behalf of
a decided ``Access``. Binding plain text raises before it reaches a statement.

Each column carries a *frozen tag* (``case_note.body/1``) that is bound into
the ciphertext. Tables and columns may be renamed, tags never (decisions 6).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn

from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.orm import InstrumentedAttribute, mapped_column
from sqlalchemy.types import TypeDecorator

HEADER = 3
"""Bytes before the nonce: suite and format (1), generation of the data key (2)."""
LEAST = HEADER + 12 + 16
"""The shortest thing that can be a ciphertext: header, nonce, tag."""


class KeyClass(StrEnum):
    """One data key per owner and class, so that aid and care never share a key (decisions 5)."""

    IDENTITY = "identity"
    ANSWERS = "answers"
    CARE = "care"
    AID = "aid"


class Sealed:
    """Ciphertext that nobody has opened."""

    __slots__ = ("ciphertext",)

    def __init__(self, ciphertext: bytes) -> None:
        self.ciphertext = ciphertext

    def __repr__(self) -> str:
        return "<sealed>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "<sealed>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a sealed value does not travel")


class SealedType(TypeDecorator[Sealed]):
    """Accepts and yields ``Sealed`` and nothing else."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, key_class: KeyClass, tag: str) -> None:
        super().__init__()
        self.key_class = key_class
        self.tag = tag

    def process_bind_param(self, value: Sealed | None, dialect: Dialect) -> bytes | None:
        if value is None:
            return None
        if type(value) is not Sealed or len(value.ciphertext) < LEAST:
            raise TypeError(f"{self.tag} takes a sealed value")
        return value.ciphertext

    def process_literal_param(self, value: Any, dialect: Dialect) -> NoReturn:
        raise TypeError(f"{self.tag} is never written into a statement")

    def process_result_value(self, value: Any, dialect: Dialect) -> Sealed | None:
        if isinstance(value, str):  # SQLite keeps what a shell wrote, as it wrote it: it is refused where it is opened
            value = value.encode("utf-8", "surrogateescape")
        return None if value is None else Sealed(bytes(value))


def personal(tag: str, *, nullable: bool = False) -> Any:
    """Who somebody is: name, number, phone, address."""
    return _sealed(KeyClass.IDENTITY, tag, nullable=nullable)


def answered(tag: str, *, nullable: bool = False) -> Any:
    """What somebody answered, and what was scored from it."""
    return _sealed(KeyClass.ANSWERS, tag, nullable=nullable)


def clinical(tag: str, *, nullable: bool = False) -> Any:
    """What the people who care wrote."""
    return _sealed(KeyClass.CARE, tag, nullable=nullable)


def _sealed(key_class: KeyClass, tag: str, *, nullable: bool) -> Any:
    return mapped_column(SealedType(key_class, tag), nullable=nullable, deferred=True, deferred_raiseload=True)


class OfStudent:
    """A row sealed under its student's keys: it carries ``student_id``."""

    __owner__ = ("student", "student_id")


class OfSelf:
    """A row sealed under its own keys, for things without a student."""

    __owner__ = ("", "id")


@dataclass(frozen=True, slots=True)
class SealedField:
    """One sealed column, as the vault needs to know it."""

    model: type
    name: str
    tag: str
    key_class: KeyClass
    owner_kind: str
    owner_column: str

    @property
    def group(self) -> str:
        """The frozen tag without its format version: how policy and log name the field."""
        return self.tag.rsplit("/", 1)[0]


def field_of(attribute: InstrumentedAttribute[Any]) -> SealedField:
    """The sealed field behind a mapped attribute, for example ``CaseNote.body``."""
    column = attribute.property.columns[0]
    model: Any = attribute.class_
    kind: str
    kind, owner_column = model.__owner__
    return SealedField(
        model=model,
        name=attribute.key,
        tag=column.type.tag,
        key_class=column.type.key_class,
        owner_kind=kind or model.__tablename__,
        owner_column=owner_column,
    )


def sealed_fields(base: Any) -> Iterator[SealedField]:
    """Every sealed field of the house, in table order."""
    for mapper in sorted(base.registry.mappers, key=lambda item: item.local_table.name):
        for attribute in mapper.column_attrs:
            if isinstance(attribute.columns[0].type, SealedType):
                yield field_of(getattr(mapper.class_, attribute.key))
