"""One line per student and scale: 姓名, 量表名称, 总分, 结果, 测评时间, 用时 (practice §1.2, shape 3)."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.intake.headers import normal
from app.intake.problem import Problem
from app.intake.sheet import Table, text_of
from app.screening.scales.scale import Scale, all_scales
from app.screening.tables import totals
from app.screening.tables.plan import Plan
from app.screening.tables.totals import Stated


@lru_cache(maxsize=1_000)
def scale_called(words: str) -> str | None:
    """The scale that a cell names: PHQ-9, 患者健康问卷, 症状自评量表(SCL-90)."""
    text = normal(words)
    for key, scale in all_scales().items():
        if text and text in {normal(key), normal(scale.name), normal(scale.title), *scale.prefixes}:
            return key
    held = normal(words.replace("(", " "))
    inside = [key for key, scale in all_scales().items() if _stands_in(normal(scale.name), held)]
    return max(inside, key=len) if inside else None


def _stands_in(name: str, words: str) -> bool:
    """A name inside other words, but not inside another name: SAS is not in SAS-A."""
    return re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", words) is not None


def scales_in(table: Table, plan: Plan) -> list[str]:
    """The scales that the lines of a table name."""
    place = plan.columns["scale_name"]
    return sorted({key for row in table.rows if (key := scale_called(text_of(row[place]))) is not None})


def stated_of(table: Table, plan: Plan, scale: Scale, problems: list[Problem]) -> tuple[Stated, NDArray[np.bool_]]:
    """What the lines of one scale state; every other line says nothing about it."""
    place = plan.columns["scale_name"]
    named = [scale_called(text_of(row[place])) for row in table.rows]
    mine = np.array([key == scale.key for key in named], dtype=bool)
    if scale.key == scales_in(table, plan)[0]:
        words = "不认识这个量表，本行没有计入；可先用“量表文件”添加。"
        problems += [
            Problem(table.row_numbers[position], table.header[place], "scale_unknown", words, table.file)
            for position, key in enumerate(named)
            if key is None
        ]
    found = np.full(len(table), np.nan)
    if "total" in plan.columns:
        own: list[Problem] = []
        column = totals.Column(table, scale, own, plan.missing_codes)
        values = column.numbers(plan.columns["total"], scale.lowest, scale.highest)
        found[mine] = values[mine]
        rows = {table.row_numbers[position] for position in np.flatnonzero(mine).tolist()}
        problems += [problem for problem in own if problem.row in rows]
    result = plan.columns.get("result")
    bands = [
        text_of(row[result]) if result is not None and mine[position] else "" for position, row in enumerate(table.rows)
    ]
    said = Stated(found, np.full((len(table), len(scale.subscales)), np.nan), bands)
    if result is not None:
        totals.unknown_bands(table, result, scale, said, problems)
    return said, mine & said.says_something(scale)
