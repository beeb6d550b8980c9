"""Neutral groups of students, from–to: by them a round chooses whom it asks (``config/tags.toml``).

A tag says where somebody stands in the college, never how he is. There is no
page on which a person could be given one: they come with the roster, in the
words of ``config/tags.toml`` and no others.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select, update
from sqlalchemy.orm import Session

from app.security.access import Access
from app.security.vault import normal
from config import catalogue
from models.base import new_ids
from models.bulk import Same, fetch_many
from models.moment import today
from models.student import Student, StudentTag

_BETWEEN = re.compile(r"[、，,;；/|\n]+")
_NO_LONGER = ("不再是", "取消", "-", "－", "−")


@cache
def all_tags() -> dict[str, str]:
    """Every tag there is, with its label, in the order of the file."""
    return {key: held["label"] for key, held in catalogue.table("tags").items()}


@cache
def _words() -> dict[str, str]:
    return {
        normal(word): key for key, held in catalogue.table("tags").items() for word in (held["label"], *held["words"])
    }


def read(cell: str) -> tuple[set[str], set[str], int]:
    """The tags a cell gives, those it takes away (``-新生``), and how many of its words are none."""
    given: set[str] = set()
    taken: set[str] = set()
    unknown = 0
    for word in filter(None, map(str.strip, _BETWEEN.split(cell))):
        mark = next((mark for mark in _NO_LONGER if word.startswith(mark)), "")
        tag = _words().get(normal(word.removeprefix(mark)))
        if tag is None:
            unknown += 1
        else:
            (taken if mark else given).add(tag)
    return given - taken, taken, unknown


def holding(tag: str) -> Select[UUID]:
    """Ids of the students who bear a tag today."""
    day = today()
    return select(StudentTag.student_id).where(
        StudentTag.tag == tag, StudentTag.since <= day, or_(StudentTag.until.is_(None), StudentTag.until > day)
    )


def students_tagged(tag: str) -> ColumnElement[bool]:
    """The students who bear a tag today: a condition on ``Student``, for cohorts."""
    return Student.id.in_(holding(tag))


def held_by_all(session: Session) -> dict[UUID, set[str]]:
    """The open tags of every student who has any."""
    found: dict[UUID, set[str]] = defaultdict(set)
    rows = fetch_many(session, select(StudentTag.student_id, StudentTag.tag).where(StudentTag.until.is_(None)))
    for student_id, tag in rows:
        found[UUID(bytes=student_id)].add(tag)
    return found


def write(access: Access, given: Iterable[tuple[UUID, str]], taken: Iterable[tuple[UUID, str]]) -> None:
    """Begin and end tags today."""
    for student_id, tag in taken:
        access.session.execute(
            update(StudentTag)
            .where(StudentTag.student_id == student_id, StudentTag.tag == tag, StudentTag.until.is_(None))
            .values(until=today())
        )
    pairs = list(given)
    if pairs:
        access.insert_many(
            StudentTag,
            {
                "id": new_ids(len(pairs)),
                "student_id": [student_id.bytes for student_id, _ in pairs],
                "tag": [tag for _, tag in pairs],
                "since": Same(today()),
            },
        )
