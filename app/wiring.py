"""The one page that joins the rooms: who hears what, which panels make a file, what stands on the left.

Rooms import only what is below them. Whatever must go upward is written here.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from app import events
from app.admin import approval, housekeeping, rules_change
from app.admin.routes import admin
from app.audit.routes import audit
from app.cases import care, closure, panel, worklist
from app.cases.alert_routes import alerts
from app.cases.case_routes import casework
from app.cases.routes import cases
from app.help.routes import help_pages
from app.identity import drafts, staff_import
from app.identity.routes import identity
from app.identity.signed_in import use_sessions
from app.identity.staff_routes import staff_desk
from app.intake import batch, desk
from app.jobs.queue import Kind
from app.jobs.timetable import Timetable
from app.jobs.worker import Worker
from app.notices import post
from app.notices.routes import notices
from app.risk import alert, interview, judge, ladder
from app.risk.routes import risk
from app.screening import panel as screening_panel
from app.screening import prepare as screening_import
from app.screening import sheets
from app.screening.prepare import SheetsVoided
from app.screening.routes import screening
from app.security.access import Access
from app.security.door import Door
from app.security.policy import Permission, Purpose
from app.students import class_posts, record, roster
from app.students.class_posts import ClassPostsChanged
from app.students.roster import StudentsMoved
from app.students.routes import roster as roster_room
from app.students.routes import students
from app.web import errors, feature, frame, headers, navigation
from models.approval import Approval, ApprovalStage
from models.identity import Role

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
    risk,
    cases,
    alerts,
    casework,
    help_pages,
)

# --- who hears what -----------------------------------------------------------------------


def wire_events() -> None:
    """In the transaction of the act. Nothing listens after the commit yet: every consequence is a row."""
    events.listen(SheetsVoided, alert.void_signals, interview.drop_voided)
    events.listen(StudentsMoved, alert.follow_moved_students)
    events.listen(ClassPostsChanged, alert.follow_new_posts)
    events.listen(approval.ApprovalDecided, rules_change.apply_decided, closure.apply_decided, care.apply_lowering)
    sheets.find_with(judge.judge)


# --- which panels make a file ----------------------------------------------------------------


def wire_panels() -> None:
    record.panels[:] = [
        panel.alerts,
        panel.interviews,
        panel.talks,
        panel.cases,
        panel.advice,
        screening_panel.entries,
    ]
    record.standings[:] = [panel.standing]
    record.actions[:] = [panel.actions]


# --- jobs and their times -----------------------------------------------------------------------


def job_kinds() -> dict[str, Kind]:
    """Every kind of job, by name."""
    kinds = [
        kind
        for importer in (roster.IMPORTER, class_posts.IMPORTER, staff_import.IMPORTER, screening_import.IMPORTER)
        for kind in batch.kinds(importer)
    ]
    kinds += [
        Kind(name="ladder", permission=Permission.CLOCKS_RUN, purpose=Purpose.CARE, run=ladder.climb),
        Kind(
            name="log_head",
            permission=Permission.MAINTENANCE,
            purpose=Purpose.ADMINISTRATION,
            prepare=lambda door, _beat: housekeeping.take_head(door),
            run=_nothing_more,
        ),
        Kind(name="clear_away", permission=Permission.MAINTENANCE, purpose=Purpose.ADMINISTRATION, run=_clear_away),
    ]
    return {kind.name: kind for kind in kinds}


def _nothing_more(_access: Access, *, prepared: object) -> None:
    """The work of this job was its preparation."""


def _clear_away(access: Access) -> None:
    housekeeping.clear_away(access)
    drafts.clear_away(access)


TIMETABLE = (
    Timetable("ladder", timedelta(minutes=1)),
    Timetable("log_head", timedelta(minutes=1)),
    Timetable("clear_away", timedelta(days=1)),
)


def worker(door: Door) -> Worker:
    """A worker of this installation."""
    wire_events()
    return Worker(door, job_kinds(), TIMETABLE)


# --- the navigation -------------------------------------------------------------------------


def _approvals_waiting(access: Access) -> int:
    deciding = access.under(Permission.APPROVE, Purpose.ADMINISTRATION)
    return deciding.count(Approval, Approval.stage == ApprovalStage.WAITING, most=100)


def _interviews_of_mine(access: Access) -> int:
    return worklist.open_interviews(access.under(Permission.INTERVIEW_WORK), mine=True)


NAVIGATION = (
    navigation.Item(
        label="我的待办",
        endpoint="cases.mine",
        icon="inbox",
        permission=Permission.DUTY_WORK,
        badge=worklist.open_items_of_mine,
        family=("cases.show_duty", "cases.record_contact"),
    ),
    navigation.Item(
        label="预警", endpoint="alerts.index", icon="bell", permission=Permission.ALERT_TRIAGE, family=("alerts.",)
    ),
    navigation.Item(
        label="约谈名单",
        endpoint="risk.interview_list",
        icon="chat-square-text",
        permission=Permission.INTERVIEW_WORK,
        badge=_interviews_of_mine,
        family=("risk.interview", "risk.hand_over_interview"),
    ),
    navigation.Item(
        label="个案",
        endpoint="casework.index",
        icon="folder2-open",
        permission=Permission.CASE_READ,
        family=("casework.",),
    ),
    navigation.Item(
        label="时限与进展",
        endpoint="cases.lead_overview",
        icon="clock-history",
        permission=Permission.LEAD_OVERVIEW,
        family=("cases.assign",),
    ),
    navigation.Item(
        label="我的学生",
        endpoint="cases.my_classes",
        icon="people",
        permission=Permission.STUDENT_SEARCH,
        roles=frozenset({Role.ADVISOR, Role.CLASS_TEACHER, Role.COLLEGE_LEAD}),
    ),
    navigation.Item(
        label="学生查找",
        endpoint="students.find",
        icon="search",
        permission=Permission.STUDENT_SEARCH,
        family=("students.",),
    ),
    navigation.Item(
        label="普查批次",
        endpoint="screening.rounds",
        icon="clipboard2-pulse",
        permission=Permission.ROUND_MANAGE,
        family=("screening.",),
    ),
    navigation.Item(
        label="待核实提示",
        endpoint="risk.unplaced_list",
        icon="question-diamond",
        permission=Permission.UNPLACED_WORK,
        family=("risk.place", "risk.dismiss"),
    ),
    navigation.Item(
        label="审批",
        endpoint="admin.approvals",
        icon="pen",
        permission=Permission.APPROVE,
        purpose=Purpose.ADMINISTRATION,
        badge=_approvals_waiting,
        family=("admin.approval",),
    ),
    navigation.Item(
        label="规则与时限",
        endpoint="admin.rules",
        icon="sliders",
        permission=Permission.RULES_READ,
        purpose=Purpose.ADMINISTRATION,
        family=("admin.change_rule",),
    ),
    navigation.Item(
        label="名册导入",
        endpoint="roster.desk",
        icon="file-earmark-arrow-up",
        permission=Permission.ROSTER_IMPORT,
        purpose=Purpose.ADMINISTRATION,
        family=("roster.desk",),
    ),
    navigation.Item(
        label="待补资料",
        endpoint="roster.todo",
        icon="list-check",
        permission=Permission.ROSTER_IMPORT,
        purpose=Purpose.ADMINISTRATION,
    ),
    navigation.Item(
        label="账号",
        endpoint="identity.accounts",
        icon="person-badge",
        permission=Permission.ACCOUNTS_MANAGE,
        purpose=Purpose.ADMINISTRATION,
        family=("identity.",),
    ),
    navigation.Item(
        label="教职工导入",
        endpoint="staff.desk",
        icon="file-earmark-arrow-up",
        permission=Permission.STAFF_IMPORT,
        purpose=Purpose.ADMINISTRATION,
        family=("staff.",),
    ),
    navigation.Item(
        label="系统状态",
        endpoint="admin.system",
        icon="hdd-stack",
        permission=Permission.SYSTEM_READ,
        purpose=Purpose.ADMINISTRATION,
    ),
    navigation.Item(
        label="权限一览",
        endpoint="admin.policy_page",
        icon="shield-check",
        permission=Permission.POLICY_READ,
        purpose=Purpose.ADMINISTRATION,
    ),
    navigation.Item(
        label="审计日志",
        endpoint="audit.index",
        icon="journal-text",
        permission=Permission.AUDIT_READ,
        purpose=Purpose.ADMINISTRATION,
    ),
    navigation.Item(
        label="日志校验",
        endpoint="audit.prove",
        icon="patch-check",
        permission=Permission.AUDIT_READ,
        purpose=Purpose.ADMINISTRATION,
    ),
)


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
    navigation.items[:] = NAVIGATION
    navigation.bell[:] = [post.unread]
    use_sessions(app, door)
    CSRFProtect(app)
    feature.refuse_undeclared(app)
    headers.send_headers(app, secure=door.settings.secure_cookies)
    errors.handle_errors(app)
    frame.dress(app)
    for room in ROOMS:
        app.register_blueprint(room)
    return app
