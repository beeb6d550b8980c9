"""``scale check``, ``scale list`` and ``scale score``: without an installation, and without repeating a cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import catalogue
from tests.cli.program import run

PHQ9 = catalogue.FOLDER / "scales" / "phq9.toml"


def written(path: Path, *lines: str) -> str:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def test_a_table_of_items_is_scored_without_an_installation(tmp_path: Path) -> None:
    file = written(
        tmp_path / "items.csv",
        "编号,PHQ9_1,PHQ9_2,PHQ9_3,PHQ9_4,PHQ9_5,PHQ9_6,PHQ9_7,PHQ9_8,PHQ9_9",
        "a,1,1,1,1,1,1,1,1,1",
        "b,几乎每天,3,3,0,0,0,0,0,0",
        "c,3,,秘密,0,0,0,0,0,2",
    )

    ended = run(tmp_path / "none", "scale", "score", "phq9", file, "--json")

    assert ended.status == 0
    assert not (tmp_path / "none").exists()
    held = ended.held
    assert (held["rows"], held["scored"], held["flagged"], held["coding"]) == (3, 2, 2, "0-3")
    first, second, third = held["results"]
    assert (first["row"], first["total"], first["band"], first["flags"], first["positive"]) == (
        2,
        9,
        "mild",
        [9],
        False,
    )
    assert (second["total"], second["flags"]) == (9, [])
    assert (third["status"], third["total"], third["at_least"], third["flags"]) == ("incomplete", None, 5, [9])
    assert [(one["row"], one["column"]) for one in held["problems"]] == [(4, "PHQ9_3")]
    assert "秘密" not in ended.out


def test_components_times_and_counts_come_out_by_name(tmp_path: Path) -> None:
    file = written(
        tmp_path / "psqi.csv",
        "上床时间,入睡时间,起床时间,实际睡眠小时,5a,5b,5c,5d,5e,5f,5g,5h,5i,5j,睡眠质量自评,用药催眠,常感困倦,做事精力不足",
        "23:00,20,07:00,7,1,1,1,1,1,0,0,0,0,0,1,0,1,1",
        "23点30,70,6:45,5.5,无,3,3,3,3,3,3,3,3,3,很差,3,3,经常有",
    )

    ended = run(tmp_path, "scale", "score", "psqi", file, "--json")

    assert [row["total"] for row in ended.held["results"]] == [5, 17]
    assert list(ended.held["results"][0]["subscales"].values()) == [1, 1, 1, 0, 1, 0, 1]


def test_a_file_coded_from_1_is_told_by_its_range_or_by_the_person(tmp_path: Path) -> None:
    file = written(tmp_path / "gad.csv", "1,2,3,4,5,6,7", "1,1,1,1,1,1,1", "4,4,4,4,4,4,4")

    told = run(tmp_path, "scale", "score", "gad7", file, "--json").held
    asked = run(tmp_path, "scale", "score", "gad7", file, "--json", "--coding", "0-3").held

    assert (told["coding"], [row["total"] for row in told["results"]]) == ("1-4", [0, 21])
    assert [row["total"] for row in asked["results"]] == [7, None]


def test_a_table_without_an_item_is_refused_by_the_items_name(tmp_path: Path) -> None:
    ended = run(tmp_path, "scale", "score", "gad7", written(tmp_path / "x.csv", "1,2,3", "1,1,1"), "--json")

    assert ended.status == 1
    assert "表头里找不到 GAD-7 的" in ended.held["error"]


def test_every_scale_is_listed_with_its_licence(tmp_path: Path) -> None:
    held = run(tmp_path, "scale", "list", "--json").held["scales"]

    assert {"phq9", "scl90", "psqi", "cssrs", "source_statement"} <= {one["key"] for one in held}
    assert all(one["source"] and one["version"] and one["licence_class"] for one in held)


def test_every_fault_of_a_file_is_said_in_one_go(tmp_path: Path) -> None:
    text = PHQ9.read_text(encoding="utf-8").replace('key = "phq9"', 'key = "own"').replace("item = 9", "item = 19")
    file = written(tmp_path / "own.toml", text.replace('prefixes = ["phq9"', 'prefixs = ["own"'))

    ended = run(tmp_path, "scale", "check", file, "--json")

    assert ended.status == 1
    assert [fault.split("：")[0] for fault in ended.held["faults"]] == ["prefixes", "red_flags[1].item", "prefixs"]


@pytest.mark.parametrize(
    ("key", "prefix", "said"),
    [
        ("other", "own", "key：应与文件名相同，即 own"),
        ("own", "gad7", "“gad7”已是 gad7 的列名前缀"),
        ("own", "own", ""),
    ],
)
def test_a_new_file_may_not_pass_for_another_scale(tmp_path: Path, key: str, prefix: str, said: str) -> None:
    text = PHQ9.read_text(encoding="utf-8").replace('key = "phq9"', f'key = "{key}"')
    file = written(tmp_path / "own.toml", text.replace('["phq9", "phq-9", "phq"]', f'["{prefix}"]'))

    ended = run(tmp_path, "scale", "check", file, "--json")

    assert ended.status == (1 if said else 0)
    assert said in ended.held.get("error", "")


def test_every_shipped_file_passes_its_own_check(tmp_path: Path) -> None:
    ended = run(tmp_path, "scale", "check", str(catalogue.FOLDER / "scales" / "psqi.toml"))

    assert ended.status == 0
    assert "可以使用" in ended.out
