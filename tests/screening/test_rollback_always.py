"""Whatever is in two small files: what is taken back leaves nothing, and what the other one says stays."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.risk import duty as duties
from app.security.policy import Permission
from models.moment import travel
from models.risk import Duty, DutyStage
from tests.house import Client, House
from tests.risk.times import MONDAY
from tests.screening.corrections import attention_of, holding, last_delivery, roll_back
from tests.screening.files import Person, bring_in, enrol, gad, line, phq, written

PHQ = (phq(0), phq(12), phq(3, 1), phq(12, 2), phq(21), [3] * 8 + [""], [0] * 8 + [2], [9] * 9)
GAD = (gad(0), gad(15), [1, 1, 1, "", 1, 1, 1])
ROW = st.one_of(st.none(), st.tuples(st.sampled_from(PHQ), st.sampled_from(GAD)))
ROWS = st.lists(ROW, min_size=3, max_size=3)
LOST = st.sampled_from([(), (["777", "路人", *phq(2, 2), *gad(0)],)])
ORDER = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
_files = itertools.count()


def lines_of(people: list[Person], rows: Any) -> list[list[Any]]:
    return [line(person, *row) for person, row in zip(people, rows, strict=True) if row is not None]


def deliver(house: House, folder: Path, *lines: Any, replace: bool, hours: int = 0) -> Any:
    """Bring a file in, some hours later; none when there is nothing in it."""
    if not lines:
        return None
    with travel(MONDAY + timedelta(hours=hours)):
        bring_in(house, written(folder, *lines, name=f"{next(_files)}.csv"), replace=replace)
    return last_delivery(house)


@ORDER
@given(first=ROWS, second=ROWS, lost=LOST, replace=st.booleans(), seen=st.booleans())
def test_whatever_a_file_did_is_undone(
    house: House, tmp_path: Path, first: Any, second: Any, lost: Any, replace: bool, seen: bool
) -> None:
    head = _team(house)
    people = enrol(house, 3)
    deliver(house, tmp_path, *lines_of(people, first), replace=False)
    if seen:
        _acknowledge_all(house, head)
    before = holding(house)

    batch = deliver(house, tmp_path, *lines_of(people, second), *lost, replace=replace, hours=3)
    if batch is not None:
        roll_back(head, batch)

    assert holding(house) == before


@ORDER
@given(first=ROWS, second=ROWS, same=st.booleans(), earlier=st.booleans())
def test_one_of_two_files_taken_back_leaves_what_the_other_one_says(
    house: House, tmp_path: Path, first: Any, second: Any, same: bool, earlier: bool
) -> None:
    head = _team(house)
    people, twins = enrol(house, 3), enrol(house, 3)
    other = [mine or row for mine, row in zip(first, second, strict=True)] if same else second
    left, taken = (other, first) if earlier else (first, other)
    deliver(house, tmp_path, *lines_of(twins, left), replace=False)

    batches = [
        deliver(house, tmp_path, *lines_of(people, rows), replace=not same, hours=3 * place)
        for place, rows in enumerate((first, other))
    ]
    batch = batches[0 if earlier else 1]
    if batch is not None:
        roll_back(head, batch)

    assert attention_of(house, people) == attention_of(house, twins), taken


_heads: dict[int, Client] = {}


def _team(house: House) -> Client:
    """The head of the centre of this house, who is the same in every example."""
    if id(house) not in _heads:
        _heads[id(house)] = house.make.team()[0]
    return _heads[id(house)]


def _acknowledge_all(house: House, head: Client) -> None:
    """签收 whatever is the head's."""
    with head.under(Permission.DUTY_WORK) as access:
        for (duty,) in house.all(select(Duty).where(Duty.stage == DutyStage.OPEN, Duty.owner_id == head.id)):
            duties.acknowledge(access, access.find(Duty, duty.id))
