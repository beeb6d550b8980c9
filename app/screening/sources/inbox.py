"""Watched folders: whatever has been written to its end in a source's folder is sealed, and the plain copy removed.

Order of things, so that a crash anywhere takes a file exactly once: first the
sealed copy is committed, with a mark on the file's row that it lies in the
house; then the plain file is removed, after it was read once more and found
to be what was sealed; then the row is forgotten. The plain copy always goes:
students' answers do not stay in the clear. That is not a setting; a platform
that delivers here still has its own export.

Links, odd names and whatever is no plain file are left alone; the owner of
the source is told once.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from app.notices import post
from app.screening.sources import arrival
from app.screening.sources import source as sources
from app.security.access import Access
from app.security.actor import Actor
from app.security.door import Door
from app.security.plainlog import log
from app.security.policy import Permission, Purpose
from config import catalogue
from models.moment import now
from models.source import Arrival, InboxFile, InboxRefusal, ScreeningSource, SourceKind

RIGHTS = (Permission.SOURCE_RECEIVE, Purpose.CARE)
FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
MOST_NAME_BYTES = 200


@dataclass(frozen=True, slots=True)
class Seen:
    """One entry of a folder, as the last look found it."""

    name: str
    size: int
    changed_ns: int
    refused: InboxRefusal | None


@dataclass(frozen=True, slots=True)
class Folder:
    """A source's folder, held open: nobody can put another in its place meanwhile."""

    source_id: UUID
    handle: int


def look(door: Door, actor: Actor, beat: Callable[[], None] = lambda: None) -> int:
    """Look at every watched folder once; returns how many files were taken. Sealed mode takes nothing."""
    if door.settings.inbox is None or door.keyring is None:
        return 0
    return sum(_look_into(door, actor, folder, beat) for folder in _folders(door, actor, door.settings.inbox))


def _folders(door: Door, actor: Actor, inbox: Path) -> Iterator[Folder]:
    with door.enter(actor, *RIGHTS, writing=False) as access:
        watched = access.session.execute(
            select(ScreeningSource.id, ScreeningSource.folder)
            .where(ScreeningSource.kind == SourceKind.FOLDER, ScreeningSource.retired_at.is_(None))
            .order_by(ScreeningSource.id)
        ).all()
    for source_id, name in watched:
        try:
            with _opened(inbox, name or "") as handle:
                yield Folder(source_id, handle)
        except OSError as problem:
            log.warning("inbox folder not readable", error=type(problem).__name__)


@contextmanager
def _opened(inbox: Path, name: str) -> Iterator[int]:
    """A sub-folder, made if it is not there; never through a link."""
    above = os.open(inbox, FOLDER_FLAGS)
    try:
        with suppress(FileExistsError):
            os.mkdir(name, mode=0o700, dir_fd=above)
        handle = os.open(name, FOLDER_FLAGS, dir_fd=above)
    finally:
        os.close(above)
    try:
        yield handle
    finally:
        os.close(handle)


def _look_into(door: Door, actor: Actor, folder: Folder, beat: Callable[[], None]) -> int:
    seen = _entries(folder.handle)
    with door.enter(actor, *RIGHTS, writing=False) as access:
        if not seen and access.session.scalar(select(InboxFile.id).where(_of(folder.source_id)).limit(1)) is None:
            return 0
    with door.enter(actor, *RIGHTS) as access:
        ripe = _note(access, folder.source_id, seen)
    taken = 0
    for item in ripe:
        beat()
        taken += _take(door, actor, folder, item)
    return taken


# --- looking ---------------------------------------------------------------------------------------


def _entries(handle: int) -> list[Seen]:
    """What lies in a folder, by name; unfinished and hidden files are passed over."""
    unfinished = tuple(catalogue.table("sources")["folder"]["unfinished"])
    found = []
    with os.scandir(handle) as entries:
        for entry in entries:
            if entry.name.startswith((".", "~")) or entry.name.lower().endswith(unfinished):
                continue
            facts = entry.stat(follow_symlinks=False)
            found.append(Seen(entry.name, facts.st_size, facts.st_mtime_ns, _refused(entry.name, facts)))
    return sorted(found, key=lambda item: os.fsencode(item.name))


def _refused(name: str, facts: os.stat_result) -> InboxRefusal | None:
    if stat.S_ISLNK(facts.st_mode) or (stat.S_ISREG(facts.st_mode) and facts.st_nlink > 1):
        return InboxRefusal.LINK
    if not stat.S_ISREG(facts.st_mode):
        return InboxRefusal.KIND
    if len(os.fsencode(name)) > MOST_NAME_BYTES or any(unicodedata.category(sign)[0] == "C" for sign in name):
        return InboxRefusal.NAME
    if facts.st_size > catalogue.table("sources")["folder"]["most_bytes"]:
        return InboxRefusal.SIZE
    return None


