"""Coverage and report of a round as workbooks: exact counts, marked 内部, no names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.screening.rounds.coverage import Line
from app.web import workbook
from app.web.words import day, label, stamp
from models.moment import now
from models.screening import ScreeningRound

HEADER = ("应测人数", "有结果", "完成率", "本人选择不参加", "因故或账号问题", "未完成")


def _numbers(line: Line) -> list[Any]:
    return [line.asked, line.done, line.percent, line.declined, line.away, line.missing]


def _above(row: ScreeningRound, what: str, maker: str) -> list[str]:
    return [f"{row.name} {what}", f"内部资料 · 履职报送，请勿外传 · {maker} 于 {stamp(now())} 导出"]


def coverage(
    row: ScreeningRound, maker: str, *, colleges: Sequence[Line], classes: Sequence[Line], total: Line
) -> bytes:
    """By college and by class, with the sum below."""
    by_college = [["学院", *HEADER], *([line.name, *_numbers(line)] for line in [*colleges, total])]
    by_class = [
        ["学院", "班级", *HEADER],
        *([line.college, line.name, *_numbers(line)] for line in classes),
        ["合计", "", *_numbers(total)],
    ]
    above = _above(row, "完成情况", maker)
    return workbook.written([("按学院", above, by_college), ("按班级", above, by_class)])


def report(row: ScreeningRound, maker: str, **held: Any) -> bytes:
    """The report's tables, one per sheet."""
    above = _above(row, "普查报告", maker)
    total: Line = held["total"]
    taken = [["学院", *HEADER], *([line.name, *_numbers(line)] for line in [*held["colleges"], total])]
    return workbook.written(
        [
            ("参与情况", above, taken),
            ("各量表", above, _scales(held)),
            ("与往次比较", above, _waves(held)),
            ("预警与约谈", above, _work(held)),
            ("数据质量", above, _quality(held)),
        ]
    )


def _scales(held: dict[str, Any]) -> list[list[Any]]:
    rows: list[list[Any]] = [["量表", "份数", "计总分", "平均分", "标准差", "筛查提示", "人数", "占比"]]
    for found in held["figures"]:
        facts = [found.title, found.sheets, found.scored, _rounded(found.mean), _rounded(found.deviation)]
        rows += [[*facts, band.label, band.count, band.percent] for band in found.bands] or [[*facts, "", "", ""]]
    return rows


def _waves(held: dict[str, Any]) -> list[list[Any]]:
    rows: list[list[Any]] = [["量表", "批次", "开始", "份数", "平均分", "标准差"]]
    for found in held["figures"]:
        if found.key not in held["waves"]:
            continue
        rows.append([found.title, "本次", "", found.sheets, _rounded(found.mean), _rounded(found.deviation)])
        for wave in held["waves"][found.key]:
            then = wave.figures
            seen = [then.sheets, _rounded(then.mean), _rounded(then.deviation)] if then else ["未使用该量表", "", ""]
            rows.append([found.title, wave.round, day(wave.day), *seen])
    return rows


def _work(held: dict[str, Any]) -> list[list[Any]]:
    rows: list[list[Any]] = [["项目", "数量", "其中未办结"]]
    rows += [[f"预警：{label(level)}", every, still] for level, every, still in held["alerts"]]
    rows += [[f"约谈：{label(stage)}", count, ""] for stage, count in held["interviews"]]
    rows.append(["建议重测", *held["retests"]])
    return rows


def _quality(held: dict[str, Any]) -> list[list[Any]]:
    rows: list[list[Any]] = [["文件", "量表", "份数", "作答质量存疑", "信度 α", "通常 α", "相同作答", "提醒"]]
    for file in held["files"]:
        rows += [
            [
                file.file_name,
                found.scale,
                found.sheets,
                found.doubtful,
                _rounded(found.alpha),
                _rounded(found.alpha_expected),
                found.duplicates,
                found.alarm or "",
            ]
            for found in file.scales
        ]
    return rows


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
