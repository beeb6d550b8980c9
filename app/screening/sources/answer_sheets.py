"""Answer sheets that come one by one as JSON: read without trust, kept sealed, put together into one table.

One object is one sheet, its names are the columns: 问卷星 sends ``q1`` to
``qn``, ``timetaken``, ``submittime``, ``totalvalue``, ``joinid`` and the
parameter of the link (``sojumpparm``, for example the student's number).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, update

from app.screening.sources import arrival
from app.security.access import Access
from app.security.actor import Actor
from app.security.door import Door
from app.security.policy import Permission, Purpose
from config import catalogue
from models.moment import now
from models.source import Push, ScreeningSource

MOST_NAMES = 2_000
MOST_SIGNS = 4_000
RIGHTS = (Permission.SOURCE_RECEIVE, Purpose.CARE)


def read(body: bytes) -> list[dict[str, str]] | None:
    """The sheets of one push as flat tables of text; none for anything else."""
    limits = catalogue.table("sources")["push"]
    if len(body) > limits["most_sheet_bytes"]:
        return None
    try:
        held = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    sheets = held if isinstance(held, list) else [held]
    if not 0 < len(sheets) <= limits["most_sheets"] or not all(_is_flat(sheet) for sheet in sheets):
        return None
    return [{_text(name): _text(value) for name, value in sheet.items()} for sheet in sheets]


def _is_flat(sheet: Any) -> bool:
    return (
        isinstance(sheet, dict)
        and 0 < len(sheet) <= MOST_NAMES
        and all(len(name) <= MOST_SIGNS for name in sheet)
        and all(isinstance(value, str | int | float | bool | None) for value in sheet.values())
        and all(len(value) <= MOST_SIGNS for value in sheet.values() if isinstance(value, str))
    )


def _text(value: str | float | bool | None) -> str:
    """As a cell of a table; a zero byte or half a sign would be taken by no database."""
    if isinstance(value, bool):
        return str(int(value))
    text = "" if value is None else str(value)
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def as_table(sheets: Sequence[dict[str, str]]) -> bytes:
    """A CSV file with one row per sheet; columns in the order in which they first came."""
    columns = list(dict.fromkeys(name for sheet in sheets for name in sheet))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([sheet.get(name, "") for name in columns] for sheet in sheets)
    return out.getvalue().encode("utf-8-sig")


def collect(door: Door, actor: Actor) -> int:
    """Put together what has come one by one, source by source; returns how many deliveries that made."""
    if door.keyring is None:
        return 0
    with door.enter(actor, *RIGHTS, writing=False) as access:
        due = _due(access)
    made = 0
    for source_id in due:
        with door.enter(actor, *RIGHTS) as access:
            made += _deliver(access, access.find(ScreeningSource, source_id))
    return made


def _due(access: Access) -> list[Any]:
    """Sources whose first loose sheet is old enough, or that have many."""
    limits = catalogue.table("sources")["push"]
    before = now() - timedelta(minutes=limits["collect_minutes"])
    rows = access.session.execute(
        select(Push.source_id, func.min(Push.arrived_at), func.count())
        .where(Push.body.is_not(None))
        .group_by(Push.source_id)
        .order_by(Push.source_id)
    )
    return [source_id for source_id, first, count in rows if first <= before or count >= limits["most_sheets"]]


def _deliver(access: Access, source: ScreeningSource) -> bool:
    """One delivery of all loose sheets; they stay with it only, in the same transaction."""
    rows = access.session.execute(
        select(Push.id.label("push_id"), Push.source_id.label("screening_source_id"), Push.body)
        .where(Push.source_id == source.id, Push.body.is_not(None))
        .order_by(Push.arrived_at, Push.id)
        .limit(catalogue.table("sources")["push"]["most_sheets"])
    ).all()
    if not rows or source.retired_at is not None:
        return False
    sheets = [sheet for text in access.open_each(rows, Push.body) for sheet in json.loads(text)]
    arrival.receive(access, source, as_table(sheets), f"推送 {len(sheets)} 份.csv", collected=True)
    access.session.execute(
        update(Push).where(Push.id.in_([row.push_id for row in rows])).values(body=None, collected_at=now())
    )
    return True


def clear_away(access: Access) -> None:
    """Forget signatures of long ago; sheets that are not yet put together stay."""
    before = now() - timedelta(days=catalogue.table("sources")["push"]["remember_days"])
    access.session.execute(delete(Push).where(Push.arrived_at < before, Push.body.is_(None)))
