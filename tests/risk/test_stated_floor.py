"""What a structured interview comes to can be raised by no file below its level."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from app.admin import rulebook
from app.admin.floor import BelowFloor, refuse_below_floor
from app.screening.structured import guide
from models.risk import Level
from tests.house import House


def test_every_level_of_the_interview_raises_a_rule_of_the_book(sqlite_house: House) -> None:
    with sqlite_house.session() as session:
        book = rulebook.current(session)

    raised = {level.key: book.rule(level.rule).level for level in guide().levels if level.rule}

    assert raised == {"high": Level.RED, "moderate": Level.ORANGE, "low": Level.YELLOW}


@pytest.mark.parametrize(("rule_id", "lower"), [("cssrs.high", Level.ORANGE), ("cssrs.moderate", Level.YELLOW)])
def test_a_book_that_lowers_an_interview_is_refused(sqlite_house: House, rule_id: str, lower: Level) -> None:
    session: Session
    with sqlite_house.session() as session:
        book = rulebook.current(session)
    rules = tuple(replace(rule, level=lower) if rule.id == rule_id else rule for rule in book.rules)

    with pytest.raises(BelowFloor):
        refuse_below_floor(replace(book, rules=rules))
