"""What every table shares: ids from birth, names of constraints, versions on roots."""

from __future__ import annotations

import os
import time
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import BLOB, Dialect, Enum, ForeignKey, MetaData, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine

_COUNTER_BITS = 26


class Id(TypeDecorator[UUID]):
    """An opaque id: ``uuid`` on PostgreSQL, 16 bytes on SQLite (half the size of the text form)."""

    impl = Uuid
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(BLOB(16) if dialect.name == "sqlite" else Uuid())

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return value.bytes

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:
        return UUID(bytes=value) if isinstance(value, bytes) else value


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): grows with time, so that rows written together lie together."""
    return UUID(bytes=new_ids(1)[0])


def new_ids(count: int) -> list[bytes]:
    """``count`` UUIDv7 as raw bytes in ascending order, for bulk inserts.

    48 bits of milliseconds, 26 bits counting up from a random start within
    this batch, 48 random bits.
    """
    stamp = time.time_ns() // 1_000_000
    first = int.from_bytes(os.urandom(3), "big")
    randomness = os.urandom(6 * count)
    ids: list[bytes] = []
    while len(ids) < count:
        overflow, counter = divmod(first + len(ids), 1 << _COUNTER_BITS)
        high = (((stamp + overflow) << 16) | 0x7000 | (counter >> 14)).to_bytes(8, "big")
        low = counter & 0x3FFF
        run = min(count - len(ids), 0x4000 - low)
        begin = 6 * len(ids)
        ids += [
            high + (0x8000 | low + place).to_bytes(2, "big") + randomness[begin + 6 * place : begin + 6 * place + 6]
            for place in range(run)
        ]
    return ids


Key = Annotated[UUID, mapped_column(Id, primary_key=True, default=new_id)]


def reference(target: str, *, index: bool = False, nullable: bool = False) -> Any:
    """A foreign key to another table's id. Rows of people are retired, never cascaded away."""
    return mapped_column(Id, ForeignKey(target), index=index, nullable=nullable)


def word(
    kind: type[StrEnum],
    *,
    length: int = 24,
    primary_key: bool = False,
    nullable: bool = False,
    default: StrEnum | None = None,
) -> Any:
    """A column of one of the words of ``kind``, stored as text so that it reads on its own.

    ``default`` also holds for rows that stood before the column did.
    """
    return mapped_column(
        Enum(
            kind,
            native_enum=False,
            length=length,
            create_constraint=False,
            values_callable=lambda words: [item.value for item in words],
        ),
        primary_key=primary_key,
        nullable=nullable,
        default=default,
        server_default=default.value if default is not None else None,
    )


class Base(DeclarativeBase):
    """Common ancestor. Ids exist before the first flush, because sealing binds them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {UUID: Id}

    def __init__(self, **values: Any) -> None:
        if "id" in type(self).__mapper__.columns and "id" not in values:
            values["id"] = new_id()
        for name, value in values.items():
            if name not in type(self).__mapper__.all_orm_descriptors:
                raise TypeError(f"{type(self).__name__} has no {name}")
            setattr(self, name, value)


class Versioned:
    """A root: each change counts up, and a write on a stale copy is refused (decisions 24)."""

    version: Mapped[int] = mapped_column(default=1)

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.__table__.c.version}  # type: ignore[attr-defined]
