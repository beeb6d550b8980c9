"""Which words stand on screen: labels from data, times, what is left, masks.

The words themselves lie in ``config/words.toml`` (practice §3), so that a
label is said once and a missing one is found by a test.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from config import catalogue
from models import moment

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def label(value: StrEnum | str | None, kind: str | None = None) -> str:
    """The Chinese word for a word of the house. Raises ``KeyError`` for one that has none."""
    if value is None:
        return "--"
    if kind == "status":
        return str(catalogue.table("statuses")[value]["label"])
    table = kind or _snake(type(value).__name__)
    word: str = catalogue.table("words")[table][str(value)]
    return word


def _snake(name: str) -> str:
    return "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in name).lstrip("_")


def role_label(role: str) -> str:
    """The name of a role on screen."""
    word: str = catalogue.table("roles")[str(role)]["label"]
    return word


def stamp(value: datetime | None) -> str:
    """Absolute time for records: 2026-11-22 14:05."""
    return value.astimezone(moment.zone()).strftime("%Y-%m-%d %H:%M") if value else "--"


def short_stamp(value: datetime | None) -> str:
    """Time of this year without the year: 11-22 14:05."""
    if value is None:
        return "--"
    local = value.astimezone(moment.zone())
    form = "%m-%d %H:%M" if local.year == moment.today().year else "%Y-%m-%d %H:%M"
    return local.strftime(form)


def day(value: date | datetime | None) -> str:
    if value is None:
        return "--"
    if isinstance(value, datetime):
        value = value.astimezone(moment.zone()).date()
    return value.isoformat()


def machine_time(value: datetime | None) -> str:
    """For ``<time datetime=…>``."""
    return value.isoformat(timespec="seconds") if value else ""


def remaining(due: datetime | None) -> str:
    """What is left of a clock: 剩余 1 小时 12 分, or 已超时 2 小时."""
    if due is None:
        return "--"
    seconds = int((due - moment.now()).total_seconds())
    return f"已超时 {_span(-seconds)}" if seconds < 0 else f"剩余 {_span(seconds)}"


def urgency(due: datetime | None) -> str:
    """How the clock is drawn: over, soon (within two hours), calm."""
    if due is None:
        return "calm"
    seconds = (due - moment.now()).total_seconds()
    if seconds < 0:
        return "over"
    return "soon" if seconds < 2 * _HOUR else "calm"


def _span(seconds: int) -> str:
    if seconds < _MINUTE:
        return "不到 1 分钟"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} 分钟"
    if seconds < _DAY:
        minutes = seconds % _HOUR // _MINUTE
        return f"{seconds // _HOUR} 小时" + (f" {minutes} 分" if minutes else "")
    hours = seconds % _DAY // _HOUR
    return f"{seconds // _DAY} 天" + (f" {hours} 小时" if hours else "")


def mask_name(name: str) -> str:
    """王*涵, 李*, 欧阳*雪: enough to recognise somebody one knows."""
    if len(name) <= 1:
        return "*"
    if len(name) == 2:
        return f"{name[0]}*"
    return f"{name[0]}*{name[-1]}" if len(name) == 3 else f"{name[:2]}*{name[-1]}"


def mask_number(number: str) -> str:
    """2023****0417, 186****1402: the first and last few signs."""
    if len(number) < 8:
        return number[:1] + "*" * max(0, len(number) - 2) + number[-1:] if number else ""
    return f"{number[:-8]}****{number[-4:]}" if len(number) > 11 else f"{number[:3]}****{number[-4:]}"


def count_to_99(value: int) -> str:
    """A badge's number (decisions 19)."""
    return "99+" if value > 99 else str(value)


FILTERS: dict[str, Any] = {
    "label": label,
    "role_label": role_label,
    "stamp": stamp,
    "short_stamp": short_stamp,
    "day": day,
    "machine_time": machine_time,
    "remaining": remaining,
    "urgency": urgency,
    "mask_name": mask_name,
    "mask_number": mask_number,
    "to_99": count_to_99,
}
