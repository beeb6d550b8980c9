"""撤回: who may, when, with which words, and who hears of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from app.screening.importing.prepare import base_of
from app.security.policy import Permission
from models.intake import BatchStage, ImportBatch
from models.refusal import Refusal
from models.screening import RoundStage, ScreeningRound
from tests.house import Client, House
from tests.risk.people import told
from tests.screening.corrections import last_delivery, roll_back
from tests.screening.files import bring_in, enrol, gad, line, phq, written


@pytest.fixture
def brought(sqlite_house: House, tmp_path: Path) -> tuple[House, Client, Client]:
    """A file that the psychologist brought in, and the head of the centre."""
    head, psychologist, _ = sqlite_house.make.team()
    [person] = enrol(sqlite_house, 1)
    bring_in(sqlite_house, written(tmp_path, line(person, phq(12, 2))))
    with sqlite_house.door.database.writing() as session:
        session.execute(update(ImportBatch).values(owner_id=psychologist.id))
    return sqlite_house, head, psychologist


def refused(person: Client, **given: Any) -> str:
    """The sentence with which taking the last file back is refused."""
    with pytest.raises(Refusal) as caught:
        roll_back(person, last_delivery(person.house), **given)
    return caught.value.sentence


def test_whoever_brought_it_may_take_it_back_and_the_head_is_told(brought: Any) -> None:
    house, head, psychologist = brought

    roll_back(psychologist, last_delivery(house))

    assert told(house, "batch_rolled_back") == {head.id}


def test_the_head_may_take_any_file_back_and_its_owner_is_told(brought: Any) -> None:
    house, head, psychologist = brought

    roll_back(head, last_delivery(house))

    assert told(house, "batch_rolled_back") == {psychologist.id}


def test_a_colleague_who_did_not_bring_it_is_refused(brought: Any) -> None:
    house, _, _ = brought

    assert "只有导入这份文件的老师或心理中心主任可以撤回" in refused(house.make.psychologist())


def test_a_reason_is_asked_for(brought: Any) -> None:
    _, head, _ = brought

    assert "请写明撤回的原因" in refused(head, reason="  错 ")


def test_who_comes_second_is_told_who_was_first(brought: Any) -> None:
    house, head, psychologist = brought
    roll_back(psychologist, last_delivery(house))

    assert refused(head).startswith(psychologist.staff.name)


def test_a_file_of_a_round_that_is_over_stays(brought: Any) -> None:
    house, head, _ = brought
    with house.door.database.writing() as session:
        session.execute(update(ScreeningRound).values(stage=RoundStage.CLOSED))

    assert "批次已经结束" in refused(head)


def test_a_file_that_did_not_go_in_is_not_taken_back(brought: Any) -> None:
    house, head, _ = brought
    with house.door.database.writing() as session:
        session.execute(update(ImportBatch).values(stage=BatchStage.PREVIEWED))

    assert "没有写入" in refused(head)


def test_the_reason_lies_sealed_in_the_receipt(brought: Any) -> None:
    house, head, _ = brought

    roll_back(head, last_delivery(house), reason="选错了批次，是去年的")

    batch = last_delivery(house)
    assert (batch.stage, batch.rolled_back_by) == (BatchStage.ROLLED_BACK, head.id)
    with head.under(Permission.SCREENING_CORRECT) as access:
        held = access.open_json(access.session.get(ImportBatch, batch.id), ImportBatch.receipt)["rolled_back"]
    assert (held["reason"], held["name"]) == ("选错了批次，是去年的", head.staff.name)
    assert held["came_to"]["sheets_voided"] == 2
    assert "去年" not in json.dumps(house.log(), ensure_ascii=False)


def test_a_preview_from_before_is_stale(brought: Any) -> None:
    """Counts of sheets may come out equal again: that something was taken back is part of the base."""
    house, head, _ = brought
    with house.session() as session:
        before = base_of(session, last_delivery(house))

    roll_back(head, last_delivery(house))

    with house.session() as session:
        assert base_of(session, last_delivery(house)) != before


def test_the_owner_of_the_round_hears_of_files_whose_answers_were_not_taken(brought: Any, tmp_path: Path) -> None:
    house, head, _ = brought
    first = last_delivery(house)
    lines = (tmp_path / "results.csv").read_text("utf-8-sig").splitlines()
    number, name = lines[1].split(",")[:2]
    bring_in(house, written(tmp_path, [number, name, *phq(4), *gad(0)], name="later.csv"))

    came_to = roll_back(head, first)

    assert came_to["files_to_repeat"] == 1
    assert told(house, "import_again") == {head.id}
