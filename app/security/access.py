"""A decided right to touch something: the only way to rows, sealed fields and the log.

An ``Access`` is made by the door for one actor, one permission and one
purpose. It finds rows inside the reader's rule, remembers whose they are
(``reach``), opens and seals only within that reach and only fields that the
policy lists, and remembers for the log what it did.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Row, Select, event, func, inspect, select, union
from sqlalchemy.orm import InstrumentedAttribute, Session

from app import events
from app.security.actor import Actor
from app.security.ledger import Record
from app.security.policy import (
    BASIS,
    OPENS,
    ROOTS,
    Permission,
    Purpose,
    Rule,
    conditions,
    everything,
    rule_of,
)
from app.security.vault import Vault
from models.audit import LedgerEntry
from models.base import Base
from models.bulk import Same, insert_many
from models.identity import Staff
from models.refusal import Refusal
from models.sealed import Sealed, SealedField, field_of
from models.student import Student

Model = TypeVar("Model", bound=Base)
PAGE = 50


class Denied(Exception):
    """This role has no rule for this."""


class NotFound(Exception):
    """No such thing within the reader's rule. Foreign and missing look alike."""


class Undecided(Exception):
    """Code tried to pass a lock: a bug, never the reader's fault."""


@dataclass(slots=True)
class Book:
    """What one piece of work leaves for the log and for listeners, shared by all its accesses."""

    request_id: str
    records: list[Record] = field(default_factory=list)
    events: list[events.Event] = field(default_factory=list)
    accesses: list[Access] = field(default_factory=list)


