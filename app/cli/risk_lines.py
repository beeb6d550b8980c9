"""The result of ``risk evaluate`` as a table for people."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

_NAMES = {
    "model": "本系统的模型",
    "logistic": "逻辑回归",
    "mono_additive": "单调加性树",
    "boosted_default": "默认提升树（反面例子）",
    "single": "单个分数",
    "rules": "现行规则",
}
_HEAD = ("", "AUC（95% 区间）", "AP", "前5%召回", "前10%召回", "Brier", "校准斜率", "校准截距")
_MOST_SHOWN = 20


def lines_of(held: dict[str, Any]) -> list[str]:
    """Everything a person reads of one run, one line each."""
    lines = _about(held)
    if not held["trained"]:
        lines += [held["reason"]]
        if "order_by_rules" in held:
            first = "、".join(map(str, held["order_by_rules"][:_MOST_SHOWN]))
            lines.append(f"按规则排序，前 {min(_MOST_SHOWN, len(held['order_by_rules']))} 行（文件行号）：{first}")
        return lines
    lines += ["", *aligned([_HEAD, *_rows(held)]), ""]
    lines += [f"折外指标，{held['folds']} 折，重复 {held['repeats']} 次；区间由自助法得到。对照用同样的折。"]
    if held["abstained"]:
        lines.append(f"信息不足而未给出提示的 {held['abstained']} 行不在以上指标内（在全部对照里同样除去）。")
    lines += [f"· {words}" for words in held["words"]]
    return lines + _checks(held) + _calibration(held) + _further(held) + _end(held)


def _about(held: dict[str, Any]) -> list[str]:
    share = held["positives"] / held["rows"] if held["rows"] else 0
    names = [one["name"] for one in held["features"]]
    lines = [f"共 {held['rows']} 行有结局，其中 {held['positives']} 行（{share:.1%}）为“有”。"]
    lines += [f"使用 {len(names)} 列：{_few(names)}。"]
    lines += [f"· {note}" for note in held["notes"]]
    left = [f"{name}（{why}）" for name, why in held["left_out"].items() if why != "按要求排除"]
    return [*lines, f"· 未使用的列：{_few(left)}。"] if left else lines


def _few(names: Sequence[str]) -> str:
    shown = "、".join(names[:_MOST_SHOWN])
    return shown if len(names) <= _MOST_SHOWN else f"{shown} 等 {len(names)} 列"


def _rows(held: dict[str, Any]) -> Iterable[tuple[str, ...]]:
    for key, name in _NAMES.items():
        one = held["model"] if key == "model" else held["baselines"][key]
        if one is None:
            continue
        title = f"{name}（{one['name']}）" if key == "single" else name
        low, high = one["intervals"]["auc"]
        interval = f"（{_number(low)}–{_number(high)}）" if low is not None else ""
        recalls = (_number(one["recall_at"].get(at)) for at in ("0.05", "0.10"))
        rest = (_number(one[figure]) for figure in ("brier", "slope", "intercept"))
        yield title, _number(one["auc"]) + interval, _number(one["ap"]), *recalls, *rest


def _number(value: float | None) -> str:
    return "--" if value is None else f"{value:.3f}"


def _checks(held: dict[str, Any]) -> list[str]:
    lines = []
    for name, one in held["monotone"].items():
        words = "没有一行因此降低" if not one["violations"] else f"有 {one['violations']} 行违反"
        lines.append(f"单调性：在全部 {one['rows']} 行上逐步移动“{name}”，其余不变，{words}。")
    mixed = held["shuffled"]
    if mixed is not None and mixed["auc"] is not None:
        low, high = mixed["interval"]
        words = "没有发现规律，符合预期" if mixed["shows_nothing"] else "偏离 0.5，请检查流程或数据"
        interval = f"（{_number(low)}–{_number(high)}）" if low is not None else ""
        lines.append(f"打乱结局后整个流程的 AUC（99% 区间）：{_number(mixed['auc'])}{interval}，{words}。")
    if held["leak_suspected"]:
        names = _few(held["suspects"] or held["strongest"])
        lines.append(
            f"leak? 疑似泄漏：随访数据的 AUC 高于 {held['leak_limit']}。请检查是否混入了事后才知道的列，"
            f"包括只在有结局时才填写的列（先看：{names}）；若结局与各列同时得到，请加 --same-time。"
        )
    return lines


def _calibration(held: dict[str, Any]) -> list[str]:
    rows = [
        (str(one["rows"]), f"{one['predicted']:.1%}", f"{one['observed']:.1%}（{one['low']:.1%}–{one['high']:.1%}）")
        for one in held["calibration"]
    ]
    return ["", "校准（按预期从低到高分十份）：", *aligned([("行数", "平均预期", "实际（95% 区间）"), *rows])]


def _further(held: dict[str, Any]) -> list[str]:
    lines = []
    if held["forward"] is not None:
        one = held["forward"]
        lines.append(
            f"按时间检验：以前 {one['trained_rows']} 行训练，最后一轮 {one['tested_rows']} 行检验，"
            f"AUC {_number(one['auc'])}，AP {_number(one['ap'])}，校准斜率 {_number(one['slope'])}。"
        )
    if held["lead_time"] is not None and held["lead_time"]["median"]["value"] is not None:
        lead = held["lead_time"]
        first, third = lead["quartiles"]
        lines.append(
            f"提前量：名单前 {lead['capacity']:.0%} 中有结局的，中位提前 {lead['median']['value']:g} 天"
            f"（四分位 {first:g}–{third:g} 天）。"
        )
    groups = [_group(one) for one in held["by_group"]]
    if groups:
        lines += ["", "分组结果（名单为全体的前 10%；区间包含 0 表示差别尚不能判断，不作排名）："]
        lines += aligned([("组", "人数", "AUC", "名单召回", "召回与全体之差（区间）", ""), *groups])
    return lines


def _group(one: dict[str, Any]) -> tuple[str, ...]:
    name = f"{one['variable']} = {one['group'] or '未填写'}"
    if one["withheld"]:
        return name, "--", "--", "--", "--", one["words"]
    figures, gap = one["figures"], one["differences"]["recall"]
    interval = "--" if gap["low"] is None else f"{gap['value']:+.3f}（{gap['low']:+.3f}–{gap['high']:+.3f}）"
    recall, auc = (_number(figures[figure]["value"]) for figure in ("recall", "auc"))
    return name, str(one["people"]), auc, recall, interval, one["words"]


def _end(held: dict[str, Any]) -> list[str]:
    versions = "，".join(f"{name} {version}" for name, version in held["versions"].items())
    return ["", f"用时 {held['seconds']} 秒；{versions}；种子 {held['seed']}。以上为模型提示的检验结果，供参考。"]


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns under each other, a Chinese sign being two places wide."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
