"""A centre with its staff, and one student who is followed over time."""

from __future__ import annotations

import pytest

from tests.house import House
from tests.risk.people import Staffed, staffed
from tests.screening.files import Person, enrol


@pytest.fixture
def held(house: House) -> Staffed:
    return staffed(house)


@pytest.fixture
def person(house: House, held: Staffed) -> Person:
    return enrol(house, 1, held.group)[0]
