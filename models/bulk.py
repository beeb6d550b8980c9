"""Many rows at once, past the ORM but not past the seals (decisions 7).

The driver's own ``executemany`` on SQLite, binary ``COPY`` on PostgreSQL:
1.6 times the bare cost, where SQLAlchemy Core with typed columns is 2.8–3.6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from operator import attrgetter
from types import NoneType
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Enum, LargeBinary, Select, Table
from sqlalchemy.orm import Session

from models.base import Id
from models.moment import UtcDateTime
from models.sealed import LEAST, Sealed, SealedType


class Same:
    """A value that is the same in every row."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


def insert_many(session: Session, table: Table, columns: Mapping[str, Sequence[Any] | Same]) -> int:
    """Insert rows given column by column; returns how many.

    Ids may be raw 16-byte strings. Sealed columns take ``Sealed`` only, checked
    value by value. Columns left out take their default, or are empty.
    """
    lengths = {len(values) for values in columns.values() if not isinstance(values, Same)}
    if len(lengths) != 1:
        raise ValueError(f"{table.name}: columns of unequal length {sorted(lengths)}")
    [count] = lengths
    unknown = set(columns) - set(table.c.keys())
    if unknown:
        raise ValueError(f"{table.name} has no {sorted(unknown)}")
    if count == 0:
        return 0
    session.flush()
    connection = session.connection()
    dialect = connection.dialect
    names = [column.name for column in table.c if column.name in columns or _default(column) is not None]
    missing = [column.name for column in table.c if column.name not in names and not column.nullable]
    if missing:
        raise ValueError(f"{table.name} needs {missing}")
    prepared = [
        _prepare(table.c[name], columns.get(name, Same(_default(table.c[name]))), dialect, count) for name in names
    ]
    rows = zip(*prepared, strict=False)
    if dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        cursor = connection.connection.cursor()
        cursor.executemany(f'INSERT INTO "{table.name}" ({_quoted(names)}) VALUES ({marks})', rows)  # type: ignore[arg-type]  # noqa: S608
        return count
    copy = f'COPY "{table.name}" ({_quoted(names)}) FROM STDIN (FORMAT BINARY)'
    with connection.connection.cursor() as cursor, cursor.copy(copy) as stream:  # type: ignore[attr-defined]
        stream.set_types([_postgresql_type(table.c[name]) for name in names])
        for row in rows:
            stream.write_row(row)
    return count


def fetch_many(session: Session, query: Select[*tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows of a bulk read as the driver gives them; ids come as raw 16-byte strings.

    For whole classes of keys or numbers, where building a row object each
    would cost more than reading it. Sealed columns are refused.
    """
    columns = list(query.selected_columns)
    if any(isinstance(column.type, SealedType) for column in columns):
        raise TypeError("sealed columns are read through an access")
    return _fetched(session, query, columns)


def fetch_sealed(session: Session, query: Select[*tuple[Any, ...]]) -> list[list[Any]]:
    """A bulk read column by column, of which the last is sealed: it comes as ``Sealed``, for an access to open."""
    columns = list(query.selected_columns)
    if not isinstance(columns[-1].type, SealedType) or any(isinstance(c.type, SealedType) for c in columns[:-1]):
        raise TypeError("exactly the last column is a sealed one")
    found = [list(column) for column in zip(*_fetched(session, query, columns), strict=True)] or [[] for _ in columns]
    found[-1] = [None if value is None else Sealed(bytes(value)) for value in found[-1]]
    return found


def _fetched(session: Session, query: Select[*tuple[Any, ...]], columns: Sequence[Any]) -> list[tuple[Any, ...]]:
    result = session.connection().execute(query)
    rows: list[tuple[Any, ...]] = list(result.cursor.fetchall())
    result.close()
    ids = [place for place, column in enumerate(columns) if isinstance(column.type, Id)]
    if session.get_bind().dialect.name == "sqlite" or not ids:
        return rows
    return [tuple(value.bytes if isinstance(value, UUID) else value for value in row) for row in rows]


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _default(column: Column[Any]) -> Any:
    default = column.default
    return default.arg if default is not None and default.is_scalar else None  # type: ignore[attr-defined]


def _prepare(column: Column[Any], values: Sequence[Any] | Same, dialect: Any, count: int) -> Iterable[Any]:
    """The values of one column as the driver takes them, converted a column at a time."""
    if isinstance(values, Same):
        return repeat(next(iter(_converted(column, [values.value], dialect))), count)
    return _converted(column, values, dialect)


def _converted(column: Column[Any], values: Sequence[Any], dialect: Any) -> Iterable[Any]:
    kinds = set(map(type, values))
    if isinstance(column.type, SealedType):
        return _ciphertexts(column, values, kinds)
    if isinstance(column.type, Id):
        if dialect.name == "sqlite":
            return values if kinds <= {bytes, NoneType} else map(_raw_id, values)
        return map(_uuid, values)
    if isinstance(column.type, Enum):
        return values if kinds <= {str, NoneType} else map(_word, values)
    if isinstance(column.type, LargeBinary):
        return values
    processor: Callable[[Any], Any] | None = column.type.dialect_impl(dialect).bind_processor(dialect)
    return map(processor, values) if processor else values


def _ciphertexts(column: Column[Any], values: Sequence[Any], kinds: set[type]) -> list[bytes | None]:
    """Every value of a sealed column is sealed, or nothing is written."""
    if not kinds <= {Sealed, NoneType}:
        raise TypeError(f"{column.name} takes sealed values")
    found = [None if value is None else value.ciphertext for value in values]
    if any(value is not None and len(value) < LEAST for value in found):
        raise TypeError(f"{column.name} takes sealed values")
    return found


_word = attrgetter("value")
"""The plain text of an enumeration's member: an exact ``str``, which the drivers bind fastest."""


def _raw_id(value: UUID | bytes | None) -> bytes | None:
    return value.bytes if isinstance(value, UUID) else value


def _uuid(value: UUID | bytes | None) -> UUID | None:
    return UUID(bytes=value) if isinstance(value, bytes) else value


def _postgresql_type(column: Column[Any]) -> str:
    if isinstance(column.type, Id):
        return "uuid"
    if isinstance(column.type, SealedType | LargeBinary):
        return "bytea"
    if isinstance(column.type, UtcDateTime):
        return "timestamptz"
    python = column.type.python_type.__name__
    return {"int": "int4", "float": "float8", "bool": "bool", "date": "date"}.get(python, "text")
