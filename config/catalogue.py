"""Reads the TOML files beside it: data that a college may change without touching code.

Each room turns what it needs into its own typed, checked form; this module
only finds the file, reads it once and says which file is broken.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent


class CatalogueError(Exception):
    """A data file is missing, unreadable or says something impossible."""


@cache
def table(name: str) -> dict[str, Any]:
    """The content of ``config/<name>.toml``, read once per process."""
    return read(FOLDER / f"{name}.toml")


def names(folder: str) -> list[str]:
    """The data files of one folder, for example every scale, in a stated order."""
    return sorted(f"{folder}/{path.stem}" for path in (FOLDER / folder).glob("*.toml"))


def read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as problem:
        raise CatalogueError(f"找不到配置文件 {path.name}。") from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise CatalogueError(f"配置文件 {path.name} 无法读取：{problem}") from problem
