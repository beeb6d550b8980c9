"""One invented college for all commands, and a copy of it for each test that changes something."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.program import Ended, run, run_cold


@pytest.fixture(scope="session")
def built(folder: Path) -> tuple[Path, Ended]:
    """A demo of sixty students, and what the command said when it was built."""
    home = folder / "demo"
    return home, run_cold(home, "demo", "--no-serve", "--students", "60", "--json")


@pytest.fixture
def home(built: tuple[Path, Ended], tmp_path: Path) -> Path:
    """A copy of the demo for one test."""
    target = tmp_path / "home"
    shutil.copytree(built[0], target)
    return target


@pytest.fixture(scope="session")
def born(folder: Path) -> tuple[Path, Ended]:
    """A real installation without anybody, and what the command said when it was made."""
    home = folder / "real"
    return home, run(home, "db", "upgrade", "--school", "测试学院")


@pytest.fixture
def empty_home(born: tuple[Path, Ended], tmp_path: Path) -> Path:
    target = tmp_path / "real"
    shutil.copytree(born[0], target)
    return target
