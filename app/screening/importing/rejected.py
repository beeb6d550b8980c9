"""The rows that did not go in, kept as the file had them, each with its reason (错误原因): mended and brought again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from app.intake.sheet import Table, text_of
from app.screening.tables.reading import Reading
from app.screening.tables.sheets import Bundle, Fate

MOST_ROWS = 2_000


def rows_of(tables: Sequence[Table], bundle: Bundle, reading: Reading) -> dict[str, Any] | None:
    """``{"tables": [{"file", "header", "rows": [[reason, row, *cells]]}], "total": n}``, or none when all went in."""
    places = np.flatnonzero(bundle.fate == Fate.REJECTED).tolist()
    if not places:
        return None
    reasons: dict[tuple[str, int], list[str]] = defaultdict(list)
    for problem in reading.problems:
        if problem.row is not None:
            words = f"{problem.column}：{problem.message}" if problem.column else problem.message
            reasons[problem.file, problem.row].append(words)
    ends = np.cumsum([len(table) for table in tables])
    found: dict[int, list[list[str]]] = defaultdict(list)
    for place in places[:MOST_ROWS]:
        which = int(np.searchsorted(ends, place, side="right"))
        table = tables[which]
        row = table.rows[place - (int(ends[which - 1]) if which else 0)]
        number = bundle.row_numbers[place]
        why = reasons[bundle.files[place] if bundle.files else "", number]
        found[which].append(["；".join(dict.fromkeys(why)) or "没有可以采用的内容", str(number), *map(text_of, row)])
    return {
        "tables": [
            {"file": tables[which].file or tables[which].sheet, "header": tables[which].header, "rows": rows}
            for which, rows in found.items()
        ],
        "total": len(places),
    }
