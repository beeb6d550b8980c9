"""The one page that joins the rooms: who hears what, which panels make a file, what stands on the left.

Rooms import only what is below them. Whatever must go upward is written here.
"""

from __future__ import annotations

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from app import clocks, events, menu
from app.admin import approval, rules_change
from app.admin.routes import admin
from app.audit.routes import audit
from app.cases import care, closure, panel
from app.cases.alert_routes import alerts
from app.cases.care_talk import TalkRecorded
from app.cases.case_routes import casework
from app.cases.routes import cases
from app.help.routes import help_pages
from app.identity import drafts
from app.identity.routes import identity
from app.identity.signed_in import use_sessions
from app.identity.staff_routes import staff_desk
from app.intake import desk
from app.intake.file_events import FileCommitted, FilePreviewed, FileRefused, FileStale, FileWithdrawn
from app.jobs.worker import Worker
from app.notices import post
from app.notices.routes import notices
from app.risk import dropped, ground, interview, judge, reattributed, rescored, stated, undone
from app.risk.editions import life, training_job, watched
from app.risk.editions.life import ModelActivated, ModelRetired, ShadowStarted
from app.risk.editions.model_routes import models as model_room
from app.risk.gathering import data_use
from app.risk.gathering.data_use import DataUseSwitchedOff
from app.risk.gathering.data_use_routes import data_use_room
from app.risk.hints import objection, objection_panel, ordering
from app.risk.hints.hint_routes import hints
from app.risk.hints.objection_routes import objections
from app.risk.interview_routes import risk
from app.risk.scores import rescoring, trend
from app.risk.scores.scoring import RoundScored
from app.screening import panel as screening_panel
from app.screening import retest
from app.screening.corrections import rescore, rollback
from app.screening.corrections.correction_routes import corrections
from app.screening.corrections.reattribution import SheetsReattributed
from app.screening.corrections.rescore import SheetsRescored
from app.screening.corrections.rollback import BatchRolledBack
from app.screening.desk.routes import screening
from app.screening.importing import unseen
from app.screening.importing.prepare import ScreeningCommitted, SheetsVoided
from app.screening.retest_routes import retests
from app.screening.rounds.consent_routes import consents
from app.screening.rounds.participation_routes import participation
from app.screening.rounds.round import RoundChanged
from app.screening.sources import arrival, trial
from app.screening.sources.push_routes import receive_push
from app.screening.sources.source_routes import sources
from app.screening.structured import StructuredInterviewHeld
from app.screening.structured_routes import structured_room
from app.screening.tables import sheets
from app.security.door import Door
from app.students import record
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
    events.listen(DataUseSwitchedOff, training_job.follow_switched_off, rescoring.follow_everything)
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


# --- the worker and the application ---------------------------------------------------------------------------


def worker(door: Door) -> Worker:
    """A worker of this installation."""
    wire_events()
    return Worker(door, clocks.job_kinds(), clocks.TIMETABLE)


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
