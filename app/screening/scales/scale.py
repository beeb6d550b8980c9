"""The scales of this installation: one file each in ``config/scales``, checked when it is read.

A college adds a scale by adding a file (``manage.py scale check FILE`` says
what is wrong with it). Where the licence forbids to ship the wording of the
items, the college puts its own into ``config/scales/texts/KEY.toml``::

    prompt = "…"
    [items]
    1 = "…"
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from app.screening.scales.scale_file import LICENCES, ScaleFault, read
from app.screening.scales.scale_parts import (
    CHOICE,
    CLOCK,
    HOURS,
    MINUTES,
    Band,
    Check,
    Coding,
    Item,
    Norm,
    Pattern,
    RedFlag,
    Subscale,
)
from app.screening.scales.scale_whole import Scale
from config import catalogue

__all__ = [
    "CHOICE",
    "CLOCK",
    "HOURS",
    "LICENCES",
    "MINUTES",
    "Band",
    "Check",
    "Coding",
    "Item",
    "Norm",
    "Pattern",
    "RedFlag",
    "Scale",
    "ScaleFault",
    "Subscale",
    "all_scales",
    "read",
    "read_path",
]


@cache
def all_scales() -> dict[str, Scale]:
    """Every scale of this installation, by key."""
    found: dict[str, Scale] = {}
    texts = set(catalogue.names("scales/texts"))
    for name in catalogue.names("scales"):
        own = name.replace("scales/", "scales/texts/", 1)
        scale = read(name, catalogue.table(name), catalogue.table(own) if own in texts else None)
        if f"scales/{scale.key}" != name:
            raise ScaleFault(name, [f"key：应与文件名相同，即 {name.removeprefix('scales/')}"])
        found[scale.key] = scale
    _refuse_shared_prefixes(found)
    return found


def _refuse_shared_prefixes(scales: dict[str, Scale]) -> None:
    """Two scales with one header word: a column could be scored as the wrong one."""
    owners: dict[str, str] = {}
    for key, scale in scales.items():
        for word in scale.prefixes:
            if owners.setdefault(word, key) != key:
                raise ScaleFault(f"scales/{key}", [f"prefixes：“{word}”已是 {owners[word]} 的列名前缀"])


def read_path(path: Path) -> Scale:
    """A scale file from anywhere, with its own texts beside it if there are any."""
    own = path.parent / "texts" / path.name
    table: dict[str, Any] = catalogue.read(path)
    return read(path.name, table, catalogue.read(own) if own.is_file() else None)
