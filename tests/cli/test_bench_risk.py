"""``bench risk`` measures against simpler orders on the same rows, and says so when something no longer holds."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from app.cli import bench as commands
from app.cli import bench_risk, bench_risk_tasks
from app.cli.bench_risk_tasks import Task
from tests.ml.made import college
from tests.screening.test_real_files import FOLDER

REAL = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no real files: XINYU_REFERENCE_DATA unset, no {FOLDER}")
GOOD = {"auc": 0.80, "ap": 0.60, "r5": 0.1, "r10": 0.2, "brier": 0.1, "slope": 1.0}
ROWS = dict.fromkeys(bench_risk.NAMES, GOOD)


def test_without_the_public_data_it_says_so_and_measures_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XINYU_REFERENCE_DATA", raising=False)

    said = CliRunner().invoke(commands.bench, ["risk"])

    assert said.exit_code == 0
    assert "没有设置 XINYU_REFERENCE_DATA" in said.output


def test_a_folder_without_the_files_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XINYU_REFERENCE_DATA", str(tmp_path))

    said = CliRunner().invoke(commands.bench, ["risk", "--json"])

    assert said.exit_code == 1
    assert "argentina" in json.loads(said.stdout)["error"]


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({}, []),
        ({"auc": 0.796}, ["AUC 不低于单一分数"]),
        ({"auc": 0.794}, ["AUC 不低于逻辑回归 −0.005", "AUC 不低于单一分数"]),
        ({"ap": 0.589}, ["AP 不低于逻辑回归与单调可加提升树中较好者 −0.01"]),
        ({"slope": 0.84}, ["校准斜率在 0.85 至 1.15 之间"]),
        ({"slope": 1.16}, ["校准斜率在 0.85 至 1.15 之间"]),
        ({"auc": 0.931}, ["AUC 不高于 0.93（更高说明泄漏）"]),
    ],
)
def test_each_requirement_has_its_own_verdict(change: dict[str, float], broken: list[str]) -> None:
    checks = bench_risk._follow_up({**ROWS, "model": {**GOOD, **change}})

    assert [what for what, holds in checks if not holds] == broken


@pytest.mark.parametrize(("floor", "status"), [(0.6, 0), (0.99, 1)])
def test_a_requirement_that_does_not_hold_ends_the_command_with_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, floor: float, status: int
) -> None:
    table, labels = college(300)
    monkeypatch.setenv("XINYU_REFERENCE_DATA", str(tmp_path))
    monkeypatch.setattr(bench_risk_tasks, "FILES", ())
    monkeypatch.setattr(bench_risk, "tasks", lambda _folder: [Task("一项", table, labels, floor=floor)])

    said = CliRunner().invoke(commands.bench, ["risk", "--shuffles", "1"])

    assert said.exit_code == status, said.output
    assert ("各项要求全部成立" in said.output) == (status == 0)
    assert "AUC 不低于" in said.output


@REAL
def test_on_public_follow_up_of_new_onset_everything_holds() -> None:
    """The smallest of the tasks; ``bench risk`` measures all five."""
    found: dict[str, Any] = {}
    task = next(one for one in bench_risk_tasks.tasks(FOLDER) if one.name.startswith("新发"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench_risk, "tasks", lambda _folder: [task])
        found = bench_risk.run(Path(os.fspath(FOLDER)), 2, lambda _done, _of: None)

    assert (found["tasks"][0]["rows"], found["tasks"][0]["positives"]) == (858, 138)
    assert found["holds"], found["tasks"][0]["checks"]


@REAL
def test_the_public_tables_are_read_as_their_readme_describes_them() -> None:
    read = list(bench_risk_tasks.tasks(FOLDER))

    assert [(len(one.labels), int(one.labels.sum())) for one in read] == [
        (1492, 586), (1492, 303), (858, 138), (1615, 614), (4424, 1421),
    ]  # fmt: skip
    assert not any(np.isnan(one.table.values).any() for one in read)
    assert [key for one in read for key in one.table.keys if key.startswith(("B", "Curricular", "Target"))] == []
