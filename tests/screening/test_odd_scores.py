"""What authors computed themselves, beside the answers or instead of them: compared, bounded, never just believed."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook

from app.screening.scales.scale import all_scales
from models.refusal import Refusal, Unclear
from tests.house import GAD7, PHQ9, House
from tests.screening.brought import bodies, levels, listed, of
from tests.screening.files import codes, enrol, fates, gad, phq
from tests.screening.odd import book, kept, saved, taken, text, totals

TINY = 5.4e-79


def test_the_authors_own_totals_and_bands_are_compared_and_never_believed(house: House, tmp_path: Path) -> None:
    house.make.team()
    people = enrol(house, 3)
    header = ["学号", *PHQ9, "PHQ-9总分", "PHQ-9结果", *GAD7, "GAD-7总分"]
    rows = [
        [people[0].number, *phq(7), 7, "轻度", *gad(3), 3],
        [people[1].number, *phq(21), 3, "无或极轻", *gad(12), 12],
        [people[2].number, *phq(2), 22, "重度", *gad(0), 15],
    ]

    receipt = taken(house, book(tmp_path, header, *rows))

    assert fates(receipt) == (3, 3, 0, 0, 0)
    assert sorted(codes(receipt)) == [
        (3, "band_differs"),
        (3, "total_differs"),
        (4, "band_differs"),
        (4, "total_differs"),
        (4, "total_differs"),
    ]
    assert totals(house, people) == [7, 21, 2]
    assert totals(house, people, "gad7") == [3, 12, 0]
    assert levels(house) == {people[1].row.id: "orange"}


def test_means_with_semicolons_and_no_zero_before_the_point_are_means(sqlite_house: House, tmp_path: Path) -> None:
    sqlite_house.make.team()
    people = enrol(sqlite_house, 2)
    factors = all_scales()["scl90"].subscales[:9]
    rows = [[people[0].number, *[".25"] * 9], [people[1].number, *["2.73809522"] * 8, ".5"]]
    saved = tmp_path / "map.toml"
    names = "".join(f'{part.key} = "{part.name}"\n' for part in factors)
    saved.write_text(f'[scales.scl90]\ncoding = "0-4"\n[scales.scl90.subscales]\n{names}', encoding="utf-8")

    header = ["学号", *(part.name for part in factors)]
    receipt = taken(sqlite_house, text(tmp_path, header, *rows, delimiter=";"), mapping_file=saved)

    assert (fates(receipt), receipt["problems"]) == ((2, 2, 0, 0, 0), [])
    held = bodies(sqlite_house, "scl90")[people[1].row.id]["subscales"]
    assert (held[factors[0].key], held[factors[8].key]) == (3.7381, 1.5)
    assert listed(sqlite_house) == of(people, 1)


def test_a_total_that_the_scale_cannot_have_lists_nobody(sqlite_house: House, tmp_path: Path) -> None:
    sqlite_house.make.team()
    people = enrol(sqlite_house, 6)
    said = [999, 22, "", "缺失", TINY, "１５"]
    file = book(tmp_path, ["学号", "GAD-7总分"], *([p.number, word] for p, word in zip(people, said, strict=True)))

    receipt = taken(sqlite_house, file)

    assert fates(receipt) == (6, 2, 0, 4, 0)
    assert [found for found in codes(receipt) if found[1] != "no_answers"] == [(3, "out_of_range")]
    assert totals(sqlite_house, people, "gad7") == [None, None, None, None, 0, 15]
    assert listed(sqlite_house) == of(people, 5)


def test_a_sheet_that_says_the_same_again_changes_nothing_and_one_that_differs_is_named(
    sqlite_house: House, tmp_path: Path
) -> None:
    sqlite_house.make.team()
    people = enrol(sqlite_house, 2)
    made = Workbook()
    made.remove(made.worksheets[0])
    for name, header, held in (
        ("全部", [*PHQ9, *GAD7], ([*phq(6), *gad(1)], [*phq(2), *gad(8)])),
        ("抑郁", PHQ9, (phq(6), phq(21))),
        ("焦虑", GAD7, (gad(1), gad(8))),
    ):
        page = made.create_sheet(name)
        page.append(["学号", *header])
        for person, answers in zip(people, held, strict=True):
            page.append([person.number, *answers])
    out = BytesIO()
    made.save(out)

    receipt = taken(sqlite_house, kept(tmp_path, out.getvalue(), "几张表.xlsx"), all_sheets=True)

    assert fates(receipt) == (6, 5, 0, 1, 3)
    [problem] = receipt["problems"]
    assert (problem["row"], problem["code"], problem["file"]) == (3, "repeated", "抑郁")
    assert "采用了“全部”第 3 行；关键题照常检查" in problem["message"]
    assert totals(sqlite_house, people) == [6, 2]
    assert totals(sqlite_house, people, "gad7") == [1, 8]


@pytest.mark.parametrize(
    ("said", "meant"),
    [([0, 3, 11], [0, 6, 22]), ([0, 4, 30], [0, 4, 30])],
    ids=["sums of the items", "sums as the scale doubles them"],
)
def test_factors_of_dass21_are_doubled_once(
    sqlite_house: House, tmp_path: Path, said: list[int], meant: list[int]
) -> None:
    sqlite_house.make.team()
    people = enrol(sqlite_house, 3)
    parts = all_scales()["dass21"].subscales
    header = ["学号", *(f"DASS-21{part.name}" for part in parts)]

    receipt = taken(
        sqlite_house, book(tmp_path, header, *([p.number, *[word] * 3] for p, word in zip(people, said, strict=True)))
    )

    assert (fates(receipt), receipt["problems"]) == ((3, 3, 0, 0, 0), [])
    held = bodies(sqlite_house, "dass21")
    for person, value in zip(people, meant, strict=True):
        assert held[person.row.id]["subscales"] == {part.key: value for part in parts}
    assert listed(sqlite_house) == of(people, 2)


def test_factors_of_dass21_that_may_be_either_are_asked(sqlite_house: House, tmp_path: Path) -> None:
    sqlite_house.make.team()
    [person] = enrol(sqlite_house, 1)
    parts = all_scales()["dass21"].subscales
    file = book(tmp_path, ["学号", *(f"DASS-21{part.name}" for part in parts)], [person.number, 14, 14, 14])

    with pytest.raises(Unclear, match="可能是各题之和，也可能是各题之和乘系数后的得分，请指定"):
        taken(sqlite_house, file)

    names = "".join(f'{part.key} = "DASS-21{part.name}"\n' for part in parts)
    words = f'[scales.dass21]\nfactors = "scores"\n[scales.dass21.subscales]\n{names}'
    taken(sqlite_house, file, mapping_file=saved(tmp_path, words))
    assert set(bodies(sqlite_house, "dass21")[person.row.id]["subscales"].values()) == {14}


def test_a_raw_score_is_never_taken_for_the_standard_score(sqlite_house: House, tmp_path: Path) -> None:
    sqlite_house.make.team()
    people = enrol(sqlite_house, 2)
    rows = [[people[0].number, 45, 56], [people[1].number, 30, 37]]

    for header in ("SDS粗分", "SDS 原始分"):
        with pytest.raises(Refusal, match="没有找到 SDS 的全部 20 题，也没有它的总分"):
            taken(sqlite_house, book(tmp_path, ["学号", header], *(row[:2] for row in rows)), scales=("sds",))
    taken(sqlite_house, book(tmp_path, ["学号", "SDS粗分", "SDS总分"], *rows))

    assert totals(sqlite_house, people, "sds") == [56, 37]
    assert listed(sqlite_house) == of(people, 0)


def test_a_raw_score_beside_the_items_differs_from_nothing(sqlite_house: House, tmp_path: Path) -> None:
    sqlite_house.make.team()
    [person] = enrol(sqlite_house, 1)
    header = ["学号", *(f"SDS{number}" for number in range(1, 21)), "原始分"]

    receipt = taken(sqlite_house, book(tmp_path, header, [person.number, *[1, 2] * 10, 46]))

    assert (fates(receipt), receipt["problems"]) == ((1, 1, 0, 0, 0), [])
