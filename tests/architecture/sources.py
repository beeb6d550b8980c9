"""The repository as text and as syntax trees, read once."""

from __future__ import annotations

import ast
import subprocess
from functools import cache

from config.settings import PROJECT

ROOMS = ("app", "models", "ml", "config")


@cache
def tracked() -> tuple[str, ...]:
    """Every file of the repository, by its path from the top; in an exported tree, every file that lies there."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        return tuple(path for path in listed.stdout.splitlines() if (PROJECT / path).is_file())
    return tuple(str(path.relative_to(PROJECT)) for path in PROJECT.rglob("*") if path.is_file())


@cache
def product() -> tuple[tuple[str, ast.Module], ...]:
    """Every module of the product with its syntax tree."""
    return tuple(
        (path, ast.parse((PROJECT / path).read_text()))
        for path in tracked()
        if path.endswith(".py") and path.split("/")[0] in ROOMS
    )


@cache
def templates() -> tuple[tuple[str, str], ...]:
    """Every template with its text."""
    return tuple((path, (PROJECT / path).read_text()) for path in tracked() if path.endswith(".html"))


def text_of(path: str) -> str:
    return (PROJECT / path).read_text(encoding="utf-8", errors="replace")
