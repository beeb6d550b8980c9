"""Imports every table, so that whoever needs the whole schema (migrations, backups, tests) has it."""

from __future__ import annotations

from models import (
    approval,
    audit,
    case,
    correction,
    identity,
    intake,
    interview,
    job,
    keys,
    model_life,
    notice,
    participation,
    risk,
    risk_model,
    screening,
    source,
    student,
)
from models.base import Base

METADATA = Base.metadata
MODULES = (
    approval,
    audit,
    case,
    correction,
    identity,
    intake,
    interview,
    job,
    keys,
    model_life,
    notice,
    participation,
    risk,
    risk_model,
    screening,
    source,
    student,
)
