"""Work that is done later, exactly once, by whichever worker is alive."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key, word
from models.moment import Moment


class JobStage(StrEnum):
    """States of a job."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Job(Base):
    """One job: kind and ids only, a lease while it runs, an effect key so that it happens once."""

    __tablename__ = "job"
    __table_args__ = (
        Index(
            "ix_job_due",
            "run_at",
            "id",
            sqlite_where=text("stage IN ('waiting', 'running')"),
            postgresql_where=text("stage IN ('waiting', 'running')"),
        ),
    )

    id: Mapped[Key]
    kind: Mapped[str] = mapped_column(String(40))
    arguments: Mapped[str] = mapped_column(Text)
    """JSON of opaque ids."""
    effect_key: Mapped[str] = mapped_column(String(120), unique=True)
    stage: Mapped[JobStage] = word(JobStage, length=12)
    run_at: Mapped[Moment]
    created_at: Mapped[Moment]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_by: Mapped[str | None] = mapped_column(String(60))
    lease_until: Mapped[Moment | None]
    finished_at: Mapped[Moment | None]
    error: Mapped[str | None] = mapped_column(String(120))
    """Type of the error and a reference number; never its text."""
