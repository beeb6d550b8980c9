"""Pages of corrections: what will happen stands above the button, and who did what when stands on the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from models.intake import BatchStage
from models.screening import ResponseSet
from tests.house import Client, House
from tests.risk.people import Staffed, staffed
from tests.screening.corrections import attention_of, last_delivery
from tests.screening.files import Person, bring_in, enrol, line, phq, written

WHY = "选错了批次，是去年的"


@pytest.fixture
def brought(sqlite_house: House, tmp_path: Path) -> tuple[House, Staffed, list[Person]]:
    held = staffed(sqlite_house)
    people = enrol(sqlite_house, 2, held.group)
    bring_in(sqlite_house, written(tmp_path, line(people[0], phq(12, 2))))
    return sqlite_house, held, people


def sheet_id(house: House) -> Any:
    return house.all(select(ResponseSet.id).where(ResponseSet.scale == "phq9", ResponseSet.voided_at.is_(None)))[0].id


def test_what_taking_a_file_back_comes_to_stands_above_the_button(brought: Any) -> None:
    house, held, _ = brought
    batch = last_delivery(house)

    page = held.head.get(f"/imports/{batch.id}/roll-back")

    assert "作废 2 份作答" in page
    assert "撤销预警 1 项" in page
    assert last_delivery(house).stage is BatchStage.COMMITTED


def test_a_file_is_taken_back_on_its_page_which_says_by_whom_and_why(brought: Any) -> None:
    house, held, _ = brought
    batch = last_delivery(house)

    page = held.head.post(f"/imports/{batch.id}/roll-back", reason=WHY, version=str(batch.version))

    assert last_delivery(house).stage is BatchStage.ROLLED_BACK
    assert "刘主任于" in page
    assert f"原因：{WHY}" in page


def test_an_old_page_takes_nothing_back(brought: Any) -> None:
    house, held, _ = brought
    batch = last_delivery(house)

    page = held.head.post(f"/imports/{batch.id}/roll-back", reason=WHY, version=str(batch.version - 1))

    assert "你的修改没有保存" in page
    assert last_delivery(house).stage is BatchStage.COMMITTED


def test_a_second_person_reads_who_was_first(brought: Any) -> None:
    house, held, _ = brought
    batch = last_delivery(house)
    held.head.post(f"/imports/{batch.id}/roll-back", reason=WHY, version=str(batch.version))

    assert "已经撤回了这份文件" in house.make.head().get(f"/imports/{batch.id}/roll-back")


def test_the_students_file_says_who_took_the_result_back_and_when_but_not_the_reason(brought: Any) -> None:
    house, held, people = brought
    batch = last_delivery(house)
    held.head.post(f"/imports/{batch.id}/roll-back", reason=WHY, version=str(batch.version))

    page = held.psychologist.get(f"/students/{people[0].row.id}")

    assert "撤回了所在文件" in page
    assert "已作废：刘主任于" in page
    assert WHY not in page
    assert "撤回" not in held.advisor.get(f"/students/{people[0].row.id}")


def test_answers_are_given_to_the_right_student_from_the_file_of_the_wrong_one(brought: Any) -> None:
    house, held, (wrong, right) = brought
    [link] = held.psychologist.get(f"/students/{wrong.row.id}").links(f"/sheets/{sheet_id(house)}/owner")
    found = held.psychologist.post(link, words=right.number, act="search", scope="all")
    assert right.row.id.hex in found.html

    page = held.psychologist.post(
        link, words=right.number, student=right.row.id.hex, scope="all", reason="用错了学号登录", act="give"
    )

    assert "已更正归属" in page
    assert "更正归属，不是这名学生的作答" in page
    assert "原因：用错了学号登录" in page
    assert attention_of(house, [wrong])["sheets"] == []
    assert len(attention_of(house, [right])["sheets"]) == 2


def test_only_one_of_several_sheets_can_be_corrected(brought: Any) -> None:
    house, held, (wrong, right) = brought

    held.psychologist.post(
        f"/sheets/{sheet_id(house)}/owner",
        words=right.number,
        student=right.row.id.hex,
        scope="this",
        reason="用错了学号登录",
        act="give",
    )

    assert [row[1] for row in attention_of(house, [right])["sheets"]] == ["phq9"]
    assert [row[1] for row in attention_of(house, [wrong])["sheets"]] == ["gad7"]


def test_without_a_student_chosen_the_page_says_what_to_do(brought: Any) -> None:
    house, held, (_, right) = brought

    page = held.psychologist.post(f"/sheets/{sheet_id(house)}/owner", words=right.number, scope="all", act="give")

    assert page.status == 422
    assert "请先查找，再选择正确的学生。" in page


def test_from_the_file_page_a_result_is_found_by_whom_it_stands_under(brought: Any) -> None:
    house, held, (wrong, right) = brought
    path = f"/imports/{last_delivery(house).id}/owner"

    page = held.psychologist.post(path, words=wrong.number)

    assert page.links(f"/sheets/{sheet_id(house)}/owner")
    assert held.psychologist.post(path, words=right.number).links(r"/sheets/[^\"]+") == []
    assert wrong.name not in page.html


def test_corrections_are_the_centres_alone(brought: Any) -> None:
    house, held, (wrong, _) = brought
    paths = [f"/imports/{last_delivery(house).id}/roll-back", f"/sheets/{sheet_id(house)}/owner"]

    for person in (held.advisor, held.lead, held.affairs):
        assert {person.get(path).status for path in paths} <= {403, 404}
    assert "更正归属" not in held.advisor.get(f"/students/{wrong.row.id}")


def test_the_page_of_a_delivery_offers_what_can_be_put_right(brought: Any) -> None:
    house, held, _ = brought

    page: Client = held.head.get(f"/imports/{last_delivery(house).id}")

    assert "撤回这份文件" in page
    assert "更正归属" in page