class Access:
    """One actor, one permission, one purpose, one transaction."""

    def __init__(
        self,
        actor: Actor,
        permission: Permission,
        purpose: Purpose,
        *,
        session: Session,
        vault: Vault,
        book: Book,
        writing: bool,
    ) -> None:
        rule = rule_of(actor.role, permission, purpose)
        if rule is None:
            raise Denied(permission)
        self.actor = actor
        self.permission = permission
        self.purpose = purpose
        self.session = session
        self.writing = writing
        self._vault = vault
        self._book = book
        self._rule: Rule = rule
        self._reach: set[UUID] = set()
        self._everybody = rule is everything
        self._subjects: dict[UUID, None] = {}
        self._fields: dict[str, None] = {}
        self._object_id: UUID | None = None
        self._count: int | None = None
        book.accesses.append(self)
        if writing:
            session.info.setdefault("accesses", []).append(self)

    # --- deciding -----------------------------------------------------------------

    def may(self, permission: Permission, purpose: Purpose = Purpose.CARE) -> bool:
        """Whether the actor's role has a rule for it at all; rows are decided when they are found."""
        return rule_of(self.actor.role, permission, purpose) is not None

    def under(self, permission: Permission, purpose: Purpose = Purpose.CARE) -> Access:
        """A second decision within the same transaction, recorded on its own. Raises ``Denied``."""
        return Access(
            self.actor, permission, purpose,
            session=self.session, vault=self._vault, book=self._book, writing=self.writing,
        )

    def reaches(self, student_id: UUID) -> bool:
        return self._everybody or student_id in self._reach

    # --- rows -----------------------------------------------------------------------

    def find(self, model: type[Model], row_id: UUID, *, version: int | None = None) -> Model:
        """The one row of the permission's root, inside the rule, locked when writing.

        ``version`` is what the reader's page was built from: a newer row is
        refused with the name of whoever changed it.
        """
        root = self._root(model)
        for condition in conditions(self._rule, self.actor):
            query = select(root).where(root.id == row_id, condition)
            row = self.session.scalars(query.with_for_update(of=root) if self.writing else query).first()
            if row is not None:
                self._touch(row)
                if version is not None and row.version != version:
                    self.refuse_stale(row_id)
                return row  # type: ignore[no-any-return]
        raise NotFound(model.__name__)

    def page(
        self, statement: Select[Any], *, order: Sequence[str], limit: int = PAGE, offset: int = 0
    ) -> list[Row[Any]]:
        """A list over the permission's root, inside the rule; ``order`` names columns, ``-`` for descending.

        Each condition of the rule is its own limited select (decisions 19).
        Rows carry ``student_id``; those students come into reach.
        """
        found = self._union(statement, order, offset + limit)
        rows = list(self.session.execute(found.offset(offset).limit(limit)))
        for row in rows:
            student_id = getattr(row, "student_id", None)
            if student_id is not None:
                self._reach.add(student_id)
                self._subjects[student_id] = None
        return rows

    def count(self, model: type[Base], *where: Any, most: int | None = None) -> int:
        """How many rows of the root lie inside the rule, counted to ``most`` when a badge needs no more."""
        root = self._root(model)
        parts = [select(root.id).where(*where, rule) for rule in conditions(self._rule, self.actor)]
        if most is not None:
            parts = [select(part.limit(most).subquery()) for part in parts]
        ids = parts[0].subquery() if len(parts) == 1 else union(*parts).subquery()
        total = self.session.scalar(select(func.count()).select_from(ids)) or 0
        return total if most is None else min(total, most)

    def _union(self, statement: Select[Any], order: Sequence[str], most: int) -> Any:
        names = [name.removeprefix("-") for name in order]

        def ordered(columns: Any) -> list[Any]:
            return [
                columns[name].desc() if direction.startswith("-") else columns[name].asc()
                for name, direction in zip(names, order, strict=True)
            ]

        own = statement.selected_columns
        parts = [statement.where(rule) for rule in conditions(self._rule, self.actor)]
        if len(parts) == 1:
            return parts[0].order_by(*ordered(own))
        limited = [select(part.order_by(*ordered(own)).limit(most).subquery()) for part in parts]
        together = union(*limited).subquery()
        return select(together).order_by(*ordered(together.c))

    def _root(self, model: type[Any]) -> Any:
        if ROOTS.get(self.permission) is not model:
            raise Undecided(f"{self.permission} is not about {model.__name__}")
        return model

    def _touch(self, row: Any) -> None:
        self._object_id = row.id
        student_id = row.id if isinstance(row, Student) else getattr(row, "student_id", None)
        if student_id is not None:
            self._reach.add(student_id)
            self._subjects[student_id] = None

    def refuse_stale(self, row_id: UUID) -> None:
        """Refuse a write on an old copy, naming who changed it (decisions 24)."""
        name = self.session.scalar(
            select(Staff.name)
            .join(LedgerEntry, LedgerEntry.actor_id == Staff.id)
            .where(LedgerEntry.object_id == row_id, LedgerEntry.outcome == "done")
            .order_by(LedgerEntry.at.desc())
            .limit(1)
        )
        raise Refusal(f"{name or '另一位老师'}刚刚更新了这条记录，你的修改没有保存。请看过最新内容后再办理。")

    # --- sealed fields --------------------------------------------------------------

    def open(self, row: Any, attribute: InstrumentedAttribute[Any], *, label: str | None = None) -> str:
        """The text of one sealed field; empty when the field is. Recorded."""
        [text] = self.open_each([row], attribute, label=label)
        return text

    def open_each(
        self, rows: Sequence[Any], attribute: InstrumentedAttribute[Any], *, label: str | None = None
    ) -> list[str]:
        """One sealed field of many rows, in their order: one decision, one entry in the log."""
        return [raw.decode() if raw else "" for raw in self.open_bytes(rows, attribute, label=label)]

    def open_json(self, row: Any, attribute: InstrumentedAttribute[Any], *, label: str | None = None) -> Any:
        text = self.open(row, attribute, label=label)
        return json.loads(text) if text else None

    def open_bytes(
        self, rows: Sequence[Any], attribute: InstrumentedAttribute[Any], *, label: str | None = None
    ) -> list[bytes | None]:
        sealed_field = field_of(attribute)
        if sealed_field.group not in OPENS.get(self.permission, frozenset()):
            raise Undecided(f"{self.permission} does not open {sealed_field.group}")
        places = [self._place(row, sealed_field) for row in rows]
        values = [self._value(row, attribute, label) for row in rows]
        held = [owner.bytes for (owner, _), value in zip(places, values, strict=True) if value is not None]
        if len(held) > 1:
            self._vault.fetch_keys(sealed_field.owner_kind, held, sealed_field.key_class, make=False)
        opened = [
            None if value is None else self._vault.open(sealed_field, owner, row_id, value)
            for (owner, row_id), value in zip(places, values, strict=True)
        ]
        if any(value is not None for value in opened):
            self._fields[sealed_field.group] = None
        return opened

    def _place(self, row: Any, sealed_field: SealedField) -> tuple[UUID, UUID]:
        """Owner and row of a sealed value, from an entity or from a labelled list row."""
        if isinstance(row, sealed_field.model):
            owner, row_id = getattr(row, sealed_field.owner_column), row.id  # type: ignore[attr-defined]
        else:
            owner = getattr(row, f"{sealed_field.owner_kind}_id")
            own_row = sealed_field.owner_column == "id"
            row_id = owner if own_row else getattr(row, f"{sealed_field.model.__tablename__}_id")  # type: ignore[attr-defined]
        if sealed_field.owner_kind == "student":
            if not self.reaches(owner):
                raise Undecided(f"{sealed_field.group}: this student was not found through a rule")
            self._subjects[owner] = None
        return owner, row_id

    def _value(self, row: Any, attribute: InstrumentedAttribute[Any], label: str | None) -> Sealed | None:
        if not isinstance(row, Base):
            value: Sealed | None = getattr(row, label or attribute.key)
            return value
        if attribute.key not in inspect(row).unloaded:
            value = getattr(row, attribute.key)
            return value
        model: Any = type(row)
        return self.session.scalar(select(attribute).where(model.id == row.id))  # type: ignore[attr-defined]

    def seal(self, row: Any, attribute: InstrumentedAttribute[Any], text: str | None) -> None:
        """Put text into a sealed field of a row that knows its student and its id."""
        if text is None:
            setattr(row, attribute.key, None)
            return
        setattr(row, attribute.key, self.sealed(row, attribute, text.encode()))

    def seal_json(self, row: Any, attribute: InstrumentedAttribute[Any], held: Any) -> None:
        self.seal(row, attribute, json.dumps(held, ensure_ascii=False, separators=(",", ":")))

    def sealed(self, row: Any, attribute: InstrumentedAttribute[Any], raw: bytes) -> Sealed:
        sealed_field = field_of(attribute)
        owner = getattr(row, sealed_field.owner_column)
        if sealed_field.owner_kind == "student" and not self.reaches(owner):
            raise Undecided(f"{sealed_field.group}: this student was not found through a rule")
        return self._vault.seal(sealed_field, owner, row.id, raw)

    # --- many rows ------------------------------------------------------------------

    @property
    def vault(self) -> Vault:
        """The vault itself, for imports that match and seal whole files."""
        if not self._everybody:
            raise Undecided("bulk work needs a rule over everything")
        return self._vault

    def seal_many(
        self,
        attribute: InstrumentedAttribute[Any],
        students: Sequence[bytes],
        rows: Sequence[bytes],
        plains: Sequence[bytes],
    ) -> list[Sealed]:
        """Seal one value per row, within reach; ids are raw."""
        self._check_students(students)
        sealed_field = field_of(attribute)
        self._vault.fetch_keys("student", students, sealed_field.key_class, make=True)
        return self._vault.seal_many(sealed_field, students, rows, plains)

    def insert_many(self, model: type[Base], columns: Mapping[str, Sequence[Any] | Same]) -> int:
        """Bulk insert, within reach and past the ORM but not past the seals."""
        owners = columns.get("student_id")
        self._check_students([owners.value] if isinstance(owners, Same) else owners or [])
        return insert_many(self.session, model.__table__, columns)  # type: ignore[arg-type]

    def _check_students(self, students: Sequence[Any]) -> None:
        if self._everybody:
            return
        for student in students:
            if not self.reaches(UUID(bytes=student) if isinstance(student, bytes) else student):
                raise Undecided("this student was not found through a rule")

    def index(self, name: str, text: str) -> bytes:
        """The keyed hash under which a number, name or phone is found."""
        return self._vault.index(name, text)

    def digest(self, purpose: str, raw: bytes) -> bytes:
        return self._vault.digest(purpose, raw)

    # --- the log --------------------------------------------------------------------

    def about(self, row_id: UUID) -> None:
        """Name the thing this access is about, where no root was found (a list of one batch)."""
        self._object_id = row_id

    def record(self, happened: events.Event) -> None:
        """The last line of an act: what happened, for the log and for whoever listens."""
        self._book.events.append(happened)
        if not happened.quiet:
            self._book.records.append(
                self._record(
                    happened.act(), "done",
                    object_id=happened.object_id, subjects=happened.student_ids, count=happened.count,
                )
            )
        events.tell(self, happened)

    def entries(self, outcome: str) -> list[Record]:
        """What this access itself leaves in the log: that it read or acted, on whom, opening what."""
        touched = self._subjects or self._fields or self._object_id
        if not touched and (self.actor.is_service or self._book.accesses[0] is not self):
            return []
        if self.permission is Permission.OWN_WORKPLACE:
            return []
        return [
            self._record(
                self.permission.value, outcome, object_id=self._object_id,
                subjects=tuple(self._subjects), fields=tuple(sorted(self._fields)), count=self._count,
            )
        ]

    def _record(
        self,
        act: str,
        outcome: str,
        *,
        object_id: UUID | None = None,
        subjects: tuple[UUID, ...] = (),
        fields: tuple[str, ...] = (),
        count: int | None = None,
    ) -> Record:
        return Record(
            actor_id=self.actor.id, role=self.actor.role.value, session_id=self.actor.session_id,
            act=act, permission=self.permission.value, purpose=self.purpose.value,
            basis=BASIS[self.purpose], outcome=outcome, request_id=self._book.request_id,
            object_id=object_id, subjects=subjects, fields=fields, count=count,
        )

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A savepoint: a ``Refusal`` inside leaves nothing behind, neither rows nor record."""
        records, happened = len(self._book.records), len(self._book.events)
        try:
            with self.session.begin_nested():
                yield
                self.session.flush()
        except Refusal:
            del self._book.records[records:]
            del self._book.events[happened:]
            raise


def within_reach(session: Session) -> None:
    """Before anything is written: every row about a student belongs to one whom a rule reached."""
    accesses: list[Access] = session.info.get("accesses", [])
    for row in [*session.new, *session.dirty]:
        student_id = row.id if isinstance(row, Student) else getattr(row, "student_id", None)
        if student_id is None or isinstance(row, Student) and row in session.new:
            continue
        if not any(access.reaches(student_id) for access in accesses):
            raise Undecided(f"{type(row).__name__}: this student was not found through a rule")


@event.listens_for(Session, "before_flush")
def _guard(session: Session, _context: Any, _instances: Any) -> None:
    if "accesses" in session.info:
        within_reach(session)


