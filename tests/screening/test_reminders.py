"""The list of those who have not taken part: names and nothing else, never a hint of what anybody answered (law 4)."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from models.identity import Role
from models.risk import Alert
from models.student import Student
from tests.house import Client, House, Page
from tests.screening.files import bring_in, enrol, gad, line, phq, written
from tests.screening.rounds import done, go, new_round, take_part


def main_of(page: Page) -> str:
    """What the page itself says, without the frame whose badges count the reader's own duties."""
    found = re.search(r"<main.*</main>", page.settled, re.DOTALL)
    assert found
    return re.sub(r'(name="csrf_token" value=")[^"]*', r"\1", found[0])


def readers(house: House, *, group: object) -> list[Client]:
    return [house.make.advisor(group), house.make.person(Role.COLLEGE_LEAD)]  # type: ignore[arg-type]


def seen(person: Client, row: object, group: object) -> list[str]:
    """Everything about who takes part that this person can open."""
    base = f"/rounds/{row.id}"  # type: ignore[attr-defined]
    names = f"/reminders/{row.id}/{group.id}"  # type: ignore[attr-defined]
    return [main_of(person.get(path)) for path in ("/reminders", names, f"{base}/coverage", f"{base}/absences")]


@pytest.mark.parametrize(
    "answers",
    [
        (phq(12), gad(0)),
        (phq(27, 3), gad(21)),
        (phq(3, 2), gad(0)),
        ([1, *[None] * 8], [1, *[None] * 6]),
        ([3] * 9, [3] * 7),
    ],
    ids=["listed", "everything", "critical", "incomplete", "all the same"],
)
def test_the_lists_are_the_same_to_the_byte_whatever_anybody_answered(
    house: House, tmp_path: Path, answers: tuple[list[int], list[int]]
) -> None:
    head, _, _ = house.make.team()
    group = house.make.class_group()
    people = enrol(house, 3, group)
    row = new_round(house, head)
    done(house, tmp_path, row, *people[:2])
    watching = readers(house, group=group)
    before = [seen(person, row, group) for person in watching]

    sheets = written(tmp_path, line(people[0], *answers), line(people[1], *answers))
    bring_in(house, sheets, round_name=row.name, replace=True)

    assert [seen(person, row, group) for person in watching] == before


def test_even_the_frame_stays_the_same_when_somebody_only_comes_on_the_interview_list(
    house: House, tmp_path: Path
) -> None:
    head, _, _ = house.make.team()
    group = house.make.class_group()
    people = enrol(house, 2, group)
    row = new_round(house, head)
    done(house, tmp_path, row, people[0])
    advisor = house.make.advisor(group)
    path = f"/reminders/{row.id}/{group.id}"
    before = [_bare(advisor.get(place)) for place in ("/reminders", path, "/worklist")]

    bring_in(house, written(tmp_path, line(people[0], phq(14))), round_name=row.name, replace=True)

    assert house.count(Alert) == 0
    assert [_bare(advisor.get(place)) for place in ("/reminders", path, "/worklist")] == before


def _bare(page: Page) -> str:
    return re.sub(r'(name="csrf_token" value=")[^"]*', r"\1", page.settled)


def test_whoever_has_a_result_or_gave_a_reason_is_not_on_the_list(house: House, tmp_path: Path) -> None:
    head, _, _ = house.make.team()
    group = house.make.class_group()
    with_result, declined, missing = enrol(house, 3, group)
    advisor = house.make.advisor(group)
    row = new_round(house, head)
    take_part(house, tmp_path, row, line(with_result, phq(12)))
    head.post(f"/rounds/{row.id}/absences", kind="declined", numbers=declined.number)

    page = advisor.get(f"/reminders/{row.id}/{group.id}")

    assert missing.name in page
    assert with_result.name not in page
    assert declined.name not in page
    assert f"的同学：{missing.name}。" in page
    assert "请在 2026-11-27 前完成测评" in page
    assert "不会有任何影响" in page


def test_the_advisor_calls_and_the_lead_reminds(house: House) -> None:
    head, _, _ = house.make.team()
    group = house.make.class_group()
    [person] = enrol(house, 1, group)
    row = new_round(house, head)
    advisor, lead = readers(house, group=group)
    path = f"/reminders/{row.id}/{group.id}"

    assert 'href="tel:13800001234"' in advisor.get(path).html
    theirs = lead.get(path)
    assert person.name in theirs
    assert "13800001234" not in theirs.html
    opened = [entry["fields"] for entry in house.log(act="round_coverage") if entry["fields"]]
    assert opened == [["student.name", "student.phone"], ["student.name"]]


def test_another_class_and_a_class_that_does_not_exist_answer_alike(house: House) -> None:
    head, _, _ = house.make.team()
    mine, theirs = house.make.class_group(), house.make.class_group()
    enrol(house, 1, mine), enrol(house, 1, theirs)
    advisor = house.make.advisor(mine)
    row = new_round(house, head)
    advisor.get("/reminders")

    there, nowhere = (advisor.get(f"/reminders/{row.id}/{found}") for found in (theirs.id, row.id))

    assert (there.status, nowhere.status) == (404, 404)
    assert there.settled == nowhere.settled


def test_the_list_ends_with_the_round(house: House) -> None:
    head, _, _ = house.make.team()
    group = house.make.class_group()
    enrol(house, 1, group)
    advisor = house.make.advisor(group)
    row = new_round(house, head)
    assert "1 人没有完成测评" in advisor.get("/worklist")

    go(head, row, "closed")

    assert advisor.get(f"/reminders/{row.id}/{group.id}").status == 404
    assert advisor.get(f"/rounds/{row.id}/coverage").status == 404
    assert "现在没有进行中的测评" in advisor.get("/reminders")
    assert "没有完成测评" not in advisor.get("/worklist")


def test_names_stand_in_the_order_of_their_pinyin(sqlite_house: House) -> None:
    house = sqlite_house
    head, _, _ = house.make.team()
    group = house.make.class_group()
    for name in ("赵一", "白二", "欧阳三", "陈四"):
        house.make.student(group, name=name)
    row = new_round(house, head)

    page = house.make.advisor(group).get(f"/reminders/{row.id}/{group.id}")

    found = [page.html.index(f">{name}<") for name in ("白二", "陈四", "欧阳三", "赵一")]
    assert all(first < second for first, second in pairwise(found))
    assert house.count(Student) == 4
