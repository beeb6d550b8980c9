"""The one page that joins the rooms: who hears what, which panels make a file, what stands on the left.

Rooms import only what is below them. Whatever must go upward is written here.
"""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from app import events, menu
from app.admin import approval, housekeeping, rules_change
from app.admin.routes import admin
from app.audit.routes import audit
from app.cases import care, closure, panel
from app.cases.alert_routes import alerts
from app.cases.care_talk import TalkRecorded
from app.cases.case_routes import casework
from app.cases.routes import cases
from app.help.routes import help_pages
from app.identity import drafts, staff_import
from app.identity.routes import identity
from app.identity.signed_in import use_sessions
from app.identity.staff_routes import staff_desk
from app.intake import batch, desk
from app.intake.file_events import FileCommitted, FilePreviewed, FileRefused, FileStale, FileWithdrawn
from app.jobs.queue import Kind
from app.jobs.timetable import Timetable
from app.jobs.worker import Worker
from app.notices import post
from app.notices.routes import notices
from app.risk import dropped, ground, interview, judge, ladder, objection_panel, reattributed, rescored, stated, undone
from app.risk.hint_routes import hints
from app.risk.interview_routes import risk
from app.risk.model import data_use, life, objection, ordering, overdue, rescoring, training_job, trend, watched
from app.risk.model.data_use import DataUseSwitchedOff
from app.risk.model.data_use_routes import data_use_room
from app.risk.model.life import ModelActivated, ModelRetired, ShadowStarted
from app.risk.model.model_routes import models as model_room
from app.risk.model.scoring import RoundScored
from app.risk.objection_routes import objections
from app.screening import panel as screening_panel
from app.screening import retest
from app.screening.corrections import rejected_book, rescore, rollback
from app.screening.corrections.correction_routes import corrections
from app.screening.corrections.reattribution import SheetsReattributed
from app.screening.corrections.rescore import SheetsRescored
from app.screening.corrections.rollback import BatchRolledBack
from app.screening.desk.routes import screening
from app.screening.importing import prepare as screening_import
from app.screening.importing import unseen
from app.screening.importing.prepare import ScreeningCommitted, SheetsVoided
from app.screening.retest_routes import retests
from app.screening.rounds.consent_routes import consents
from app.screening.rounds.participation_routes import participation
from app.screening.rounds.round import RoundChanged
from app.screening.sources import answer_sheets, arrival, inbox, source_clock, trial
from app.screening.sources.push_routes import receive_push
from app.screening.sources.source_routes import sources
from app.screening.structured import StructuredInterviewHeld
from app.screening.structured_routes import structured_room
from app.screening.tables import sheets
from app.security.access import Access
from app.security.actor import WORKER
from app.security.door import Door
from app.security.policy import Permission, Purpose
from app.students import class_posts, record, renumber, roster
from app.students.class_posts import ClassPostsChanged
from app.students.roster import RosterCommitted, StudentsMoved
from app.students.routes import roster as roster_room
from app.students.routes import students
from app.web import arguments, errors, feature, frame, headers, navigation

ROOMS = (
    frame.vendor,
    desk.shared,
    identity,
    drafts.drafts,
    staff_desk,
    notices,
    audit,
    admin,
    students,
    roster_room,
    screening,
    retests,
    structured_room,
    participation,
    consents,
    corrections,
    sources,
    risk,
    hints,
    objections,
    model_room,
    data_use_room,
    cases,
    alerts,
    casework,
    help_pages,
)

# --- who hears what -----------------------------------------------------------------------


