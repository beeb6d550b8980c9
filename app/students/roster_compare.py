"""Comparing a roster file with the house: what is new, what changed, what is doubtful. Writes nothing.

A row is matched by any of its numbers, and then the name must agree: a number
whose name differs is a question, never a match. An empty cell never erases.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.intake import headers
from app.intake.problem import Problem, listed
from app.intake.sheet import Table
from app.security.access import Access
from app.security.vault import Vault
from app.students import roster_row, tags
from app.students.roster_row import RosterRow
from app.students.units import Units
from config import catalogue
from models.base import new_id
from models.intake import ImportBatch
from models.keys import Deployment
from models.refusal import Refusal
from models.student import NumberKind, Student, StudentNumber

GONE = tuple(key for key, held in catalogue.table("statuses").items() if not held["present"])
"""States in which somebody is no longer a student here."""
_SLICE = 5_000


@dataclass(slots=True)
class _Known:
    """What the house knows of a student, as far as a roster touches it."""

    id: UUID
    college_id: UUID
    class_id: UUID
    status: str
    name_index: bytes
    phone_index: bytes | None
    numbers: set[bytes] = field(default_factory=set)
    past_numbers: set[bytes] = field(default_factory=set)

    def bears(self, number: bytes) -> bool:
        """Whether this number is his, or was: what has ended does not begin again by a roster of before."""
        return number in self.numbers or number in self.past_numbers


@dataclass(slots=True)
class PreparedRoster:
    """What a roster would do."""

    receipt: dict[str, Any]
    base: str
    units: Units
    new: list[tuple[UUID, RosterRow]] = field(default_factory=list)
    changed: list[tuple[UUID, dict[str, Any]]] = field(default_factory=list)
    numbers: list[tuple[UUID, NumberKind, RosterRow]] = field(default_factory=list)
    retired_numbers: list[bytes] = field(default_factory=list)
    moved: dict[UUID, tuple[UUID, UUID]] = field(default_factory=dict)
    leaving: list[UUID] = field(default_factory=list)
    tags: list[tuple[UUID, str]] = field(default_factory=list)
    ended_tags: list[tuple[UUID, str]] = field(default_factory=list)


def base_of(session: Session, _batch: ImportBatch) -> str:
    """The roster's version: it moves with every committed roster."""
    return str(session.scalar(select(Deployment.roster_version)))


def work_out(
    access: Access, table: Table, *, complete: bool, beat: Callable[[int, int], None] | None = None
) -> PreparedRoster:
    """Compare a roster file with the house; ``complete`` when whoever is missing from it has left."""
    return _Comparison(access, table, complete=complete, beat=beat).run()


