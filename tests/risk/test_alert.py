"""Alerts: one per student, as severe as the most severe reason, always with owners and clocks."""

from __future__ import annotations

from sqlalchemy import select

from models.risk import Alert, Duty, Level
from tests.house import House


def test_a_second_reason_joins_the_open_alert_and_raises_it(house: House) -> None:
    house.make.team()
    student = house.make.student()
    first = house.make.alert(student, rule="report.watch")

    second = house.make.alert(student, rule="report.soon")

    assert second.id == first.id
    assert second.level is Level.ORANGE
    kinds = {duty.kind for (duty,) in house.all(select(Duty).where(Duty.alert_id == first.id))}
    assert kinds == {"contact", "assessment"}
    assert house.count(Alert) == 1
