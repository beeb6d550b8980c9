"""The public files, with all their oddities: read with the right numbers, or refused with the right words."""

from __future__ import annotations

import csv
import os
import random
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake import sheet
from app.intake.cells import number_of, text_of
from models.refusal import Refusal

REFERENCE = os.environ.get("XINYU_REFERENCE_DATA")
pytestmark = pytest.mark.skipif(not REFERENCE, reason="XINYU_REFERENCE_DATA is not set: no real files to read")
CARRARD = ["carrard_2022.csv", "carrard_legacy.xls", "carrard_strict_ooxml.xlsx"]


def raw(name: str) -> bytes:
    return (Path(str(REFERENCE)) / name).read_bytes()


def numbers(table: sheet.Table) -> list[list[float | None]]:
    return [[number_of(cell) for cell in row] for row in table.rows]


@pytest.mark.parametrize("name", CARRARD)
def test_three_forms_of_one_table_hold_the_same_numbers(name: str) -> None:
    lines = raw("carrard/carrard_2022.csv").decode("ascii").splitlines()
    expected = [[float(cell) for cell in line.split(";")] for line in lines[1:]]

    table = sheet.read(raw(f"carrard/{name}"))

    assert (table.header, list(table.row_numbers)) == (lines[0].split(";"), list(range(2, 888)))
    assert numbers(table) == expected


def test_the_strict_workbook_says_what_it_is() -> None:
    notes = sheet.read(raw("carrard/carrard_strict_ooxml.xlsx")).notes

    assert ["严格 Open XML" in notes[0], "另存为" in notes[0], "分隔符" in notes[1]] == [True, True, True]


@pytest.mark.parametrize(
    ("name", "people", "width"),
    [
        ("mexico/depression_data.csv", 783, 33),
        ("ukm/Psychological_aspects.csv", 223, 27),
        ("ukm/Demography.csv", 223, 8),
        ("uci_dropout/students_dropout.csv", 4424, 35),
    ],
)
def test_a_text_file_reads_cell_by_cell_as_it_stands(name: str, people: int, width: int) -> None:
    text = raw(name).decode("utf-8-sig")
    sign = ";" if ";" in text.splitlines()[0] else ","
    rows = [row for row in csv.reader(StringIO(text), delimiter=sign) if any(map(str.strip, row))]

    table = sheet.read(raw(name))

    assert (len(table), len(table.header)) == (people, width)
    assert [table.header, *table.rows] == [[rows[0][0].strip(), *map(str.strip, rows[0][1:])], *rows[1:]]
    assert (table.notes, table.filled) == ([], [])


def test_the_sheets_of_one_workbook_about_the_same_people_are_told_apart() -> None:
    tables = sheet.read_all(raw("argentina/bdi_stai_two_wave.xlsx"))

    assert [(table.sheet, len(table)) for table in tables] == [
        ("sheet", 1492),
        ("depressionData", 1492),
        ("anxietyData", 1492),
    ]
    assert [text_of(cell) for cell in tables[0].rows[0][:4]] == ["1", "13", "1", "33"]
    assert len(sheet.read(raw("argentina/ghq_k10_two_wave.xlsx"))) == 1615


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dass42/dass42_5000.csv.gz", "请先解压"),
        ("fhir/Questionnaire-phq-9-example.json", "JSON"),
        ("fhir/QuestionnaireResponse-phq-9-example.json", "JSON"),
    ],
)
def test_what_is_no_table_is_refused_in_words(name: str, words: str) -> None:
    with pytest.raises(Refusal) as refused:
        sheet.read(raw(name))

    assert words in refused.value.sentence


@given(st.sampled_from(CARRARD), st.integers(0, 2**32))
def test_a_real_file_torn_or_with_bytes_turned_becomes_a_table_or_a_refusal(name: str, seed: int) -> None:
    chance, turned = random.Random(seed), bytearray(raw(f"carrard/{name}"))
    for _ in range(chance.choice([0, 1, 20, 500])):
        turned[chance.randrange(len(turned))] = chance.randrange(256)
    if chance.random() < 0.5:
        del turned[chance.randrange(len(turned)) :]

    try:
        found = sheet.read(bytes(turned))
    except Refusal:
        return

    assert all(len(row) == len(found.header) for row in found.rows)
