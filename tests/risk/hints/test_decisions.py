"""A person decides on an entry: dismissed, known, taken back; with a reason from the list and words, kept for good."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.risk.hints.decisions import DISMISSING, KNOWING
from models.interview import EntryOrigin, InterviewEntry, InterviewStage
from models.moment import travel
from tests.house import House
from tests.risk.hints.listed import CALM, Listed, listed, says
from tests.risk.times import again

CANARY = "处理金丝雀"


@pytest.fixture
def held(sqlite_house: House, tmp_path: Path) -> Listed:
    """A calm student added by the model, three listed by rules."""
    found = listed(sqlite_house, tmp_path, [CALM, 10, 12, 14])
    found.arrange({person.row.id: says(person, 1.0, "近期缺勤较多") for person in found.people})
    return found


def hint_of(held: Listed) -> InterviewEntry:
    [entry] = held.entries(InterviewEntry.origin == EntryOrigin.MODEL)
    return entry


@pytest.mark.parametrize("basis", DISMISSING)
def test_a_hint_is_dismissed_with_a_reason_and_words(held: Listed, basis: str) -> None:
    entry = hint_of(held)

    page = held.staff.psychologist.post(f"/interviews/{entry.id}/dismiss", basis=basis, text=CANARY, version="1")

    kept = held.house.again(entry)
    assert (kept.stage, kept.basis, kept.ended_at is not None) == (InterviewStage.DISMISSED, basis, True)
    assert CANARY in page
    assert len(held.house.log(act="hint_dismissed")) == 1
    assert CANARY.encode() not in Path(held.house.door.database.url.database or "").read_bytes()


@pytest.mark.parametrize("basis", KNOWING)
def test_whoever_is_cared_for_already_is_marked_so_whatever_listed_him(held: Listed, basis: str) -> None:
    for entry in (hint_of(held), held.entry(held.people[1])):
        held.staff.psychologist.post(f"/interviews/{entry.id}/known", basis=basis, text="已在跟进", version="1")

        assert (held.house.again(entry).stage, held.house.again(entry).basis) == (InterviewStage.KNOWN, basis)


def test_what_a_rule_listed_is_never_dismissed(held: Listed) -> None:
    entry = held.entry(held.people[1])

    page = held.staff.head.post(f"/interviews/{entry.id}/dismiss", basis="too_little", text="不用谈", version="1")

    assert page.status == 422
    assert "只有“模型提示”增加的人可以这样处理" in page
    assert held.house.again(entry).stage is InterviewStage.LISTED
    assert "暂不约谈" not in held.staff.psychologist.get(f"/interviews/{entry.id}")


@pytest.mark.parametrize(
    ("act", "answers"),
    [
        ("dismiss", {"basis": ""}),
        ("dismiss", {"basis": "in_case"}),
        ("known", {"basis": "too_little"}),
        ("known", {"basis": "nonsense"}),
        ("dismiss", {"text": ""}),
        ("known", {"text": "字" * 501}),
    ],
)
def test_a_decision_without_a_reason_or_with_anothers_is_refused(
    held: Listed, act: str, answers: dict[str, str]
) -> None:
    entry = hint_of(held)
    given = {"basis": "understood" if act == "dismiss" else "in_case", "text": "看过", "version": "1"} | answers

    page = held.staff.psychologist.post(f"/interviews/{entry.id}/{act}", **given)

    assert page.status == 422
    assert held.house.again(entry).stage is InterviewStage.LISTED


def test_a_decision_is_taken_back_until_the_deadline_and_what_was_said_stays(held: Listed) -> None:
    entry, person = hint_of(held), held.staff.psychologist
    person.post(f"/interviews/{entry.id}/dismiss", basis="understood", text=CANARY, version="1")

    page = person.post(f"/interviews/{entry.id}/reconsider", text="情况有变化", version="2")

    kept = held.house.again(entry)
    assert (kept.stage, kept.basis, kept.ended_at) == (InterviewStage.LISTED, None, None)
    assert (kept.owner_id, kept.due_at) == (entry.owner_id, entry.due_at)
    assert "情况有变化" in page
    assert CANARY in page


def test_after_the_deadline_a_decision_stands(held: Listed) -> None:
    entry = hint_of(held)
    held.staff.psychologist.post(f"/interviews/{entry.id}/known", basis="in_case", text="已在管", version="1")

    with travel(entry.due_at):
        person = again(held.staff.psychologist)
        page = person.post(f"/interviews/{entry.id}/reconsider", text="再谈", version="2")

    assert page.status == 422
    assert "本批次的约谈已经截止" in page
    assert held.house.again(entry).stage is InterviewStage.KNOWN


def test_the_level_a_talk_came_to_is_kept_and_a_serious_one_offers_the_next_step(held: Listed) -> None:
    entry, person = held.entry(held.people[1]), held.staff.psychologist
    person.post(f"/interviews/{entry.id}/take")

    page = person.post(f"/interviews/{entry.id}", stage="second_talk", level="orange", text="需要继续", version="2")

    assert "重点（橙）" in page
    assert "建立个案" in page


def test_no_level_is_given_where_nobody_talked(held: Listed) -> None:
    entry, person = held.entry(held.people[1]), held.staff.psychologist
    person.post(f"/interviews/{entry.id}/take")

    page = person.post(f"/interviews/{entry.id}", stage="declined", level="green", text="不来", version="2")

    assert page.status == 422
    assert "没有谈成时不评等级" in page
