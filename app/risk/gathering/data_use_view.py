"""What the pages of 数据使用登记 show: how each domain stands, and every entry there ever was. No data of students."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from app.risk.gathering.features import Declared, Domain, domains, resting_on
from app.security.access import PAGE
from models.approval import Approval, ApprovalStage
from models.risk_model import DataUse, DataUseStage


@dataclass(frozen=True, slots=True)
class Standing:
    """How a domain stands: its entry that waits or holds, if any, and what rests on it."""

    domain: Domain
    entry: Row[Any] | None
    features: tuple[Declared, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to an entry."""

    at: datetime
    what: str
    by: UUID | None
    words: str = ""


def _entries() -> Select[*tuple[Any, ...]]:
    return select(
        DataUse.id, DataUse.domain, DataUse.stage, DataUse.asked_at, DataUse.asked_by, DataUse.since, DataUse.until
    ).order_by(DataUse.asked_at.desc(), DataUse.id.desc())


def standings(session: Session) -> list[Standing]:
    """Every domain, in the order of its file."""
    live = session.execute(_entries().where(DataUse.stage.in_((DataUseStage.ASKED, DataUseStage.IN_FORCE)))).all()
    by_domain = {row.domain: row for row in live}
    return [Standing(domain, by_domain.get(domain.key), resting_on(domain.key)) for domain in domains()]


def history(session: Session, *, offset: int) -> list[Row[Any]]:
    """Every entry, latest first; one more than a page."""
    return list(session.execute(_entries().limit(PAGE + 1).offset(offset)))


def titles(session: Session) -> dict[str, str]:
    """The name of every domain, also of those no longer declared."""
    found = {key: key for key in session.scalars(select(DataUse.domain).distinct())}
    return found | {domain.key: domain.title for domain in domains()}


def waiting(session: Session, row: DataUse) -> Approval | None:
    """The second signature it waits for."""
    asked = session.get(Approval, row.approval_id) if row.approval_id else None
    return asked if asked is not None and asked.stage is ApprovalStage.WAITING else None


def steps(session: Session, row: DataUse) -> list[Step]:
    """What happened to an entry, in order."""
    found = [Step(row.asked_at, "提出申请", row.asked_by)]
    decided = session.get(Approval, row.approval_id) if row.approval_id else None
    if decided is not None and decided.decided_at is not None:
        what = "退回" if row.stage is DataUseStage.DECLINED else "签字，开始使用"
        found.append(Step(decided.decided_at, what, decided.decided_by))
    if row.until is not None:
        found.append(Step(row.until, "停用", row.switched_off_by, row.off_because or ""))
    return found
