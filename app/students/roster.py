"""Roster imports: the same file again and again, from several offices, without losing anything.

A student missing from a file has left only if the file was declared complete
for its colleges, and never more than a few per cent at once. What a file would
do is worked out in ``roster_compare``; this module writes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import update

from app.events import Event
from app.intake import headers
from app.intake.batch import Importer
from app.intake.sheet import Table
from app.security.access import Access
from app.security.policy import Permission, Purpose
from app.security.vault import Vault
from app.students import roster_row, tags
from app.students.naming import pinyin
from app.students.roster_compare import GONE, PreparedRoster, base_of, work_out
from models.base import new_ids
from models.bulk import Same
from models.intake import BatchKind, ImportBatch
from models.keys import DataKey, Deployment
from models.moment import now, today
from models.sealed import KeyClass, field_of
from models.student import FormerStatus, Student, StudentNumber

STUDENT_KEYS = (KeyClass.IDENTITY, KeyClass.ANSWERS, KeyClass.CARE)
"""Every student has these data keys from birth, so that imports only unwrap."""


class RosterCommitted(Event):
    """A roster went in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentsMoved(Event):
    """Students are in another class than before: open duties follow them."""

    moved: dict[UUID, tuple[UUID, UUID]]
    """Student → new college, new class."""
    quiet = True


def fits(header: Sequence[str]) -> bool:
    """Whether this is a list of students: a name, a college, a class and some number."""
    found = set(headers.columns("roster", header))
    return {"name", "college", "class"} <= found and bool(found & set(roster_row.NUMBER_FIELDS))


def prepare(
    access: Access, table: Table, batch: ImportBatch, beat: Callable[[int, int], None] | None = None
) -> PreparedRoster:
    """Compare a roster file with the house. Writes nothing."""
    plan = access.open_json(batch, ImportBatch.plan) or {}
    return work_out(access, table, complete=bool(plan.get("complete")), beat=beat)


# --- writing --------------------------------------------------------------------------


def commit(access: Access, _batch: ImportBatch, prepared: PreparedRoster) -> None:
    """Write a prepared roster in one transaction."""
    prepared.units.write(access)
    _add_students(access, prepared)
    _change_students(access, prepared)
    _add_numbers(access, prepared)
    tags.write(access, prepared.tags, prepared.ended_tags)
    access.session.execute(update(Deployment).values(roster_version=Deployment.roster_version + 1))
    changed = len(prepared.new) + len(prepared.changed) + len(prepared.leaving)
    access.record(RosterCommitted(count=changed))
    if prepared.moved:
        access.record(StudentsMoved(moved=prepared.moved))


def _add_students(access: Access, prepared: PreparedRoster) -> None:
    if not prepared.new:
        return
    vault, instant = access.vault, now()
    ids = [student_id.bytes for student_id, _ in prepared.new]
    rows = [row for _, row in prepared.new]
    places = [prepared.units.place(row.college, row.class_name, row.grade) for row in rows]
    keys = vault.give_keys("student", ids, *STUDENT_KEYS)
    phones = [row.phone for row in rows]
    access.insert_many(
        Student,
        {
            "id": ids,
            "version": Same(1),
            "college_id": [college_id for college_id, _ in places],
            "class_id": [class_id for _, class_id in places],
            "status": [row.status or "enrolled" for row in rows],
            "status_since": Same(instant),
            "added_at": Same(instant),
            "left_at": [instant if row.status in GONE else None for row in rows],
            "has_phone": [bool(phone) for phone in phones],
            "name_index": [vault.index("name", row.name) for row in rows],
            "pinyin_index": [vault.index("pinyin", pinyin(row.name)) for row in rows],
            "phone_index": [vault.index("phone", phone) if phone else None for phone in phones],
            "name": vault.seal_many(field_of(Student.name), ids, ids, [row.name.encode() for row in rows]),
            "phone": _sealed_or_none(vault, Student.phone, ids, phones),
            "details": _sealed_or_none(vault, Student.details, ids, [_json(row.details) for row in rows]),
        },
    )
    access.insert_many(
        DataKey,
        {
            "owner_id": [key.owner_id for key in keys],
            "key_class": [key.key_class for key in keys],
            "generation": [key.generation for key in keys],
            "owner_kind": [key.owner_kind for key in keys],
            "epoch": [key.epoch for key in keys],
            "wrapped": [key.wrapped for key in keys],
        },
    )


def _sealed_or_none(vault: Vault, attribute: Any, ids: list[bytes], texts: list[str]) -> list[Any]:
    filled = [place for place, text in enumerate(texts) if text]
    owners = [ids[place] for place in filled]
    sealed = vault.seal_many(field_of(attribute), owners, owners, [texts[place].encode() for place in filled])
    column: list[Any] = [None] * len(texts)
    for place, value in zip(filled, sealed, strict=True):
        column[place] = value
    return column


def _json(held: dict[str, str]) -> str:
    return json.dumps(held, ensure_ascii=False, separators=(",", ":")) if held else ""


def _change_students(access: Access, prepared: PreparedRoster) -> None:
    for student_id, changes in prepared.changed:
        student = access.session.get_one(Student, student_id)
        for name in ("college_id", "class_id"):
            if name in changes:
                setattr(student, name, changes[name])
        _give_status(access, student, changes.get("status", student.status))
        if "phone" in changes:
            access.seal(student, Student.phone, changes["phone"])
            student.phone_index, student.has_phone = access.index("phone", changes["phone"]), True
        if "details" in changes:
            access.seal_json(student, Student.details, changes["details"])
        student.left_at = (student.left_at or now()) if student.status in GONE else None
    for student_id in prepared.leaving:
        student = access.session.get_one(Student, student_id)
        _give_status(access, student, "left")
        student.left_at = now()


def _give_status(access: Access, student: Student, status: str) -> None:
    """The status the student had stays on record, from–to."""
    if status == student.status:
        return
    instant = now()
    access.session.add(
        FormerStatus(student_id=student.id, status=student.status, since=student.status_since, until=instant)
    )
    student.status, student.status_since = status, instant


def _add_numbers(access: Access, prepared: PreparedRoster) -> None:
    if prepared.retired_numbers:
        access.session.execute(
            update(StudentNumber)
            .where(StudentNumber.index.in_(prepared.retired_numbers), StudentNumber.until.is_(None))
            .values(until=today())
        )
    if not prepared.numbers:
        return
    vault = access.vault
    ids = new_ids(len(prepared.numbers))
    owners = [student_id.bytes for student_id, _, _ in prepared.numbers]
    vault.fetch_keys("student", owners, KeyClass.IDENTITY, make=False)
    shown = [row.shown[kind].encode() for _, kind, row in prepared.numbers]
    access.insert_many(
        StudentNumber,
        {
            "id": ids,
            "student_id": owners,
            "kind": [kind for _, kind, _ in prepared.numbers],
            "index": [vault.index("number", row.numbers[kind]) for _, kind, row in prepared.numbers],
            "since": Same(today()),
            "until": [today() if row.ends(kind) else None for _, kind, row in prepared.numbers],
            "number": vault.seal_many(field_of(StudentNumber.number), owners, ids, shown),
        },
    )


IMPORTER = Importer(
    kind=BatchKind.ROSTER,
    permission=Permission.ROSTER_IMPORT,
    purpose=Purpose.ADMINISTRATION,
    knows=lambda word: headers.normal(word) in headers.aliases("roster"),
    prepare=prepare,
    commit=commit,
    base=base_of,
)
