"""Rows of an office table that are no people: totals, signatures, dates, remarks, a header printed again."""

from __future__ import annotations

import re
from typing import Any

from app.intake.cells import text_of

_SEARCHED = 30
"""Rows from the end in which signatures and remarks are looked for."""
_MOST_FILLED = 6
TOTALS = frozenset(
    {"合计", "总计", "小计", "共计", "累计", "平均", "平均分", "平均值", "均值", "均分", "标准差", "最大值", "最小值"}
    | {"平均数", "中位数", "最高分", "最低分", "方差", "总人数", "人数", "人数合计", "合计人数"}
    | {"total", "mean", "average", "sum", "sd", "std", "median", "min", "max"}
)
_SIGNED = re.compile(
    r"(?:填表|制表|填报|上报|审核|审批|复核|核对|统计|经办|负责|主管|分管|校对|联系|班主任|辅导员|学院|院系|部门|单位|领导)?"
    r"(?:人|员|者|单位|部门|领导|负责人|书记|院长)?(?:签字|签名|签章|盖章|公章|意见)?(?:日期|时间|电话)?\s*(?:\(?盖章\)?|\(?签字\)?)?\s*[:：].*"
    r"|(?:备注|附注|附|注|说明|填表说明|注意事项|日期|时间|填表日期|制表日期|制表|填表|审核)\s*(?:[:：].*|[0-9]*\s*)"
    r"|\(?(?:签字|签名|盖章|公章)\)?|第\s*[0-9]+\s*页.*|共\s*[0-9]+\s*(?:人|条|页|名).*|[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日",
    re.DOTALL,
)
_IDENTITY = re.compile(r"[0-9]{6,}")
_SPACES = re.compile(r"[\s\u3000]+")


def leave_out(rows: list[list[Any]], titles: list[str]) -> list[int]:
    """The places of the rows that are no data."""
    first, found = titles[0] if titles else "", []
    for place, row in enumerate(rows):
        lead = row[0] if row else ""
        if isinstance(lead, str) and (len(lead) < 8 or lead == first) and _is_total_or_header(row, lead, titles):
            found.append(place)
    for place in range(len(rows) - 1, max(-1, len(rows) - 1 - _SEARCHED), -1):
        if _is_signature(rows[place]):
            found.append(place)
        elif place not in found:
            break
    return sorted(set(found))


def _is_total_or_header(row: list[Any], lead: str, titles: list[str]) -> bool:
    if lead and lead == titles[0]:
        return [text_of(cell) for cell in row] == titles
    word = lead if lead.strip() else next((text_of(cell) for cell in row if text_of(cell)), "")
    return _SPACES.sub("", word).lower().rstrip(":：") in TOTALS and not any(
        _IDENTITY.fullmatch(text_of(cell)) for cell in row[:4]
    )


def _is_signature(row: list[Any]) -> bool:
    """填表人：… in the first filled cell, little else in the row, and nothing that could be a student's number."""
    filled = [text for cell in row if (text := text_of(cell))]
    if not filled or len(filled) > max(1, min(_MOST_FILLED, len(row) * 2 // 3)):
        return False
    lead = _SPACES.sub("", filled[0])
    return bool(_SIGNED.fullmatch(lead)) and not any(_IDENTITY.fullmatch(text) for text in filled)
