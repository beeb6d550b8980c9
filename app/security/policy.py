"""Who may do what, for which purpose, to which rows, opening which fields.

The only statement of it. Read it like a statute:

``POLICY[(permission, purpose)][role]`` is a rule: a SQL condition on the root
of that permission. The same condition filters lists and finds single rows. A
root the rule does not reach is *not found*; a role without a rule is *denied*.

``OPENS[permission]`` lists the sealed fields that may be opened under it. A
field that is not listed does not open, whatever the code around it tries.

A rule may be several conditions (mine by unit, addressed to me): lists take
their union of limited selects, never one OR (decisions 19).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, true
from sqlalchemy.orm import aliased

from app.security.actor import Actor
from models.approval import Approval
from models.audit import LedgerEntry
from models.case import Case, Task
from models.identity import ClassPost, Role, Staff
from models.interview import InterviewEntry
from models.moment import today
from models.participation import Retest
from models.risk import Alert, Duty, DutyHolder, DutyKind, HoldReason, Level
from models.risk_model import DataUse, ModelObjection, RiskModel
from models.screening import ScreeningRound, UnplacedAnswer
from models.source import ScreeningSource
from models.student import Student


class Purpose(StrEnum):
    """Why personal data are touched; part of every decision and of every row in the log."""

    CARE = "care"
    SUPERVISION = "supervision"
    AID = "aid"
    STATISTICS = "statistics"
    ADMINISTRATION = "administration"
    BREAK_GLASS = "break_glass"
    OWN = "own"


BASIS = {
    Purpose.CARE: "duty_of_care",
    Purpose.SUPERVISION: "duty_of_care",
    Purpose.AID: "public_task",
    Purpose.STATISTICS: "public_task",
    Purpose.ADMINISTRATION: "public_task",
    Purpose.BREAK_GLASS: "vital_interest",
    Purpose.OWN: "own_data",
}
"""The legal basis the log states for each purpose (product.md, law 6; domain §C, PIPL art. 13)."""


class Permission(StrEnum):
    """One thing that somebody may do."""

    OWN_WORKPLACE = "own_workplace"
    STUDENT_SEARCH = "student_search"
    STUDENT_READ = "student_read"
    WHO_LOOKED = "who_looked"
    SCREENING_READ = "screening_read"
    SCREENING_IMPORT = "screening_import"
    SCREENING_CORRECT = "screening_correct"
    ROUND_MANAGE = "round_manage"
    ROUND_COVERAGE = "round_coverage"
    SOURCE_MANAGE = "source_manage"
    SOURCE_RECEIVE = "source_receive"
    INTERVIEW_WORK = "interview_work"
    RETEST_WORK = "retest_work"
    STRUCTURED_INTERVIEW = "structured_interview"
    UNPLACED_WORK = "unplaced_work"
    ALERT_TRIAGE = "alert_triage"
    DUTY_WORK = "duty_work"
    DUTY_ASSIGN = "duty_assign"
    LEAD_OVERVIEW = "lead_overview"
    CARE_TALK = "care_talk"
    TALK_READ = "talk_read"
    CASE_OPEN = "case_open"
    CASE_READ = "case_read"
    CASE_WORK = "case_work"
    CASE_ASSIGN = "case_assign"
    CASE_SIGN = "case_sign"
    TASK_WORK = "task_work"
    RISK_READ = "risk_read"
    RISK_SCORE = "risk_score"
    HINT_YIELD = "hint_yield"
    OBJECTION_RECORD = "objection_record"
    OBJECTION_WORK = "objection_work"
    MODEL_READ = "model_read"
    MODEL_MANAGE = "model_manage"
    DATA_USE_READ = "data_use_read"
    DATA_USE_CHANGE = "data_use_change"
    APPROVE = "approve"
    RULES_READ = "rules_read"
    RULES_CHANGE = "rules_change"
    ROSTER_IMPORT = "roster_import"
    STAFF_IMPORT = "staff_import"
    ACCOUNTS_MANAGE = "accounts_manage"
    POLICY_READ = "policy_read"
    SYSTEM_READ = "system_read"
    AUDIT_READ = "audit_read"
    CLOCKS_RUN = "clocks_run"
    MAINTENANCE = "maintenance"


Condition = ColumnElement[bool]
Rule = Callable[[Actor], Condition | tuple[Condition, ...]]


# --- rules: conditions, named as noun phrases ----------------------------------


def everything(_me: Actor) -> Condition:
    return true()


def classes_of_mine(me: Actor) -> Select[Any]:
    day = today()
    return select(ClassPost.class_id).where(
        ClassPost.staff_id == me.id,
        ClassPost.role == me.role,
        ClassPost.since <= day,
        or_(ClassPost.until.is_(None), ClassPost.until > day),
    )


def students_of_my_classes(me: Actor) -> Condition:
    return Student.class_id.in_(classes_of_mine(me))


def students_of_my_college(me: Actor) -> Condition:
    return Student.college_id.in_(me.college_ids)


def students_with_a_red_alert(_me: Actor) -> Condition:
    return Student.id.in_(select(Alert.student_id).where(Alert.level == Level.RED, Alert.ended_at.is_(None)))


def students_of_duties_addressed_to_me(me: Actor) -> Condition:
    return Student.id.in_(select(Duty.student_id).where(Duty.owner_id == me.id, Duty.ended_at.is_(None)))


def students_in_an_escalation_to_me(me: Actor) -> tuple[Condition, Condition]:
    return students_of_duties_addressed_to_me(me), students_with_a_red_alert(me)


def open_duties_of_mine(me: Actor) -> Condition:
    return (Duty.owner_id == me.id) & Duty.ended_at.is_(None)


def duties_that_climbed_from_me(me: Actor) -> Condition:
    """Open ones that somebody above had to take over: whoever missed a clock stays informed (states.md).

    Not those that went with the student to another class, or to another advisor.
    """
    later = aliased(DutyHolder)
    after_me = (later.duty_id == DutyHolder.duty_id) & (later.id > DutyHolder.id)
    climbed = select(later.id).where(after_me, later.how == HoldReason.ESCALATED).exists()
    handed_over = select(later.id).where(after_me, later.how == HoldReason.REASSIGNED).exists()
    held = select(DutyHolder.duty_id).where(DutyHolder.staff_id == me.id, climbed, ~handed_over)
    return Duty.id.in_(held) & Duty.ended_at.is_(None)


def duties_addressed_to_me(me: Actor) -> tuple[Condition, ...]:
    return open_duties_of_mine(me), duties_that_climbed_from_me(me)


def duties_of_my_classes(me: Actor) -> tuple[Condition, ...]:
    contacts = Duty.class_id.in_(classes_of_mine(me)) & (Duty.kind == DutyKind.CONTACT)
    return (*duties_addressed_to_me(me), contacts)


def duties_of_my_college(me: Actor) -> tuple[Condition, ...]:
    contacts = Duty.college_id.in_(me.college_ids) & (Duty.kind == DutyKind.CONTACT)
    return (*duties_addressed_to_me(me), contacts)


def college_duties(me: Actor) -> Condition:
    return Duty.college_id.in_(me.college_ids)


def red_duties(_me: Actor) -> Condition:
    return Duty.level == Level.RED


def cases_i_keep(me: Actor) -> Condition:
    return Case.keeper_id == me.id


def cases_i_am_asked_to_sign(me: Actor) -> Condition:
    return Case.id.in_(select(Approval.object_id).where(requests_i_may_decide(me)))


def tasks_addressed_to_me(me: Actor) -> Condition:
    return Task.owner_id == me.id


def requests_i_may_decide(me: Actor) -> Condition:
    return or_(Approval.owner_id == me.id, Approval.owner_role == me.role) & (Approval.asked_by != me.id)


# --- the statute ------------------------------------------------------------------

PEOPLE = tuple(role for role in Role if role not in {Role.CONSOLE, Role.WORKER})
CENTRE = (Role.PSYCHOLOGIST, Role.CENTRE_HEAD)


def _all(rule: Rule, *roles: Role) -> dict[Role, Rule]:
    return dict.fromkeys(roles, rule)


STUDENTS_IN_CARE: dict[Role, Rule] = {
    Role.ADVISOR: students_of_my_classes,
    Role.CLASS_TEACHER: students_of_my_classes,
    Role.COLLEGE_LEAD: students_of_my_college,
    **_all(everything, *CENTRE),
}

POLICY: dict[tuple[Permission, Purpose], dict[Role, Rule]] = {
    (Permission.OWN_WORKPLACE, Purpose.OWN): _all(everything, *PEOPLE),
    # Students
    (Permission.STUDENT_SEARCH, Purpose.CARE): STUDENTS_IN_CARE,
    (Permission.STUDENT_READ, Purpose.CARE): {
        **STUDENTS_IN_CARE,
        Role.AFFAIRS_HEAD: students_in_an_escalation_to_me,
        Role.DUTY: students_of_duties_addressed_to_me,
    },
    (Permission.WHO_LOOKED, Purpose.CARE): _all(everything, *CENTRE),
    (Permission.CARE_TALK, Purpose.CARE): STUDENTS_IN_CARE,
    (Permission.TALK_READ, Purpose.CARE): {
        Role.ADVISOR: students_of_my_classes,
        Role.CLASS_TEACHER: students_of_my_classes,
        **_all(everything, *CENTRE),
    },
    # Screening
    (Permission.SCREENING_READ, Purpose.CARE): _all(everything, *CENTRE),
    (Permission.SCREENING_IMPORT, Purpose.CARE): _all(everything, *CENTRE, Role.CONSOLE, Role.WORKER),
    (Permission.SCREENING_CORRECT, Purpose.CARE): _all(everything, *CENTRE, Role.CONSOLE),
    (Permission.ROUND_MANAGE, Purpose.CARE): _all(everything, *CENTRE),
    (Permission.ROUND_COVERAGE, Purpose.CARE): {
        Role.ADVISOR: students_of_my_classes,
        Role.COLLEGE_LEAD: students_of_my_college,
        **_all(everything, *CENTRE),
    },
    (Permission.SOURCE_MANAGE, Purpose.CARE): _all(everything, *CENTRE, Role.CONSOLE),
    (Permission.SOURCE_RECEIVE, Purpose.CARE): _all(everything, Role.CONSOLE, Role.WORKER),
    (Permission.INTERVIEW_WORK, Purpose.CARE): _all(everything, *CENTRE),
    (Permission.RETEST_WORK, Purpose.CARE): _all(everything, *CENTRE),
    (Permission.STRUCTURED_INTERVIEW, Purpose.CARE): _all(everything, *CENTRE),
    (Permission.UNPLACED_WORK, Purpose.CARE): _all(everything, *CENTRE, Role.AFFAIRS_HEAD),
    # Alerts and duties
    (Permission.ALERT_TRIAGE, Purpose.CARE): _all(everything, *CENTRE),
    (Permission.DUTY_WORK, Purpose.CARE): {
        Role.ADVISOR: duties_of_my_classes,
        Role.COLLEGE_LEAD: duties_of_my_college,
        **_all(everything, *CENTRE),
        Role.AFFAIRS_HEAD: duties_addressed_to_me,
        Role.DUTY: duties_addressed_to_me,
    },
    (Permission.DUTY_ASSIGN, Purpose.CARE): {
        Role.COLLEGE_LEAD: college_duties,
        Role.CENTRE_HEAD: everything,
        Role.AFFAIRS_HEAD: open_duties_of_mine,
    },
    (Permission.LEAD_OVERVIEW, Purpose.CARE): {
        Role.COLLEGE_LEAD: college_duties,
        Role.AFFAIRS_HEAD: red_duties,
        Role.CENTRE_HEAD: everything,
    },
    # Cases
    (Permission.CASE_OPEN, Purpose.CARE): _all(everything, *CENTRE),
    (Permission.CASE_READ, Purpose.CARE): {Role.PSYCHOLOGIST: cases_i_keep, Role.CENTRE_HEAD: everything},
    (Permission.CASE_WORK, Purpose.CARE): _all(cases_i_keep, *CENTRE),
    (Permission.CASE_ASSIGN, Purpose.CARE): {Role.CENTRE_HEAD: everything},
    (Permission.CASE_SIGN, Purpose.CARE): _all(cases_i_am_asked_to_sign, *CENTRE, Role.AFFAIRS_HEAD),
    (Permission.TASK_WORK, Purpose.CARE): _all(tasks_addressed_to_me, *CENTRE),
    # The risk model
    (Permission.RISK_READ, Purpose.CARE): _all(everything, *CENTRE),
    (Permission.RISK_SCORE, Purpose.CARE): _all(everything, Role.CONSOLE, Role.WORKER),
    (Permission.HINT_YIELD, Purpose.CARE): _all(everything, Role.CENTRE_HEAD),
    (Permission.OBJECTION_RECORD, Purpose.CARE): {
        Role.ADVISOR: students_of_my_classes,
        **_all(everything, *CENTRE),
    },
    (Permission.OBJECTION_WORK, Purpose.CARE): _all(everything, *CENTRE),
    (Permission.MODEL_READ, Purpose.ADMINISTRATION): _all(everything, *CENTRE, Role.AFFAIRS_HEAD),
    (Permission.MODEL_MANAGE, Purpose.ADMINISTRATION): _all(everything, Role.CENTRE_HEAD, Role.CONSOLE),
    (Permission.DATA_USE_READ, Purpose.ADMINISTRATION): _all(
        everything, *CENTRE, Role.AFFAIRS_HEAD, Role.SECURITY_ADMIN, Role.AUDITOR
    ),
    (Permission.DATA_USE_CHANGE, Purpose.ADMINISTRATION): _all(everything, Role.CENTRE_HEAD),
    # Second signatures and rules
    (Permission.APPROVE, Purpose.ADMINISTRATION): _all(requests_i_may_decide, *CENTRE, Role.AFFAIRS_HEAD),
    (Permission.RULES_READ, Purpose.ADMINISTRATION): _all(
        everything, *CENTRE, Role.AFFAIRS_HEAD, Role.SECURITY_ADMIN, Role.AUDITOR
    ),
    (Permission.RULES_CHANGE, Purpose.ADMINISTRATION): _all(everything, Role.CENTRE_HEAD),
    # Keeping the house
    (Permission.ROSTER_IMPORT, Purpose.ADMINISTRATION): _all(everything, Role.REGISTRAR, Role.CONSOLE, Role.WORKER),
    (Permission.STAFF_IMPORT, Purpose.ADMINISTRATION): _all(everything, Role.SYSADMIN, Role.CONSOLE, Role.WORKER),
    (Permission.ACCOUNTS_MANAGE, Purpose.ADMINISTRATION): _all(everything, Role.SYSADMIN, Role.CONSOLE),
    (Permission.POLICY_READ, Purpose.ADMINISTRATION): _all(everything, Role.SECURITY_ADMIN, Role.AUDITOR),
    (Permission.SYSTEM_READ, Purpose.ADMINISTRATION): _all(everything, Role.SYSADMIN),
    (Permission.AUDIT_READ, Purpose.ADMINISTRATION): _all(everything, Role.AUDITOR, Role.CONSOLE),
    (Permission.CLOCKS_RUN, Purpose.CARE): _all(everything, Role.WORKER),
    (Permission.MAINTENANCE, Purpose.ADMINISTRATION): _all(everything, Role.CONSOLE, Role.WORKER),
}

ROOTS: dict[Permission, type[Any]] = {
    Permission.STUDENT_SEARCH: Student,
    Permission.STUDENT_READ: Student,
    Permission.WHO_LOOKED: Student,
    Permission.CARE_TALK: Student,
    Permission.TALK_READ: Student,
    Permission.SCREENING_READ: Student,
    Permission.SCREENING_IMPORT: ScreeningRound,
    Permission.SCREENING_CORRECT: ScreeningRound,
    Permission.ROUND_MANAGE: ScreeningRound,
    Permission.ROUND_COVERAGE: Student,
    Permission.SOURCE_MANAGE: ScreeningSource,
    Permission.SOURCE_RECEIVE: ScreeningSource,
    Permission.INTERVIEW_WORK: InterviewEntry,
    Permission.RETEST_WORK: Retest,
    Permission.STRUCTURED_INTERVIEW: Student,
    Permission.UNPLACED_WORK: UnplacedAnswer,
    Permission.ALERT_TRIAGE: Alert,
    Permission.DUTY_WORK: Duty,
    Permission.DUTY_ASSIGN: Duty,
    Permission.LEAD_OVERVIEW: Duty,
    Permission.CASE_OPEN: Student,
    Permission.CASE_READ: Case,
    Permission.CASE_WORK: Case,
    Permission.CASE_ASSIGN: Case,
    Permission.CASE_SIGN: Case,
    Permission.TASK_WORK: Task,
    Permission.RISK_READ: Student,
    Permission.RISK_SCORE: Student,
    Permission.HINT_YIELD: InterviewEntry,
    Permission.OBJECTION_RECORD: Student,
    Permission.OBJECTION_WORK: ModelObjection,
    Permission.MODEL_READ: RiskModel,
    Permission.MODEL_MANAGE: RiskModel,
    Permission.DATA_USE_READ: DataUse,
    Permission.DATA_USE_CHANGE: DataUse,
    Permission.APPROVE: Approval,
    Permission.ACCOUNTS_MANAGE: Staff,
    Permission.AUDIT_READ: LedgerEntry,
    Permission.CLOCKS_RUN: Duty,
}
"""The rows a permission is about. Notes, answers and replies are reached through their root."""

FACE = frozenset({"student.name", "student.phone"})
IDENTITY = FACE | {"student.details", "student_number.number"}
CORRECTED = frozenset(
    {"import_batch.file_name", "import_batch.receipt", "response_set.body", "correction.reason", "signal.reason"}
)
UPLOAD = frozenset({"import_batch.file_name", "import_batch.plan", "import_batch.receipt", "batch_chunk.body"})
LEARNED_FROM = frozenset(
    {"response_set.body", "student.details", "interview_entry.body", "interview_entry.outcome", "signal.reason"}
)
"""What features and labels are gathered from: opened by the machine, for a score or a sum, never shown."""
WHOLE = frozenset({"risk_model.file"})
"""Opened to see that it is whole, so that nothing broken comes into use; never shown."""

OPENS: dict[Permission, frozenset[str]] = {
    Permission.OWN_WORKPLACE: frozenset({"draft.body"}),
    Permission.STUDENT_SEARCH: IDENTITY,
    Permission.STUDENT_READ: IDENTITY,
    Permission.CARE_TALK: FACE | {"care_advice.body", "signal.focus"},
    Permission.TALK_READ: frozenset({"care_talk.body"}),
    Permission.SCREENING_READ: frozenset({"response_set.body", "correction.reason"}),
    Permission.SCREENING_IMPORT: UPLOAD
    | {"import_batch.rejected", "response_set.body", "student.name", "student.details", "student_number.number"},
    Permission.SCREENING_CORRECT: CORRECTED | IDENTITY,
    Permission.ROUND_COVERAGE: FACE,
    Permission.SOURCE_RECEIVE: frozenset({"screening_source.push_key", "push.body"}),
    Permission.INTERVIEW_WORK: FACE
    | {"interview_entry.body", "interview_entry.outcome", "risk_score.body", "risk_model.file"},
    Permission.RISK_READ: frozenset({"risk_score.body"}),
    Permission.RISK_SCORE: LEARNED_FROM | {"risk_model.file", "risk_score.body"},
    Permission.MODEL_MANAGE: WHOLE,
    Permission.HINT_YIELD: frozenset({"interview_entry.body", "interview_entry.outcome"}),
    Permission.OBJECTION_WORK: FACE | {"model_objection.body", "model_objection.answer", "risk_score.body"},
    Permission.UNPLACED_WORK: IDENTITY | {"unplaced_answer.body"},
    Permission.RETEST_WORK: FACE | {"retest.body"},
    Permission.STRUCTURED_INTERVIEW: FACE | {"structured_interview.body"},
    Permission.ALERT_TRIAGE: FACE | {"signal.reason", "signal.focus", "alert.basis"},
    Permission.DUTY_WORK: FACE | {"student_number.number", "signal.focus", "care_advice.body"},
    Permission.DUTY_ASSIGN: FACE,
    Permission.LEAD_OVERVIEW: FACE,
    Permission.CASE_OPEN: FACE,
    Permission.CASE_READ: FACE | {"care_advice.body", "case.summary", "task.body", "task.outcome"},
    Permission.CASE_WORK: FACE | {"care_advice.body", "case.summary", "case_note.body", "task.body", "task.outcome"},
    Permission.CASE_ASSIGN: FACE,
    Permission.CASE_SIGN: FACE | {"case.summary"},
    Permission.TASK_WORK: FACE | {"task.body", "task.outcome"},
    Permission.ROSTER_IMPORT: UPLOAD | IDENTITY,
    Permission.STAFF_IMPORT: UPLOAD | {"staff.phone"},
    Permission.ACCOUNTS_MANAGE: frozenset({"staff.phone"}),
}


def rule_of(role: Role, permission: Permission, purpose: Purpose) -> Rule | None:
    """The rule under which ``role`` may do this, or none."""
    return POLICY.get((permission, purpose), {}).get(role)


def conditions(rule: Rule, me: Actor) -> tuple[Condition, ...]:
    found = rule(me)
    return found if isinstance(found, tuple) else (found,)
