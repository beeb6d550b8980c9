"""What a model is asked with: the gathered facts in its own columns, in its own order.

A column that may no longer be gathered (its entry in the data-use register is
off, or it is no longer declared) is not known: it has no effect until a model
without it takes over. A model that learned from few outcomes also leans on the
rules' order; that order is known since the newest fact it can rest on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from app.risk.gathering import data_use
from app.risk.gathering.gather import declared, gather
from app.security.access import Access
from ml.features import MOMENT, FeatureTable
from ml.model import RULES, Model
from models.interview import EntryOrigin, InterviewEntry, InterviewStage
from models.risk import Alert


def gathered(
    access: Access, round_id: UUID, students: Sequence[bytes], models: Sequence[Model], *, at: datetime
) -> FeatureTable:
    """One table for all these models: every column one of them knows and that may be gathered."""
    wanted = {feature.key for model in models for feature in model.features}
    keys = [entry.key for entry in declared() if entry.key in wanted]
    ids = [UUID(bytes=student) for student in students]
    table = gather(access, ids, at=at, domains=data_use.in_force(access.session), only=keys).table
    if RULES.key in wanted:
        table = with_rules(table, rules_of(access, round_id, ids))
    return table


def rules_of(access: Access, round_id: UUID, students: Sequence[UUID]) -> NDArray[np.float64]:
    """How far the rules found each above their thresholds in this round; 0 for whom they found nothing.

    Whoever has an open alert has no place on the list because he stands above it: that is not a low place.
    """
    rows = access.session.execute(
        select(InterviewEntry.student_id, InterviewEntry.weight).where(
            InterviewEntry.round_id == round_id,
            InterviewEntry.stage != InterviewStage.VOID,
            InterviewEntry.origin == EntryOrigin.RULES,
        )
    )
    weights = {student_id: weight for student_id, weight in rows}
    above = set(access.session.scalars(select(Alert.student_id).where(Alert.ended_at.is_(None))))
    without = dict.fromkeys(above - weights.keys(), np.nan)
    return np.array([float(weights.get(student, without.get(student, 0.0))) for student in students])


def with_rules(table: FeatureTable, rules: NDArray[np.float64]) -> FeatureTable:
    """The rules' order as one more column, known with the newest fact of its row."""
    known = table.known_at.view(np.int64)
    newest = known.max(axis=1, initial=np.iinfo(np.int64).min, where=~np.isnan(table.values))
    rules = np.where(np.isnan(table.values).all(axis=1), np.nan, rules)
    return table.joined(RULES, rules, newest.view(MOMENT))


def table_for(table: FeatureTable, model: Model) -> FeatureTable:
    """The columns of one model in its order; those that are missing are not known."""
    for feature in model.features:
        if feature.key not in table.keys:
            table = table.joined(feature, np.full(len(table), np.nan))
    return table.only([feature.key for feature in model.features])
