"""The file of one student: who he is, where he stands, and everything that happened, by the reader's projection.

The rooms above bring their parts as panels; ``app/wiring.py`` lists them.
Each panel makes its own decision (``access.under``), so that a reader sees
what his role may see and not one line more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.security.access import Access
from app.students.search import numbers_of
from models.identity import ClassGroup, College
from models.risk import Level
from models.student import Student


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing on the timeline."""

    at: datetime
    kind: str
    """A word of ``config/words.toml`` under ``timeline``: it names the icon and the heading."""
    title: str
    lines: tuple[str, ...] = ()
    author: str = ""
    level: Level | None = None
    link: str | None = None
    acts: tuple[tuple[str, str], ...] = ()
    """What can be done about it: words and address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a student stands now: level with its basis, who keeps him, what is due."""

    level: Level | None = None
    basis: str = ""
    owner: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A button on the file."""

    label: str
    url: str
    icon: str
    primary: bool = False
    danger: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A student as pages show him. Names and numbers are opened; templates mask them."""

    id: UUID
    name: str
    phone: str
    number: str
    college: str
    class_name: str
    status: str
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A card on the file that is more than lines of a timeline: its template, and what that draws."""

    template: str
    held: Any


Panel = Callable[[Access, UUID], Iterable[Entry]]
panels: list[Panel] = []
standings: list[Callable[[Access, UUID], Standing | None]] = []
actions: list[Callable[[Access, UUID], Iterable[Action]]] = []
sections: list[Callable[[Access, UUID], Iterable[Section]]] = []


def card(access: Access, student_id: UUID, *, details: bool = False) -> Card:
    """Open who a student is. The student must have been found through a rule."""
    row: Any = access.session.execute(
        select(
            Student.id.label("student_id"),
            Student.name,
            Student.phone,
            Student.details,
            Student.status,
            College.name.label("college"),
            ClassGroup.name.label("class_name"),
        )
        .join(College, College.id == Student.college_id)
        .join(ClassGroup, ClassGroup.id == Student.class_id)
        .where(Student.id == student_id)
    ).one()
    return Card(
        id=student_id,
        name=access.open(row, Student.name),
        phone=access.open(row, Student.phone),
        number=numbers_of(access, [student_id]).get(student_id, ""),
        college=row.college,
        class_name=row.class_name,
        status=row.status,
        details=(access.open_json(row, Student.details) or {}) if details else {},
    )


def timeline(access: Access, student_id: UUID) -> list[Entry]:
    """Everything the reader may know, newest first."""
    entries = [entry for panel in panels for entry in panel(access, student_id)]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def standing(access: Access, student_id: UUID) -> Standing:
    """The first room that knows where the student stands says so; else he is not assessed."""
    for ask in standings:
        found = ask(access, student_id)
        if found is not None:
            return found
    return Standing()


def cards(access: Access, student_id: UUID) -> list[Section]:
    return [section for offer in sections for section in offer(access, student_id)]


def buttons(access: Access, student_id: UUID) -> list[Action]:
    return [action for offer in actions for action in offer(access, student_id)]
