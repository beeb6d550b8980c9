"""Law 2: whatever the model says, entries, alerts, duties, owners and deadlines of the rules are what they would be."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from models.interview import EntryOrigin, InterviewEntry
from models.risk import Alert, Duty, Signal
from tests.house import House
from tests.risk.hints.listed import CALM, Listed, listed, says
from tests.screening.files import bring_in, line, phq, written

TOTALS = [CALM, CALM, CALM, 10, 12, 14, 18, 19]
NOW_LISTED = 15


def rules_say(house: House) -> dict[str, Any]:
    """All that the rules have brought about, without ids and places."""
    entries = house.all(
        select(
            InterviewEntry.student_id,
            InterviewEntry.stage,
            InterviewEntry.owner_id,
            InterviewEntry.due_at,
            InterviewEntry.weight,
            InterviewEntry.rule_version,
        ).where(InterviewEntry.origin == EntryOrigin.RULES, InterviewEntry.ended_at.is_(None))
    )
    alerts = house.all(select(Alert.student_id, Alert.level, Alert.stage, Alert.owner_id, Alert.due_at))
    duties = house.all(select(Duty.student_id, Duty.kind, Duty.owner_id, Duty.due_at, Duty.stage))
    signals = house.all(select(Signal.student_id, Signal.level, Signal.voided_at))
    return {
        name: sorted(map(repr, rows))
        for name, rows in {"entries": entries, "alerts": alerts, "duties": duties, "signals": signals}.items()
    }


def words(held: Listed, numbers: list[float | None]) -> dict[UUID, Any]:
    return {
        person.row.id: says(person, number, "资料较多")
        for person, number in zip(held.people, numbers, strict=True)
        if number != 0
    }


scores = st.lists(st.one_of(st.none(), st.floats(-30, 30)), min_size=len(TOTALS), max_size=len(TOTALS))


def test_arbitrary_scores_change_nothing_of_the_rules(sqlite_house: House, tmp_path: Path) -> None:
    held = listed(sqlite_house, tmp_path, TOTALS)
    sqlite_house.make.alert(held.people[4].row)
    before = rules_say(sqlite_house)

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(scores)
    def holds(numbers: list[float | None]) -> None:
        held.arrange(words(held, numbers))
        assert rules_say(sqlite_house) == before

    holds()
    assert all(entry.owner_id and entry.due_at for entry in held.entries())


def test_a_rule_that_speaks_after_the_model_lists_as_if_the_model_never_had(house: House, tmp_path: Path) -> None:
    held = listed(house, tmp_path, TOTALS)
    calm = held.people[0]
    held.arrange({calm.row.id: says(calm, 9.0), **words(held, [9.0, *[1.0] * 7])})
    [hint] = held.entries(InterviewEntry.origin == EntryOrigin.MODEL)
    assert hint.student_id == calm.row.id

    bring_in(house, written(tmp_path, line(calm, phq(NOW_LISTED)), name="again.csv"), replace=True)

    [rule] = held.entries(InterviewEntry.student_id == calm.row.id, InterviewEntry.ended_at.is_(None))
    assert (rule.origin, rule.owner_id, rule.due_at) == (
        EntryOrigin.RULES,
        held.round().owner_id,
        held.round().interviews_due_at,
    )
    assert rule.weight > 0
