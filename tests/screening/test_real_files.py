"""Files that real researchers published, with all their dirt: counted anew from the raw file and compared.

The folder is named by ``XINYU_REFERENCE_DATA``; without it a sibling of the
repository is looked at. Nothing of it is copied into the project.
"""

from __future__ import annotations

import codecs
import csv
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.security.policy import Permission
from config.settings import PROJECT
from models.interview import InterviewEntry
from models.refusal import Refusal
from models.risk import Alert
from models.screening import ResponseSet
from models.student import Student
from tests.house import House
from tests.screening.files import Person, bring_in, enrol, fates, written

FOLDER = Path(os.environ.get("XINYU_REFERENCE_DATA") or PROJECT.parent / "shared" / "data")
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no real files: XINYU_REFERENCE_DATA unset, no {FOLDER}")
UKM = ([f"D{n}" for n in range(1, 10)], [f"A{n}" for n in range(1, 8)])
MEXICO = ([f"phq{n}" for n in range(1, 10)], [f"gad{n}" for n in range(1, 8)])
PHQ_BANDS = {"minimal": 0, "mild": 5, "moderate": 10, "moderately_severe": 15, "severe": 20}
GAD_BANDS = {"minimal": 0, "mild": 5, "moderate": 10, "severe": 15}


@dataclass(frozen=True, slots=True)
class Raw:
    """One line of a published file, read by the simplest means there are."""

    row: int
    cells: dict[str, str]

    def answers(self, items: Sequence[str]) -> list[int | None]:
        return [int(self.cells[item]) if self.cells[item] in {"0", "1", "2", "3"} else None for item in items]

    def total(self, items: Sequence[str]) -> int | None:
        found = [answer for answer in self.answers(items) if answer is not None]
        return sum(found) if len(found) == len(items) else None

    def level(self, items: Sequence[str]) -> str | None:
        """The alert that decision 12 asks for, from the PHQ-9 alone."""
        ninth, total = self.answers(items)[8] or 0, self.total(items) or 0
        if ninth >= 2 or (ninth == 1 and total >= 15) or total >= 20:
            return "orange"
        return "yellow" if ninth == 1 else None


def path_of(name: str) -> Path:
    return FOLDER / name


