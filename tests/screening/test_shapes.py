"""The ten shapes in which colleges hold results (practice §1.2): each goes in right, or says what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from app.screening.scales.scale import all_scales
from models.refusal import Refusal, Unclear
from models.screening import ResponseSet, SheetStatus, SheetValidity
from tests.house import House, xlsx
from tests.screening.brought import bodies, book, levels, listed, of, packed, taken
from tests.screening.files import codes, enrol, fates, phq

SCL90 = all_scales()["scl90"]
WORDS = ["完全不会", "好几天", "一半以上的天数", "几乎每天"]


def test_items_under_whole_sentences_with_words_for_numbers(house: House, tmp_path: Path) -> None:
    house.make.team()
    people = enrol(house, 2)
    header = ["学号", "姓名", *(f"{item.number}、{item.text}" for item in all_scales()["phq9"].items)]
    answers = [[0] * 9, phq(12, 1)]
    rows = [
        [person.number, person.name, *(WORDS[value] for value in held)]
        for person, held in zip(people, answers, strict=True)
    ]

    receipt = taken(house, book(tmp_path, header, *rows))

    assert fates(receipt) == (2, 2, 0, 0, 0)
    found = bodies(house, "phq9")
    assert [found[person.row.id]["total"] for person in people] == [0, 12]
    assert levels(house) == {people[1].row.id: "yellow"}


def test_items_coded_from_one_are_read_as_the_scale_codes_them(sqlite_house: House, tmp_path: Path) -> None:
    house = sqlite_house
    house.make.team()
    people = enrol(house, 3)
    header = ["学号", *(f"phq{number}" for number in range(1, 10))]
    rows = [[people[0].number, *[1] * 9], [people[1].number, *[4] * 8, 1], [people[2].number, *[1] * 8, 2]]

    receipt = taken(house, book(tmp_path, header, *rows))

    found = bodies(house, "phq9")
    assert [found[person.row.id]["total"] for person in people] == [0, 24, 1]
    assert levels(house) == {people[1].row.id: "orange", people[2].row.id: "yellow"}
    assert any("1-4" in note for note in receipt["notes"])
    assert {row.coding for row in house.all(select(ResponseSet.coding))} == {"1-4"}


def test_a_coding_that_cannot_be_told_is_asked_and_never_guessed(sqlite_house: House, tmp_path: Path) -> None:
    house = sqlite_house
    house.make.team()
    people = enrol(house, 40)
    header = ["学号", *(f"phq{number}" for number in range(1, 10))]
    file = book(tmp_path, header, *([person.number, *[1 + place % 3] * 9] for place, person in enumerate(people)))

    with pytest.raises(Unclear, match="记分方式"):
        taken(house, file)
    assert house.count(ResponseSet) == 0

    assert fates(taken(house, file, codings=["phq9=1-4"])) == (40, 40, 0, 0, 0)


def factors(mean: float) -> list[float]:
    return [mean] * 9


def test_factors_as_means_and_as_sums_come_to_the_same(sqlite_house: House, tmp_path: Path) -> None:
    house = sqlite_house
    house.make.team()
    people = enrol(house, 2)
    names = [part.name for part in SCL90.subscales][:9]
    sizes = [len(part.items) for part in SCL90.subscales][:9]
    means = [[1.5] * 9, [3.1] * 9]
    sums = [[1.5 * size for size in sizes], [3.1 * size for size in sizes]]

    for place, values in enumerate((means, sums)):
        rows = [[person.number, *held] for person, held in zip(people, values, strict=True)]
        receipt = taken(house, book(tmp_path, ["学号", *names], *rows), round_name=f"第{place}批")
        assert fates(receipt)[0] == 2
        assert receipt["has_critical_items"] is False

    rows = house.all(select(ResponseSet.status, ResponseSet.validity))
    assert {(row.status, row.validity) for row in rows} == {(SheetStatus.STATED, SheetValidity.UNCHECKED)}
    found = [held["subscales"] for held in bodies(house, "scl90").values()]
    assert all(abs(value - round(value, 1)) < 1e-6 for held in found for value in held.values())
    assert listed(house) == of(people, 1)


def test_one_line_per_student_and_scale(house: House, tmp_path: Path) -> None:
    house.make.team()
    people = enrol(house, 2)
    header = ["学号", "姓名", "量表名称", "总分", "结果", "测评时间", "用时"]
    rows = [
        [people[0].number, people[0].name, "PHQ-9", 3, "无", "2026-09-05 10:03", "1分20秒"],
        [people[0].number, people[0].name, "广泛性焦虑量表(GAD-7)", 12, "中度", "2026-09-05 10:05", "50秒"],
        [people[1].number, people[1].name, "PHQ-9", 21, "重度", "2026年9月5日", "2分"],
        [people[1].number, people[1].name, "某某自编量表", 21, "", "", ""],
    ]

    receipt = taken(house, book(tmp_path, header, *rows))

    assert fates(receipt) == (4, 3, 0, 1, 0)
    assert {code for row, code in codes(receipt) if row == 5} == {"no_answers", "scale_unknown"}
    assert levels(house) == {people[1].row.id: "orange"}
    assert listed(house) == of(people, 0)
    assert house.count(ResponseSet, ResponseSet.taken_at.is_not(None)) == 3


def test_sixty_class_files_in_one_zip_are_one_delivery(house: House, tmp_path: Path) -> None:
    house.make.team()
    people = enrol(house, 6)
    header = ["学号", "姓名", *(f"PHQ9-{number}" for number in range(1, 10))]
    turned = [header[1], header[0], *header[2:]]
    parts = {
        "一班": xlsx(header, *([p.number, p.name, *phq(2)] for p in people[:3])),
        "二班": xlsx(turned, *([p.name, p.number, *phq(12)] for p in people[3:5]), ["查无此人", "99", *phq(3, 2)]),
        "三班": xlsx(header, [people[5].number, people[5].name, *[9] * 9]),
    }
    file = tmp_path / "全校.zip"
    file.write_bytes(packed(**parts))

    receipt = taken(house, file)

    assert receipt["rows_read"] == 7
    assert receipt["scored"]["phq9"] == 5
    assert receipt["identify"] == 1
    assert listed(house) == of(people, 3, 4)
    assert {problem["file"] for problem in receipt["problems"]} == {"二班.xlsx", "三班.xlsx"}


def test_several_scales_and_their_own_totals_are_compared(sqlite_house: House, tmp_path: Path) -> None:
    house = sqlite_house
    house.make.team()
    [right, wrong] = enrol(house, 2)
    header = [
        "学号",
        *(f"PHQ9-{n}" for n in range(1, 10)),
        "PHQ-9总分",
        "PHQ-9结果",
        *(f"GAD7-{n}" for n in range(1, 8)),
    ]
    rows = [[right.number, *phq(12), 12, "中度", *[0] * 7], [wrong.number, *phq(12), 30, "重度", *[0] * 7]]

    receipt = taken(house, book(tmp_path, header, *rows))

    assert fates(receipt) == (2, 2, 0, 0, 0)
    assert codes(receipt) == [(3, "band_differs"), (3, "out_of_range")]
    assert {held["total"] for held in bodies(house, "phq9").values()} == {12}


def test_a_sheet_that_the_source_calls_void_is_doubtful_and_keeps_its_critical_answer(
    house: House, tmp_path: Path
) -> None:
    house.make.team()
    people = enrol(house, 2)
    header = ["学号", "作答有效性", *(f"PHQ9-{n}" for n in range(1, 10))]

    receipt = taken(
        house, book(tmp_path, header, [people[0].number, "作废", *phq(3, 2)], [people[1].number, "有效", *phq(3)])
    )

    assert receipt["quality"]["phq9"]["doubtful"] == 1
    assert levels(house) == {people[0].row.id: "orange"}
    rows = house.all(select(ResponseSet.student_id, ResponseSet.validity))
    assert {row.student_id: row.validity for row in rows} == {
        people[0].row.id: SheetValidity.DOUBTFUL,
        people[1].row.id: SheetValidity.VALID,
    }


def test_a_table_that_says_nothing_about_anybody_is_refused(sqlite_house: House, tmp_path: Path) -> None:
    sqlite_house.make.team()

    with pytest.raises(Refusal, match="没有找到任何量表、等级或提示名单"):
        taken(sqlite_house, book(tmp_path, ["学号", "姓名", "年龄"], ["1", "甲", 19]))
