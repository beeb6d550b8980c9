"""The ten shapes in which colleges hold results (practice §1.2): each goes in right, or says what is missing."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.screening.scales.scale import all_scales
from app.security.policy import Permission
from models.interview import InterviewEntry
from models.refusal import Refusal, Unclear
from models.risk import Alert
from models.screening import ResponseSet, SheetStatus, SheetValidity
from tests.house import House, xlsx
from tests.screening.files import Person, bring_in, codes, enrol, fates, phq

SCL90 = all_scales()["scl90"]
WORDS = ["完全不会", "好几天", "一半以上的天数", "几乎每天"]


def book(folder: Path, *rows: Sequence[Any], name: str = "结果.xlsx") -> Path:
    path = folder / name
    path.write_bytes(xlsx(*rows))
    return path


def taken(house: House, file: Path | list[Path], **options: Any) -> dict[str, Any]:
    return bring_in(house, file, **({"scales": ()} | options))  # type: ignore[arg-type]


def bodies(house: House, scale: str) -> dict[Any, dict[str, Any]]:
    """What is stored of a scale, by student."""
    psychologist = house.make.psychologist()
    rows = house.all(select(ResponseSet).where(ResponseSet.scale == scale, ResponseSet.voided_at.is_(None)))
    found = {}
    with psychologist.under(Permission.SCREENING_READ) as access:
        for (row,) in rows:
            found[row.student_id] = json.loads(access.open(row, ResponseSet.body))
    return found


def levels(house: House) -> dict[Any, str]:
    return {row.student_id: row.level.value for row in house.all(select(Alert.student_id, Alert.level))}


def listed(house: House) -> set[Any]:
    return {row.student_id for row in house.all(select(InterviewEntry.student_id))}


def of(people: list[Person], *places: int) -> set[Any]:
    return {people[place].row.id for place in places}


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


LEVELS = [["学号", "姓名", "结果等级"]]


def test_a_level_alone_goes_by_the_map_and_the_top_is_critical(house: House, tmp_path: Path) -> None:
    house.make.team()
    people = enrol(house, 4)
    words = ["正常", "关注", "高危", "警戒"]
    file = book(
        tmp_path, *LEVELS, *([person.number, person.name, word] for person, word in zip(people, words, strict=True))
    )

    receipt = taken(house, file)

    assert fates(receipt) == (4, 4, 0, 0, 0)
    assert levels(house) == {people[3].row.id: "orange"}
    assert listed(house) == of(people, 1, 2)


def test_grades_that_run_in_either_direction_are_asked(sqlite_house: House, tmp_path: Path) -> None:
    house = sqlite_house
    house.make.team()
    people = enrol(house, 2)
    file = book(
        tmp_path, *LEVELS, [people[0].number, people[0].name, "一级"], [people[1].number, people[1].name, "三级"]
    )
    saved = tmp_path / "map.toml"
    saved.write_text('[columns]\nlevel = "结果等级"\n[levels]\n"一级" = 1\n"三级" = 3\n', encoding="utf-8")

    with pytest.raises(Unclear, match="等级"):
        taken(house, file)
    taken(house, file, mapping_file=saved)

    assert levels(house) == {people[1].row.id: "orange"}


def test_a_list_of_names_raises_and_says_nothing_of_the_others(house: House, tmp_path: Path) -> None:
    house.make.team()
    people = enrol(house, 3)
    header = ["学号", "姓名"]

    taken(house, book(tmp_path, header, [people[0].number, people[0].name]), listed="self_harm")
    taken(house, book(tmp_path, header, [people[1].number, people[1].name]), listed="flagged")

    assert levels(house) == {people[0].row.id: "orange"}
    assert listed(house) == of(people, 1)
    assert set(bodies(house, "source_statement")) == of(people, 0, 1)


def test_a_later_milder_statement_never_takes_an_earlier_hint_back(sqlite_house: House, tmp_path: Path) -> None:
    house = sqlite_house
    house.make.team()
    [person] = enrol(house, 1)
    taken(house, book(tmp_path, ["学号", "姓名"], [person.number, person.name]), listed="self_harm")

    taken(house, book(tmp_path, *LEVELS, [person.number, person.name, "正常"]))

    [held] = bodies(house, "source_statement").values()
    assert held["answers"][0] == 0
    assert held["answers"][2] == 1
    assert levels(house) == {person.row.id: "orange"}
    assert house.all(select(Alert.reasons_void))[0].reasons_void is False


def test_the_indicators_of_a_platform_count_as_critical_where_they_speak_of_danger(
    house: House, tmp_path: Path
) -> None:
    house.make.team()
    people = enrol(house, 3)
    header = ["学号", "姓名", "预警级别", "预警指标"]
    rows = [["二级", "抑郁、睡眠困扰"], ["一级", "自杀意图"], ["二级", "幻觉"]]
    saved = tmp_path / "map.toml"
    saved.write_text(
        '[columns]\nlevel = "预警级别"\nindicators = "预警指标"\n[levels]\n"一级" = 2\n"二级" = 1\n', encoding="utf-8"
    )
    file = book(tmp_path, header, *([p.number, p.name, *row] for p, row in zip(people, rows, strict=True)))

    taken(house, file, mapping_file=saved)

    assert levels(house) == {people[1].row.id: "orange", people[2].row.id: "orange"}
    assert listed(house) == of(people, 0)


def packed(**files: bytes) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as container:
        for name, raw in files.items():
            container.writestr(f"{name}.xlsx", raw)
    return out.getvalue()


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


def test_the_flagged_and_those_who_took_part_come_as_two_files(sqlite_house: House, tmp_path: Path) -> None:
    house = sqlite_house
    house.make.team()
    people = enrol(house, 3)
    saved = tmp_path / "map.toml"
    saved.write_text(
        '[[layout]]\nlist = "flagged"\ncomplete = true\n[layout.columns]\nstudent_number = "学号"\ncollege = "院系"\n'
        '[[layout]]\nlist = "participants"\n[layout.columns]\nstudent_number = "学号"\n',
        encoding="utf-8",
    )
    took_part = book(tmp_path, ["学号", "姓名"], *([p.number, p.name] for p in people[:2]), name="参测名单.xlsx")
    flagged = book(tmp_path, ["学号", "姓名", "院系"], [people[0].number, people[0].name, ""], name="提示名单.xlsx")

    receipt = taken(house, [took_part, flagged], mapping_file=saved)

    assert fates(receipt) == (3, 3, 0, 0, 1)
    found = bodies(house, "source_statement")
    assert {student: held["answers"][3] for student, held in found.items()} == {
        people[0].row.id: 1,
        people[1].row.id: 0,
    }


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
