"""What a file says about who answered, what it was matched to, and the rows a person has to decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from app.intake.sheet import Cell, text_of
from app.security.access import Access
from app.security.vault import normal


class Match(NamedTuple):
    """One student as a results file needs to know him."""

    student_id: bytes
    college_id: bytes
    class_id: bytes
    name_index: bytes


@dataclass(slots=True)
class Identities:
    """Who the rows of a file say they are, as the file has it: columns of equal length, empty where it says nothing."""

    rows: Sequence[int]
    """The number of each row in the spreadsheet."""
    numbers: list[Cell]
    names: list[str]
    classes: list[str]
    colleges: list[str]
    births: list[Cell]
    titles: dict[str, str] = field(default_factory=dict)
    """Field → header, for the fields that are columns of the file."""
    files: Sequence[str] = ()
    """The file or sheet of each row, in a delivery of several."""

    def file(self, position: int) -> str:
        return self.files[position] if self.files else ""

    @classmethod
    def of(cls, rows: Sequence[int], columns: Mapping[str, Sequence[Cell]], titles: Mapping[str, str]) -> Identities:
        """From the columns that a file has: ``student_number``, ``name``, ``class``, ``college``, ``birth_date``."""
        names, classes, colleges = (_texts(columns.get(name), len(rows)) for name in ("name", "class", "college"))
        numbers, births = (list(columns.get(name) or [""] * len(rows)) for name in ("student_number", "birth_date"))
        return cls(rows, numbers, names, classes, colleges, births, dict(titles))

    def said(self, position: int) -> dict[str, str]:
        """What one row says, by field, for the fields that are columns of the file."""
        columns: dict[str, Sequence[Cell]] = {
            "student_number": self.numbers,
            "name": self.names,
            "class": self.classes,
            "college": self.colleges,
        }
        return {name: text_of(column[position]) for name, column in columns.items() if name in self.titles}

    def title(self, *fields: str) -> str | None:
        """The header of the first of these fields that the file has."""
        return next((self.titles[name] for name in fields if name in self.titles), None)

    def key(self, access: Access, position: int) -> str:
        """What a decision about this row is kept under: a keyed digest of what the row says about who it is."""
        cells = (self.numbers[position], self.births[position])
        texts = (self.names[position], self.classes[position], self.colleges[position], *map(text_of, cells))
        return access.digest("identity", "\x1f".join(map(normal, texts)).encode())[:16].hex()


def _texts(column: Sequence[Cell] | None, length: int) -> list[str]:
    if column is None:
        return [""] * length
    if set(map(type, column)) == {str}:
        return list(column)  # type: ignore[arg-type]
    return [text_of(cell) for cell in column]


class Why(StrEnum):
    """Why a row is a question. The code of its problem."""

    MISSING = "number_missing"
    DAMAGED = "number_damaged"
    UNKNOWN = "student_unknown"
    NAME_DIFFERS = "name_differs"
    SWAPPED = "swapped"
    LOST_ZEROS = "lost_zeros"
    FORMER_NUMBER = "former_number"


class Ground(StrEnum):
    """What speaks for a candidate, or against him; in this order on screen."""

    NAME = "name"
    FORMER_NAME = "former_name"
    RELATED_NAME = "related_name"
    SOUND = "sound"
    ONE_SIGN = "one_sign"
    CROSSED = "crossed"
    NUMBER = "number"
    LOST_ZEROS = "lost_zeros"
    NUMBER_NEAR = "number_near"
    FORMER_NUMBER = "former_number"
    CLASS = "class"
    COLLEGE = "college"
    BIRTH_DATE = "birth_date"
    CLASS_DIFFERS = "class_differs"
    BIRTH_DIFFERS = "birth_differs"
    GONE = "gone"


class Strength(StrEnum):
    """How much speaks for a candidate (``config/matching.toml``)."""

    STRONG = "strong"
    LIKELY = "likely"
    POSSIBLE = "possible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody whose row it may be. Name and number are masked: enough for whoever has the file to recognise him."""

    student: Match
    strength: Strength
    points: int
    grounds: tuple[Ground, ...]
    status: str
    """A key of ``config/statuses.toml``: 休学 and 离校 are said beside the name."""
    name: str = ""
    number: str = ""
    college: str = ""
    class_name: str = ""

    @property
    def id(self) -> str:
        return self.student.student_id.hex()

    def as_table(self) -> dict[str, Any]:
        return {
            "student": self.id,
            "strength": self.strength.value,
            "grounds": [ground.value for ground in self.grounds],
            "status": self.status,
            "name": self.name,
            "number": self.number,
            "college": self.college,
            "class": self.class_name,
        }


@dataclass(slots=True, kw_only=True)
class Question:
    """A row whose student a person has to name."""

    position: int
    row: int
    key: str
    """Rows that say the same about who they are have one key, and are decided together."""
    why: Why
    file: str = ""
    candidates: tuple[Candidate, ...] = ()
    proposed: str | None = None
    """The student id (hex) that is chosen beforehand on the page; a person still decides."""
    partner: int | None = None
    """Position of the row with which number and name are crossed: both are decided together."""

    def as_table(self) -> dict[str, Any]:
        return {
            "position": self.position,
            "row": self.row,
            "file": self.file,
            "key": self.key,
            "why": self.why.value,
            "candidates": [candidate.as_table() for candidate in self.candidates],
            "proposed": self.proposed,
            "partner": self.partner,
        }


@dataclass(slots=True)
class Matched:
    """The student of every row, what that rests on, and what is left for a person."""

    students: list[Match | None]
    how: list[str]
    """``number``, ``number_variant`` (the name is written otherwise), ``former_number``, ``decided``, or empty."""
    questions: list[Question] = field(default_factory=list)
