"""The only bridge between the house and the mathematics: students and moments in, a table of features out.

Which features there are stands in ``config/features.toml``; where facts come
from, in ``sources``, to which a room above adds its own in ``app/wiring.py``.
Everything is opened to count, under a right over everybody, and the log says
which fields and how many. The table knows people by a keyed digest only.

Two locks against the future: a source that hands over what was not known by
the latest moment asked for, or speaks of a time after it was known, is refused
here; and the table itself refuses a value younger than its row (``LooksAhead``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from app.intake.batch import many_objects
from app.risk.gathering import care_facts, registry_facts, sheet_facts
from app.risk.gathering.cohort import cohorts
from app.risk.gathering.facts import NEVER, Asked, Facts, Moments, Source, Values, WrongFacts, joined, moment64, moments
from app.risk.gathering.features import Declared, declared
from app.risk.gathering.reckon import Rows, reckon
from app.security.access import Access
from ml.features import FeatureTable, LooksAhead
from models.identity import ClassGroup
from models.student import Student

__all__ = ["Gathered", "LooksAhead", "UnknownFeature", "WrongFacts", "declared", "gather", "sources"]

sources: dict[str, Source] = {
    "sheet": sheet_facts.facts,
    "alert": care_facts.alerts,
    "case": care_facts.cases,
    "interview": care_facts.interviews,
    "talk": care_facts.talks,
    "retest": care_facts.retests,
    "registry": registry_facts.facts,
}
"""Where facts come from, by the first word of their kind."""


class UnknownFeature(ValueError):
    """A feature that is not declared (any more), or has no source."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """A table, whose rows it holds, and how many facts were read for it."""

    table: FeatureTable
    students: list[UUID]
    facts_read: int


def gather(
    access: Access,
    students: Sequence[UUID],
    *,
    at: datetime | Sequence[datetime],
    domains: frozenset[str],
    only: Sequence[str] | None = None,
) -> Gathered:
    """One row per student, in order, each as of its moment. A student may have several rows.

    ``domains``: those of the register in force (``data_use.in_force``). A
    feature of another domain is not gathered: without ``only`` it is no column
    at all; ``only``, the features of a model, keeps its column, empty.
    """
    columns = _chosen(only, domains)
    wanted = [entry for entry in columns if _allowed(entry, domains)]
    raw = list(dict.fromkeys(student.bytes for student in students))
    instants = [at] * len(students) if isinstance(at, datetime) else list(at)
    if len(instants) != len(students):
        raise ValueError("one moment per row")
    if not students:
        return Gathered(_table(columns, {}, *_nobody()), [], 0)
    asked = Asked(raw, frozenset(entry.fact for entry in wanted), max(instants))
    rows, grades = _rows(access, asked, students, moments(instants))
    with many_objects():
        facts = _facts(access, asked)
    reckoned = {
        entry.key: reckon(entry.how, facts[entry.fact], rows, window_days=entry.window_days) for entry in wanted
    }
    people = np.array([access.digest("risk person", student)[:16].hex() for student in raw])[rows.places]
    table = _table(columns, reckoned, people, rows.at, cohorts(grades, rows.at))
    return Gathered(table, list(students), sum(len(held) for held in facts.values()))


def _chosen(only: Sequence[str] | None, domains: frozenset[str]) -> list[Declared]:
    if only is None:
        return [entry for entry in declared() if _allowed(entry, domains)]
    by_key = {entry.key: entry for entry in declared()}
    missing = [key for key in only if key not in by_key]
    if missing:
        raise UnknownFeature(f"not declared: {', '.join(missing)}")
    return [by_key[key] for key in only]


def _allowed(entry: Declared, domains: frozenset[str]) -> bool:
    return not entry.data_use or entry.data_use in domains


def _rows(access: Access, asked: Asked, students: Sequence[UUID], at: Moments) -> tuple[Rows, NDArray[np.str_]]:
    """Whose and as of when; and the grade of each row's class."""
    query = select(Student.id, Student.added_at, ClassGroup.grade).join(ClassGroup, ClassGroup.id == Student.class_id)
    places, (added, grade) = asked.columns(access.session, query, width=2)
    since, grades = np.full(len(asked.students), NEVER), np.full(len(asked.students), "", dtype="U16")
    since[places], grades[places] = moments(added), [text or "" for text in grade]
    own = np.array([asked.places[student.bytes] for student in students], dtype=np.int64)
    return Rows(own, at, since[own]), grades[own]


def _facts(access: Access, asked: Asked) -> dict[str, Facts]:
    """Every kind asked for, from its source, looked at before it is used."""
    parts: dict[str, list[Facts]] = {kind: [] for kind in asked.kinds}
    for name in sorted({kind.split(".", 1)[0] for kind in asked.kinds}):
        if name not in sources:
            raise UnknownFeature(f"no source for {name}")
        for found in sources[name](access, asked):
            if found.kind in parts:
                _refuse_wrong(found, asked)
                parts[found.kind].append(found)
    return {kind: joined(kind, held) for kind, held in parts.items()}


def _refuse_wrong(facts: Facts, asked: Asked) -> None:
    """Refuse what no honest source hands over. Says which kind, never a value or a person."""
    if len(facts) and not (facts.places.min() >= 0 and facts.places.max() < len(asked.students)):
        raise WrongFacts(f"{facts.kind}: a student nobody asked for")
    if np.isinf(facts.values).any():
        raise WrongFacts(f"{facts.kind}: a value that is no number")
    if np.isnat(facts.known_at).any():
        raise WrongFacts(f"{facts.kind}: a fact without the moment it became known")
    if (facts.known_at > moment64(asked.until)).any():
        raise LooksAhead(f"{facts.kind}: a fact that was not known yet at the latest moment asked for")
    if facts.of_time is not None and (np.isnat(facts.of_time) | (facts.of_time > facts.known_at)).any():
        raise LooksAhead(f"{facts.kind}: a fact that was known before its time")


def _nobody() -> tuple[NDArray[np.str_], Moments, NDArray[np.str_]]:
    return np.empty(0, "U32"), moments([]), np.empty(0, "U16")


def _table(
    columns: Sequence[Declared],
    reckoned: Mapping[str, tuple[Values, Moments]],
    people: NDArray[np.str_],
    at: Moments,
    of_cohort: NDArray[np.str_],
) -> FeatureTable:
    size = (len(people), len(columns))
    values, known_at = np.full(size, np.nan), np.full(size, NEVER)
    for column, entry in enumerate(columns):
        if entry.key in reckoned:
            values[:, column], known_at[:, column] = reckoned[entry.key]
    return FeatureTable(tuple(entry.feature for entry in columns), people, at, of_cohort, values, known_at)
