"""What is wrong with a file, row by row, in words that help to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

MOST_SHOWN = 2_000
"""Problems kept with a receipt; the rest is counted."""

LONGEST_TITLE = 120
"""Signs of a header that are repeated beside each of its problems; some headers are whole pages."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. ``row`` as the spreadsheet numbers it; values appear masked or not at all."""

    row: int | None
    column: str | None
    code: str
    message: str
    file: str = ""
    """Which file or sheet of a delivery of several."""

    def as_table(self) -> dict[str, Any]:
        found = asdict(self) | {"column": self.column and self.column[:LONGEST_TITLE]}
        return found if self.file else {name: value for name, value in found.items() if name != "file"}


def listed(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """The problems of a receipt, by file, row, then column."""
    ordered = sorted(problems, key=lambda item: (item.file, item.row or 0, item.column or "", item.code))
    return [item.as_table() for item in ordered[:MOST_SHOWN]]
