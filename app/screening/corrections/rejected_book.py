"""未导入的行 as a workbook: the file's own headers, and before them why and where; mended, it is brought in again.

One sheet per file, text as text. Who fetched it and when stands above the
table: it names people.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import null, update

from app.events import Event
from app.security.access import Access
from app.web import workbook
from app.web.words import stamp
from config import catalogue
from models.intake import ImportBatch
from models.moment import now

REASON, ROW = "错误原因", "行号"
ADDED = (REASON, ROW)
"""Headers we put before those of the file; they mean nothing when the workbook is brought in again."""
_NOT_IN_A_TITLE = re.compile(r"[\\/*?:\[\]]")
LONGEST_TITLE = 28


class RejectedRowsCleared(Event):
    """Rows that did not go in were removed, because nobody came for them in time."""


def written(held: dict[str, Any], reader: str) -> bytes:
    """The workbook of a batch's rejected rows."""
    line = f"内部资料 · 含学生信息，请勿外传 · {reader} 于 {stamp(now())} 导出"
    titles: list[str] = []
    sheets = []
    for table in held["tables"]:
        titles.append(_title(table["file"], titles))
        rows = [[*ADDED, *table["header"]], *table["rows"]]
        shown = sum(len(other["rows"]) for other in held["tables"])
        lines = [line] if shown == held["total"] else [line, f"共 {held['total']} 行未导入，这里是前 {shown} 行"]
        sheets.append((titles[-1], lines, rows))
    return workbook.written(sheets)


def _title(name: str, taken: Sequence[str]) -> str:
    """A name for a sheet: what a workbook allows, and no other sheet has."""
    stem = _NOT_IN_A_TITLE.sub(" ", name).strip()[:LONGEST_TITLE] or "未导入的行"
    found, place = stem, 2
    while found.lower() in {other.lower() for other in taken}:
        found, place = f"{stem[: LONGEST_TITLE - 2]} {place}", place + 1
    return found


def clear_away(access: Access) -> None:
    """Rows about people are not kept for ever: after some days nobody mends them any more."""
    days = catalogue.table("imports")["rejected"]["keep_days"]
    changed = access.session.execute(
        update(ImportBatch)
        .where(ImportBatch.rejected.is_not(None), ImportBatch.uploaded_at < now() - timedelta(days=days))
        .values(rejected=null())
    )
    if changed.rowcount:  # type: ignore[attr-defined]
        access.record(RejectedRowsCleared(count=changed.rowcount))  # type: ignore[attr-defined]
