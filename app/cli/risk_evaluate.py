"""``risk evaluate``: the whole procedure on any table, so that a statistician can check us.

Nothing is installed, read or kept: no database, no keys. The figures are out
of fold; every simpler order is measured on the same folds.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
import numpy as np
from threadpoolctl import threadpool_limits

from app.cli import risk_table
from app.cli.output import json_option, progress, report
from app.cli.risk_lines import lines_of
from app.cli.risk_prepared import DAY, START, Asked, Prepared, prepare
from app.cli.risk_report import FOLDS, Found, evaluated, untrained
from ml import monotone
from ml.evaluate import LEAK, Forward, forward, worth
from ml.fairness import by_group
from ml.features import FeatureTable
from ml.folds import deal, taken
from ml.train import Beat, OutOfFold, Settings, TooFew, out_of_fold, out_of_given_folds, train

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_LEAK_STATUS = 3
_REPEATS, _MANY_ROWS, _MANY_CELLS = 3, 2000, 20_000
"""Of many rows one dealing into folds says as much as three of few; of many columns three take minutes."""
_FEW_ROUNDS = 12
"""Different moments up to which each is a round of its own; of more, the last quarter of the rows is the last round."""
_LAST = 0.75


@click.command("evaluate")
@click.option("--table", "file", type=_FILE, required=True, help="表格：csv、txt、xlsx 或 xls。")
@click.option("--label", required=True, help="结局所在的列。")
@click.option("--positive", help="结局列里算作“有”的值。")
@click.option("--group", help="同一组（如同一人、同一班）不分在训练和检验两边的列。")
@click.option("--by", multiple=True, help="另按此列分组列出结果；可写多次。")
@click.option("--increasing", multiple=True, help="数值越大越需要关注的列；用逗号分开，或写多次。")
@click.option("--decreasing", multiple=True, help="数值越大越不需要关注的列。")
@click.option("--exclude", multiple=True, help="不使用的列；可用 * 代表任意文字。")
@click.option("--rules", help="现行规则给出的排序（数值越大越靠前）所在的列。")
@click.option("--weights", help="权重所在的列。")
@click.option("--event-days", help="从该行到结局的天数所在的列。")
@click.option("--time", "moment", help="轮次或日期所在的列：另以最后一轮检验由以前各轮训练的模型。")
@click.option(
    "--repeats", type=click.IntRange(1, 50), help="重复划分的次数；不写则小表 3 次（2000 行、2 万格），大表 1 次。"
)
@click.option("--seed", default=Settings().seed, show_default=True, type=click.IntRange(0))
@click.option("--same-time", is_flag=True, help="结局与各列同时得到，不是随访；不作泄漏判断。")
@json_option
def evaluate_command(
    file: Path, repeats: int | None, seed: int, same_time: bool, as_json: bool, moment: str | None, **words: Any
) -> None:
    """在任意一张表上走完整个流程：折外指标、同折对照、单调性检查、校准。不需要安装，不保存任何内容。"""
    begun = time.monotonic()
    asked = Asked(time=moment, **words)
    held = prepare(risk_table.read(file, knows=asked.words), asked)
    settings = Settings(seed=seed)
    repeats = repeats or _repeats(len(held.labels), len(held.columns))
    try:
        with threadpool_limits(1):  # on tables of this size threads only wait for each other
            found = _run(held, settings, repeats, None if same_time else LEAK)
    except TooFew:
        result = untrained(held, settings)
        report(result, as_json=as_json, words="\n".join(lines_of(result)))
        return
    result = evaluated(held, found, seconds=time.monotonic() - begun, settings=settings, repeats=repeats)
    report(result, as_json=as_json, words="\n".join(lines_of(result)))
    if found.comparison.leak_suspected:
        raise SystemExit(_LEAK_STATUS)


def _repeats(rows: int, columns: int) -> int:
    return _REPEATS if rows <= _MANY_ROWS and rows * columns <= _MANY_CELLS else 1


def _run(held: Prepared, settings: Settings, repeats: int, limit: float | None) -> Found:
    """Every step of the procedure; the model of all rows first, because it says at once if there are too few."""
    rows, labels = held.labelled, held.labels
    table, weights, rules = held.table.rows(rows), taken(held.weights, rows), taken(held.rules, rows)
    with progress("训练", quiet=False) as beat:
        model = train(table, labels, rules=rules, weights=weights, settings=settings, beat=beat)
    with progress("折外检验", quiet=False) as beat:
        oof = _out_of_fold(held, table, settings, repeats, beat)
    clusters = taken(held.clusters, rows)
    with progress("同折对照", quiet=False) as beat:
        comparison = worth(
            table,
            labels,
            oof,
            rules=rules,
            weights=weights,
            people=clusters,
            event_days=taken(held.event_days, rows),
            settings=settings,
            leak_limit=limit,
            stop=False,
            beat=beat,
        )
    groups = {name: words[rows] for name, words in held.groups.items()}
    return Found(
        model,
        oof,
        comparison,
        monotone.raised(model, held.table, rules=held.rules),
        by_group(labels, oof.log_odds, groups, weights=weights, people=clusters) if groups else (),
        _forward(held, table, settings),
    )


def _out_of_fold(held: Prepared, table: FeatureTable, settings: Settings, repeats: int, beat: Beat) -> OutOfFold:
    rules, weights = taken(held.rules, held.labelled), taken(held.weights, held.labelled)
    if held.clusters is None or len(np.unique(table.people)) < len(table):
        return out_of_fold(
            table,
            held.labels,
            rules=rules,
            weights=weights,
            settings=settings,
            folds=FOLDS,
            repeats=repeats,
            beat=beat,
        )
    clusters = held.clusters[held.labelled]
    seeds = range(settings.seed + 1, settings.seed + 1 + repeats)
    folds = np.array([deal(clusters, held.labels, folds=FOLDS, seed=seed) for seed in seeds])
    return out_of_given_folds(table, held.labels, folds, rules=rules, weights=weights, settings=settings, beat=beat)


def _forward(held: Prepared, table: FeatureTable, settings: Settings) -> Forward | None:
    """Learned from all rounds but the last, measured on the last; nothing where one side has too little."""
    if held.rounds is None:
        return None
    rounds = held.rounds[held.labelled]
    different = np.unique(rounds)
    last = different[-1] if len(different) <= _FEW_ROUNDS else np.quantile(rounds, _LAST, method="higher")
    rules, weights = taken(held.rules, held.labelled), taken(held.weights, held.labelled)
    try:
        return forward(
            table, held.labels, since=START + int(last) * DAY, rules=rules, weights=weights, settings=settings
        )
    except TooFew:
        return None
