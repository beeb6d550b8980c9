"""A centre with people, a round and a source: what tests of sources hold in their hands."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from app.screening.sources import inbox as folders
from app.screening.sources import source as sources
from app.security.actor import WORKER
from app.security.policy import Permission, Purpose
from models import moment
from models.intake import BatchStage, ImportBatch
from models.notice import Notice
from models.screening import ScreeningRound
from models.source import Arrival, ArrivalState, ScreeningSource, SourceKind
from tests.house import Client, House
from tests.screening.files import COLUMNS, Person, enrol, gad, line, phq

MAPPING = {
    "columns": {"student_number": "学号", "name": "姓名"},
    "scales": {"phq9": {"items": COLUMNS[2:11]}, "gad7": {"items": COLUMNS[11:]}},
}
MANAGE = (Permission.SOURCE_MANAGE, Purpose.CARE)


class Delivering:
    """The centre of a college that gets results from a platform."""

    def __init__(self, house: House, inbox: Path) -> None:
        self.house, self.inbox = house, inbox
        self.head, self.psychologist, self.affairs = house.make.team()
        group = house.make.class_group()
        house.make.advisor(group)
        self.people = enrol(house, 8, group)
        self.round = house.make.round("春季普查")
        self.let_clean_files_in()

    def let_clean_files_in(self, *, allowed: bool = True) -> None:
        with self.house.door.database.writing() as session:
            session.execute(update(ScreeningRound).values(commits_clean_files=allowed))

    def source(
        self,
        *,
        kind: SourceKind = SourceKind.FOLDER,
        mapped: bool = True,
        owner: Client | None = None,
        **facts: Any,
    ) -> ScreeningSource:
        """A source, with its mapping confirmed by the psychologist."""
        return self.source_with_key(kind=kind, mapped=mapped, owner=owner, **facts)[0]

    def source_with_key(
        self,
        *,
        kind: SourceKind = SourceKind.PUSH,
        mapped: bool = True,
        owner: Client | None = None,
        **facts: Any,
    ) -> tuple[ScreeningSource, str]:
        facts = {"name": "测评平台", "folder": "测评平台" if kind is SourceKind.FOLDER else ""} | facts
        with (owner or self.psychologist).under(Permission.SOURCE_MANAGE) as access:
            row, key = sources.open_source(
                access, kind=kind, owner_id=(owner or self.psychologist).id, round_id=self.round.id, **facts
            )
            if mapped:
                sources.remember(access, row, [MAPPING], confirmed_by=self.psychologist.id)
        return row, key

    # --- deliveries ---------------------------------------------------------------------------------

    def put(self, raw: bytes, name: str = "结果.csv", folder: str = "测评平台") -> Path:
        """A file of the platform in its folder, written to its end."""
        path = self.inbox / folder / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_bytes(raw)
        return path

    def look(self) -> int:
        return folders.look(self.house.door, WORKER)

    def look_twice(self) -> int:
        """See a file, and a while later see it unchanged."""
        taken = self.look()
        with moment.travel(moment.now() + timedelta(seconds=61)):
            return taken + self.look()

    def work(self) -> int:
        """Let the worker do what is due two minutes later."""
        with moment.travel(moment.now() + timedelta(minutes=2)):
            return self.house.work()

    def deliver(self, raw: bytes, name: str = "结果.csv") -> Arrival:
        """A file arrives and the worker does all it can with it."""
        self.put(raw, name)
        assert self.look_twice() == 1
        self.work()
        return self.arrivals()[-1]

    # --- what came of it ----------------------------------------------------------------------------

    def arrivals(self) -> list[Arrival]:
        found = self.house.all(select(Arrival).order_by(Arrival.arrived_at, Arrival.id))
        return [row for (row,) in found]

    def states(self) -> list[ArrivalState]:
        return [row.state for row in self.arrivals()]

    def batch(self, row: Arrival) -> ImportBatch:
        [(found,)] = self.house.all(select(ImportBatch).where(ImportBatch.id == row.batch_id))
        return found  # type: ignore[no-any-return]

    def stages(self) -> list[BatchStage]:
        rows = self.house.all(select(ImportBatch.stage).where(ImportBatch.round_id.is_not(None)))
        return [row.stage for row in rows]

    def told(self, kind: str) -> dict[UUID, int]:
        """Who was told of it, and how often."""
        rows = self.house.all(select(Notice.recipient_id, Notice.count).where(Notice.kind == kind))
        return {row.recipient_id: row.count for row in rows}


def table(*lines: Sequence[Any], header: Sequence[str] = COLUMNS) -> bytes:
    """A CSV file with these lines."""
    out = io.StringIO()
    csv.writer(out).writerows([header, *lines])
    return out.getvalue().encode("utf-8-sig")


def calm(people: Sequence[Person], start: int = 0) -> list[list[Any]]:
    """Answers without anything to see, each person's others."""
    return [line(person, phq((place + start) % 7 + 1), gad((place + start) % 5)) for place, person in enumerate(people)]


def clean(people: Sequence[Person], start: int = 0) -> bytes:
    return table(*calm(people, start))


def touch(path: Path, seconds: int) -> None:
    """Let a file look as if it had been written so long ago."""
    facts = path.stat()
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns - seconds * 1_000_000_000))