def wire_events() -> None:
    """In the transaction of the act. Nothing listens after the commit yet: every consequence is a row."""
    events.listen(SheetsVoided, ground.void_signals, dropped.drop_voided)
    events.listen(ScreeningCommitted, dropped.list_what_is_left)
    events.listen(BatchRolledBack, undone.undo)
    events.listen(SheetsReattributed, reattributed.follow)
    events.listen(SheetsRescored, rescored.follow)
    events.listen(
        StudentsMoved,
        ground.follow_moved_students,
        interview.follow_moved_students,
        care.follow_moved_students,
        retest.follow_moved_students,
    )
    events.listen(RosterCommitted, retest.end_of_students_who_left)
    events.listen(StructuredInterviewHeld, stated.raise_stated)
    events.listen(ClassPostsChanged, ground.follow_new_posts)
    events.listen(RoundChanged, interview.follow_new_deadline)
    events.listen(
        approval.ApprovalDecided,
        rules_change.apply_decided,
        closure.apply_decided,
        care.apply_lowering,
        data_use.apply_decided,
        life.apply_decided,
    )
    events.listen(FileCommitted, arrival.follow_committed, unseen.follow_committed)
    events.listen(FileWithdrawn, arrival.follow_withdrawn, unseen.follow_put_aside)
    events.listen(FileRefused, arrival.follow_refused, unseen.follow_put_aside)
    events.listen(FileStale, arrival.follow_stale)
    _wire_scoring()
    _wire_model_life()
    events.listen(FilePreviewed, trial.follow_previewed, unseen.follow_previewed)
    sheets.find_with(judge.judge)
    rollback.count_with(undone.count)
    rescore.judge_with(rescored.count)


def _wire_scoring() -> None:
    """Facts that the model looks at have arrived or gone: their round is scored again, after everything else."""
    events.listen(ScreeningCommitted, rescoring.follow_delivery)
    events.listen(BatchRolledBack, rescoring.follow_delivery)
    events.listen(SheetsReattributed, rescoring.follow_corrected)
    events.listen(SheetsRescored, rescoring.follow_corrected)
    events.listen(StructuredInterviewHeld, rescoring.follow_students)
    events.listen(TalkRecorded, rescoring.follow_students)
    events.listen(objection.ObjectionRaised, rescoring.follow_students)
    events.listen(objection.ObjectionDecided, rescoring.follow_students)
    events.listen(RoundScored, ordering.follow)


def _wire_model_life() -> None:
    """Another edition is used or watched, or data may no longer be: rounds are scored again, or it learns anew."""
    events.listen(ShadowStarted, rescoring.follow_everything)
    events.listen(ModelActivated, rescoring.follow_everything)
    events.listen(ModelRetired, rescoring.follow_everything)
    events.listen(DataUseSwitchedOff, life.follow_switched_off, rescoring.follow_everything)
    events.listen(RoundScored, watched.follow_scored)


# --- which panels make a file ----------------------------------------------------------------


def wire_panels() -> None:
    record.panels[:] = [
        panel.alerts,
        panel.interviews,
        panel.talks,
        panel.cases,
        panel.advice,
        screening_panel.entries,
        screening_panel.interviews_held,
    ]
    record.sections[:] = [trend.section, screening_panel.changes]
    record.standings[:] = [panel.standing]
    record.actions[:] = [panel.actions, screening_panel.actions, objection_panel.actions]


# --- jobs and their times -----------------------------------------------------------------------


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


def worker(door: Door) -> Worker:
    """A worker of this installation."""
    wire_events()
    return Worker(door, job_kinds(), TIMETABLE)


# --- the application ---------------------------------------------------------------------------


def create_app(door: Door) -> Flask:
    """The web application of one installation."""
    app = Flask("app.web", static_folder="static", template_folder="templates")
    app.request_class = headers.InMemoryRequest
    app.secret_key = door.instance_keys.cookie
    app.config.update(
        MAX_CONTENT_LENGTH=door.settings.upload_limit,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=door.settings.secure_cookies,
        SESSION_COOKIE_NAME="xinyu",
        WTF_I18N_ENABLED=False,
        WTF_CSRF_TIME_LIMIT=None,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
    )
    if door.settings.trusted_proxies:
        hops = door.settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.extensions["door"] = door
    app.logger.disabled = True
    wire_events()
    wire_panels()
    navigation.items[:] = menu.NAVIGATION
    navigation.bell[:] = [post.unread]
    use_sessions(app, door)
    CSRFProtect(app).exempt(receive_push)
    feature.refuse_undeclared(app)
    arguments.refuse_zero_bytes(app)
    headers.send_headers(app, secure=door.settings.secure_cookies)
    errors.handle_errors(app)
    frame.dress(app)
    for room in ROOMS:
        app.register_blueprint(room)
    return app
