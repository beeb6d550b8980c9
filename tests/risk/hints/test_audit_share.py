"""Talks by lot: off until there is room, the same on every run, spread evenly, nobody of whom anything spoke."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from app.risk.hints import audit_share
from app.security.actor import WORKER
from app.security.policy import Permission
from models.base import new_id
from models.interview import EntryOrigin, InterviewEntry, InterviewStage
from models.moment import travel
from tests.house import House, Page
from tests.risk.hints.listed import CALM, Listed, listed, says
from tests.risk.people import told
from tests.risk.scores.trained import score_round, shelve

MANY = [CALM] * 60 + [10, 12, 14]


def switch_on(held: Listed, share: str = "10", talks: int = 200) -> Page:
    held.staff.head.post(f"/rounds/{held.round().id}/talks", per_week=str(talks), version=str(held.round().version))
    return held.staff.head.post(f"/rounds/{held.round().id}/lot", share=share, version=str(held.round().version))


def lots(house: House, round_id: UUID, students: list[UUID]) -> list[float]:
    with house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        return [audit_share.lot(access, round_id, student) for student in students]


def test_nobody_is_drawn_until_the_centre_says_so(sqlite_house: House, tmp_path: Path) -> None:
    held = listed(sqlite_house, tmp_path, MANY)

    held.arrange({person.row.id: says(person, 0.0) for person in held.people})

    assert held.round().audit_share is None
    assert held.of(EntryOrigin.AUDIT) == set()


def test_the_lot_falls_by_a_digest_on_those_nothing_spoke_of(house: House, tmp_path: Path) -> None:
    held = listed(house, tmp_path, MANY)
    house.make.alert(held.people[0].row)
    assert switch_on(held).status == 200
    calm = held.students()[1:60]
    fair = {student for student, lot in zip(calm, lots(house, held.round().id, calm), strict=True) if lot < 0.1}

    for _ in range(2):
        held.arrange()

    entries = held.entries(InterviewEntry.origin == EntryOrigin.AUDIT)
    assert {entry.student_id for entry in entries} == fair
    assert {(entry.share, entry.owner_id, entry.due_at) for entry in entries} <= {
        (0.1, held.round().owner_id, held.round().interviews_due_at)
    }
    assert not fair or told(house, "audits_drawn") == {held.round().owner_id}


def test_the_lot_is_spread_evenly_over_students_and_another_one_in_every_round(sqlite_house: House) -> None:
    students, first, second = [new_id() for _ in range(4000)], new_id(), new_id()

    once, twice = lots(sqlite_house, first, students), lots(sqlite_house, second, students)

    assert abs(sum(lot < 0.1 for lot in once) - 400) < 5 * 19
    both = sum(lot < 0.1 and other < 0.1 for lot, other in zip(once, twice, strict=True))
    assert 10 <= both <= 80


def test_a_larger_share_keeps_whoever_was_drawn_and_all_carry_the_chance_that_holds(
    sqlite_house: House, tmp_path: Path
) -> None:
    held = listed(sqlite_house, tmp_path, MANY)
    switch_on(held, "4")
    held.arrange()
    before = held.of(EntryOrigin.AUDIT)

    switch_on(held, "10")
    held.arrange()

    assert before <= held.of(EntryOrigin.AUDIT)
    assert {entry.share for entry in held.entries(InterviewEntry.origin == EntryOrigin.AUDIT)} <= {0.1}


@pytest.mark.parametrize(
    ("share", "talks", "words"),
    [("11", 200, "不超过 10%"), ("0", 200, "大于 0"), ("10", 1, "请先调高每周访谈数")],
)
def test_it_is_not_switched_on_beyond_its_bounds_or_without_room(
    sqlite_house: House, tmp_path: Path, share: str, talks: int, words: str
) -> None:
    held = listed(sqlite_house, tmp_path, MANY)

    page = switch_on(held, share, talks)

    assert page.status == 422
    assert words in page
    assert held.round().audit_share is None


def test_after_the_deadline_nobody_is_drawn_any_more(sqlite_house: House, tmp_path: Path) -> None:
    held = listed(sqlite_house, tmp_path, MANY)
    switch_on(held)

    with travel(held.round().interviews_due_at):
        held.arrange()

    assert held.of(EntryOrigin.AUDIT) == set()


def test_switched_off_only_those_already_invited_stay(sqlite_house: House, tmp_path: Path) -> None:
    held = listed(sqlite_house, tmp_path, [CALM] * 120)
    switch_on(held)
    held.arrange()
    drawn = held.entries(InterviewEntry.origin == EntryOrigin.AUDIT)
    assert len(drawn) >= 2
    held.staff.psychologist.post(f"/interviews/{drawn[0].id}/take")

    held.staff.head.post(f"/rounds/{held.round().id}/lot/off")
    held.arrange()

    left = held.entries(InterviewEntry.origin == EntryOrigin.AUDIT, InterviewEntry.stage != InterviewStage.VOID)
    assert [entry.id for entry in left] == [drawn[0].id]
    assert held.round().audit_share is None


def test_the_page_of_a_drawn_student_says_that_nothing_was_found(sqlite_house: House, tmp_path: Path) -> None:
    held = listed(sqlite_house, tmp_path, [CALM] * 60)
    switch_on(held)
    held.arrange()
    entry = held.entries(InterviewEntry.origin == EntryOrigin.AUDIT)[0]

    page = held.staff.psychologist.get(f"/interviews/{entry.id}")

    assert "抽签选出，没有任何提示" in page
    assert "暂不约谈" not in page


def test_whoever_talks_to_a_drawn_student_is_not_told_what_the_model_says(sqlite_house: House, tmp_path: Path) -> None:
    held = listed(sqlite_house, tmp_path, [CALM] * 60)
    shelve(sqlite_house)
    switch_on(held)
    score_round(sqlite_house, held.round())
    entry = held.entries(InterviewEntry.origin == EntryOrigin.AUDIT)[0]

    for place in (f"/interviews/{entry.id}", "/interviews"):
        page = held.staff.psychologist.get(place).html
        assert "tag-band" not in page


def test_the_log_names_the_round_and_how_many_were_drawn(sqlite_house: House, tmp_path: Path) -> None:
    held = listed(sqlite_house, tmp_path, [CALM] * 60)
    switch_on(held)

    held.arrange()

    rows = sqlite_house.log(act="audits_drawn")
    assert [row["object"] for row in rows] == [held.round().id.hex]
