"""What one cell says: as text, number, day, moment or duration.

Never a guess: a cell that could mean two things, or nothing that can be, is
``None``, and the caller says so with its row and column.
"""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta

from models.moment import zone

Cell = str | float | int | bool | date | datetime | time | timedelta

DAMAGED_FROM = 1e15
"""A number this large was rounded by the spreadsheet: its last digits are gone."""
_LONGEST = 60
"""Signs of a cell that can still be a number or a time."""
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet counts days from here and knows no zone
_SERIAL_DAYS = range(18_264, 73_051)
"""Days of a spreadsheet from 1950 to 2099: numbers that mean a date where one is expected."""
_YEARS = range(1900, 2101)
_LONGEST_SPAN = 366 * 86_400
_UNCLEAR = ("<super>", "<sub>", "<fraction>")
"""Signs that NFKC would join to the digits before them: 3² is not 32."""

_PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]{1,3})?")
_GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?P<part>\.[0-9]*)?")
_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+")
_DAY = re.compile(
    r"([0-9]{4})\s*(?:([-/.])\s*([0-9]{1,2})\s*\2|年\s*([0-9]{1,2})\s*月)\s*([0-9]{1,2})(?![0-9])\s*[日号]?"
)
_WEEKDAY = re.compile(r"^\(?(?:星期|周|礼拜)[一二三四五六日天]\)?\s*")
_HALF = r"凌晨|清晨|早上|上午|中午|下午|傍晚|晚上|am|pm"
_CLOCK = re.compile(
    rf"(?P<before>{_HALF})?\s*(?P<hour>[0-9]{{1,2}})(?:\s*:\s*|\s*[时点]\s*)(?P<minute>[0-9]{{1,2}})\s*分?"
    rf"(?:\s*:?\s*(?P<second>[0-9]{{1,2}})(?P<part>\.[0-9]{{1,9}})?\s*秒?)?\s*(?P<after>am|pm)?"
    r"\s*(?P<offset>z|utc|gmt|[+-][0-9]{2}:?[0-9]{2})?"
)
_SPAN = re.compile(
    r"(?:(?P<days>[0-9.]+)(?:天|日|d|days?))?(?:(?P<hours>[0-9.]+)(?:个?小时|时|h|hours?|hrs?))?"
    r"(?:(?P<minutes>[0-9.]+)(?:分钟?|m|mins?|minutes?|'))?(?:(?P<seconds>[0-9.]+)(?:秒钟?|s|secs?|seconds?|\"|''))?"
)
_COLONS = re.compile(r"([0-9]{1,4}):([0-5]?[0-9]):([0-5]?[0-9](?:\.[0-9]{1,9})?)")


def text_of(cell: Cell | None) -> str:
    """What a person sees in the cell: whole numbers without a decimal point, dates as 2026-09-05."""
    if isinstance(cell, str):
        return cell.strip()
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < DAMAGED_FROM else repr(cell)
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d") if cell.time() == time() else cell.strftime("%Y-%m-%d %H:%M:%S")
    return str(cell)


def is_damaged(cell: Cell | None) -> bool:
    """Whether a spreadsheet has turned a long number into 4.40301E+17 and lost its end."""
    if isinstance(cell, float):
        return abs(cell) >= DAMAGED_FROM
    text = text_of(cell).lower()
    mantissa, sign, exponent = text.partition("e+")
    return bool(sign) and exponent.isdecimal() and mantissa.replace(".", "", 1).isdecimal()


def number_of(cell: Cell | None) -> float | None:
    """The number in a cell, also where it is stored as text: ``'12``, ``１２``, ``.5``, ``0,5``, ``1,234.5``.

    ``1,234`` is one thousand or one and a bit: ``None``. So are dates,
    truth values, per cents and anything not finite.
    """
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        return None
    if not isinstance(cell, str):
        return float(cell) if abs(cell) < 1e300 else None
    text = _plain(cell)
    if _PLAIN.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else None
    grouped = _GROUPED.fullmatch(text)
    if grouped and (text.count(",") > 1 or grouped["part"]):
        return float(text.replace(",", ""))
    if _COMMA.fullmatch(text) and not grouped:
        return float(text.replace(",", "."))
    return None


def date_of(cell: Cell | None) -> date | None:
    """The day in a cell: a date, 2026-09-05, 2026/9/5, 2026.9.5, 2026年9月5日, 20260905, or a spreadsheet's day number.

    5/9/2026 and 26/9/5 can be read in two ways and are ``None``.
    """
    if isinstance(cell, date) and not isinstance(cell, datetime):
        return cell if cell.year in _YEARS else None
    found = _naive(cell)
    if found is None:
        return None
    return (found.astimezone(zone()) if found.tzinfo else found).date()


def moment_of(cell: Cell | None) -> datetime | None:
    """The moment in a cell, with its zone; one without a zone is meant where the school is.

    A day alone is its first minute. A time that the clock skipped or struck
    twice on that day is ``None``.
    """
    if isinstance(cell, date) and not isinstance(cell, datetime):
        cell = datetime.combine(cell, time())
    found = _naive(cell)
    if found is None or found.tzinfo is not None:
        return found
    early, late = found.replace(tzinfo=zone(), fold=0), found.replace(tzinfo=zone(), fold=1)
    return early if early.utcoffset() == late.utcoffset() else None


