"""An edition that is used again: what it said in its day is no word about today."""

from __future__ import annotations

from sqlalchemy import select

from models.risk_model import RiskScore
from tests.house import House
from tests.risk.editions.editions import models_of


def test_an_edition_that_is_taken_back_says_nothing_until_it_has_looked_again(sqlite_house: House) -> None:
    models = models_of(sqlite_house)
    first, second = models.keep(1), models.keep(2)
    models.use(first)
    models.use(second)
    live = select(RiskScore).where(RiskScore.superseded_at.is_(None))
    assert {row.model_id for (row,) in sqlite_house.all(live)} == {first, second}

    with models.later(30) as later:
        later.roll_back(first)

    assert {row.model_id for (row,) in sqlite_house.all(live)} == {second}
    assert sqlite_house.count(RiskScore) == 2
