"""What features are reckoned from: facts about students, column by column, each with the moment it became known.

A fact is (student, kind, value, known_at); where they differ from that moment
it also says of what time it speaks and from when on it no longer held. A
source hands over every fact of a kind, of all students asked for, up to one
moment; which of them a row may see is decided in ``reckon`` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import compress
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.security.access import Access
from models.bulk import fetch_many

Places = NDArray[np.int64]
Values = NDArray[np.float64]
Moments = NDArray[np.datetime64]

FEW = 1_000
"""Up to so many students are asked for by name; for more, the whole table is read once."""
NEVER = np.datetime64("NaT", "us")


class WrongFacts(ValueError):
    """A source handed over what it must not. Names the kind, never a value or a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All facts of one kind."""

    kind: str
    """``source.what``: the first word names the source."""
    places: Places
    """Whose: the place of the student among those asked for."""
    values: Values
    """What it is; NaN where it was asked for again and no believable answer came."""
    known_at: Moments
    of_time: Moments | None = None
    """The time it speaks of, never later than it was known; none: the moment it became known."""
    until: Moments | None = None
    """From when on it was known not to hold (a voided sheet); NaT where it still holds."""
    alike: Places | None = None
    """Facts are compared with one another only where this is equal (the version of a scale)."""

    def __len__(self) -> int:
        return len(self.places)


@dataclass(frozen=True)
class Asked:
    """What a source is asked for: these students, these kinds, nothing known later than ``until``."""

    students: Sequence[bytes]
    """Raw ids, each once."""
    kinds: frozenset[str]
    until: datetime

    @cached_property
    def places(self) -> Mapping[bytes, int]:
        return {student: place for place, student in enumerate(self.students)}

    def of(self, source: str) -> frozenset[str]:
        """The kinds asked for that one source knows."""
        return frozenset(kind for kind in self.kinds if kind.split(".", 1)[0] == source)

    def columns(
        self, session: Session, query: Select[*tuple[Any, ...]], *, width: int
    ) -> tuple[Places, list[list[Any]]]:
        """A bulk read whose first column is the student: his place, and ``width`` others; nobody else's rows."""
        rows = fetch_many(session, self.narrowed(query))
        return self.part([list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width + 1)])

    def narrowed(self, query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
        """Of these students only, where they are few enough to be named."""
        if len(self.students) > FEW:
            return query
        student = next(iter(query.selected_columns))
        return query.where(student.in_([UUID(bytes=raw) for raw in self.students]))

    def part(self, columns: Sequence[list[Any]]) -> tuple[Places, list[list[Any]]]:
        """Columns of which the first is the student: his place, and the others; rows of anybody else fall out."""
        places = np.fromiter((self.places.get(student, -1) for student in columns[0]), np.int64, len(columns[0]))
        if (ours := places >= 0).all():
            return places, list(columns[1:])
        return places[ours], [list(compress(column, ours)) for column in columns[1:]]


Source = Callable[[Access, Asked], Iterable[Facts]]
"""Hands over facts. What it opens, the access writes into the log."""


def moments(values: Sequence[str | datetime | None]) -> Moments:
    """Times as the driver gives them, in UTC: SQLite as text, PostgreSQL with a zone. Equal ones are read once."""
    different = {value: place for place, value in enumerate(dict.fromkeys(values))}
    bare = [value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value for value in different]
    read = np.array(bare, dtype="datetime64[us]")
    return read[np.fromiter((different[value] for value in values), np.int64, len(values))]


def moment64(value: datetime) -> np.datetime64:
    """One aware time, in UTC."""
    return np.datetime64(value.astimezone(UTC).replace(tzinfo=None), "us")


def chosen(facts: Facts, which: NDArray[np.bool_]) -> Facts:
    """Some of them."""
    return Facts(
        kind=facts.kind,
        places=facts.places[which],
        values=facts.values[which],
        known_at=facts.known_at[which],
        of_time=None if facts.of_time is None else facts.of_time[which],
        until=None if facts.until is None else facts.until[which],
        alike=None if facts.alike is None else facts.alike[which],
    )


def joined(kind: str, parts: Sequence[Facts]) -> Facts:
    """Several deliveries of one kind as one, with every column filled in."""
    nothing = Facts(kind=kind, places=np.empty(0, np.int64), values=np.empty(0), known_at=moments([]))
    held = [filled(part) for part in (nothing, *parts)]
    return Facts(kind=kind, **{name: np.concatenate([part[name] for part in held]) for name in held[0]})


def filled(facts: Facts) -> dict[str, Any]:
    """Its columns, with what they are where the source left them out."""
    return {
        "places": facts.places,
        "values": facts.values,
        "known_at": facts.known_at,
        "of_time": facts.known_at if facts.of_time is None else facts.of_time,
        "until": np.full(len(facts), NEVER) if facts.until is None else facts.until,
        "alike": np.zeros(len(facts), np.int64) if facts.alike is None else facts.alike,
    }