def seconds_of(cell: Cell | None) -> float | None:
    """How long, in seconds: 756, 12分36秒, 00:12:36, 1小时2分, 12.5分钟, a duration or a spreadsheet's part of a day.

    A bare number means seconds; below one, stored as a number, it is the part
    of a day that a spreadsheet keeps for 00:12:36. As text, 12:36 may be
    minutes or hours and is ``None``.
    """
    found: float | None = None
    if isinstance(cell, str):
        found = _span(cell)
    elif isinstance(cell, timedelta):
        found = cell.total_seconds()
    elif isinstance(cell, datetime):  # a duration beyond a day, shown as a date by the file's number format
        found = (cell - _EPOCH).total_seconds() if cell.tzinfo is None and cell.year < 1901 else None
    elif isinstance(cell, time):
        found = cell.hour * 3600 + cell.minute * 60 + cell.second + cell.microsecond / 1e6
    else:
        number = number_of(cell)
        found = round(number * 86_400, 3) if number is not None and 0 < number < 1 else number
    return float(found) if found is not None and 0 <= found <= _LONGEST_SPAN else None


def _plain(text: str) -> str:
    """NFKC, lower case, without blanks around, an apostrophe in front and signs that nobody sees; "" if too long."""
    if len(text) > _LONGEST or (not text.isascii() and any(_joins(sign) for sign in text)):
        return ""
    folded = unicodedata.normalize("NFKC", text).lower().replace("\u2212", "-")
    seen = "".join(sign for sign in folded if unicodedata.category(sign) != "Cf")
    return seen.strip().lstrip("'\u2019").strip()


def _joins(sign: str) -> bool:
    return unicodedata.decomposition(sign).startswith(_UNCLEAR)


def _naive(cell: Cell | None) -> datetime | None:
    """The day and time in a cell as written, with a zone only if the cell names one."""
    if isinstance(cell, datetime):
        return cell if cell.year in _YEARS else None
    if isinstance(cell, str):
        return _written(_plain(cell))
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _counted(float(cell)) if abs(cell) < DAMAGED_FROM else None
    return None


def _written(text: str) -> datetime | None:
    if _PLAIN.fullmatch(text):
        return _counted(float(text)) if abs(float(text)) < DAMAGED_FROM else None
    day = _DAY.match(text)
    if day is None:
        return None
    rest = _WEEKDAY.sub("", text[day.end() :].strip().removeprefix("t").lstrip(", "))
    clock = _clock(rest) if rest else (time(), None)
    if clock is None:
        return None
    found = _made(int(day[1]), int(day[3] or day[4]), int(day[5]), clock[0])
    return found if found is None or clock[1] is None else (found - clock[1]).replace(tzinfo=UTC)


def _counted(number: float) -> datetime | None:
    """A day number of a spreadsheet, or 20260905, 202609051003, 20260905100300."""
    if int(number) in _SERIAL_DAYS:
        return _EPOCH + timedelta(seconds=round(number * 86_400))
    digits = str(int(number)) if number.is_integer() and number > 0 else ""
    if len(digits) not in (8, 12, 14):
        return None
    hour, minute, second = (int(digits[start : start + 2] or 0) for start in (8, 10, 12))
    if hour > 23 or minute > 59 or second > 59:
        return None
    return _made(int(digits[:4]), int(digits[4:6]), int(digits[6:8]), time(hour, minute, second))


def _made(year: int, month: int, day: int, clock: time) -> datetime | None:
    if year not in _YEARS:
        return None
    try:
        return datetime.combine(date(year, month, day), clock)
    except ValueError:
        return None


def _clock(text: str) -> tuple[time, timedelta | None] | None:
    """A time of day as people write it, and how far its zone is ahead of UTC if it says so."""
    found = _CLOCK.fullmatch(text)
    if found is None or (found["before"] and found["after"]):
        return None
    hour = _hour(int(found["hour"]), found["before"] or found["after"])
    minute, second = int(found["minute"]), int(found["second"] or 0)
    if hour is None or hour > 23 or minute > 59 or second > 59:
        return None
    offset = found["offset"]
    ahead = None
    if offset:
        digits = offset[1:].replace(":", "") if offset[0] in "+-" else "0000"
        ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * (-1 if offset[0] == "-" else 1)
        if abs(ahead) > timedelta(hours=14):
            return None
    return time(hour, minute, second, int(float(found["part"] or 0) * 1e6)), ahead


def _hour(hour: int, half: str | None) -> int | None:
    """Of 24. 上午 12:05 is five past midnight, as spreadsheets write it; 晚上 12:05 may be either day: ``None``."""
    if half is None or (hour > 12 and half in ("下午", "傍晚", "晚上", "pm")):
        return hour
    if hour > 12:
        return None
    if half in ("凌晨", "清晨", "早上", "上午", "am"):
        return hour % 12
    if half == "中午":
        return hour + 12 if hour < 3 else hour
    if half in ("傍晚", "晚上") and hour in (0, 12):
        return None
    return hour % 12 + 12


def _span(cell: str) -> float | None:
    text = _plain(cell).replace(" ", "").replace("″", '"').replace("′", "'").replace("”", '"').replace("’", "'")
    if not text:
        return None
    if _PLAIN.fullmatch(text):
        return float(text)
    if colons := _COLONS.fullmatch(text):
        return int(colons[1]) * 3600 + int(colons[2]) * 60 + float(colons[3])
    parts = _SPAN.fullmatch(text)
    if parts is None:
        return None
    total = 0.0
    for name, length in (("days", 86_400), ("hours", 3600), ("minutes", 60), ("seconds", 1)):
        if parts[name] is not None:
            if not _PLAIN.fullmatch(parts[name]):
                return None
            total += float(parts[name]) * length
    return round(total, 3)
