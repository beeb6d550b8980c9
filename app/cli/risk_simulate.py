"""``risk simulate``: why a few of the unflagged have to be interviewed too."""

from __future__ import annotations

from typing import Any

import click

from app.cli.output import json_option, progress, report
from app.cli.risk_lines import aligned
from ml.simulate import simulate
from ml.weights import AUDIT_SHARE, NoShare
from models.refusal import Refusal

_NAMES = {
    "prevalence": "需要关注的学生占比",
    "reached_by_flags": "规则找到其中的",
    "auc": "排序的 AUC",
    "recall@0.1": "名单前 10% 找到的",
    "slope": "校准斜率",
    "in_the_large": "整体偏移（0 为不偏）",
}


@click.command("simulate")
@click.option("--students", default=15_000, show_default=True, type=click.IntRange(500, 200_000), help="学生人数。")
@click.option("--repeats", default=50, show_default=True, type=click.IntRange(2, 5000), help="重复次数。")
@click.option(
    "--share", default=AUDIT_SHARE, show_default=True, type=click.FloatRange(0, 1, min_open=True), help="抽查比例。"
)
@click.option("--seed", default=20261125, show_default=True, type=click.IntRange(0))
@json_option
def simulate_command(students: int, repeats: int, share: float, seed: int, as_json: bool) -> None:
    """在已知真相的虚构学校里，比较只看约谈结果与按抽查比例加权的估计。"""
    try:
        with progress("模拟", quiet=False) as beat:
            held = simulate(students=students, repeats=repeats, share=share, seed=seed, beat=beat).as_json()
    except NoShare as problem:
        raise Refusal("抽查的人数太少，有一次一个也没有约到；请加大 --share 或 --students。") from problem
    report(held, as_json=as_json, words="\n".join(_lines(held)))


def _lines(held: dict[str, Any]) -> list[str]:
    head = ("", "真实", "只看约谈结果", "区间含真值", "按抽查加权", "区间含真值", "区间宽度")
    rows = [
        (
            name,
            f"{one['truth']:.3f}",
            f"{one['naive']:.3f}",
            f"{one['naive_coverage']:.0%}",
            f"{one['weighted']:.3f}",
            f"{one['weighted_coverage']:.0%}",
            f"{one['weighted_width']:.3f}",
        )
        for key, name in _NAMES.items()
        for one in (held["figures"][key],)
    ]
    return [
        f"虚构学校 {held['students']} 人，重复 {held['repeats']} 次，抽查未提示学生的 {held['audit_share']:g}；"
        f"平均每次有 {held['labels']:.0f} 人有约谈结果，加权后相当于 {held['effective_labels']:.0f} 人。",
        "",
        *aligned([head, *rows]),
        "",
        "只看约谈结果会高估占比、高估规则找到的比例，并低估排序；加权后的区间含真值的次数应在九成以上。",
        "以上为虚构数据上的模型提示检验，供参考。",
    ]