class _Comparison:
    """The comparison of one file; its parts are methods because they share what the house knows."""

    def __init__(
        self, access: Access, table: Table, *, complete: bool, beat: Callable[[int, int], None] | None
    ) -> None:
        self.access = access
        self.vault: Vault = access.vault
        self.table = table
        self.complete = complete
        self.beat = beat or (lambda _done, _total: None)
        self.problems: list[Problem] = []
        self.units = Units(access.session)
        self.prepared = PreparedRoster({}, base_of(access.session, ImportBatch()), self.units)
        self.seen: dict[bytes, int] = {}
        self.colleges: set[UUID] = set()
        self.present: set[UUID] = set()
        self.tags = tags.held_by_all(access.session)

    def run(self) -> PreparedRoster:
        owners, known, once = self._house()
        matched = list(self._match(list(roster_row.rows(self.table, self.problems)), owners, once, known))
        details = self._details_of([student.id for _, _, student in matched if student])
        unchanged = 0
        for place, (row, index, student) in enumerate(matched):
            if place % 2_000 == 0:
                self.beat(place, len(matched))
            unchanged += not self._take(row, index, student, details)
        leaving = self._leaving({index: min(ids) for index, ids in once.items() if len(ids) == 1} | owners, known)
        self.prepared.receipt = self._receipt(len(self.table), len(matched), unchanged, leaving)
        return self.prepared

    def _match(
        self,
        rows: list[RosterRow],
        owners: dict[bytes, UUID],
        once: dict[bytes, set[UUID]],
        known: dict[UUID, _Known],
    ) -> Iterator[tuple[RosterRow, dict[NumberKind, bytes], _Known | None]]:
        """Every row that is beyond doubt, with the student it is about, if the house knows him."""
        for row in rows:
            index = self._indexes(row)
            earlier = next((self.seen[number] for number in index.values() if number in self.seen), None)
            if earlier is not None:
                self._wrong(row, "repeated", f"号码与第 {earlier} 行相同，只采用了第 {earlier} 行。")
                continue
            found = {owners[number] for number in index.values() if number in owners}
            found = found or self._by_former_number(row, index, once, known)
            if len(found) > 1:
                self._wrong(row, "numbers_disagree", "本行的几个号码分属不同的学生，请核对后再导入本行。")
                continue
            student = known[found.pop()] if found else None
            if student and student.name_index != self.vault.index("name", row.name):
                self._wrong(
                    row, "name_differs", "号码已属于另一个姓名的学生。可能是录错号码或改了名，请核对；本行未导入。"
                )
                continue
            self.seen.update(dict.fromkeys(index.values(), row.row))
            yield row, index, student

    def _by_former_number(
        self, row: RosterRow, index: dict[NumberKind, bytes], once: dict[bytes, set[UUID]], known: dict[UUID, _Known]
    ) -> set[UUID]:
        """Whom an office means that still writes a number which has ended: the one of this name who bore it."""
        name_index = self.vault.index("name", row.name)
        borne = {student_id for number in index.values() for student_id in once.get(number, ())}
        named = {student_id for student_id in borne if known[student_id].name_index == name_index}
        return named if len(named) == 1 else set()

    def _indexes(self, row: RosterRow) -> dict[NumberKind, bytes]:
        return {kind: self.vault.index("number", number) for kind, number in row.numbers.items()}

    def _all_indexes(self, numbers: list[str]) -> list[bytes]:
        return [self.vault.index("number", number) for number in numbers]

    def _house(self) -> tuple[dict[bytes, UUID], dict[UUID, _Known], dict[bytes, set[UUID]]]:
        """Who bears each number, everybody, and who bore each number that has ended."""
        session = self.access.session
        known = {
            row.id: _Known(*row)
            for row in session.execute(
                select(
                    Student.id,
                    Student.college_id,
                    Student.class_id,
                    Student.status,
                    Student.name_index,
                    Student.phone_index,
                )
            )
        }
        owners: dict[bytes, UUID] = {}
        once: dict[bytes, set[UUID]] = defaultdict(set)
        for index, student_id, until in session.execute(
            select(StudentNumber.index, StudentNumber.student_id, StudentNumber.until)
        ):
            if until is None:
                owners[index] = student_id
                known[student_id].numbers.add(index)
            else:
                known[student_id].past_numbers.add(index)
                once[index].add(student_id)
        return owners, known, once

    def _take(
        self,
        row: RosterRow,
        index: dict[NumberKind, bytes],
        student: _Known | None,
        details: dict[UUID, dict[str, str]],
    ) -> bool:
        """Note what this row adds or changes; false if it says nothing new."""
        college_id, class_id = self.units.place(row.college, row.class_name, row.grade)
        self.colleges.add(college_id)
        if student is None:
            student_id = new_id()
            self.prepared.new.append((student_id, row))
            self.prepared.numbers += [(student_id, kind, row) for kind in row.numbers]
            self.prepared.tags += [(student_id, tag) for tag in sorted(row.tags)]
            return True
        self.present.add(student.id)
        changes: dict[str, Any] = {}
        if (student.college_id, student.class_id) != (college_id, class_id):
            changes["college_id"], changes["class_id"] = college_id, class_id
            self.prepared.moved[student.id] = (college_id, class_id)
        if row.status and row.status != student.status:
            changes["status"] = row.status
        elif not row.status and student.status == "left":
            changes["status"] = "enrolled"
        if row.phone and self.vault.index("phone", row.phone) != student.phone_index:
            changes["phone"] = row.phone
        held = details.get(student.id, {})
        if held | row.details != held:
            changes["details"] = held | row.details
        fresh = [kind for kind, number in index.items() if not student.bears(number)]
        self.prepared.numbers += [(student.id, kind, row) for kind in fresh]
        ending = [number for kind, number in index.items() if row.ends(kind) and number in student.numbers]
        self.prepared.retired_numbers += ending
        if changes:
            self.prepared.changed.append((student.id, changes))
        return any((changes, fresh, ending, self._tag(row, student.id)))

    def _tag(self, row: RosterRow, student_id: UUID) -> bool:
        """Whether the row gives or ends a tag; an empty cell does neither."""
        held = self.tags.get(student_id, set())
        given, ended = sorted(row.tags - held), sorted(row.ended_tags & held)
        self.prepared.tags += [(student_id, tag) for tag in given]
        self.prepared.ended_tags += [(student_id, tag) for tag in ended]
        return bool(given or ended)

    def _details_of(self, student_ids: list[UUID]) -> dict[UUID, dict[str, str]]:
        """What the house holds beside name and phone, opened at once for everybody the file is about."""
        found: dict[UUID, dict[str, str]] = {}
        for start in range(0, len(student_ids), _SLICE):
            rows = self.access.session.execute(
                select(Student.id.label("student_id"), Student.details).where(
                    Student.id.in_(student_ids[start : start + _SLICE]), Student.details.is_not(None)
                )
            ).all()
            opened = self.access.open_each(rows, Student.details)
            found.update({row.student_id: json.loads(text) for row, text in zip(rows, opened, strict=True)})
        return found

    def _leaving(self, owners: dict[bytes, UUID], known: dict[UUID, _Known]) -> int:
        """Who stands nowhere in a complete file. A row with a problem still says that its student is here."""
        if not self.complete:
            return 0
        unread = 0
        for numbers in roster_row.numbers_of_each_row(self.table):
            self.present |= {owners[index] for index in self._all_indexes(numbers) if index in owners}
            unread += not numbers
        scope = [item for item in known.values() if item.college_id in self.colleges and item.status not in GONE]
        gone = [item.id for item in scope if item.id not in self.present]
        if gone and unread:
            raise Refusal(f"有 {unread} 行读不出号码，无法判断谁已离校。请改正这些行，或不要勾选“完整名册”。")
        most = catalogue.table("roster")["most_leaving_percent"]
        if scope and len(gone) * 100 > most * len(scope):
            raise Refusal(
                f"按“完整名册”导入会有 {len(gone)} 人离校，超过在册人数的 {most}%（{len(scope)} 人）。"
                "这通常说明文件不完整，请核对；或不要勾选“完整名册”。"
            )
        self.prepared.leaving = gone
        return len(gone)

    def _wrong(self, row: RosterRow, code: str, message: str) -> None:
        kind = next(iter(row.numbers))
        self.problems.append(Problem(row.row, self._title(kind.value), code, message))

    def _title(self, name: str) -> str | None:
        place = headers.columns("roster", self.table.header).get(name)
        return self.table.header[place] if place is not None else None

    def _receipt(self, read: int, accepted: int, unchanged: int, leaving: int) -> dict[str, Any]:
        return {
            "rows_read": read,
            "rows_accepted": accepted,
            "rows_rejected": read - accepted,
            "new": len(self.prepared.new),
            "changed": accepted - len(self.prepared.new) - unchanged,
            "unchanged": unchanged,
            "moved_class": len(self.prepared.moved),
            "leaving": leaving,
            "tagged": len(self.prepared.tags) + len(self.prepared.ended_tags),
            "without_phone": sum(not row.phone for _, row in self.prepared.new),
            "new_colleges": self.units.new_colleges,
            "new_classes": len(self.units.new_classes),
            "problems_total": len(self.problems),
            "problems": listed(self.problems),
        }
