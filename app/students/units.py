"""Colleges and classes as files name them: found by any of their names, made where they are new."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.security.access import Access
from app.security.vault import normal
from app.students.naming import class_text
from models.base import new_id
from models.identity import ClassAlias, ClassGroup, College


class Units:
    """The colleges and classes of the house, with those that one file would add."""

    def __init__(self, session: Session) -> None:
        self._colleges = {
            normal(name): college_id for college_id, name in session.execute(select(College.id, College.name))
        }
        self._classes: dict[tuple[UUID, str], UUID] = {}
        for class_id, college_id, name in session.execute(
            select(ClassGroup.id, ClassGroup.college_id, ClassGroup.name)
        ):
            self._classes[college_id, class_text(name)] = class_id
        for class_id, college_id, alias in session.execute(
            select(ClassAlias.class_id, ClassAlias.college_id, ClassAlias.alias)
        ):
            self._classes.setdefault((college_id, alias), class_id)
        self._new_colleges: dict[UUID, str] = {}
        self.new_classes: dict[UUID, tuple[UUID, str, str]] = {}

    @property
    def new_colleges(self) -> list[str]:
        return sorted(self._new_colleges.values())

    def place(self, college: str, class_name: str, grade: str) -> tuple[UUID, UUID]:
        """The ids of a college and a class, making them up if nobody has named them before."""
        college_id = self._colleges.get(normal(college))
        if college_id is None:
            college_id = self._colleges[normal(college)] = new_id()
            self._new_colleges[college_id] = college
        key = (college_id, class_text(class_name))
        class_id = self._classes.get(key)
        if class_id is None:
            class_id = self._classes[key] = new_id()
            self.new_classes[class_id] = (college_id, class_name, grade)
        return college_id, class_id

    def college(self, name: str) -> UUID | None:
        """The college of this name."""
        return self._colleges.get(normal(name))

    def bearer(self, college_id: UUID, name: str) -> UUID | None:
        """The class of a college that is called so, by name or alias (in ``class_text`` form)."""
        return self._classes.get((college_id, name))

    def call(self, class_id: UUID, college_id: UUID, alias: str) -> None:
        """Let a class bear another name from now on."""
        self._classes[college_id, alias] = class_id

    def find_classes(self, class_name: str, college: str = "") -> list[UUID]:
        """Classes that bear this name or alias, in one college if it is named."""
        wanted, college_id = class_text(class_name), self._colleges.get(normal(college)) if college else None
        found = {
            class_id
            for (owner, name), class_id in self._classes.items()
            if name == wanted and (not college or owner == college_id)
        }
        return sorted(found)

    def write(self, access: Access) -> None:
        """Add what is new."""
        for college_id, name in self._new_colleges.items():
            access.session.add(College(id=college_id, name=name))
        access.session.flush()
        for class_id, (college_id, name, grade) in self.new_classes.items():
            access.session.add(ClassGroup(id=class_id, college_id=college_id, name=name, grade=grade or None))
        access.session.flush()
