"""Sources: a platform or an office that delivers results again and again, by hand, in a watched folder or pushed.

A source belongs to somebody of the centre, who is told when a delivery waits,
is late or cannot be read. What its columns mean is confirmed once by a person
and remembered as text that can be reviewed; without a confirmed mapping
nothing of it goes in by itself.
"""

from __future__ import annotations

import re
import secrets
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.events import Event
from app.intake.sheet import Table
from app.screening.tables import mapping_file
from app.screening.tables.layout import Layout, layouts, plans_for
from app.security.access import Access
from app.security.holders import first_holder, holders_of
from models.identity import Role
from models.moment import now, today
from models.refusal import Refusal
from models.screening import ScreeningRound
from models.source import ScreeningSource, SourceKind

CENTRE = (Role.CENTRE_HEAD, Role.PSYCHOLOGIST)
FOLDER_NAME = re.compile(r"[0-9A-Za-z\u4e00-\u9fff_-]{1,80}")
"""Letters, digits, Chinese signs, ``-`` and ``_``: no path, no dot, nothing that looks like another name."""
MOST_DAYS = 400


class SourceOpened(Event):
    """A source was set up."""


class SourceChanged(Event):
    """A source was changed."""


class SourceRetired(Event):
    """A source delivers no more."""


class SourceMapped(Event):
    """A person confirmed what the columns of a source mean."""


class PushKeyMade(Event):
    """A source got a new push key; an earlier one is worth nothing."""


def open_source(
    access: Access,
    *,
    name: str,
    kind: SourceKind,
    owner_id: UUID,
    round_id: UUID,
    folder: str = "",
    every_days: int | None = None,
    expected_on: date | None = None,
) -> tuple[ScreeningSource, str]:
    """Set up a source; returns it with its push key, which is shown this once (empty for the other kinds)."""
    row = ScreeningSource(kind=kind, created_at=now())
    _set(access, row, name=name, owner_id=owner_id, round_id=round_id)
    _set_folder(access, row, folder)
    _set_schedule(row, every_days=every_days, expected_on=expected_on)
    access.session.add(row)
    access.session.flush()
    key = _new_key(access, row) if kind is SourceKind.PUSH else ""
    access.record(SourceOpened(object_id=row.id))
    return row, key


def edit(
    access: Access,
    source: ScreeningSource,
    *,
    name: str,
    owner_id: UUID,
    round_id: UUID,
    folder: str = "",
    every_days: int | None = None,
    expected_on: date | None = None,
) -> None:
    """Change what a source is called, feeds, and when it is expected. Its kind stays."""
    refuse_retired(source)
    _set(access, source, name=name, owner_id=owner_id, round_id=round_id)
    _set_folder(access, source, folder)
    _set_schedule(source, every_days=every_days, expected_on=expected_on)
    access.record(SourceChanged(object_id=source.id))


def retire(access: Access, source: ScreeningSource) -> None:
    """End a source: its folder is no longer looked at, its key opens nothing. What it brought stays."""
    refuse_retired(source)
    source.retired_at, source.push_key, source.expected_on = now(), None, None
    access.record(SourceRetired(object_id=source.id))


def renew_key(access: Access, source: ScreeningSource) -> str:
    """A new push key, shown this once; the old one ends at the same moment."""
    refuse_retired(source)
    if source.kind is not SourceKind.PUSH:
        raise Refusal("只有推送来源才有推送密钥。")
    key = _new_key(access, source)
    access.record(PushKeyMade(object_id=source.id))
    return key


def refuse_retired(source: ScreeningSource) -> None:
    if source.retired_at is not None:
        raise Refusal("这个来源已停用；需要时请新建一个来源。")


def _new_key(access: Access, source: ScreeningSource) -> str:
    key = secrets.token_urlsafe(32)
    access.seal(source, ScreeningSource.push_key, key)
    return key


def _set(access: Access, row: ScreeningSource, *, name: str, owner_id: UUID, round_id: UUID) -> None:
    row.name = " ".join(name.split())
    if not row.name:
        raise Refusal("请填写来源名称。", field="name")
    same = select(ScreeningSource.id).where(ScreeningSource.name == row.name, ScreeningSource.id != row.id)
    with access.session.no_autoflush:
        if access.session.scalar(same) is not None:
            raise Refusal("已有同名的来源。", field="name")
        if owner_id not in owners(access.session):
            raise Refusal("来源负责人应是心理中心的老师。", field="owner_id")
        if access.session.get(ScreeningRound, round_id) is None:
            raise Refusal("请选择这个来源供给的批次。", field="round_id")
    row.owner_id, row.round_id = owner_id, round_id


