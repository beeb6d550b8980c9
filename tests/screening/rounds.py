"""Rounds for tests: made through the page, filled through the real import."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select

from models.screening import ScreeningRound
from tests.house import Client, House, Page
from tests.screening.files import Person, bring_in, line, written

TERMS = {"interviews_due": "2026-12-20", "opens_on": "2026-11-16", "closes_on": "2026-11-27"}


def new_round(house: House, person: Client, name: str = "秋季普查", **terms: Any) -> ScreeningRound:
    """A round made on the page, open unless ``save="draft"``."""
    page = person.post("/rounds/new", **({"name": name} | TERMS | terms))
    assert page.status == 200, page.text
    return stored(house, name)


def stored(house: House, name: str = "秋季普查") -> ScreeningRound:
    [(row,)] = house.all(select(ScreeningRound).where(ScreeningRound.name == name))
    return row  # type: ignore[no-any-return]


def go(person: Client, row: ScreeningRound, stage: str, **more: Any) -> Page:
    """Press the button of the page that shows what is still open."""
    version = person.get(f"/rounds/{row.id}/next/{stage}").value("version")
    return person.post(f"/rounds/{row.id}", stage=stage, version=version, **more)


def take_part(house: House, folder: Path, row: ScreeningRound, *lines: Sequence[Any], **options: Any) -> None:
    """Results of these lines come in."""
    bring_in(house, written(folder, *lines), round_name=row.name, **options)


def done(house: House, folder: Path, row: ScreeningRound, *people: Person) -> None:
    """These people have calm results."""
    take_part(house, folder, row, *map(line, people))
