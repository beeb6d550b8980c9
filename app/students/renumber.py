"""旧学号 → 新学号: a whole list of changed numbers at once (practice §1.4).

Results move with the person, because they hang on the student and not on the
number. The old number ends today and is kept as a former one, from–to: a file
of last month still finds him, and so does the search. Admission numbers stay
the student's beside the new one. What a list would do is worked out in
``renumber_compare``; this module writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.events import Event
from app.intake import headers
from app.intake.batch import Importer
from app.intake.sheet import Table
from app.security.access import Access
from app.security.policy import Permission, Purpose
from app.students.renumber_compare import NEW, OLD, Comparison, PreparedRenumber
from models.base import new_ids
from models.bulk import Same
from models.intake import BatchKind, ImportBatch
from models.keys import Deployment
from models.moment import today
from models.sealed import KeyClass, field_of
from models.student import NumberKind, StudentNumber

_SLICE = 500


class StudentsRenumbered(Event):
    """Students bear other numbers than before."""


def base_of(session: Session, _batch: ImportBatch) -> str:
    """The roster's version: it moves with every committed roster and list of numbers."""
    return str(session.scalar(select(Deployment.roster_version)))


def fits(header: Sequence[str]) -> bool:
    """Whether this is a list of changed numbers, and not a roster that has both columns beside others."""
    roster = headers.columns("roster", header)
    return {OLD, NEW} <= set(headers.columns("renumber", header)) and not {"college", "class"} <= set(roster)


def prepare(
    access: Access, table: Table, batch: ImportBatch, beat: Callable[[int, int], None] | None = None
) -> PreparedRenumber:
    """Compare a list of changed numbers with the house. Writes nothing."""
    prepared = Comparison(access, table, base_of(access.session, batch)).run()
    if beat is not None:
        beat(len(table), len(table))
    return prepared


def commit(access: Access, batch: ImportBatch, prepared: PreparedRenumber) -> None:
    """End the old numbers and give the new ones, in one transaction."""
    rows = [*prepared.given, *prepared.passing]
    access.lock_students(student_id for student_id, _ in rows)
    for start in range(0, len(prepared.ended), _SLICE):
        access.session.execute(
            update(StudentNumber)
            .where(
                StudentNumber.index.in_(prepared.ended[start : start + _SLICE]),
                StudentNumber.until.is_(None),
            )
            .values(until=today())
        )
    if rows:
        _add(access, prepared)
    access.session.execute(update(Deployment).values(roster_version=Deployment.roster_version + 1))
    changed = {student_id for student_id, _ in rows}
    access.record(StudentsRenumbered(object_id=batch.id, count=len(changed)))


def _add(access: Access, prepared: PreparedRenumber) -> None:
    rows = [*prepared.given, *prepared.passing]
    ids, owners = new_ids(len(rows)), [student_id.bytes for student_id, _ in rows]
    access.vault.fetch_keys("student", owners, KeyClass.IDENTITY, make=False)
    shown = [row.shown.encode() for _, row in rows]
    access.insert_many(
        StudentNumber,
        {
            "id": ids,
            "student_id": owners,
            "kind": Same(NumberKind.STUDENT),
            "index": [row.new_index for _, row in rows],
            "since": Same(today()),
            "until": [None] * len(prepared.given) + [today()] * len(prepared.passing),
            "number": access.vault.seal_many(field_of(StudentNumber.number), owners, ids, shown),
        },
    )


IMPORTER = Importer(
    kind=BatchKind.RENUMBER,
    permission=Permission.ROSTER_IMPORT,
    purpose=Purpose.ADMINISTRATION,
    knows=lambda word: headers.normal(word) in headers.aliases("renumber"),
    prepare=prepare,
    commit=commit,
    base=base_of,
)
