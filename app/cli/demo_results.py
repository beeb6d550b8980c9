"""Results files of an invented college: three screenings of the same people, and a delivery with open questions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from openpyxl import Workbook

from app.screening.scales.scale import all_scales
from models.moment import now

MOST_CALM = 19  # PHQ-9: from 20 on an alert is raised (config/rules.toml)
HEADER = ("学号", "姓名", "班级", "提交时间", "用时")


class Line(NamedTuple):
    """Who a line of results is about, as the files have him."""

    number: str
    name: str
    class_name: str


class Strains:
    """How much each invented student carries, hidden behind all he answers and says; partly lasting, partly not."""

    def __init__(self, people: Sequence[Line], seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - invented people, no secrets
        self._lasting = {person.number: chance.gauss(0, 1) for person in people}
        self._seed = seed

    def on(self, number: str, occasion: str) -> float:
        """The strain of one student on one occasion, the same however often it is asked."""
        of_the_day = random.Random(f"{self._seed}.{occasion}.{number}").gauss(0, 1)  # noqa: S311
        return 0.8 * self._lasting[number] + 0.6 * of_the_day


def write_autumn(path: Path, people: Sequence[Line], chance: random.Random, strains: Strains) -> list[Line]:
    """Answers with one hidden strain per person, near the shares of domain §2.1; with a few dirty rows.

    Returns who was away.
    """
    header = [*HEADER]
    for key in ("phq9", "gad7"):
        header += [f"{all_scales()[key].name} 第{item.number}题" for item in all_scales()[key].items]
    rows: list[tuple[Any, ...]] = []
    away = []
    for person in people:
        if chance.random() < 0.03:
            away.append(person)
            continue
        strain = strains.on(person.number, "autumn")
        phq = [_answer(chance, strain, -0.15) for _ in range(8)] + [_answer(chance, strain, -1.75)]
        gad = [_answer(chance, strain, -0.2) for _ in range(7)]
        rows.append((*person, *_when(chance, 3), *phq, *gad))
    _spoil(rows)
    save(path, header, rows)
    return away


def write_year_before(path: Path, people: Sequence[Line], chance: random.Random, strains: Strains) -> None:
    """A year ago: PHQ-9 and GAD-7 items. Nothing critical: those alerts would long be over."""
    header = [*HEADER, *(f"{all_scales()[key].name} 第{n}题" for key, n in _items("phq9", "gad7"))]
    rows = []
    for person in people:
        strain = strains.on(person.number, "year_before")
        phq, gad = _mild(chance, strain, 8), [_answer(chance, strain, -0.1) for _ in range(7)]
        rows.append((*person, *_when(chance, 398), *phq, 0, *gad))
    save(path, header, rows)


def write_spring(path: Path, people: Sequence[Line], chance: random.Random, strains: Strains) -> None:
    """Half a year ago: factors of one platform as means, and PHQ-9 items; nothing critical either."""
    names = [part.name for part in all_scales()["scl90"].subscales][:9]
    header = [*HEADER, *(f"PHQ-9 第{number}题" for number in range(1, 10)), *names]
    rows = []
    for person in people:
        strain = strains.on(person.number, "spring")
        factors = [round(min(max(1.35 + 0.33 * strain + chance.gauss(0, 0.22), 1), 4), 2) for _ in names]
        rows.append((*person, *_when(chance, 203), *_mild(chance, strain, 8), 0, *factors))
    save(path, header, rows)


def _items(*keys: str) -> list[tuple[str, int]]:
    return [(key, item.number) for key in keys for item in all_scales()[key].items]


def _mild(chance: random.Random, strain: float, items: int) -> list[int]:
    """Answers whose sum stays below the line at which an alert is raised."""
    found = [_answer(chance, strain, -0.1) for _ in range(items)]
    while sum(found) > MOST_CALM:
        found[found.index(max(found))] -= 1
    return found


def write_late(path: Path, people: Sequence[Line], chance: random.Random) -> None:
    """A second delivery, for those who were away: without numbers, with two that are crossed, with hurried answers."""
    header = [*HEADER, *(f"PHQ-9 第{number}题" for number in range(1, 10))]
    rows = []
    for place, person in enumerate(people):
        when, took = _when(chance, 1)
        phq = [_answer(chance, 0, -0.2) for _ in range(8)] + [0]
        number = ("", *(people[other].number for other in (2, 1)), person.number)[min(place, 3)]
        rows.append((number, person.name, person.class_name, when, "0分8秒" if place == 4 else took, *phq))
    save(path, header, rows)


def _when(chance: random.Random, days: int) -> tuple[datetime, str]:
    at = now() - timedelta(days=days, minutes=chance.randrange(600))
    return at.replace(tzinfo=None, microsecond=0), f"{chance.randrange(2, 6)}分{chance.randrange(60)}秒"


def _answer(chance: random.Random, strain: float, ease: float) -> int:
    value = strain * 0.95 + ease + chance.gauss(0, 0.75)
    return 0 if value < 0.35 else 1 if value < 1.45 else 2 if value < 2.35 else 3


def _spoil(rows: list[tuple[Any, ...]]) -> None:
    """What real files have: a bad value, a gap, an unknown number with a critical answer, a swapped name, haste."""
    first = len(HEADER)
    rows[10] = (*rows[10][: first + 2], 7, *rows[10][first + 3 :])
    rows[20] = (*rows[20][: first + 5], None, *rows[20][first + 6 :])
    rows[30] = ("29990001", "查无此人", *rows[30][2:first], *([1] * 8), 2, *([1] * 7))
    rows[40] = (rows[40][0], rows[41][1], *rows[40][2:])
    for place in (25, 33):
        rows[place] = (*rows[place][: first - 1], "0分11秒", *rows[place][first:])


def save(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A workbook that only its owner may read."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    sheet.append(header)
    for row in rows:
        sheet.append(row)
    book.save(path)
    path.chmod(0o600)
