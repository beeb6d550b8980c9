"""Every test of this folder lives on the same working Monday, with a watched folder of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.house import House
from tests.risk.times import on_monday
from tests.sources.delivering import Delivering

__all__ = ["on_monday"]


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    path = tmp_path / "inbox"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def centre(house: House, inbox: Path) -> Delivering:
    """A college whose centre has a source that delivers into a folder."""
    house.door.settings = replace(house.door.settings, inbox=inbox)
    return Delivering(house, inbox)
