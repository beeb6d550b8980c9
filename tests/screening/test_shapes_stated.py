"""What a source itself says of people (practice §1.2, §1.3): levels, lists, indicators; nothing is taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from models.refusal import Unclear
from models.risk import Alert
from tests.house import House
from tests.screening.brought import bodies, book, levels, listed, of, taken
from tests.screening.files import enrol, fates

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
