"""What the model may look at: typed columns with a meaning, and for every value the moment it became known.

A table holds pseudonymous ids, never names. The moment of a row is the moment somebody would have asked the
model; a value that became known later is a fact from the future, and the table refuses to be made with it
(``LooksAhead``). So nothing downstream has to remember to look.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

MOMENT = np.dtype("datetime64[us]")
LARGEST = 1e300  # beyond, differences are infinite


class Direction(StrEnum):
    """What more of a thing means; a directed feature never works the other way."""

    INCREASING = "increasing"
    DECREASING = "decreasing"
    NONE = "none"

    @property
    def sign(self) -> int:
        return {Direction.INCREASING: 1, Direction.DECREASING: -1, Direction.NONE: 0}[self]


class Sensitivity(StrEnum):
    """How much care a column needs."""

    ORDINARY = "ordinary"
    SENSITIVE = "sensitive"
    CROSS_DOMAIN = "cross_domain"  # only with an approved entry in the register of data uses


class LooksAhead(ValueError):
    """A value that was not known yet at the moment of its row; names the column and the row, never the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One declared column. ``lowest`` and ``highest`` say what a value can be at all: outside, the model abstains."""

    key: str
    meaning: str
    unit: str = ""
    direction: Direction = Direction.NONE
    sensitivity: Sensitivity = Sensitivity.ORDINARY
    source: str = ""
    lowest: float | None = None
    highest: float | None = None
    nominal: bool = False  # codes without an order; never directed
    core: bool = False  # with no core value known the model abstains
    higher: str = ""  # the reason in words where this column raises
    lower: str = ""  # and where it lowers

    def __post_init__(self) -> None:
        if self.nominal and self.direction is not Direction.NONE:
            raise ValueError(f"{self.key}: codes without an order cannot have a direction")


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Rows x features as they were known at each row's moment; ``nan`` where nothing was known."""

    features: tuple[Feature, ...]
    people: NDArray[np.str_]
    at: NDArray[np.datetime64]
    cohorts: NDArray[np.str_]
    values: NDArray[np.float64]
    known_at: NDArray[np.datetime64]

    def __post_init__(self) -> None:
        rows, columns = len(self.people), len(self.features)
        if len({feature.key for feature in self.features}) != columns:
            raise ValueError("a table has two columns of one key")
        _of_shape("people", self.people, (rows,), "U")
        _of_shape("cohorts", self.cohorts, (rows,), "U")
        _of_shape("at", self.at, (rows,), "M")
        _of_shape("values", self.values, (rows, columns), "f")
        _of_shape("known_at", self.known_at, (rows, columns), "M")
        self._refuse(np.abs(self.values) > LARGEST, ValueError, "is not a finite number")
        self._refuse(np.isnan(self.values) != np.isnat(self.known_at), ValueError, "needs a value and the moment of it")
        if rows and np.isnat(self.at).any():
            raise ValueError("every row needs its moment")
        self._refuse(self.known_at > self.at[:, None], LooksAhead, "was not known yet at the moment of its row")

    def _refuse(self, bad: NDArray[np.bool_], error: type[ValueError], words: str) -> None:
        """Name the first bad place by column and row."""
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise error(f"column {self.features[column].key}, row {row + 1}: {words}")

    def __len__(self) -> int:
        return len(self.people)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(feature.key for feature in self.features)

    def rows(self, index: NDArray[np.int_] | NDArray[np.bool_] | slice) -> FeatureTable:
        """The same columns of some rows."""
        return FeatureTable(
            self.features,
            self.people[index],
            self.at[index],
            self.cohorts[index],
            self.values[index],
            self.known_at[index],
        )

    def without(self, keys: Iterable[str]) -> FeatureTable:
        """The same rows without some columns; unknown keys are nothing to leave out."""
        left_out = set(keys)
        return self.only([key for key in self.keys if key not in left_out])

    def only(self, keys: Sequence[str]) -> FeatureTable:
        """The columns of these keys, in this order."""
        where = {key: column for column, key in enumerate(self.keys)}
        if missing := [key for key in keys if key not in where]:
            raise ValueError(f"the table has no column {missing[0]}")
        if tuple(keys) == self.keys:
            return self
        index = [where[key] for key in keys]
        features = tuple(self.features[column] for column in index)
        return replace(self, features=features, values=self.values[:, index], known_at=self.known_at[:, index])

    def column(self, key: str) -> NDArray[np.float64]:
        """The values of one column."""
        return self.values[:, self.keys.index(key)]

    def joined(
        self, feature: Feature, values: NDArray[np.float64], known_at: NDArray[np.datetime64] | None = None
    ) -> FeatureTable:
        """With one more column; its values were known at ``known_at``, or else at the moment of each row."""
        known = np.where(np.isnan(values), np.datetime64("NaT", "us"), self.at if known_at is None else known_at)
        return replace(
            self,
            features=(*self.features, feature),
            values=np.column_stack([self.values, values]),
            known_at=np.column_stack([self.known_at, known]),
        )

    def digests(self) -> list[bytes]:
        """Per row the SHA-256 of everything a score rests on: columns, values, moments, cohort.

        A replay compares these before it compares scores. Numbers enter as their eight bytes (one byte
        pattern for "not known", none for negative zero), so equal digests mean equal inputs to the last bit.
        """
        head = hashlib.sha256("\x1f".join(self.keys).encode())
        values = np.where(np.isnan(self.values), np.nan, self.values + 0.0).astype(">f8")
        moments = self.known_at.astype(MOMENT).astype(">i8")
        found = []
        for row, cohort in enumerate(self.cohorts):
            digest = head.copy()
            digest.update(b"\x1e" + str(cohort).encode() + b"\x1e")
            digest.update(values[row].tobytes())
            digest.update(moments[row].tobytes())
            found.append(digest.digest())
        return found


def plain_table(
    features: Sequence[Feature],
    values: NDArray[np.float64],
    *,
    people: NDArray[np.str_] | None = None,
    cohorts: NDArray[np.str_] | None = None,
    at: np.datetime64 | None = None,
) -> FeatureTable:
    """A table from a file that says nothing of time: all values known at one moment, every row a person."""
    rows = len(values)
    moment = np.datetime64("2000-01-01", "us") if at is None else at.astype(MOMENT)
    moments = np.full(rows, moment, dtype=MOMENT)
    return FeatureTable(
        tuple(features),
        np.arange(rows).astype(str) if people is None else people,
        moments,
        np.full(rows, "", dtype="U1") if cohorts is None else cohorts,
        np.asarray(values, dtype=np.float64),
        np.where(np.isnan(values), np.datetime64("NaT", "us"), moments[:, None]),
    )


def _of_shape(name: str, array: NDArray[np.generic], shape: tuple[int, ...], kind: str) -> None:
    if array.shape != shape or array.dtype.kind != kind:
        raise ValueError(f"{name}: expected {shape} of kind {kind}, found {array.shape} of kind {array.dtype.kind}")
    if kind == "M" and array.dtype != MOMENT:
        raise ValueError(f"{name}: moments are counted in microseconds")
