"""A results file once it is understood: every row with its answers, its student if known, and its fate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.screening.scale import Scale
from app.screening.scoring import Answers, Scores
from app.security.access import Access
from models.intake import ImportBatch
from models.screening import ScreeningRound


class Fate(IntEnum):
    """What becomes of a row."""

    REJECTED = 0
    KNOWN = 1
    """Accepted, and everything in it was there already."""
    ACCEPTED = 2
    INCOMPLETE = 3


@dataclass(slots=True)
class ScaleSheets:
    """One scale over all rows of the file."""

    scale: Scale
    answers: Answers
    scores: Scores
    present: NDArray[np.bool_]
    """The row holds at least one answer to this scale."""
    fresh: NDArray[np.bool_]
    """The sheet is new and will be stored."""
    ids: list[bytes | None] = field(default_factory=list)
    """Id of the stored sheet, for fresh ones."""
    digests: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class Bundle:
    """All rows of one file. Lists and arrays run over the rows in file order."""

    row_numbers: list[int]
    students: list[bytes | None]
    units: list[tuple[bytes, bytes] | None]
    """College and class of the student."""
    fate: NDArray[np.int8]
    scales: dict[str, ScaleSheets]
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
