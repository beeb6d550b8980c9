"""``bench risk``: what the procedure is worth on public follow-up data, against what is simpler, on the same folds.

Every figure is out of fold, pooled over five folds and averaged over shuffles. Abstentions count with what the model
would have said: each order is judged on the same rows.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from app.cli.bench_risk_tasks import Task, tasks
from ml import baselines
from ml.rows import Asked, prepare
from ml.shape import Floats
from ml.train import OutOfFold, out_of_fold

Beat = Callable[[int, int], None]
MODEL, LOGISTIC, ADDITIVE, DEFAULT, SINGLE = "model", "logistic", "mono_additive", "boosted_default", "single"
NAMES = {
    MODEL: "本模型",
    LOGISTIC: "逻辑回归",
    ADDITIVE: "单调可加提升树",
    DEFAULT: "默认提升树",
    SINGLE: "单一最好的分数",
}
FIGURES = {"auc": "auc", "ap": "ap", "r5": "recall@0.05", "r10": "recall@0.1", "brier": "brier", "slope": "slope"}
TASKS, PARTS = 5, 2  # for the bar: model and baselines of each task
AUC_BEHIND, AP_BEHIND, LEAK, SLOPES = 0.005, 0.01, 0.93, (0.85, 1.15)  # what the issue asks for


def run(folder: Path, shuffles: int, beat: Beat) -> dict[str, Any]:
    """Figures of every order on every task, and a verdict on all that must hold."""
    found = []
    for place, task in enumerate(tasks(folder)):
        model, others = _part(beat, PARTS * place), _part(beat, PARTS * place + 1)
        oof = out_of_fold(task.table, task.labels, repeats=shuffles, beat=model)
        with threadpool_limits(1):  # as the procedure itself: more threads only wait for each other here
            simpler = baselines.out_of_fold(task.table, task.labels, oof.folds, single=task.single, beat=others)
        if task.single is None:
            del simpler[SINGLE]
        found.append(_judged(task, oof, simpler))
    return {"shuffles": shuffles, "tasks": found, "holds": all(one["holds"] for one in found)}


def _part(beat: Beat, part: int) -> Beat:
    """The share of one part in the whole bar."""
    return lambda done, of: beat(part * 1000 + round(1000 * done / max(of, 1)), TASKS * PARTS * 1000)


def _judged(task: Task, oof: OutOfFold, simpler: dict[str, baselines.Ordered]) -> dict[str, Any]:
    rows = {MODEL: _figures(task.labels, oof.would_say, None)}
    rows |= {
        name: _figures(task.labels, simpler[name].log_odds, simpler[name].ranks) for name in NAMES if name in simpler
    }
    checks = _follow_up(rows) if task.floor is None else _floor(rows[MODEL], task.floor)
    return {
        "task": task.name,
        "rows": len(task.labels),
        "positives": int(task.labels.sum()),
        "abstained": round(float((oof.abstains != "").mean()), 4),
        "figures": rows,
        "checks": [{"what": what, "holds": bool(holds)} for what, holds in checks],
        "holds": all(holds for _, holds in checks),
    }


def _figures(labels: NDArray[np.int8], log_odds: Floats, ranks: Floats | None) -> dict[str, float]:
    """Means over shuffles."""
    found = prepare(labels, log_odds, asked=Asked((0.05, 0.10)), ranks=ranks).plain()
    return {name: round(found[own], 4) for name, own in FIGURES.items()}


def _follow_up(rows: dict[str, dict[str, float]]) -> list[tuple[str, bool]]:
    own = rows[MODEL]
    behind = max(rows[LOGISTIC]["ap"], rows[ADDITIVE]["ap"]) - AP_BEHIND
    return [
        (f"AUC 不低于逻辑回归 −{AUC_BEHIND}", own["auc"] >= rows[LOGISTIC]["auc"] - AUC_BEHIND),
        ("AUC 不低于单一分数", own["auc"] >= rows[SINGLE]["auc"]),
        (f"AP 不低于逻辑回归与单调可加提升树中较好者 −{AP_BEHIND}", own["ap"] >= behind),
        (f"校准斜率在 {SLOPES[0]} 至 {SLOPES[1]} 之间", SLOPES[0] <= own["slope"] <= SLOPES[1]),
        (f"AUC 不高于 {LEAK}（更高说明泄漏）", own["auc"] <= LEAK),
    ]


def _floor(own: dict[str, float], floor: float) -> list[tuple[str, bool]]:
    return [(f"AUC 不低于 {floor}", own["auc"] >= floor)]


def as_lines(held: dict[str, Any]) -> list[str]:
    """The table of figures for people, each task with its verdicts."""
    lines = [f"折外指标（5 折，{held['shuffles']} 次重新划分的平均）；r5、r10 为名单前 5%、10% 的召回"]
    for one in held["tasks"]:
        lines += [
            "",
            f"{one['task']}：{one['rows']} 人，{one['positives']} 人发生；信息不足 {one['abstained']:.2%}",
            "".join(f"{name:>8}" for name in FIGURES),
        ]
        for name, figures in one["figures"].items():
            lines.append("".join(f"{figures[key]:8.3f}" for key in FIGURES) + f"  {NAMES[name]}")
        lines += [f"  {'成立' if check['holds'] else '不成立'}  {check['what']}" for check in one["checks"]]
    return [*lines, "", "各项要求全部成立。" if held["holds"] else "有要求不成立。"]
