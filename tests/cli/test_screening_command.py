"""``screening import`` as a command: its receipt, its switches, and what it says when it will not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import Ended, run, table
from tests.house import GAD7, PHQ9

KEYS = {"batch", "rows_read", "rows_accepted", "rows_incomplete", "rows_rejected", "already_known", "scored", "bands"}
MORE = {"red_flags", "alerts", "interview_list", "problems"}
ROUND = ["--round", "补测", "--scale", "phq9", "--scale", "gad7"]
HEADER = ["学号", *PHQ9, *GAD7]
CALM: list[object] = [0] * 16
NUMBERS = ["2024001001", "2024002001", "2024003001"]


def line(place: int, answers: Sequence[object] = CALM) -> list[object]:
    """Answers of one student of the demo."""
    return [NUMBERS[place], *answers]


def imported(home: Path, file: Path, *more: object) -> Ended:
    return run(home, "screening", "import", file, *ROUND, *more, "--json")


def fates(ended: Ended) -> tuple[Any, ...]:
    held = ended.held
    return tuple(held[f"rows_{name}"] for name in ("read", "accepted", "incomplete", "rejected"))


def test_the_receipt_has_the_promised_keys_and_adds_up(home: Path, tmp_path: Path) -> None:
    short = [0, "", *CALM[2:]]
    file = table(tmp_path / "r.csv", HEADER, line(0), line(1, short), ["404", *CALM])

    ended = imported(home, file)

    assert ended.status == 0
    assert set(ended.held) >= KEYS | MORE
    read, accepted, incomplete, rejected = fates(ended)
    assert read == 3 == accepted + incomplete + rejected
    assert [(item["row"], item["code"]) for item in ended.held["problems"]] == [
        (3, "items_missing"),
        (4, "student_unknown"),
    ]


def test_a_file_with_problems_goes_in_without_them_and_is_no_failure_but_strict_refuses_it(
    home: Path, tmp_path: Path
) -> None:
    file = table(tmp_path / "r.csv", HEADER, line(0), line(1, [9, *CALM[1:]]))

    strict = imported(home, file, "--strict")
    usual = imported(home, file)

    assert "严格模式" in strict.refusal
    assert (usual.status, fates(usual)) == (0, (2, 1, 1, 0))
    assert usual.held["already_known"] == 0


def test_the_same_file_again_is_known_and_another_answer_needs_replace(home: Path, tmp_path: Path) -> None:
    first = table(tmp_path / "1.csv", HEADER, line(0), line(1))
    other = table(tmp_path / "2.csv", HEADER, line(0, [1, *CALM[1:]]), line(1))
    imported(home, first)

    known, differing, replaced = imported(home, first), imported(home, other), imported(home, other, "--replace")

    assert known.held["already_known"] == 2
    assert (fates(differing), differing.held["already_known"]) == ((2, 1, 0, 1), 1)
    assert (fates(replaced), replaced.held["scored"]) == ((2, 2, 0, 0), {"phq9": 1, "gad7": 0})


def test_a_dry_run_says_what_the_import_then_does(home: Path, tmp_path: Path) -> None:
    file = table(tmp_path / "r.csv", HEADER, line(0, [0] * 8 + [3] + [0] * 7))

    told, done = imported(home, file, "--dry-run"), imported(home, file)

    assert told.held["batch"] is None
    assert done.held["alerts"]["orange"] == 1
    assert told.held | {"batch": done.held["batch"]} == done.held


def test_columns_without_telling_names_come_in_by_a_mapping_file(home: Path, tmp_path: Path) -> None:
    header = ["编码", *(f"D{n}" for n in range(1, 10)), *(f"A{n}" for n in range(1, 8))]
    file = table(tmp_path / "r.csv", header, line(0), line(1))
    mapping = tmp_path / "m.toml"
    mapping.write_text(
        f'[columns]\nstudent_number = "编码"\n[scales.phq9]\nitems = {json.dumps(header[1:10])}\n'
        f"[scales.gad7]\nitems = {json.dumps(header[10:])}\n",
        encoding="utf-8",
    )

    assert "没有找到学号列" in imported(home, file).refusal
    assert fates(imported(home, file, "--mapping", mapping)) == (2, 2, 0, 0)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--sheet", "第二页"], "没有名为“第二页”的工作表"),
        (["--scale", "scl91"], "不认识的量表 scl91"),
        (["--mapping", "MAPPING"], "不是有效的 TOML"),
    ],
    ids=["sheet", "scale", "mapping"],
)
def test_what_it_will_not_do_it_says_in_words(home: Path, tmp_path: Path, more: list[str], words: str) -> None:
    file = table(tmp_path / "r.csv", HEADER, line(0))
    (tmp_path / "m.toml").write_text("[columns\n")
    more = [str(tmp_path / "m.toml") if word == "MAPPING" else word for word in more]

    assert words in imported(home, file, *more).refusal


def test_for_a_person_the_receipt_names_row_column_and_what_is_expected_but_no_value(
    home: Path, tmp_path: Path
) -> None:
    file = table(tmp_path / "r.csv", HEADER, line(0, ["好多天", *CALM[1:]]), ["2099123456", *CALM])

    ended = run(home, "screening", "import", file, *ROUND)

    assert "第 2 行 PHQ9-1：PHQ-9 第 1 题应为 0–3 的整数" in ended.out
    assert "好多天" not in ended.out
    assert "2099123456" not in ended.out + ended.err
