"""What the worker does: every kind of job, by which right it enters, and when it is due by itself."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

from app.admin import housekeeping
from app.identity import drafts, staff_import
from app.intake import batch
from app.jobs.queue import Kind
from app.jobs.timetable import Timetable
from app.risk import ladder
from app.risk.editions import overdue, training_job, watched
from app.risk.hints import objection
from app.risk.scores import rescoring
from app.screening import retest
from app.screening.corrections import rejected_book
from app.screening.importing import prepare as screening_import
from app.screening.importing import unseen
from app.screening.sources import answer_sheets, arrival, inbox, source_clock, trial
from app.security.access import Access
from app.security.actor import WORKER
from app.security.policy import Permission, Purpose
from app.students import class_posts, renumber, roster


def job_kinds() -> dict[str, Kind]:
    """Every kind of job, by name."""
    kinds = [
        kind
        for importer in (
            roster.IMPORTER,
            class_posts.IMPORTER,
            renumber.IMPORTER,
            staff_import.IMPORTER,
            screening_import.IMPORTER,
        )
        for kind in batch.kinds(importer)
    ]
    kinds += [
        Kind(name="ladder", permission=Permission.CLOCKS_RUN, purpose=Purpose.CARE, run=ladder.climb),
        Kind(name="retests", permission=Permission.CLOCKS_RUN, purpose=Purpose.CARE, run=retest.chase),
        Kind(name="objections", permission=Permission.CLOCKS_RUN, purpose=Purpose.CARE, run=objection.chase),
        Kind(
            name="log_head",
            permission=Permission.MAINTENANCE,
            purpose=Purpose.ADMINISTRATION,
            prepare=lambda door, _beat: housekeeping.take_head(door),
            run=_nothing_more,
        ),
        Kind(name="clear_away", permission=Permission.MAINTENANCE, purpose=Purpose.ADMINISTRATION, run=_clear_away),
    ]
    kinds += _source_kinds()
    kinds += _scoring_kinds()
    return {kind.name: kind for kind in kinds}


def _source_kinds() -> list[Kind]:
    """Looking at folders, putting pushed sheets together, looking into what arrived, and their clocks."""
    receiving: dict[str, Any] = {"permission": Permission.SOURCE_RECEIVE, "purpose": Purpose.CARE, "run": _nothing_more}
    return [
        Kind(name="source.look", prepare=lambda door, beat: inbox.look(door, WORKER, beat), **receiving),
        Kind(name="source.collect", prepare=lambda door, _beat: answer_sheets.collect(door, WORKER), **receiving),
        Kind(
            name=arrival.PREVIEW,
            permission=Permission.SCREENING_IMPORT,
            purpose=Purpose.CARE,
            prepare=trial.look,
            run=trial.settle,
            gave_up=trial.gave_up,
        ),
        Kind(name="source.clock", permission=Permission.CLOCKS_RUN, purpose=Purpose.CARE, run=source_clock.ring),
        Kind(name="screening.unseen", permission=Permission.CLOCKS_RUN, purpose=Purpose.CARE, run=unseen.ring),
    ]


def _scoring_kinds() -> list[Kind]:
    """The model scores a round after facts arrived, and every round by night."""
    scoring: dict[str, Any] = {"permission": Permission.RISK_SCORE, "purpose": Purpose.CARE}
    return [
        Kind(
            name=rescoring.SCORE,
            prepare=rescoring.prepare,
            run=rescoring.write,
            gave_up=rescoring.gave_up,
            **scoring,
        ),
        Kind(name=rescoring.NIGHTLY, prepare=rescoring.look, run=rescoring.nightly, **scoring),
        training_job.KIND,
        watched.KIND,
        overdue.KIND,
    ]


def _nothing_more(_access: Access, *, prepared: object) -> None:
    """The work of this job was its preparation."""


def _clear_away(access: Access) -> None:
    housekeeping.clear_away(access)
    rejected_book.clear_away(access)
    drafts.clear_away(access)
    answer_sheets.clear_away(access)


TIMETABLE = (
    Timetable("ladder", timedelta(minutes=1)),
    Timetable("retests", timedelta(hours=1)),
    Timetable("objections", timedelta(days=1)),
    Timetable("log_head", timedelta(minutes=1)),
    Timetable("clear_away", timedelta(days=1)),
    Timetable("source.look", timedelta(minutes=1)),
    Timetable("source.collect", timedelta(minutes=1)),
    Timetable("source.clock", timedelta(minutes=1)),
    Timetable("screening.unseen", timedelta(minutes=1)),
    Timetable(overdue.JOB, timedelta(days=1)),
    Timetable(watched.JOB, timedelta(days=1), at=time(3, 30)),
    Timetable(rescoring.NIGHTLY, timedelta(days=1), at=time(2, 30)),
)