def raw_of(path: Path) -> tuple[list[str], list[Raw]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        rows = [Raw(number, cells) for number, cells in enumerate(reader, start=2)]
        return list(reader.fieldnames or []), rows


def with_numbers(house: House, folder: Path, header: list[str], rows: list[Raw]) -> tuple[Path, list[Person]]:
    """The published file with a student's number in front of each line: real ones come without any."""
    people = enrol(house, len(rows))
    lines = [[person.number, *row.cells.values()] for person, row in zip(people, rows, strict=True)]
    file = written(folder, *lines, header=["学号", *header])
    assert file.read_bytes().startswith(codecs.BOM_UTF8)
    return file, people


def banded(totals: list[int], bands: dict[str, int]) -> dict[str, int]:
    found = Counter(
        max((name for name in bands if bands[name] <= total), key=lambda name: bands[name]) for total in totals
    )
    return {name: found[name] for name in bands}


def expected(rows: list[Raw], items: tuple[list[str], list[str]]) -> dict[str, Any]:
    """What the receipt must say, by counting."""
    totals = [[total for row in rows if (total := row.total(scale)) is not None] for scale in items]
    levels = [row.level(items[0]) for row in rows]
    listed = [
        row
        for row, level in zip(rows, levels, strict=True)
        if level is None and ((row.total(items[0]) or 0) >= 10 or (row.total(items[1]) or 0) >= 10)
    ]
    return {
        "scored": {"phq9": len(totals[0]), "gad7": len(totals[1])},
        "bands": {"phq9": banded(totals[0], PHQ_BANDS), "gad7": banded(totals[1], GAD_BANDS)},
        "red_flags": {"phq9": sum((row.answers(items[0])[8] or 0) >= 1 for row in rows), "gad7": 0},
        "alerts": {"red": 0, "orange": levels.count("orange"), "yellow": levels.count("yellow")},
        "interview_list": len(listed),
    }


def mapping_of(folder: Path) -> Path:
    path = folder / "ukm.toml"
    path.write_text(f"[scales.phq9]\nitems = {json.dumps(UKM[0])}\n[scales.gad7]\nitems = {json.dumps(UKM[1])}\n")
    return path


def test_a_published_file_without_any_id_is_not_joined_by_the_order_of_its_rows(
    sqlite_house: House, tmp_path: Path
) -> None:
    sqlite_house.make.team()

    for name, mapping in (
        ("ukm/Psychological_aspects.csv", mapping_of(tmp_path)),
        ("mexico/depression_data.csv", None),
    ):
        with pytest.raises(Refusal, match=r"没有找到学号列.*不会按行的顺序对应学生"):
            bring_in(sqlite_house, path_of(name), mapping_file=mapping)


def test_ukm_comes_in_whole_with_the_totals_bands_and_alerts_that_counting_gives(house: House, tmp_path: Path) -> None:
    house.make.team()
    header, rows = raw_of(path_of("ukm/Psychological_aspects.csv"))
    file, _ = with_numbers(house, tmp_path, header, rows)

    receipt = bring_in(house, file, mapping_file=mapping_of(tmp_path))

    assert fates(receipt) == (223, 223, 0, 0, 0)
    assert receipt["problems"] == []
    wanted = expected(rows, UKM)
    assert {name: receipt[name] for name in wanted} == wanted
    assert wanted["alerts"]["orange"] > 0 < wanted["interview_list"]


def test_each_student_of_ukm_has_his_own_total_alert_and_place_on_the_list(sqlite_house: House, tmp_path: Path) -> None:
    house = sqlite_house
    _, psychologist, _ = house.make.team()
    header, rows = raw_of(path_of("ukm/Psychological_aspects.csv"))
    file, people = with_numbers(house, tmp_path, header, rows)

    bring_in(house, file, mapping_file=mapping_of(tmp_path))

    levels = {row.student_id: row.level.value for row in house.all(select(Alert.student_id, Alert.level))}
    listed = {row.student_id for row in house.all(select(InterviewEntry.student_id))}
    for person, row in zip(people, rows, strict=True):
        level = row.level(UKM[0])
        high = (row.total(UKM[0]) or 0) >= 10 or (row.total(UKM[1]) or 0) >= 10
        assert levels.get(person.row.id) == level, row.row
        assert (person.row.id in listed) is (level is None and high), row.row
    with psychologist.under(Permission.SCREENING_READ) as access:
        for place in range(0, len(people), 20):
            access.find(Student, people[place].row.id)
            sheets = house.all(select(ResponseSet).where(ResponseSet.student_id == people[place].row.id))
            held = {sheet.scale: json.loads(access.open(sheet, ResponseSet.body)) for (sheet,) in sheets}
            assert (held["phq9"]["answers"], held["gad7"]["answers"]) == tuple(map(rows[place].answers, UKM))
            assert (held["phq9"]["total"], held["gad7"]["total"]) == tuple(map(rows[place].total, UKM))


def test_ukm_again_is_known_to_the_last_row(sqlite_house: House, tmp_path: Path) -> None:
    sqlite_house.make.team()
    header, rows = raw_of(path_of("ukm/Psychological_aspects.csv"))
    file, _ = with_numbers(sqlite_house, tmp_path, header, rows)
    bring_in(sqlite_house, file, mapping_file=mapping_of(tmp_path))

    again = bring_in(sqlite_house, file, mapping_file=mapping_of(tmp_path))

    assert fates(again) == (223, 223, 0, 0, 223)
    assert again["alerts"] == {"red": 0, "orange": 0, "yellow": 0}
    assert again["interview_list"] == 0


def dirt(rows: list[Raw]) -> list[tuple[int, str | None, str]]:
    """What is wrong with the Mexican file, cell by cell, then row by row."""
    found: list[tuple[int, str | None, str]] = []
    for row in rows:
        wrong = [item for items in MEXICO for item in items if row.cells[item] not in {"", "0", "1", "2", "3"}]
        found += [(row.row, item, "out_of_range") for item in wrong]
        for items in MEXICO:
            if all(row.cells[item] == "" for item in items):
                found.append((row.row, None, "scale_blank"))
            elif row.total(items) is None:
                found.append((row.row, None, "items_missing"))
    return found


def test_mexico_comes_in_with_each_dirty_cell_and_gap_named_by_row_and_column(house: House, tmp_path: Path) -> None:
    house.make.team()
    header, rows = raw_of(path_of("mexico/depression_data.csv"))
    file, _ = with_numbers(house, tmp_path, header, rows)

    receipt = bring_in(house, file)

    told = [(problem["row"], problem["column"], problem["code"]) for problem in receipt["problems"]]
    assert sorted(told, key=repr) == sorted(dirt(rows), key=repr)
    assert ("gad5", "out_of_range") in {(column, code) for _, column, code in told}
    incomplete = {row for row, _, _ in told}
    assert fates(receipt) == (783, 783 - len(incomplete), len(incomplete), 0, 0)
    wanted = expected(rows, MEXICO)
    assert {name: receipt[name] for name in wanted} == wanted


def test_strict_takes_nothing_of_mexico_and_names_the_first_gap(sqlite_house: House, tmp_path: Path) -> None:
    sqlite_house.make.team()
    header, rows = raw_of(path_of("mexico/depression_data.csv"))
    file, _ = with_numbers(sqlite_house, tmp_path, header, rows)
    first = min(row for row, _, _ in dirt(rows))

    with pytest.raises(Refusal, match=rf"没有导入任何内容.*第一处：第 {first} 行"):
        bring_in(sqlite_house, file, strict=True)

    assert sqlite_house.count(ResponseSet) == sqlite_house.count(Alert) == 0
