"""The interview list when answers are replaced, and when the file that replaced them is taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house import House
from tests.screening.corrections import attention_of, holding, last_delivery, roll_back
from tests.screening.files import bring_in, enrol, gad, line, phq, written


@pytest.mark.parametrize("left", [gad(0), gad(15)], ids=["nothing left", "another sheet lists"])
def test_an_entry_that_a_file_took_off_stands_again(house: House, tmp_path: Path, left: list[int]) -> None:
    head, _, _ = house.make.team()
    [person] = enrol(house, 1)
    bring_in(house, written(tmp_path, line(person, phq(12), left)))
    before = holding(house)
    bring_in(house, written(tmp_path, line(person, phq(0), [""] * 7), name="new.csv"), replace=True)
    assert len(attention_of(house, [person])["listed"]) == (left == gad(15))

    roll_back(head, last_delivery(house))

    assert holding(house) == before
