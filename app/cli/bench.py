"""``bench``: speed as a ratio to the bare parts measured in the same run, never as a time; and what checks find."""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Any

import click

from app.cli import (
    bench_import,
    bench_match,
    bench_read,
    bench_risk,
    bench_risk_tasks,
    bench_score,
    bench_scoring,
    bench_validity,
)
from app.cli.output import fail, json_option, progress, report

NO_DATA = "没有设置 XINYU_REFERENCE_DATA（公开数据所在的文件夹），未测量。"


@click.group()
def bench() -> None:
    """性能比值与检出率。"""


def summary(whole: list[float], bare: list[float]) -> dict[str, Any]:
    """Medians of interleaved runs and the ratio of each pair."""
    ratios = [one / other for one, other in zip(whole, bare, strict=True)]
    return {
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "whole_seconds": round(statistics.median(whole), 3),
        "bare_seconds": round(statistics.median(bare), 3),
    }


@bench.command("import")
@click.option("--students", default=100_000, show_default=True, type=click.IntRange(100))
@click.option("--rounds", default=3, show_default=True, help="交替测量的次数。")
@json_option
def import_command(students: int, rounds: int, as_json: bool) -> None:
    """整个导入与其裸部件（读表、每人一次解包、散列、JSON、加密、驱动写入同样的行）之比。"""
    held = bench_import.run(students, rounds, summary)
    seconds = f"{held['whole_seconds']} / {held['bare_seconds']} 秒"
    words = f"导入 {students} 人：{held['ratio']} 倍于裸部件（{seconds}），峰值内存 {held['peak_mb']} MB"
    report(held, as_json=as_json, words=words)


@bench.command("read")
@click.option("--seconds", default=8, show_default=True, help="每次测量的时长。")
@click.option("--rounds", default=3, show_default=True)
@json_option
def read_command(seconds: int, rounds: int, as_json: bool) -> None:
    """SQLite 上 8 个读者和 1 个写者：带日志与不带日志的 GET p99 之比。"""
    held = bench_read.run(seconds, rounds)
    times = f"{held['with_log_ms']} / {held['without_log_ms']} 毫秒"
    words = f"GET p99：带日志是不带日志的 {held['ratio']} 倍（{times}），锁错误 {held['locked']} 次"
    report(held, as_json=as_json, words=words)


@bench.command("validity")
@click.option("--sheets", default=10_000, show_default=True, type=click.IntRange(200))
@click.option("--seed", default=7, show_default=True)
@click.option("--scale", "keys", multiple=True, help="只测这些量表。")
@json_option
def validity_command(sheets: int, seed: int, keys: tuple[str, ...], as_json: bool) -> None:
    """作答质量检查在有标注的合成答卷上的检出率与误报率。"""
    rows = bench_validity.run(sheets, seed, keys)
    report(
        {"sheets": sheets, "seed": seed, "rows": rows}, as_json=as_json, words="\n".join(bench_validity.as_lines(rows))
    )


@bench.command("scoring")
@click.option("--sheets", default=1_000_000, show_default=True, type=click.IntRange(1000))
@click.option("--gaps", default=0.01, show_default=True, type=click.FloatRange(0, 1), help="缺一题的份数占比。")
@click.option("--rounds", default=7, show_default=True, type=click.IntRange(1))
@json_option
def scoring_command(sheets: int, gaps: float, rounds: int, as_json: bool) -> None:
    """PHQ-9 计分与同一数组的 numpy 求和之比，交替测量。"""
    held = bench_scoring.run(sheets, rounds, gaps, summary)
    words = f"计分 {sheets} 份：{held['ratio']} 倍于求和（{held['whole_seconds']} / {held['bare_seconds']} 秒）"
    report(held, as_json=as_json, words=words)


@bench.command("score")
@click.option("--rows", default=1_000_000, show_default=True, type=click.IntRange(1000))
@click.option("--students", default=100_000, show_default=True, type=click.IntRange(100))
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1))
@json_option
def score_command(rows: int, students: int, rounds: int, as_json: bool) -> None:
    """模型计算与其各部分的 predict_proba 之比；收集输入每 10 万名学生的秒数，及其与裸解密、解析之比。"""
    held = bench_score.run(rows, students, rounds, summary)
    scored, found = held["score"], held["gather"]
    seconds = f"{scored['whole_seconds']} / {scored['bare_seconds']} 秒"
    lines = [
        f"计算 {rows} 名：{scored['ratio']} 倍于各部分（{seconds}），{scored['features']} 项输入",
        f"收集 {students} 名：每 10 万名 {found['seconds_per_100000']} 秒，{found['ratio']} 倍于裸解密与解析",
    ]
    report(held, as_json=as_json, words="\n".join(lines))


@bench.command("match")
@click.option("--students", default=6_000, show_default=True, type=click.IntRange(200))
@json_option
def match_command(students: int, as_json: bool) -> None:
    """虚构名册上的身份对应：自动对应的正确率，待确认时前一位、前三位候选人的命中率。"""
    held = bench_match.run(students)
    lines = [
        f"自动对应 {held['joined']}/{held['rows']} 行：正确率 {held['joined_precision']}，覆盖 {held['joined_recall']}",
        f"待确认 {held['asked']} 行：第一位候选人命中 {held['top1']}，前三位 {held['top3']}",
        f"预先选中 {held['proposed']} 行：正确率 {held['proposed_precision']}；自动与前三位合计 {held['found_in_all']}",
        *(f"  {kind}: {counts}" for kind, counts in held["kinds"].items()),
    ]
    report(held, as_json=as_json, words="\n".join(lines))


@bench.command("risk")
@click.option("--shuffles", default=3, show_default=True, type=click.IntRange(1), help="重新划分的次数。")
@json_option
def risk_command(shuffles: int, as_json: bool) -> None:
    """模型在公开随访数据上的折外指标，与更简单的方法同折对照；数据在 XINYU_REFERENCE_DATA 所指的文件夹里。"""
    folder = os.environ.get("XINYU_REFERENCE_DATA")
    if not folder:
        report({"skipped": NO_DATA}, as_json=as_json, words=NO_DATA)
        return
    if lacking := bench_risk_tasks.missing(Path(folder)):
        fail(f"文件夹里没有 {lacking[0]}，请检查 XINYU_REFERENCE_DATA。", as_json=as_json)
    with progress("折外检验", quiet=as_json) as beat:
        held = bench_risk.run(Path(folder), shuffles, beat)
    report(held, as_json=as_json, words="\n".join(bench_risk.as_lines(held)))
    if not held["holds"]:
        raise SystemExit(1)