def _set_folder(access: Access, row: ScreeningSource, folder: str) -> None:
    if row.kind is not SourceKind.FOLDER:
        row.folder = None
        return
    if not FOLDER_NAME.fullmatch(folder):
        raise Refusal("请填写文件夹名称：只用中文、字母、数字、- 和 _，不含空格和路径。", field="folder")
    taken = select(ScreeningSource.id).where(
        ScreeningSource.folder == folder, ScreeningSource.id != row.id, ScreeningSource.retired_at.is_(None)
    )
    with access.session.no_autoflush:
        if access.session.scalar(taken) is not None:
            raise Refusal("这个文件夹已由另一个来源使用。", field="folder")
    row.folder = folder


def _set_schedule(row: ScreeningSource, *, every_days: int | None, expected_on: date | None) -> None:
    if every_days is not None and not 0 < every_days <= MOST_DAYS:
        raise Refusal(f"间隔应为 1 到 {MOST_DAYS} 天。", field="every_days")
    if every_days is not None and expected_on is None:
        expected_on = today() + timedelta(days=every_days)
    if row.expected_on != expected_on:
        row.told_late_on = None
    row.every_days, row.expected_on = every_days, expected_on


def owners(session: Session) -> list[UUID]:
    """Who may own a source: the people of the centre."""
    return list(dict.fromkeys(staff_id for role in CENTRE for staff_id in holders_of(session, role)))


def keeper_of(session: Session, source: ScreeningSource) -> tuple[UUID, Role]:
    """Who is told about a source today: its owner, or whoever leads the centre when he has left it."""
    for role in CENTRE:
        if source.owner_id in holders_of(session, role):
            return source.owner_id, role
    for role in (*CENTRE, Role.AFFAIRS_HEAD):
        found = first_holder(session, role)
        if found is not None:
            return found, role
    return source.owner_id, Role.PSYCHOLOGIST


# --- what its columns mean ------------------------------------------------------------------------


def remember(
    access: Access, source: ScreeningSource, mappings: Sequence[Mapping[str, Any]], *, confirmed_by: UUID | None
) -> None:
    """Keep what a person has confirmed, beside the layouts that are known already and still other.

    A layout with the same headers as a new one is replaced by it.
    """
    refuse_retired(source)
    fresh = mapping_file.read(mapping_file.written(mappings))
    kept = [held for held in mappings_of(source) if not any(_same_headers(held, other) for other in fresh)]
    _keep(access, source, [*fresh, *kept][: mapping_file.MOST_LAYOUTS], confirmed_by)


def replace_mapping(access: Access, source: ScreeningSource, raw: bytes, *, confirmed_by: UUID | None) -> None:
    """Put a reviewed mapping file in the place of whatever was remembered."""
    refuse_retired(source)
    _keep(access, source, mapping_file.read(raw), confirmed_by)


def _keep(
    access: Access, source: ScreeningSource, mappings: Sequence[Mapping[str, Any]], confirmed_by: UUID | None
) -> None:
    source.mapping = mapping_file.written(mappings)
    source.mapping_confirmed_by, source.mapping_confirmed_at = confirmed_by, now()
    access.record(SourceMapped(object_id=source.id, count=len(mappings)))


def mappings_of(source: ScreeningSource) -> list[dict[str, Any]]:
    """The layouts a person has confirmed for a source; none yet is an empty list."""
    return mapping_file.parts_of(tomllib.loads(source.mapping)) or [] if source.mapping else []


def names(session: Session) -> list[tuple[str, str]]:
    """Id and name of every source that still delivers, for a choice."""
    query = select(ScreeningSource.id, ScreeningSource.name).where(ScreeningSource.retired_at.is_(None))
    return [(row.id.hex, row.name) for row in session.execute(query.order_by(ScreeningSource.name, ScreeningSource.id))]


def named(session: Session, plan: Mapping[str, Any]) -> ScreeningSource | None:
    """The source that an import's plan names, if it still delivers."""
    found = session.get(ScreeningSource, UUID(hex=plan["source"])) if plan.get("source") else None
    return found if found is not None and found.retired_at is None else None


def remembered(session: Session, plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was confirmed earlier for the source of an import."""
    source = named(session, plan)
    return mappings_of(source) if source is not None else []


def learn(access: Access, plan: Mapping[str, Any], mappings: Sequence[Mapping[str, Any]]) -> None:
    """A person has said what the columns of an import mean: its source remembers it for the next one."""
    source = named(access.session, plan)
    if source is not None:
        remember(access, source, mappings, confirmed_by=access.actor.id)


def fitted(source: ScreeningSource, tables: Sequence[Table]) -> list[dict[str, Any]] | None:
    """The confirmed mapping of each layout of a delivery, in their order; none unless every layout has one."""
    saved = mappings_of(source)
    found = [next((held for held in saved if _fits(layout, held)), None) for layout in layouts(tables)]
    return [held for held in found if held is not None] if found and None not in found else None


def _fits(layout: Layout, held: Mapping[str, Any]) -> bool:
    try:
        plans_for(layout.tables[:1], [held])
    except Refusal:
        return False
    return True


def _same_headers(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return mapping_file.headers_of(one) == mapping_file.headers_of(other)