def _note(access: Access, source_id: UUID, seen: list[Seen]) -> list[Seen]:
    """Compare with the last look: what has changed waits for the next one, what has not is ripe."""
    source = access.find(ScreeningSource, source_id)
    held = catalogue.table("sources")["folder"]
    settled = now() - timedelta(seconds=held["settle_seconds"])
    rows = {row.name_digest: row for row in access.session.scalars(select(InboxFile).where(_of(source_id)))}
    ripe, refused = [], 0
    for item in seen:
        digest = _digest_of(access, item.name)
        row = rows.pop(digest, None)
        if row is None or not _is_same(row, item):
            row = _begin(access, row or InboxFile(source_id=source_id, name_digest=digest), item)
            refused += item.refused is not None
        elif row.refused is None and item.size and row.seen_at <= settled:
            ripe.append(item)
    gone = [row.id for row in rows.values()]
    access.session.execute(delete(InboxFile).where(InboxFile.id.in_(gone)))
    if refused:
        post.tell(access, *sources.keeper_of(access.session, source), "inbox_refused", count=refused)
    return ripe[: held["most_at_once"]]


def _of(source_id: UUID) -> Any:
    return InboxFile.source_id == source_id


def _digest_of(access: Access, name: str) -> bytes:
    return access.digest("inbox", os.fsencode(name))


def _is_same(row: InboxFile, item: Seen) -> bool:
    return (row.size, row.changed_ns, row.refused) == (item.size, item.changed_ns, item.refused)


def _begin(access: Access, row: InboxFile, item: Seen) -> InboxFile:
    row.size, row.changed_ns, row.refused = item.size, item.changed_ns, item.refused
    row.seen_at, row.arrival_id = now(), None
    access.session.add(row)
    return row


# --- taking ------------------------------------------------------------------------------------------


def _take(door: Door, actor: Actor, folder: Folder, item: Seen) -> bool:
    """Seal one file, commit, and only then remove it."""
    raw = _read(folder.handle, item)
    if raw is None:
        return False
    with door.enter(actor, *RIGHTS) as access:
        taken = seal(access, folder.source_id, item, raw)
    if taken is None:
        return False
    removed = _remove(folder.handle, item)
    with door.enter(actor, *RIGHTS) as access:
        _forget(access, folder.source_id, item, removed=removed)
    return taken


def seal(access: Access, source_id: UUID, item: Seen, raw: bytes) -> bool | None:
    """Let it arrive; true if it has now, false if it lay in the house already, none if it is not ours to take."""
    source = access.find(ScreeningSource, source_id)
    row = access.session.scalars(
        select(InboxFile).where(_of(source_id), InboxFile.name_digest == _digest_of(access, item.name))
    ).one_or_none()
    if row is None or source.retired_at is not None or not _is_same(row, item):
        return None
    if row.arrival_id is not None:
        arrived = access.session.get_one(Arrival, row.arrival_id)
        if arrived.digest == access.digest("file", raw):
            return False
        _begin(access, row, item)
        return None
    row.arrival_id = arrival.receive(access, source, raw, item.name).id
    return True


def _read(handle: int, item: Seen) -> bytes | None:
    """The bytes of a file that is still what was noted; nothing if it has changed, or changes while it is read."""
    try:
        file = os.open(item.name, FILE_FLAGS, dir_fd=handle)
    except OSError as problem:
        log.warning("inbox file not readable", error=type(problem).__name__)
        return None
    with os.fdopen(file, "rb") as opened:
        raw = opened.read(item.size + 1) if _is_still(os.fstat(file), item) else b""
        return raw if len(raw) == item.size and raw and _is_still(os.fstat(file), item) else None


def _is_still(facts: os.stat_result, item: Seen) -> bool:
    return (
        stat.S_ISREG(facts.st_mode)
        and facts.st_nlink <= 1
        and (facts.st_size, facts.st_mtime_ns) == (item.size, item.changed_ns)
    )


def _remove(handle: int, item: Seen) -> bool:
    """Remove the plain copy, unless another file has taken its name meanwhile."""
    try:
        if _is_still(os.stat(item.name, dir_fd=handle, follow_symlinks=False), item):
            os.unlink(item.name, dir_fd=handle)
            os.fsync(handle)
        return True
    except FileNotFoundError:
        return True
    except OSError as problem:
        log.error("inbox file not removed", error=type(problem).__name__)
        return False


def _forget(access: Access, source_id: UUID, item: Seen, *, removed: bool) -> None:
    """The row of a removed file goes; one that cannot be removed is told to the owner, and tried again."""
    source = access.find(ScreeningSource, source_id)
    row = access.session.scalars(
        select(InboxFile).where(_of(source_id), InboxFile.name_digest == _digest_of(access, item.name))
    ).one_or_none()
    if row is None or not _is_same(row, item):
        return
    if removed:
        access.session.delete(row)
        return
    row.seen_at = now() + timedelta(hours=1)
    post.tell(access, *sources.keeper_of(access.session, source), "inbox_not_removed")
