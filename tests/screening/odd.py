"""Files with an oddity, and what the house made of them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from tests.house import House, xlsx
from tests.screening.brought import bodies
from tests.screening.files import Person, bring_in


def kept(folder: Path, raw: bytes, name: str) -> Path:
    path = folder / name
    path.write_bytes(raw)
    return path


def book(folder: Path, *rows: Sequence[Any]) -> Path:
    return kept(folder, xlsx(*rows), "结果.xlsx")


def text(folder: Path, *rows: Sequence[Any], encoding: str = "utf-8-sig", **form: Any) -> Path:
    out = StringIO()
    csv.writer(out, **form).writerows(rows)
    return kept(folder, out.getvalue().encode(encoding), "结果.csv")


def taken(house: House, file: Path, **options: Any) -> dict[str, Any]:
    return bring_in(house, file, **({"scales": ()} | options))


def totals(house: House, people: list[Person], scale: str = "phq9") -> list[Any]:
    """The total that each of these has, nothing where none is stored."""
    found = bodies(house, scale)
    return [found[person.row.id]["total"] if person.row.id in found else None for person in people]


def saved(folder: Path, words: str) -> Path:
    """A mapping file."""
    path = folder / "map.toml"
    path.write_text(words, encoding="utf-8")
    return path
