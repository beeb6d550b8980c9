"""Results from the command line: the receipt, the sheets, the alerts and the list of one file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from app.security.policy import Permission
from models.intake import BatchStage
from models.interview import InterviewEntry
from models.moment import now
from models.refusal import Refusal
from models.risk import Alert, Duty, Level
from models.screening import ResponseSet, ScreeningRound, SheetStatus
from tests.house import House
from tests.screening.files import (
    COLUMNS,
    ROUND,
    Person,
    bring_in,
    codes,
    deliveries,
    enrol,
    fates,
    gad,
    line,
    live,
    phq,
    written,
)


def level_of(house: House, person: Person) -> Level | None:
    rows = house.all(select(Alert.level).where(Alert.student_id == person.row.id, Alert.ended_at.is_(None)))
    return rows[0].level if rows else None


def is_listed(house: House, person: Person) -> bool:
    return house.count(InterviewEntry, InterviewEntry.student_id == person.row.id) == 1


def test_the_receipt_counts_every_row_sheet_and_consequence(house: House, tmp_path: Path) -> None:
    house.make.team()
    calm, moderate, worried, ninth, often, short = enrol(house, 6)
    file = written(
        tmp_path,
        line(calm),
        line(moderate, phq(12)),
        line(worried, gad=gad(15)),
        line(ninth, phq(3, 1), gad(11)),
        line(often, phq(21, 2)),
        line(short, [3] * 8 + [""]),
        ["99999999", "路人", *phq(9, 3), *gad(0)],
        ["99999998", "路人", *phq(9), *gad(0)],
    )

    receipt = bring_in(house, file)

    [batch] = deliveries(house)
    assert receipt["batch"] == str(batch.id)
    assert batch.stage is BatchStage.COMMITTED
    assert fates(receipt) == (8, 5, 1, 2, 0)
    assert receipt["scored"] == {"phq9": 5, "gad7": 6}
    assert receipt["bands"] == {
        "phq9": {"minimal": 3, "mild": 0, "moderate": 1, "moderately_severe": 0, "severe": 1},
        "gad7": {"minimal": 4, "mild": 0, "moderate": 1, "severe": 1},
    }
    assert receipt["red_flags"] == {"phq9": 3, "gad7": 0}
    assert receipt["alerts"] == {"red": 0, "orange": 2, "yellow": 1}
    assert receipt["interview_list"] == 2
    assert [set(problem) for problem in receipt["problems"]] == [{"row", "column", "code", "message"}] * 3
    assert codes(receipt) == [(7, "items_missing"), (8, "student_unknown"), (9, "student_unknown")]


def test_what_the_receipt_counts_is_what_lies_in_the_house(house: House, tmp_path: Path) -> None:
    house.make.team()
    calm, moderate, worried, ninth, often, proven = people = enrol(house, 6)
    sheets = [phq(0), phq(12), phq(0), phq(3, 1), phq(12, 2), [3, 3, 3, 3, 3, 3, 2, "", 0]]
    anxious = [gad(10 if person is worried else 0) for person in people]
    lines = map(line, people, sheets, anxious)

    bring_in(house, written(tmp_path, *lines))

    expected = {ninth: Level.YELLOW, often: Level.ORANGE, proven: Level.ORANGE}
    assert [level_of(house, person) for person in people] == [expected.get(person) for person in people]
    assert [is_listed(house, person) for person in people] == [person in {moderate, worried} for person in people]
    assert house.count(ResponseSet) == 12
    assert house.count(ResponseSet, ResponseSet.status == SheetStatus.INCOMPLETE) == 1
    assert house.count(Duty) == 2 + 2 + 1
    assert not is_listed(house, calm)


def test_a_stored_sheet_keeps_answers_total_band_and_versions(sqlite_house: House, tmp_path: Path) -> None:
    house = sqlite_house
    _, psychologist, _ = house.make.team()
    [person] = enrol(house, 1)

    bring_in(house, written(tmp_path, line(person, phq(12), [1, 1, 1, "", 1, 1, 1])))

    rows = house.all(select(ResponseSet).order_by(ResponseSet.scale.desc()))
    with psychologist.under(Permission.SCREENING_READ) as access:
        access.find(type(person.row), person.row.id)
        held = [json.loads(access.open(row, ResponseSet.body)) for (row,) in rows]
    assert held[0] == {"answers": phq(12), "total": 12, "band": "moderate", "label": "中度", "positive": True}
    assert held[1] == {"answers": [1, 1, 1, None, 1, 1, 1], "total": None, "band": None, "positive": None}
    assert {(row.scale_version, row.engine_version) for (row,) in rows} == {("2026.11", "1")}


def test_a_new_round_belongs_to_the_head_of_the_centre_and_lists_until_its_deadline(
    sqlite_house: House, tmp_path: Path
) -> None:
    head, _, _ = sqlite_house.make.team()
    [person] = enrol(sqlite_house, 1)

    bring_in(sqlite_house, written(tmp_path, line(person, phq(10))))

    [(opened,)] = sqlite_house.all(select(ScreeningRound))
    [(entry,)] = sqlite_house.all(select(InterviewEntry))
    assert (opened.name, opened.owner_id) == (ROUND, head.id)
    assert (entry.owner_id, entry.due_at) == (head.id, opened.interviews_due_at)
    assert entry.due_at > now()


def test_a_second_file_joins_the_round_of_that_name(sqlite_house: House, tmp_path: Path) -> None:
    sqlite_house.make.team()
    first, second = enrol(sqlite_house, 2)
    bring_in(sqlite_house, written(tmp_path, line(first)))

    bring_in(sqlite_house, written(tmp_path, line(second)), round_name=f" {ROUND.replace(' ', '  ')} ")

    assert sqlite_house.count(ScreeningRound) == 1
    assert len(deliveries(sqlite_house)) == 2


def test_a_dry_run_tells_all_and_writes_nothing(house: House, tmp_path: Path) -> None:
    house.make.team()
    one, two = enrol(house, 2)
    file = written(tmp_path, line(one, phq(5, 2)), line(two, phq(11)), ["777", "路人", *phq(2, 2), *gad(0)])
    before = live(house)

    receipt = bring_in(house, file, dry_run=True)

    assert receipt["batch"] is None
    assert receipt["alerts"]["orange"] == receipt["interview_list"] == 1
    assert live(house) == before
    assert deliveries(house) == []


def test_a_dry_run_and_the_import_after_it_say_the_same(sqlite_house: House, tmp_path: Path) -> None:
    sqlite_house.make.team()
    one, two = enrol(sqlite_house, 2)
    file = written(tmp_path, line(one, phq(5, 2)), line(two, phq(11), [9] * 7), ["777", "路人", *phq(2), *gad(0)])
    told = bring_in(sqlite_house, file, dry_run=True)

    done = bring_in(sqlite_house, file)

    assert {**told, "batch": done["batch"]} == done


def test_strict_refuses_the_whole_file_for_one_bad_cell_and_writes_nothing(house: House, tmp_path: Path) -> None:
    house.make.team()
    one, two = enrol(house, 2)
    file = written(tmp_path, line(one, phq(5, 2)), line(two, [7] + [0] * 8), ["777", "路人", *phq(2, 2), *gad(0)])
    before = live(house)

    with pytest.raises(Refusal, match=r"没有导入任何内容。其中 2 行含关键题提示.*第一处：第 3 行"):
        bring_in(house, file, strict=True)

    assert live(house) == before
    assert deliveries(house) == []


def test_strict_takes_a_file_without_a_problem(sqlite_house: House, tmp_path: Path) -> None:
    sqlite_house.make.team()
    [person] = enrol(sqlite_house, 1)

    receipt = bring_in(sqlite_house, written(tmp_path, line(person, phq(5, 2))), strict=True)

    assert fates(receipt) == (1, 1, 0, 0, 0)
    assert sqlite_house.count(Alert) == 1


def test_an_unknown_scale_is_refused_naming_those_there_are(sqlite_house: House, tmp_path: Path) -> None:
    file = written(tmp_path, ["1"] * len(COLUMNS))

    with pytest.raises(Refusal, match=r"不认识的量表 nonsense；可用：.*gad7.*phq9"):
        bring_in(sqlite_house, file, scales=("phq9", "nonsense"))


def test_nothing_goes_in_while_nobody_could_own_what_it_raises(sqlite_house: House, tmp_path: Path) -> None:
    sqlite_house.make.advisor()
    [person] = enrol(sqlite_house, 1)
    before = live(sqlite_house)

    with pytest.raises(Refusal, match=r"没有人可以负责"):
        bring_in(sqlite_house, written(tmp_path, line(person, phq(5, 2))))

    assert live(sqlite_house) == before


def test_an_unknown_critical_row_needs_somebody_who_can_find_out_whose_it_is(
    sqlite_house: House, tmp_path: Path
) -> None:
    sqlite_house.make.psychologist()
    before = live(sqlite_house)

    with pytest.raises(Refusal, match="没有人可以负责关键提示：请系统管理员先开通“心理中心主任”岗位"):
        bring_in(sqlite_house, written(tmp_path, ["777", "路人", *phq(2, 2), *gad(0)]))

    assert live(sqlite_house) == before
