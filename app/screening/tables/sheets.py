"""A results file once it is understood: every row with its answers, its student if known, and its fate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.screening.quality.validity import Validity
from app.screening.scales.scale import Scale
from app.screening.scales.scoring import Answers, Scores
from app.security.access import Access
from models.intake import ImportBatch
from models.screening import ScreeningRound

Flags = NDArray[np.bool_]


class Fate(IntEnum):
    """What becomes of a row."""

    REJECTED = 0
    KNOWN = 1
    """Accepted, and everything in it was there already."""
    ACCEPTED = 2
    INCOMPLETE = 3


@dataclass(slots=True)
class ScaleSheets:
    """One scale over all rows of a delivery."""

    scale: Scale
    answers: Answers
    scores: Scores
    present: Flags
    """The row says something on this scale."""
    fresh: Flags
    """The sheet is new and will be stored."""
    known: Flags
    """The sheet is stored already."""
    stated: Flags
    """There are totals or factors of the source, and no answers."""
    expected: Flags
    """The row's file has columns for this scale."""
    validity: Validity
    coding: list[str | None]
    """How each row's file coded its answers; none where it was the scale's own coding."""
    bands_said: list[str] | None = None
    """The source's own words for the result, to compare."""
    totals_said: NDArray[np.float64] | None = None
    """The source's own total beside the items, to compare."""
    ids: list[bytes | None] = field(default_factory=list)
    """Id of the stored sheet, for fresh ones."""
    digests: list[bytes] = field(default_factory=list)
    replaces: set[int] = field(default_factory=set)
    """Rows whose fresh sheet takes the place of a stored one."""

    @property
    def left_out(self) -> Flags:
        """Said something, and is neither stored nor known: only its critical answers count."""
        return self.present & ~self.fresh & ~self.known

    @property
    def blank(self) -> Flags:
        """The file asks about it, and this row says nothing."""
        return self.expected & ~self.present

    @property
    def lacking(self) -> Flags:
        """Answered in part, on a scale that needs every answer."""
        return self.present & ~self.stated & ~self.scores.complete


@dataclass(slots=True)
class Bundle:
    """All rows of one delivery. Lists and arrays run over the rows in file order."""

    row_numbers: Sequence[int]
    files: Sequence[str]
    """File or sheet of each row; empty for a single one."""
    students: list[bytes | None]
    units: list[tuple[bytes, bytes] | None]
    """College and class of the student."""
    fate: NDArray[np.int8]
    scales: dict[str, ScaleSheets]
    taken_at: list[datetime | None]
    identity: Callable[[int], dict[str, str]]
    """Number, name and class as the file has them, for a row whose student is not known."""


class Findings(Protocol):
    """What somebody made of a bundle: counted for the preview, written with the commit."""

    counts: dict[str, Any]

    def write(self, access: Access, screening_round: ScreeningRound, batch: ImportBatch) -> None: ...


Finder = Callable[[Access, Bundle, ScreeningRound], Findings]
_finders: list[Finder] = []


def find_with(finder: Finder) -> None:
    """Let ``finder`` look at every results file before it is committed. Wiring only."""
    if finder not in _finders:
        _finders.append(finder)


def findings_in(access: Access, bundle: Bundle, screening_round: ScreeningRound) -> list[Findings]:
    """Ask every finder. Without any, nobody would see a critical answer: then nothing may go in (law 2)."""
    if not _finders:
        raise RuntimeError("no finder is wired: critical answers would be missed")
    return [finder(access, bundle, screening_round) for finder in _finders]
