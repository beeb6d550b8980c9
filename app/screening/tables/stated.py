"""What a source itself says about a person: a level, indicators that fired, a place on a list (practice §1.2, §1.3).

It becomes a little answer sheet of its own (``config/scales/source_statement.toml``),
so that the same rules, the same floor and the same clocks look at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from app.intake.headers import normal
from app.intake.sheet import Table, text_of
from app.screening.scales.scoring import MISSING, Answers
from app.screening.tables.plan import Plan
from config import catalogue

STATEMENT = "source_statement"
LEVEL, CRITICAL, ON_CRITICAL_LIST, ON_LIST = range(4)
"""Positions of its items."""
SIZE = 4
_NO = frozenset({"", "无", "否", "0", "-", "--", "/", "正常", "未见", "none", "no", "false"})


def level_values(table: Table, plan: Plan) -> list[str]:
    """The words by which the source grades people, in their order of appearance: what a person maps once."""
    if "level" not in plan.columns:
        return []
    place = plan.columns["level"]
    return list(dict.fromkeys(text for row in table.rows if (text := text_of(row[place]))))


def suggested_level(word: str) -> int | None:
    """What a grade probably means, or none where it runs in either direction or is not known."""
    return _levels().get(normal(word))


@cache
def _levels() -> dict[str, int]:
    return {normal(word): level for word, level in catalogue.table("source_words")["levels"].items()}


@cache
def _critical() -> tuple[str, ...]:
    return tuple(normal(word) for word in catalogue.table("source_words")["critical"]["words"])


def unmapped(table: Table, plan: Plan) -> list[str]:
    """Grades of the file that nobody has given a meaning yet."""
    return [word for word in level_values(table, plan) if word not in plan.levels]


def answers_of(table: Table, plan: Plan) -> Answers:
    """The statement about every row, as answers of ``source_statement``.

    Every grade has a meaning by now (``unmapped`` is empty). A person who is on
    no list is unknown, not well, unless the list of those who took part came too.
    """
    answers = np.full((len(table), SIZE), MISSING, dtype=np.int16)
    if "level" in plan.columns:
        answers[:, LEVEL] = [plan.levels.get(text_of(row[plan.columns["level"]]), MISSING) for row in table.rows]
    if "indicators" in plan.columns:
        named = [normal(text_of(row[plan.columns["indicators"]])) for row in table.rows]
        answers[:, CRITICAL] = [int(names_danger(words)) for words in named]
        answers[:, ON_LIST] = [int(words not in _NO) for words in named]
    if plan.listed is not None:
        answers[:, ON_LIST] = int(plan.listed != "participants")
        answers[:, ON_CRITICAL_LIST] = int(plan.listed == "self_harm")
    return answers


def names_danger(words: str) -> bool:
    """Whether a source's indicator is one of suicide, self-harm or psychosis."""
    text = normal(words)
    return text not in _NO and any(word in text for word in _critical())


def merge(answers: Answers, students: Sequence[bytes | None], present: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Join what several rows state about one student into the first of them; returns the rows that were joined away.

    The most serious of two statements holds: nothing a source has said is lost.
    """
    first: dict[bytes, int] = {}
    joined = np.zeros(len(answers), dtype=bool)
    for place in np.flatnonzero(present).tolist():
        student = students[place]
        if student is None:
            continue
        at = first.setdefault(student, place)
        if at != place:
            answers[at] = np.maximum(answers[at], answers[place])
            joined[place] = True
    return joined
