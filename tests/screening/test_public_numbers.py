"""Public files whose people are known: every total, band, list and alarm as counting them by the simplest means gives.

Where a file numbers its people itself it is imported as it is, and the roster
has those numbers. UKM (PHQ-9, GAD-7) and Mexico are in ``test_real_files``.
"""

from __future__ import annotations

import csv
import gzip
import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from app.admin import rulebook
from app.screening.scales import scale
from app.screening.tables import suggest
from config import catalogue
from models.refusal import Refusal
from models.screening import ResponseSet, ScreeningRound
from tests.house import House
from tests.screening.brought import bodies, levels, listed
from tests.screening.files import enrol_as, fates
from tests.screening.odd import saved, taken
from tests.screening.test_public_files import NO_SCALE
from tests.screening.test_real_files import Raw, banded, path_of, pytestmark, raw_of, with_numbers

__all__ = ["pytestmark"]
K10_BANDS = {"well": 10, "mild": 20, "moderate": 25, "severe": 30}
CESD_BANDS = {"low": 0, "raised": 16, "high": 27}
DASS = {"depression": "Depression", "anxiety": "Anxiety", "stress": "Stress"}
SEVERE = {"depression": 21, "anxiety": 15, "stress": 26}
DASS_STARTS = {"depression": (10, 14, 21, 28), "anxiety": (8, 10, 15, 20), "stress": (15, 19, 26, 34)}
CESD = """
key = "cesd"
name = "CES-D"
title = "流调中心抑郁量表（CES-D，只导入总分）"
version = "1"
licence_class = "import_only"
source = "Radloff 1977"
items = 0
answers = []
total = { of = "stated", minimum = 0, maximum = 60 }
bands = [
    { from = 0, key = "low", label = "程度低" },
    { from = 16, key = "raised", label = "程度偏高" },
    { from = 27, key = "high", label = "程度高" },
]
positive = { any = [{ total = true, op = ">=", value = 27 }] }
red_flags = []
prefixes = ["cesd"]
"""


def sheet(name: str) -> list[dict[str, Any]]:
    """The rows of the first sheet of a workbook, by the names of its columns."""
    with closing(load_workbook(path_of(name), read_only=True)) as book:
        rows = list(book.worksheets[0].iter_rows(values_only=True))
    return [dict(zip(map(str, rows[0]), row, strict=True)) for row in rows[1:]]


def test_two_waves_of_k10_totals_are_two_rounds_with_their_own_bands_and_lists(house: House, tmp_path: Path) -> None:
    house.make.team()
    name = "argentina/ghq_k10_two_wave.xlsx"
    rows = sheet(name)
    people = enrol_as(house, [row["CODE ANALYSIS"] for row in rows])

    for wave in ("AK10", "BK10"):
        words = f'[columns]\nstudent_number = "CODE ANALYSIS"\n[scales.k10]\ntotal = "{wave}"\n'
        receipt = taken(house, path_of(name), mapping_file=saved(tmp_path, words), round_name=wave)

        said = [int(row[wave]) for row in rows]
        assert (fates(receipt), receipt["problems"]) == ((1615, 1615, 0, 0, 0), [])
        assert receipt["bands"] == {"k10": banded(said, K10_BANDS)}
        assert receipt["interview_list"] == sum(total >= 25 for total in said)
        assert receipt["has_critical_items"] is False
    held = {
        (row.name, row.student_id)
        for row in house.all(
            select(ScreeningRound.name, ResponseSet.student_id).join(
                ResponseSet, ResponseSet.round_id == ScreeningRound.id
            )
        )
    }
    assert held == {(wave, person.row.id) for wave in ("AK10", "BK10") for person in people}
    assert levels(house) == {}


