"""``risk evaluate`` and ``risk simulate``: any table, no installation, figures to be checked, refusals that help."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from app.cli import risk_table
from app.cli.risk_prepared import Asked, prepare
from ml import baselines
from tests.cli.program import Ended, run, run_cold

Rows = list[dict[str, Any]]


def students(rows: int, seed: int) -> Rows:
    """Made-up students: a score with an effect, words, gaps, an id, a day, and an outcome as text."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(rows):
        score = int(np.clip(8 + 5 * rng.normal(), 0, 27))
        event = rng.random() < expit(-3.2 + 0.24 * score)
        found.append(
            {
                "id": 1000 + number,
                "PHQ-9, total": score,
                "sleep": f".{rng.integers(10, 99)}" if rng.random() < 0.9 else "NA",
                "college": ["信息", "机电", "经管"][rng.integers(3)],
                "free text": f"note {number}",
                "constant": 1,
                "rules": int(score >= 10) + int(score >= 15),
                "round": "2025-09-01" if number < rows * 2 // 3 else "2026-09-01",
                "days": int(rng.integers(5, 90)) if event else "",
                "outcome": "needed" if event else "fine",
            }
        )
    return found


def written(path: Path, rows: Rows, *, separator: str = ",", encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """One run with everything asked for, from nothing, as a stranger would start it."""
    home = tmp_path_factory.mktemp("nothing")
    file = written(home / "students.csv", students(320, 1))
    words = ("--label", "outcome", "--increasing", "PHQ-9, total", "--rules", "rules", "--event-days", "days")
    more = ("--time", "round", "--by", "college", "--repeats", "1", "--json")
    return run_cold(home / "none", "risk", "evaluate", "--table", file, *words, *more)


def test_the_whole_procedure_runs_without_an_installation(whole: Ended) -> None:
    assert whole.status == 0
    held = whole.held
    assert (held["rows"], held["folds"], held["repeats"], held["trained"]) == (320, 5, 1, True)
    assert {one["name"]: one["kind"] for one in held["features"]} == {
        "PHQ-9, total": "numeric",
        "sleep": "numeric",
        "college": "nominal",
    }
    assert set(held["left_out"]) == {"id", "free text", "constant"}
    assert "较少的“needed”算作有结局" in held["notes"][0]
    assert set(held["versions"]) == {"python", "numpy", "scipy", "scikit-learn", "procedure"}


def test_every_figure_is_a_plain_number_with_its_interval_beside_it(whole: Ended) -> None:
    for one in (whole.held["model"], *whole.held["baselines"].values()):
        low, high = one["intervals"]["auc"]
        assert 0.5 < low < one["auc"] < high < 0.93
        assert set(one["recall_at"]) == {"0.05", "0.10"}
        assert {"ap", "brier", "slope", "intercept"} <= set(one)
    rows = students(320, 1)
    labels = [row["outcome"] == "needed" for row in rows]
    assert whole.held["baselines"]["single"]["name"] == "PHQ-9, total"
    scores, rules = ([row[name] for row in rows] for name in ("PHQ-9, total", "rules"))
    assert whole.held["baselines"]["single"]["auc"] == pytest.approx(roc_auc_score(labels, scores), abs=1e-6)
    assert whole.held["baselines"]["rules"]["auc"] == pytest.approx(roc_auc_score(labels, rules), abs=1e-6)


def test_monotony_shuffled_labels_time_groups_and_warning_are_told(whole: Ended) -> None:
    held = whole.held

    assert held["monotone"]["PHQ-9, total"]["rows"] == 320
    assert held["monotone"]["PHQ-9, total"]["violations"] == 0
    assert held["shuffled"]["shows_nothing"]
    assert held["forward"]["tested_rows"] == 107
    assert {one["group"] for one in held["by_group"]} == {"信息", "机电", "经管"}
    assert 5 <= held["lead_time"]["median"]["value"] <= 90
    assert sum(one["rows"] for one in held["calibration"]) == held["model"]["rows"]
    assert held["leak_suspected"] is False
    assert "名单前 10%" in held["words"][0]


def test_an_answer_among_the_questions_ends_with_its_own_status(tmp_path: Path) -> None:
    rows = [row | {"after": int(row["outcome"] == "needed") + row["id"] % 7 / 10} for row in students(150, 3)]
    file = written(tmp_path / "x.csv", rows, separator=";")
    words = ("risk", "evaluate", "--table", file, "--label", "outcome", "--repeats", "1", "--json")

    leaky = run(tmp_path, *words)

    assert (leaky.status, leaky.held["leak_suspected"]) == (3, True)
    assert leaky.held["suspects"] == ["days", "after"]
    assert "都不能作数" in leaky.held["words"][0]


def test_too_few_outcomes_are_put_in_the_order_of_the_rules(tmp_path: Path) -> None:
    rows = students(40, 4)
    file = written(tmp_path / "x.csv", rows)
    words = ("risk", "evaluate", "--table", file, "--label", "outcome", "--rules", "rules")

    ended, told = run(tmp_path, *words, "--json"), run(tmp_path, *words)

    assert (ended.status, ended.held["trained"]) == (0, False)
    assert "少于训练所需" in ended.held["reason"]
    order = [rows[row - 2]["rules"] for row in ended.held["order_by_rules"]]
    assert order == sorted(order, reverse=True)
    assert "按规则排序" in told.out
    assert run(tmp_path, *words[:-2], "--json").held["baselines"] == {"rules": None}


def test_rows_of_one_person_never_stand_on_both_sides(tmp_path: Path) -> None:
    """Every person has an own number of nothing; it helps only who saw the person before."""
    rng = np.random.default_rng(5)
    rows: Rows = []
    for person in range(110):
        own, event = round(rng.normal(), 2), int(rng.random() < 0.4)
        rows += [{"person": f"p{person}", "mark": own, "y": event} for _ in range(3)]
    file = written(tmp_path / "x.csv", rows)

    held = run(
        tmp_path, "risk", "evaluate", "--table", file, "--label", "y", "--repeats", "1", "--json", "--group", "person"
    ).held

    assert held["groups"] == 110
    assert held["baselines"]["boosted_default"]["auc"] < 0.62
    columns = prepare(risk_table.read(file), Asked(label="y", exclude=["person"]))
    mixed = baselines.out_of_fold(columns.table, columns.labels, rng.integers(0, 5, 330))
    assert roc_auc_score(columns.labels, mixed["boosted_default"].log_odds[0]) > 0.7


def test_classes_part_the_folds_and_people_read_of_it_in_chinese(tmp_path: Path) -> None:
    rows = [row | {"class": f"班{number % 30}", "days": ""} for number, row in enumerate(students(160, 6))]
    file = written(tmp_path / "x.txt", rows, separator="\t", encoding="gb18030")
    words = ("risk", "evaluate", "--table", file, "--label", "outcome", "--group", "class", "--repeats", "1")

    ended = run(tmp_path, *words, "--same-time")

    assert ended.status == 0
    assert "“class”有 30 组，同一组不会分在训练和检验两边" in ended.out
    assert "默认提升树（反面例子）" in ended.out
    assert "模型提示" in ended.out


def test_an_outcome_of_one_class_alone_is_told_as_such_and_not_as_too_few(tmp_path: Path) -> None:
    rows = [{"x": number * 7 % 31, "class": number % 12, "y": int(number % 12 == 3)} for number in range(360)]
    file = written(tmp_path / "x.csv", rows)

    ended = run(tmp_path, "risk", "evaluate", "--table", file, "--label", "y", "--group", "class", "--json")

    assert (ended.status, ended.held["trained"], ended.held["positives"]) == (0, False, 30)
    assert "少数几组" in ended.held["reason"]
    assert "少于训练所需" not in ended.held["reason"]


def test_a_few_groups_part_only_the_figures(tmp_path: Path) -> None:
    file = written(tmp_path / "x.csv", students(120, 6))

    held = prepare(risk_table.read(file), Asked(label="outcome", group="college"))

    assert held.clusters is None
    assert set(held.groups) == {"college"}
    assert "只用来分组列出" in held.notes[-1]


REFUSED = {
    "unknown name": (("--exclude", "PHQ-9 total"), "没有列“PHQ-9 total”；相近的列名：PHQ-9, total"),
    "unknown among several": (("--increasing", "sleep,sleeep"), "没有列“sleeep”"),
    "both ways": (("--increasing", "sleep", "--decreasing", "sleep"), "不能同时"),
    "the outcome as a feature": (("--increasing", "outcome"), "只写一处"),
    "the outcome as a group": (("--group", "outcome"), "是结局"),
    "text with a direction": (("--increasing", "college"), "第 2 行“college”列：应为数字"),
    "a value nobody has": (("--positive", "bad"), "没有值“bad”"),
    "words as rules": (("--rules", "college"), "第 2 行“college”列：应为数字"),
    "gaps in weights": (("--weights", "days"), "“days”列：不能为空"),
    "no time": (("--time", "college"), "应为数字或日期"),
    "nothing left": (("--exclude", "*"), "没有可用的列"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_done_is_said_by_row_and_column(tmp_path: Path, why: str) -> None:
    words, sentence = REFUSED[why]
    file = written(tmp_path / "x.csv", students(60, 7))

    ended = run(tmp_path, "risk", "evaluate", "--table", file, "--label", "outcome", *words, "--json")

    assert sentence in ended.refusal
    assert "note 3" not in ended.out


def test_broken_files_are_refused_in_words(tmp_path: Path) -> None:
    def refusal(*lines: str, label: str = "y") -> str:
        file = tmp_path / "x.csv"
        file.write_text("\n".join(lines), encoding="utf-8")
        return run(tmp_path, "risk", "evaluate", "--table", file, "--label", label, "--json").refusal

    assert "空的" in refusal("")
    assert "没有数据" in refusal("a,y")
    assert "出现了两次" in refusal("a,a,y", "1,2,0")
    assert "第 3 行有 4 格，表头只有 2 列" in refusal("a,y", "1,0", "1,0,3,4")
    assert "第 21 行“a”列：应为数字" in refusal("a,y", *["1,0", "2,1"] * 9, "3,1", "秘密,0", "4,0")
    assert "第 4 行“a”列：应为数字" in refusal("a,y", "1,0", "2,1", "1e308,0", *["3,1", "4,0"] * 9)
    assert "有 3 种取值" in refusal("a,y", "1,0", "2,1", "3,2")
    assert "全部为空" in refusal("a,y", "1,", "2,NA")
    assert "没有列“z”" in refusal("a,y", "1,0", label="z")
    packed = tmp_path / "x.gz"
    packed.write_bytes(gzip.compress(b"a,y\n1,0\n"))
    assert "请先解压" in run(tmp_path, "risk", "evaluate", "--table", packed, "--label", "y", "--json").refusal


def test_a_simulation_prints_what_is_true_and_what_both_readings_say(tmp_path: Path) -> None:
    words = ("risk", "simulate", "--students", "2500", "--repeats", "3", "--share", "0.2", "--seed", "4")

    told, held = run(tmp_path, *words), run(tmp_path, *words, "--json").held

    assert "只看约谈结果" in told.out
    prevalence = held["figures"]["prevalence"]
    assert prevalence["naive"] > 1.5 * prevalence["truth"]
    assert abs(prevalence["weighted"] - prevalence["truth"]) < 0.02
