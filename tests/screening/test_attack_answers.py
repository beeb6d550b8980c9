"""A stranger's files against law 2: whatever else is wrong with a row or its file, what is critical in it is raised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from models.interview import InterviewEntry
from models.refusal import Refusal, Unclear
from models.risk import Alert
from models.screening import ResponseSet, SheetStatus, SheetValidity, UnplacedAnswer
from tests.house import House
from tests.screening.brought import book, levels, taken
from tests.screening.files import Person, bring_in, codes, enrol, fates, gad, line, live, phq

ITEMS = [f"phq{number}" for number in range(1, 10)]


@pytest.fixture
def people(sqlite_house: House) -> list[Person]:
    sqlite_house.make.team()
    return enrol(sqlite_house, 4)


def test_a_column_that_names_the_scale_does_not_hide_the_answers(
    sqlite_house: House, people: list[Person], tmp_path: Path
) -> None:
    rows = [[people[0].number, "PHQ-9", *phq(3, 2), 3], [people[1].number, "PHQ-9", *phq(0), 0]]

    receipt = taken(sqlite_house, book(tmp_path, ["学号", "量表名称", *ITEMS, "总分"], *rows))

    assert levels(sqlite_house) == {people[0].row.id: "orange"}
    assert receipt["has_critical_items"] is True
    assert {row.status for row in sqlite_house.all(select(ResponseSet.status))} == {SheetStatus.SCORED}


def test_a_student_who_is_positive_on_two_lines_is_listed_once(house: House, tmp_path: Path) -> None:
    house.make.team()
    people = enrol(house, 2)
    rows = [[person.number, scale, 12] for person in people for scale in ("PHQ-9", "GAD-7")]
    rows[3][2] = 21 - 7
    receipt = taken(house, book(tmp_path, ["学号", "量表名称", "总分"], *rows))

    assert receipt["interview_list"] == house.count(InterviewEntry) == 2


def test_whom_an_alert_is_raised_for_on_one_line_is_not_listed_by_another(
    sqlite_house: House, people: list[Person], tmp_path: Path
) -> None:
    rows = [[people[0].number, "GAD-7", 15], [people[0].number, "PHQ-9", 22]]

    taken(sqlite_house, book(tmp_path, ["学号", "量表名称", "总分"], *rows))

    assert levels(sqlite_house) == {people[0].row.id: "orange"}
    assert sqlite_house.count(InterviewEntry) == 0


def test_in_a_small_file_an_answer_only_the_other_coding_knows_decides_the_coding(
    sqlite_house: House, tmp_path: Path
) -> None:
    """Sixteen sheets coded 1–4 with one 4, on item 9: it was thrown out as a slip, and every 1 was raised."""
    house = sqlite_house
    house.make.team()
    people = enrol(house, 16)
    rows: list[list[Any]] = [[person.number, *[1] * 8, 1] for person in people]
    rows[7][9] = 4

    taken(house, book(tmp_path, ["学号", *ITEMS], *rows))

    assert levels(house) == {people[7].row.id: "orange"}


def test_slips_on_both_sides_are_asked_about(sqlite_house: House, tmp_path: Path) -> None:
    house = sqlite_house
    house.make.team()
    rows = [[person.number, *[2] * 9] for person in enrol(house, 16)]
    rows[0][1], rows[1][1] = 0, 4

    with pytest.raises(Unclear, match="记分方式"):
        taken(house, book(tmp_path, ["学号", *ITEMS], *rows))


@pytest.mark.parametrize("cell", ["有时", "7题", 4, -5, 2.5])
def test_an_unreadable_answer_to_a_critical_item_is_never_said_to_have_been_checked(
    sqlite_house: House, people: list[Person], tmp_path: Path, cell: Any
) -> None:
    rows = [line(people[0], [*phq(0)[:8], cell]), *map(line, people[1:])]
    receipt = bring_in(sqlite_house, book(tmp_path, ["学号", "姓名", *ITEMS, *(f"gad{n}" for n in range(1, 8))], *rows))

    [words] = [held["message"] for held in receipt["problems"] if held["code"] == "out_of_range"]
    assert "请尽快核对原始作答" in words
    assert "照常检查" not in words
    assert str(cell) not in words
    assert "1 格关键题读不出" in receipt["notes"][0]


@pytest.mark.parametrize(("said", "level"), [(24, "orange"), (9, None), (99, None)])
def test_gaps_in_the_answers_do_not_hide_what_the_source_counted(
    sqlite_house: House, people: list[Person], tmp_path: Path, said: int, level: str | None
) -> None:
    rows = [[people[0].number, "", "", "", 0, 0, 0, 3, 3, 0, said]]

    taken(sqlite_house, book(tmp_path, ["学号", *ITEMS, "phq总分"], *rows))

    assert levels(sqlite_house) == ({people[0].row.id: level} if level else {})


def test_a_mean_under_the_heading_of_a_total_is_asked_about(
    sqlite_house: House, people: list[Person], tmp_path: Path
) -> None:
    """3.4 of 5 on every item is 306 points; read as a total of 3.4 it would be the calmest person of the school."""
    with pytest.raises(Unclear, match="可能的范围"):
        taken(sqlite_house, book(tmp_path, ["学号", "SCL-90总分"], *([person.number, 3.4] for person in people)))


def test_an_impossible_total_is_a_problem_of_its_cell_and_crashes_nothing(
    sqlite_house: House, people: list[Person], tmp_path: Path
) -> None:
    rows = [[people[0].number, "PHQ-9", "1e250"], [people[1].number, "PHQ-9", -4], [people[2].number, "PHQ-9", 20]]

    receipt = taken(sqlite_house, book(tmp_path, ["学号", "量表名称", "总分"], *rows))

    assert [code for _, code in codes(receipt)].count("out_of_range") == 2
    assert levels(sqlite_house) == {people[2].row.id: "orange"}
    assert fates(receipt) == (3, 1, 0, 2, 0)


@pytest.mark.parametrize("name", ["SAS-A", "SASRQ", "自评SDSS"])
def test_another_scale_with_a_similar_name_is_not_taken_for_ours(
    sqlite_house: House, people: list[Person], tmp_path: Path, name: str
) -> None:
    rows = [[people[0].number, name, 70], [people[0].number, "PHQ-9", 3]]
    receipt = taken(sqlite_house, book(tmp_path, ["学号", "量表名称", "总分"], *rows))

    assert (2, "scale_unknown") in codes(receipt)
    assert {row.scale for row in sqlite_house.all(select(ResponseSet.scale))} == {"phq9"}


def test_a_result_nobody_knows_without_a_score_is_said_to_be_so(
    sqlite_house: House, people: list[Person], tmp_path: Path
) -> None:
    rows = [[people[0].number, "PHQ-9", "", "三级预警"], [people[1].number, "PHQ-9", "", "重度"]]
    receipt = taken(sqlite_house, book(tmp_path, ["学号", "量表名称", "总分", "结果"], *rows))

    assert (2, "band_unknown") in codes(receipt)
    assert levels(sqlite_house) == {people[1].row.id: "orange"}


def test_a_bare_total_does_not_take_the_place_of_doubtful_answers(
    sqlite_house: House, people: list[Person], tmp_path: Path
) -> None:
    header = ["学号", *ITEMS, "是否有效"]
    taken(sqlite_house, book(tmp_path, header, [people[0].number, *phq(4, 1), "无效"]))
    assert sqlite_house.count(ResponseSet, ResponseSet.validity == SheetValidity.DOUBTFUL) == 1

    taken(sqlite_house, book(tmp_path, ["学号", "PHQ-9总分"], [people[0].number, 2]))

    assert sqlite_house.count(ResponseSet, ResponseSet.voided_at.is_(None)) == 1
    assert sqlite_house.count(Alert, Alert.reasons_void) == 0
    assert levels(sqlite_house) == {people[0].row.id: "yellow"}


def test_two_statements_about_one_student_are_counted_as_what_they_come_to(
    sqlite_house: House, people: list[Person], tmp_path: Path
) -> None:
    rows = [[people[0].number, "正常"], [people[0].number, "危机"]]
    receipt = taken(sqlite_house, book(tmp_path, ["学号", "预警等级"], *rows))

    assert receipt["red_flags"]["source_statement"] == 1
    assert levels(sqlite_house) == {people[0].row.id: "orange"}


def test_strict_refusal_counts_every_critical_pattern_even_a_total(
    sqlite_house: House, people: list[Person], tmp_path: Path
) -> None:
    rows = [line(people[0], phq(22)), ["2099000001", "路无名", *phq(4, 1), *gad(0)]]
    with pytest.raises(Refusal, match="2 行含关键题提示"):
        bring_in(
            sqlite_house,
            book(tmp_path, ["学号", "姓名", *ITEMS, *(f"gad{n}" for n in range(1, 8))], *rows),
            strict=True,
        )
    assert sqlite_house.count(UnplacedAnswer) == 0


def test_a_psqi_line_is_the_same_sheet_alone_and_among_others(
    sqlite_house: House, people: list[Person], tmp_path: Path
) -> None:
    header = ["学号", *(f"psqi{n}" for n in range(1, 5))]
    from_scale = 14
    header += [f"psqi{n}" for n in range(5, 5 + from_scale)]
    early = [people[0].number, "0:30", 20, "4:00", 3, *[0] * from_scale]
    late = [people[1].number, "23:30", 20, "7:00", 7, *[0] * from_scale]
    taken(sqlite_house, book(tmp_path, header, early), scales=["psqi"])
    before = live(sqlite_house)["response_set"]

    receipt = taken(sqlite_house, book(tmp_path, header, early, late), scales=["psqi"])

    assert receipt["already_known"] == 1
    assert set(before) <= set(live(sqlite_house)["response_set"])
