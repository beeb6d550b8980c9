"""Precision and recall of matching on an invented, labelled roster: what is joined by itself, and who is offered.

Every row of the file is truly about one student or about nobody
(``bench_roster``). What is joined without a person must never be wrong.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.cli import bench_import, bench_roster, installation
from app.cli.bench_roster import Line, Person
from app.intake.sheet import Cell, Table
from app.screening.matching.identities import Identities, Matched, Question
from app.screening.matching.match import match
from app.security.access import Access
from app.security.actor import CONSOLE
from app.security.door import Door
from app.security.policy import Permission, Purpose
from app.students import renumber, roster, roster_compare
from models.intake import BatchKind, BatchStage, ImportBatch
from models.keys import DeploymentKind
from models.moment import now
from models.student import StudentNumber

SEED = 20261125
NOWHERE = 9
"""The rank of whoever is not among the candidates shown."""


def run(students: int) -> dict[str, Any]:
    """Build the college, bring the file, count what became of its rows."""
    chance = random.Random(SEED)  # noqa: S311 - invented people
    people = bench_roster.people(chance, students)
    changed = bench_roster.renumbered(people)
    lines = bench_roster.lines(chance, people, changed)
    with tempfile.TemporaryDirectory() as folder:
        settings = bench_import.settings_in(Path(folder) / "home")
        installation.create(settings, kind=DeploymentKind.DEMO, school="bench")
        door = installation.opened(settings)
        _enrol(door, people, changed)
        with door.enter(CONSOLE, Permission.SCREENING_IMPORT, Purpose.CARE, writing=False) as access:
            owners = _owners(access, people)
            matched = match(access, _identities(lines), {}, [])
        door.database.dispose()
    return counted(lines, owners, matched)


def _identities(lines: list[Line]) -> Identities:
    columns: dict[str, list[Cell]] = {
        "student_number": [line.number for line in lines],
        "name": [line.name for line in lines],
        "class": [line.class_name for line in lines],
        "birth_date": [line.born for line in lines],
    }
    return Identities.of(range(2, len(lines) + 2), columns, {name: name for name in columns})


def _enrol(door: Door, people: list[Person], changed: dict[str, str]) -> None:
    header = ["学号", "姓名", "学院", "班级", "出生日期", "学籍状态"]
    rows = [
        [person.number, person.name, "学院", person.class_name, person.born, person.status or "在校"]
        for person in people
    ]
    with door.enter(CONSOLE, Permission.ROSTER_IMPORT, Purpose.ADMINISTRATION) as access:
        table = Table("", ("",), 1, header, rows, range(2, len(rows) + 2))  # type: ignore[arg-type]
        roster.commit(access, _batch(access, BatchKind.ROSTER), roster_compare.work_out(access, table, complete=False))
    numbers = [[old, new] for old, new in changed.items()]
    with door.enter(CONSOLE, Permission.ROSTER_IMPORT, Purpose.ADMINISTRATION) as access:
        batch = _batch(access, BatchKind.RENUMBER)
        table = Table("", ("",), 1, ["旧学号", "新学号"], numbers, range(2, len(numbers) + 2))  # type: ignore[arg-type]
        renumber.commit(access, batch, renumber.prepare(access, table, batch))


def _batch(access: Access, kind: BatchKind) -> ImportBatch:
    batch = ImportBatch(kind=kind, stage=BatchStage.COMMITTING, uploaded_at=now(), bytes_total=0, file_digest=bytes(32))
    access.seal(batch, ImportBatch.file_name, "bench")
    access.session.add(batch)
    access.session.flush()
    return batch


def _owners(access: Access, people: list[Person]) -> dict[str, bytes]:
    """Number in the roster → student."""
    rows = access.session.execute(select(StudentNumber.index, StudentNumber.student_id))
    known = {index: student_id.bytes for index, student_id in rows}
    return {person.number: known[access.index("number", person.number)] for person in people}


def counted(lines: list[Line], owners: dict[str, bytes], matched: Matched) -> dict[str, Any]:
    """Shares of right ones: of what was joined, and of whom the questions offer."""
    truths = [owners[line.truth] if line.truth else None for line in lines]
    joined = [(student.student_id, truths[place]) for place, student in enumerate(matched.students) if student]
    right = sum(student_id == truth for student_id, truth in joined)
    ranks = {question.position: _rank(question, truths[question.position]) for question in matched.questions}
    ranked = [rank for place, rank in ranks.items() if truths[place] is not None]
    proposed = {question.position: question.proposed for question in matched.questions if question.proposed}
    good = sum(bytes.fromhex(student_id) == truths[place] for place, student_id in proposed.items())
    known = sum(truth is not None for truth in truths)
    return {
        "rows": len(lines),
        "joined": len(joined),
        "joined_precision": _share(right, len(joined)),
        "joined_recall": _share(right, known),
        "asked": len(ranked),
        "top1": _share(sum(rank == 0 for rank in ranked), len(ranked)),
        "top3": _share(sum(rank < NOWHERE for rank in ranked), len(ranked)),
        "proposed": len(proposed),
        "proposed_precision": _share(good, len(proposed)),
        "found_in_all": _share(right + sum(rank < NOWHERE for rank in ranked), known),
        "kinds": _kinds(lines, ranks),
    }


def _rank(question: Question, truth: bytes | None) -> int:
    """The place of the true student among the candidates."""
    ids = [candidate.student.student_id for candidate in question.candidates]
    return ids.index(truth) if truth in ids else NOWHERE


def _kinds(lines: list[Line], ranks: dict[int, int]) -> dict[str, dict[str, int]]:
    kinds: dict[str, Counter[str]] = {}
    for place, line in enumerate(lines):
        held = kinds.setdefault(line.kind, Counter())
        held["asked" if place in ranks else "joined"] += 1
        held["top1"] += ranks.get(place) == 0
        held["top3"] += ranks.get(place, NOWHERE) < NOWHERE
    return {kind: dict(sorted(held.items())) for kind, held in sorted(kinds.items())}


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 1.0
