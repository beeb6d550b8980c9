"""Results files for tests: people of the roster, their lines, and the import as the console does it."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.cli.screening import import_results
from app.security.policy import Permission
from models.base import Base
from models.identity import ClassGroup, College
from models.intake import BatchKind, ImportBatch
from models.sealed import Sealed
from models.student import Student, StudentNumber
from tests.house import GAD7, PHQ9, House

COLUMNS = ["学号", "姓名", *PHQ9, *GAD7]
ROUND = "2026 秋季普查"
SCALES = ("phq9", "gad7")
NOT_LIVE = frozenset({"ledger_entry", "ledger_head", "ledger_subject", "import_batch", "batch_chunk", "job", "witness"})
"""Tables that only grow, or tell of deliveries: what a second delivery may add to."""
_numbers = itertools.count(26_000_001)


@dataclass(frozen=True, slots=True)
class Person:
    """A student as a results file names him, and his row in the house."""

    number: str
    name: str
    row: Student


def enrol(house: House, count: int, group: ClassGroup | None = None) -> list[Person]:
    """Students of one class, with numbers and names that a file can give."""
    return enrol_as(house, list(itertools.islice(_numbers, count)), group)


def enrol_as(house: House, numbers: Sequence[int], group: ClassGroup | None = None) -> list[Person]:
    """Students of one class who bear these numbers, in their order."""
    group = group or house.make.class_group()
    [(college,)] = house.all(select(College.name).where(College.id == group.college_id))
    facts = [(str(number), f"学生{number % 1000:03d}") for number in numbers]
    house.make.roster(
        ["学号", "姓名", "学院", "班级", "手机号"],
        [[number, name, college, group.name, "13800001234"] for number, name in facts],
    )
    with house.console(Permission.ROSTER_IMPORT) as access:
        indexes = {access.index("number", number): number for number, _ in facts}
    rows = house.all(
        select(StudentNumber.index, Student)
        .join(Student, Student.id == StudentNumber.student_id)
        .where(StudentNumber.index.in_(list(indexes)))
    )
    found = {indexes[index]: student for index, student in rows}
    return [Person(number, name, found[number]) for number, name in facts]


def line(person: Person, phq: Sequence[Any] = (0,) * 9, gad: Sequence[Any] = (0,) * 7) -> list[Any]:
    """The line of one person: number, name, nine and seven answers."""
    return [person.number, person.name, *phq, *gad]


def phq(total: int, ninth: int = 0) -> list[int]:
    """Nine answers with this total and this answer to item 9."""
    left = total - ninth
    return [min(3, max(0, left - 3 * place)) for place in range(8)] + [ninth]


def gad(total: int) -> list[int]:
    return [min(3, max(0, total - 3 * place)) for place in range(7)]


def written(folder: Path, *lines: Sequence[Any], header: Sequence[str] = COLUMNS, name: str = "results.csv") -> Path:
    """A CSV file with these lines under the header."""
    path = folder / name
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([header, *lines])
    return path


def bring_in(house: House, file: Path, **options: Any) -> dict[str, Any]:
    """Import a file from the command line; returns its receipt."""
    return import_results(house.door, file, **({"round_name": ROUND, "scales": SCALES} | options))


def codes(receipt: dict[str, Any]) -> list[tuple[int, str]]:
    """The problems of a receipt, as row and code."""
    return [(problem["row"], problem["code"]) for problem in receipt["problems"]]


def live(house: House) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that holds, table by table: what "changes nothing" is measured by."""
    with house.session() as session:
        return {
            table.name: sorted((tuple(map(_bare, row)) for row in session.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
            if table.name not in NOT_LIVE
        }


def _bare(value: Any) -> Any:
    """Ciphertext by its bytes: two sealed values are never equal as such."""
    return value.ciphertext if isinstance(value, Sealed) else value


def deliveries(house: House) -> Sequence[Any]:
    """The results files that went in or were put aside, oldest first."""
    rows = house.all(
        select(ImportBatch).where(ImportBatch.kind == BatchKind.SCREENING).order_by(ImportBatch.uploaded_at)
    )
    return [row for (row,) in rows]


def fates(receipt: dict[str, Any]) -> tuple[int, int, int, int, int]:
    """Read, accepted, incomplete, rejected, already known."""
    names = ("rows_read", "rows_accepted", "rows_incomplete", "rows_rejected", "already_known")
    read, accepted, incomplete, rejected, known = (receipt[name] for name in names)
    return read, accepted, incomplete, rejected, known
