"""Oddities met in the field, each as a small file through the whole import: right numbers, or words and no loss."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from app.screening.scales.scale import all_scales
from models.screening import ResponseSet
from tests.house import PHQ9, House
from tests.screening.brought import bodies, levels, listed, of
from tests.screening.files import codes, enrol, fates, gad, phq
from tests.screening.odd import book, kept, taken, text, totals

PHQ_TEXT = [item.text for item in all_scales()["phq9"].items]
TINY = 5.4e-79


@pytest.mark.parametrize(
    "asked",
    [
        lambda number, words: words,
        lambda number, words: f"{number}. {words}？",
        lambda number, words: f"第{number}题：{words}（必填）",
        lambda number, words: f"在过去两周里，您有多少时候受到以下问题的困扰？\n{number}、{words}",
        lambda number, words: f"Q{number}_在过去两周里——{words}【单选题】",
    ],
)
def test_a_whole_question_is_as_good_a_header_as_a_number(
    sqlite_house: House, tmp_path: Path, asked: Callable[[int, str], str]
) -> None:
    sqlite_house.make.team()
    people = enrol(sqlite_house, 2)
    header = ["学号", *(asked(number, words) for number, words in enumerate(PHQ_TEXT, start=1))]

    receipt = taken(
        sqlite_house, book(tmp_path, header, [people[0].number, *phq(0)], [people[1].number, *phq(12, ninth=1)])
    )

    assert fates(receipt) == (2, 2, 0, 0, 0)
    assert totals(sqlite_house, people) == [0, 12]
    assert levels(sqlite_house) == {people[1].row.id: "yellow"}


@pytest.mark.parametrize("made", [book, text], ids=["workbook", "text"])
def test_a_zero_that_a_spreadsheet_keeps_as_a_tiny_number_is_a_zero(
    sqlite_house: House, tmp_path: Path, made: Callable[..., Path]
) -> None:
    sqlite_house.make.team()
    people = enrol(sqlite_house, 2)
    file = made(
        tmp_path,
        ["学号", *PHQ9],
        [people[0].number, *[TINY] * 9],
        [people[1].number, 3, 2, *[TINY] * 6, 1 - 1e-12],
    )

    receipt = taken(sqlite_house, file)

    assert (fates(receipt), receipt["problems"]) == ((2, 2, 0, 0, 0), [])
    assert totals(sqlite_house, people) == [0, 6]
    assert levels(sqlite_house) == {people[1].row.id: "yellow"}


def test_a_code_for_refused_is_never_an_answer_and_never_a_critical_one(sqlite_house: House, tmp_path: Path) -> None:
    sqlite_house.make.team()
    people = enrol(sqlite_house, 3)
    answers = [[1, 1, 1, 1, 7, 1, 1, 1, 0], [1] * 8 + [9], [2] * 9]
    file = book(tmp_path, ["学号", *PHQ9], *([p.number, *held] for p, held in zip(people, answers, strict=True)))

    receipt = taken(sqlite_house, file, dry_run=True)

    assert fates(receipt) == (3, 1, 2, 0, 0)
    told = {(problem["row"], problem["column"]): problem["message"] for problem in receipt["problems"]}
    for place in ((2, "PHQ9-5"), (3, "PHQ9-9")):
        assert "应为 0–3 的整数或选项文字，此格不是" in told[place]
    assert receipt["red_flags"] == {"phq9": 1}

    saved = tmp_path / "map.toml"
    saved.write_text(f"missing_codes = [7, 9]\n[scales.phq9]\nitems = {PHQ9}\n".replace("'", '"'), encoding="utf-8")
    receipt = taken(sqlite_house, file, mapping_file=saved)

    assert fates(receipt) == (3, 1, 2, 0, 0)
    assert codes(receipt) == [(2, "items_missing"), (3, "items_missing")]
    assert totals(sqlite_house, people) == [None, None, 18]
    assert levels(sqlite_house) == {people[2].row.id: "orange"}


def test_rows_of_sums_and_signatures_under_the_table_are_no_people_and_named(
    sqlite_house: House, tmp_path: Path
) -> None:
    sqlite_house.make.team()
    people = enrol(sqlite_house, 2)
    below = [["合计", "", *[5] * 9], ["平均数", "", *[2.5] * 9], ["标准差", "", *[0.7] * 9], ["Mean", "", *[2.5] * 9]]
    signed = [["填表人：张三", "", "日期：2026-11-20"]]
    file = book(tmp_path, ["学号", "姓名", *PHQ9], *([p.number, p.name, *phq(7)] for p in people), *below, [], *signed)

    receipt = taken(sqlite_house, file)

    assert fates(receipt) == (2, 2, 0, 0, 0)
    assert receipt["problems"] == []
    assert receipt["notes"] == ["第 4、5、6、7、9 行是合计、签字、备注或重复的表头，不是人员，未读入。"]


def test_a_file_in_gb18030_with_a_rare_name_is_read_as_it_was_written(sqlite_house: House, tmp_path: Path) -> None:
    sqlite_house.make.team()
    group = sqlite_house.make.class_group()
    student = sqlite_house.make.student(group, name="王𠮷䶮", number="26990001")
    file = text(
        tmp_path, ["学号", "姓名", *PHQ_TEXT], ["26990001", "王𠮷䶮", *["几乎每天"] * 8, "完全不会"], encoding="gb18030"
    )

    receipt = taken(sqlite_house, file)

    assert fates(receipt) == (1, 1, 0, 0, 0)
    assert bodies(sqlite_house, "phq9")[student.id]["total"] == 24


def test_scales_merged_over_their_items_are_read_as_two_scales(sqlite_house: House, tmp_path: Path) -> None:
    sqlite_house.make.team()
    people = enrol(sqlite_house, 2)
    made = Workbook()
    page = made.active
    assert page is not None
    page.append(["2026 年新生普查结果"])
    page.append(["学号", "姓名", "PHQ-9", *[None] * 8, "GAD-7"])
    page.append([None, None, *range(1, 10), *range(1, 8)])
    for span in ("A1:R1", "A2:A3", "B2:B3", "C2:K2", "L2:R2"):
        page.merge_cells(span)
    for person, held in zip(people, ((9, 2), (0, 11)), strict=True):
        page.append([person.number, person.name, *phq(held[0]), *gad(held[1])])
    out = BytesIO()
    made.save(out)

    receipt = taken(sqlite_house, kept(tmp_path, out.getvalue(), "合并.xlsx"))

    assert fates(receipt) == (2, 2, 0, 0, 0)
    assert totals(sqlite_house, people) == [9, 0]
    assert totals(sqlite_house, people, "gad7") == [2, 11]
    assert listed(sqlite_house) == of(people, 1)


WIDE = str.maketrans("0123456789.", "０１２３４５６７８９．")


@pytest.mark.parametrize("made", [book, text], ids=["workbook", "text"])
@pytest.mark.parametrize(
    "written",
    [lambda word: str(word).translate(WIDE), lambda word: f"'{word}", lambda word: f"　{word}\u00a0", str],
    ids=["full width", "apostrophe", "blanks", "text"],
)
def test_numbers_are_read_however_they_were_typed(
    sqlite_house: House, tmp_path: Path, written: Callable[[Any], str], made: Callable[..., Path]
) -> None:
    sqlite_house.make.team()
    people = enrol(sqlite_house, 2)
    rows = [[written(p.number), *map(written, held)] for p, held in zip(people, (phq(14), phq(3, 2)), strict=True)]

    receipt = taken(sqlite_house, made(tmp_path, ["学号", *PHQ9], *rows))

    assert (fates(receipt), receipt["problems"]) == ((2, 2, 0, 0, 0), [])
    assert totals(sqlite_house, people) == [14, 3]
    assert levels(sqlite_house) == {people[1].row.id: "orange"}


def test_a_number_that_lost_its_zeros_is_asked_about_and_never_guessed(house: House, tmp_path: Path) -> None:
    house.make.team()
    house.make.student(name="林晓", number="0012345")
    header = ["学号", "姓名", *PHQ9]

    receipt = taken(house, book(tmp_path, header, [12345, "林晓", *phq(4, ninth=2)]))

    assert fates(receipt) == (1, 0, 0, 1, 0)
    assert house.count(ResponseSet) == 0
    [problem] = receipt["problems"]
    assert (problem["row"], problem["column"], problem["code"]) == (2, "学号", "lost_zeros")
    assert "开头可能丢了 0；请把该列设为“文本”后重新导出，或确认是谁（有 1 位可能的学生）" in problem["message"]
    assert "12345" not in str(receipt["problems"])
    assert len(receipt["questions"]) == 1

    assert fates(taken(house, text(tmp_path, header, ["'0012345", "林晓", *phq(4, ninth=2)])))[:2] == (1, 1)
