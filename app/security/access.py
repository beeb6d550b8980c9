"""A decided right to touch something: the only way to rows, sealed fields and the log.

An ``Access`` is made by the door for one actor, one permission and one
purpose. It finds rows inside the reader's rule, remembers whose they are
(``reach``), opens and seals only within that reach and only fields that the
policy lists, and remembers for the log what it did.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Row, Select, event, func, select, union
from sqlalchemy.orm import Session

from app.security.decision import Book, Denied, NotFound, Undecided
from app.security.opening import Opening
from app.security.policy import ROOTS, Permission, Purpose, conditions
from models.audit import LedgerEntry
from models.base import Base
from models.identity import Staff
from models.refusal import Refusal
from models.student import Student

__all__ = ["PAGE", "Access", "Book", "Denied", "NotFound", "Undecided"]

Model = TypeVar("Model", bound=Base)
LOCKED_AT_ONCE = 500
"""Students named in one statement that locks them."""
PAGE = 50
"""Rows on one page of a list (decisions 31)."""


class Access(Opening):
    """One actor, one permission, one purpose, one transaction."""

    def under(self, permission: Permission, purpose: Purpose = Purpose.CARE) -> Access:
        """A second decision within the same transaction, recorded on its own. Raises ``Denied``."""
        return Access(
            self.actor,
            permission,
            purpose,
            session=self.session,
            vault=self._vault,
            book=self._book,
            writing=self.writing,
        )

    # --- rows -----------------------------------------------------------------------

    def find(self, model: type[Model], row_id: UUID, *, version: int | None = None) -> Model:
        """The one row of the permission's root, inside the rule, locked when writing.

        ``version`` is what the reader's page was built from: a newer row is
        refused with the name of whoever changed it. Whatever is about a student
        is locked behind the student, so that no two acts wait in a ring.
        """
        root = self._root(model)
        if self.writing and hasattr(root, "student_id"):
            self.lock_students(self.session.scalars(select(root.student_id).where(root.id == row_id)))
        for condition in conditions(self._rule, self.actor):
            query = select(root).where(root.id == row_id, condition)
            row = self.session.scalars(query.with_for_update(of=root) if self.writing else query).first()
            if row is not None:
                self._touch(row)
                if version is not None and row.version != version:
                    self.refuse_stale(row_id)
                return row  # type: ignore[no-any-return]
        raise NotFound(model.__name__)

    def lock_students(self, student_ids: Iterable[UUID | None]) -> None:
        """Let nobody else act about these students before the commit; in one order, so that nobody waits in a ring."""
        ordered = sorted({student_id for student_id in student_ids if student_id is not None})
        for start in range(0, len(ordered), LOCKED_AT_ONCE):
            some = ordered[start : start + LOCKED_AT_ONCE]
            self.session.execute(select(Student.id).where(Student.id.in_(some)).order_by(Student.id).with_for_update())

    def page(
        self, statement: Select[*tuple[Any, ...]], *, order: Sequence[str], limit: int = PAGE, offset: int = 0
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
                self._come_upon(student_id)
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

    def _union(self, statement: Select[*tuple[Any, ...]], order: Sequence[str], most: int) -> Any:
        def ordered(columns: Any) -> list[Any]:
            return [columns[name[1:]].desc() if name.startswith("-") else columns[name].asc() for name in order]

        parts = [statement.where(rule) for rule in conditions(self._rule, self.actor)]
        own = ordered(statement.selected_columns)
        if len(parts) == 1:
            return parts[0].order_by(*own)
        together = union(*(select(part.order_by(*own).limit(most).subquery()) for part in parts)).subquery()
        return select(together).order_by(*ordered(together.c))

    def _root(self, model: type[Any]) -> Any:
        if ROOTS.get(self.permission) is not model:
            raise Undecided(f"{self.permission} is not about {model.__name__}")
        return model

    def _touch(self, row: Any) -> None:
        self._object_id = row.id
        student_id = student_of(row)
        if student_id is not None:
            self._come_upon(student_id)

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

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A savepoint: a ``Refusal`` inside leaves nothing behind, neither rows nor record (decisions 2)."""
        records, happened = len(self._book.records), len(self._book.events)
        try:
            with self.session.begin_nested():
                yield
                self.session.flush()
        except Refusal:
            del self._book.records[records:]
            del self._book.events[happened:]
            raise


def student_of(row: Any) -> UUID | None:
    """Whose row it is: the student himself, or the student it names."""
    return row.id if isinstance(row, Student) else getattr(row, "student_id", None)


@event.listens_for(Session, "before_flush")
def _within_reach(session: Session, _context: Any, _instances: Any) -> None:
    """Whatever is written about a student belongs to one whom a rule has reached."""
    if "decisions" not in session.info:
        return
    decisions: list[Access] = session.info["decisions"]
    for row in [*session.new, *session.dirty]:
        student_id = student_of(row)
        if student_id is None or (isinstance(row, Student) and row in session.new):
            continue
        if not any(decision.reaches(student_id) for decision in decisions):
            raise Undecided(f"{type(row).__name__}: this student was not found through a rule")
