"""撤回: everything that holds is as it was before the delivery, and nobody loses attention by it."""

from __future__ import annotations

from pathlib import Path

from tests.house import House
from tests.screening.corrections import holding, last_delivery, roll_back
from tests.screening.files import bring_in, enrol, line, phq, written


def test_a_delivery_that_came_first_leaves_nothing_that_holds(house: House, tmp_path: Path) -> None:
    head, _, _ = house.make.team()
    calm, moderate, ninth, often = enrol(house, 4)
    before = holding(house)
    file = written(
        tmp_path,
        line(calm),
        line(moderate, phq(12)),
        line(ninth, phq(3, 1)),
        line(often, phq(21, 2)),
        ["777", "路人", *phq(2, 2), *[0] * 7],
    )
    bring_in(house, file)

    came_to = roll_back(head, last_delivery(house))

    assert holding(house) == before
    assert came_to["sheets_voided"] == 8
    assert came_to["alerts_voided"] == 2
    assert came_to["interviews_voided"] == 1
    assert came_to["unplaced_voided"] == 1