def test_a_scale_we_do_not_have_is_refused_on_each_sheet_and_kept_as_a_bare_total_if_a_person_says_so(
    sqlite_house: House, tmp_path: Path
) -> None:
    sqlite_house.make.team()
    name = "argentina/bdi_stai_two_wave.xlsx"
    rows = sheet(name)
    people = enrol_as(sqlite_house, [row["participant"] for row in rows])
    whose = '[columns]\nstudent_number = "participant"\n'

    for sheets in ((), ("sheet",), ("depressionData",), ("anxietyData",)):
        with pytest.raises(Refusal, match=NO_SCALE):
            taken(sqlite_house, path_of(name), mapping_file=saved(tmp_path, whose), sheets=sheets)
    with pytest.raises(Refusal, match="没有名为“别的”的工作表；文件里有：sheet、depressionData、anxietyData"):
        taken(sqlite_house, path_of(name), mapping_file=saved(tmp_path, whose), sheets=("别的",))
    assert sqlite_house.count(ResponseSet) == 0

    words = f'{whose}[scales.platform_total]\ntotal = "BDEPRESSION"\n'
    receipt = taken(sqlite_house, path_of(name), mapping_file=saved(tmp_path, words), sheets=("depressionData",))
    assert (fates(receipt), receipt["interview_list"]) == ((1492, 1492, 0, 0, 0), 0)
    held = bodies(sqlite_house, "platform_total")
    assert [held[person.row.id]["total"] for person in people] == [row["BDEPRESSION"] for row in rows]


