"""One row of a roster file, read and checked on its own, before anything is compared with the house."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from app.intake import headers
from app.intake.cells import date_of
from app.intake.problem import Problem
from app.intake.sheet import Cell, Table, text_of
from app.students import tags
from app.students.naming import clean, is_damaged, is_phone, number_text, phone_text
from config import catalogue
from models.refusal import Refusal
from models.student import NumberKind

NUMBER_FIELDS = tuple(kind.value for kind in NumberKind)
LONGEST_GRADE = 16
"""As ``class_group.grade`` holds."""
_DETAIL_FIELDS = ("major", "grade", "dormitory", "guardians", "former_name")


@dataclass(frozen=True, slots=True)
class RosterRow:
    """What one row says. ``numbers`` by kind, normal form; empty fields are missing, never erasing."""

    row: int
    numbers: dict[NumberKind, str]
    shown: dict[NumberKind, str]
    name: str
    college: str
    class_name: str
    grade: str
    status: str | None
    phone: str
    details: dict[str, str]
    tags: frozenset[str] = frozenset()
    ended_tags: frozenset[str] = frozenset()

    def ends(self, kind: NumberKind) -> bool:
        """旧学号 → 新学号: the old one finds the student, and holds no longer."""
        return kind is NumberKind.FORMER and NumberKind.STUDENT in self.numbers


def columns_of(table: Table) -> dict[str, int]:
    """Field → column. Refuses a file that lacks what every row needs, naming the words that would do."""
    found = headers.columns("roster", table.header)
    missing = [name for name in ("name", "college", "class") if name not in found]
    if not any(name in found for name in NUMBER_FIELDS):
        missing.insert(0, "student_number")
    if missing:
        wanted = "；".join(f"“{headers.words_for('roster', name)}”之一" for name in missing)
        raise Refusal(f"名册缺少必需的列：{wanted}。第 {table.header_row} 行被当作表头，请核对。")
    return found


def rows(table: Table, problems: list[Problem]) -> Iterator[RosterRow]:
    """Every acceptable row in file order; what is wrong with the others goes to ``problems``."""
    columns = columns_of(table)
    titles = {name: table.header[place] for name, place in columns.items()}
    for number, cells in zip(table.row_numbers, table.rows, strict=True):
        row = _row(number, {name: cells[place] for name, place in columns.items()}, titles, problems)
        if row is not None:
            yield row


def numbers_of_each_row(table: Table) -> Iterator[list[str]]:
    """The numbers that can be read in each row, whether or not the row is acceptable; an empty list if none can."""
    columns = columns_of(table)
    places = [columns[name] for name in NUMBER_FIELDS if name in columns]
    for cells in table.rows:
        yield [
            number_text(cells[place]) for place in places if number_text(cells[place]) and not is_damaged(cells[place])
        ]


def _row(place: int, cells: dict[str, Cell], titles: dict[str, str], problems: list[Problem]) -> RosterRow | None:
    def wrong(field: str, code: str, message: str) -> None:
        problems.append(Problem(place, titles.get(field), code, message))

    damaged = next((kind for kind in NumberKind if kind.value in cells and is_damaged(cells[kind.value])), None)
    if damaged:
        wrong(damaged.value, "number_damaged", "号码成了科学计数，末几位已丢失。请把该列设为“文本”后重新导出。")
        return None
    given = _numbers(cells)
    texts = {name: clean(text_of(cells.get(name))) for name in ("name", "college", "class", "grade", "status")}
    if not given:
        wrong("student_number", "number_missing", "没有学号或其他号码，无法建立档案。")
        return None
    for name, word in (("name", "姓名"), ("college", "学院"), ("class", "班级")):
        if not texts[name]:
            wrong(name, f"{name}_missing", f"{word}为空，请补全后重新导入本行。")
            return None
    if len(texts["name"]) > 60 or len(texts["college"]) > 80 or len(texts["class"]) > 80:
        wrong("name", "too_long", "姓名、学院或班级过长，可能列错位了。")
        return None
    if len(texts["grade"]) > LONGEST_GRADE:
        wrong("grade", "too_long", f"年级超过 {LONGEST_GRADE} 个字，没有记为班级的年级；本行其他内容照常导入。")
        texts["grade"] = ""
    phone = _phone(cells, wrong)
    status = _status(texts["status"])
    if texts["status"] and status is None:
        wrong("status", "status_unknown", "不认识的学籍状态，未采用；本行其他内容照常导入。")
    given_tags, ended_tags = _tags(text_of(cells.get("tags")), wrong)
    return RosterRow(
        row=place,
        numbers={kind: number_text(cell) for kind, cell in given.items()},
        shown={kind: text_of(cell).lstrip("'") for kind, cell in given.items()},
        name=texts["name"],
        college=texts["college"],
        class_name=texts["class"],
        grade=texts["grade"],
        status=status,
        phone=phone,
        details=_details(cells, wrong),
        tags=given_tags,
        ended_tags=ended_tags,
    )


def _numbers(cells: dict[str, Cell]) -> dict[NumberKind, Cell]:
    """The numbers of a row by kind; one that stands under two headings counts once."""
    given: dict[NumberKind, Cell] = {}
    for kind in NumberKind:
        cell = cells.get(kind.value)
        if cell is not None and number_text(cell) and number_text(cell) not in map(number_text, given.values()):
            given[kind] = cell
    return given


def _phone(cells: dict[str, Cell], wrong: Any) -> str:
    phone = phone_text(cells.get("phone"))
    if not phone or is_phone(phone):
        return phone
    wrong("phone", "phone_invalid", "手机号不是 11 位，未采用；本行其他内容照常导入。")
    return ""


def _tags(cell: str, wrong: Any) -> tuple[frozenset[str], frozenset[str]]:
    given, ended, unknown = tags.read(cell)
    if unknown:
        known = "、".join(tags.all_tags().values())
        wrong("tags", "tag_unknown", f"有 {unknown} 个标签不在标签表里，未采用；可用：{known}。本行其他内容照常导入。")
    return frozenset(given), frozenset(ended)


def _details(cells: dict[str, Cell], wrong: Any) -> dict[str, str]:
    held = {name: clean(text_of(cells.get(name))) for name in _DETAIL_FIELDS}
    parts = [clean(text_of(cells.get(f"dormitory_{part}"))) for part in ("building", "room", "bed")]
    held["dormitory"] = held["dormitory"] or "-".join(part for part in parts if part)
    held["sex"] = _sex(clean(text_of(cells.get("sex"))))
    birth = cells.get("birth_date")
    if birth not in (None, ""):
        born = date_of(birth)
        if born is None:
            wrong("birth_date", "birth_date_invalid", "出生日期看不懂，未采用；写作 2005-09-01 或 2005年9月1日。")
        else:
            held["birth_date"] = born.isoformat()
    return {name: value for name, value in held.items() if value}


@cache
def _status_words() -> dict[str, str]:
    return {word: key for key, held in catalogue.table("statuses").items() for word in held["words"]}


def _status(word: str) -> str | None:
    return _status_words().get(word)


def _sex(word: str) -> str:
    table: dict[str, Sequence[str]] = catalogue.table("roster")["sex"]
    return next((key for key, words in table.items() if word.lower() in words), "")