@pytest.fixture
def with_cesd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A college that has put a file for CES-D totals beside the others."""
    known = (scale.all_scales, suggest._with_items, suggest._factor_names, rulebook._build)
    shutil.copytree(catalogue.FOLDER, tmp_path / "config")
    (tmp_path / "config" / "scales" / "cesd.toml").write_text(CESD, encoding="utf-8")
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path / "config")
    for cached in known:
        cached.cache_clear()
    yield
    monkeypatch.undo()
    for cached in known:
        cached.cache_clear()


@pytest.mark.usefixtures("with_cesd")
def test_one_table_in_three_forms_is_read_alike_once_a_college_adds_the_scale(sqlite_house: House) -> None:
    sqlite_house.make.team()
    with path_of("carrard/carrard_2022.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    people = enrol_as(sqlite_house, [int(row["id"]) for row in rows])
    said = [int(row["cesd"]) for row in rows]

    for place, form in enumerate(("carrard_2022.csv", "carrard_legacy.xls", "carrard_strict_ooxml.xlsx")):
        receipt = taken(sqlite_house, path_of(f"carrard/{form}"), round_name=form)

        assert (fates(receipt), receipt["problems"]) == ((886, 886, 0, 0, 0), [])
        assert receipt["bands"] == {"cesd": banded(said, CESD_BANDS)}
        assert receipt["interview_list"] == sum(total >= 27 for total in said)
        assert any("严格 Open XML" in note for note in receipt["notes"]) is (place == 2)
        assert fates(taken(sqlite_house, path_of("carrard/carrard_2022.csv"), round_name=form))[4] == 886
    held = bodies(sqlite_house, "cesd")
    assert [held[person.row.id]["total"] for person in people] == said
    assert listed(sqlite_house) == {person.row.id for person, total in zip(people, said, strict=True) if total >= 27}


def dass_lists(row: Raw) -> bool:
    """Severe in any part, or one of the two soft items answered with 2 or more; the file counts from 1."""
    parts = any(float(row.cells[DASS[part]]) - 14 >= least for part, least in SEVERE.items())
    return parts or int(row.cells["dass21_D"]) >= 3 or int(row.cells["dass38_D"]) >= 3


def test_5000_people_on_dass42_coded_from_one_have_the_totals_and_bands_of_the_file(
    sqlite_house: House, tmp_path: Path
) -> None:
    sqlite_house.make.team()
    plain = tmp_path / "plain.csv"
    plain.write_bytes(gzip.decompress(path_of("dass42/dass42_5000.csv.gz").read_bytes()))
    header, rows = raw_of(plain)
    file, people = with_numbers(sqlite_house, tmp_path, header, rows)

    receipt = taken(sqlite_house, file)

    assert (fates(receipt), receipt["problems"]) == ((5000, 5000, 0, 0, 0), [])
    assert receipt["notes"] == ["DASS-42：按 1-4 记分读取（数值在 1–4 之间）。"]
    assert receipt["scored"] == {"dass42": 5000}
    assert receipt["quality"]["dass42"]["alarm"] is None
    assert receipt["alerts"] == {"red": 0, "orange": 0, "yellow": 0}
    wanted = {person.row.id for person, row in zip(people, rows, strict=True) if dass_lists(row)}
    assert (receipt["interview_list"], listed(sqlite_house)) == (len(wanted), wanted)
    parts = scale.all_scales()["dass42"].subscales
    assert {part.key: tuple(band.start for band in part.bands[1:]) for part in parts} == DASS_STARTS
    held = bodies(sqlite_house, "dass42")
    for person, row in zip(people, rows, strict=True):
        found = held[person.row.id]
        assert found["total"] == float(row.cells["dasssum"]) - 42, row.row
        for part, column in DASS.items():
            assert found["subscales"][part] == float(row.cells[column]) - 14, row.row


def test_the_authors_sum_in_their_own_coding_agrees_and_a_wrong_one_is_named(
    sqlite_house: House, tmp_path: Path
) -> None:
    sqlite_house.make.team()
    plain = tmp_path / "plain.csv"
    plain.write_bytes(gzip.decompress(path_of("dass42/dass42_5000.csv.gz").read_bytes()))
    header, rows = raw_of(plain)
    rows = rows[:50]
    rows[3].cells["dasssum"] = str(float(rows[3].cells["dasssum"]) + 1)
    file, _ = with_numbers(sqlite_house, tmp_path, header, rows)
    items = json.dumps(header[:42])

    mapping = saved(tmp_path, f'[scales.dass42]\ncoding = "1-4"\nitems = {items}\ntotal = "dasssum"\n')
    receipt = taken(sqlite_house, file, mapping_file=mapping)

    assert [(problem["row"], problem["code"]) for problem in receipt["problems"]] == [(5, "total_differs")]


def pss(row: Raw) -> int:
    given = {number: int(row.cells[f"S{number}"]) for number in range(1, 11)}
    return sum(4 - value if number in {4, 5, 7, 8} else value for number, value in given.items())


@pytest.mark.parametrize("is_turned", [False, True])
def test_pss10_has_the_right_totals_and_an_alarm_where_a_reversal_was_missed(
    sqlite_house: House, tmp_path: Path, is_turned: bool
) -> None:
    """``is_turned``: the source has reversed items 4, 5, 7 and 8 already, and nobody said so."""
    sqlite_house.make.team()
    header, rows = raw_of(path_of("ukm/Psychological_aspects.csv"))
    for row in rows if is_turned else ():
        row.cells.update({name: str(4 - int(row.cells[name])) for name in ("S4", "S5", "S7", "S8")})
    file, people = with_numbers(sqlite_house, tmp_path, header, rows)
    mapping = saved(tmp_path, f"[scales.pss10]\nitems = {json.dumps([f'S{n}' for n in range(1, 11)])}\n")

    receipt = taken(sqlite_house, file, mapping_file=mapping)

    assert fates(receipt) == (223, 223, 0, 0, 0)
    totals = list(map(pss, rows))
    assert receipt["bands"] == {"pss10": banded(totals, {"low": 0, "moderate": 14, "high": 27})}
    held = bodies(sqlite_house, "pss10")
    assert [held[person.row.id]["total"] for person in people] == totals
    quality = receipt["quality"]["pss10"]
    assert quality["alpha"] == (0.754 if is_turned else 0.834)
    if not is_turned:
        assert quality["alarm"] is None
        return
    assert quality["alarm"].startswith(
        "第 4、5、7、8 题与其他题目方向不一致：现在内部一致性为 0.75，把这些题反过来计为 0.83"
    )
