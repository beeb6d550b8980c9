"""The policy as text: who may do what, for which purpose, and which pages each role may enter."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli import policy as printed
from app.security.policy import OPENS, POLICY, ROOTS, Permission, Purpose, everything
from models.identity import Role
from models.risk_model import DataUse, RiskModel

MATRIX = Path(__file__).with_name("matrix.txt")

OF_NOBODY = (RiskModel, DataUse)
"""Rows that are about no person."""


def test_the_matrix_in_the_repository_is_the_policy_in_force() -> None:
    found = "\n".join(printed.lines()) + "\n"

    assert found == MATRIX.read_text(), (
        "read the difference, then: python3 manage.py policy matrix > tests/security/matrix.txt"
    )


def test_every_permission_is_somebodys_and_has_one_purpose() -> None:
    assert {permission for permission, _ in POLICY} == set(Permission)
    assert len(POLICY) == len(Permission)


@pytest.mark.parametrize(
    "permission",
    [
        Permission.SCREENING_READ,
        Permission.SCREENING_IMPORT,
        Permission.ALERT_TRIAGE,
        Permission.INTERVIEW_WORK,
        Permission.CASE_READ,
        Permission.CASE_WORK,
        Permission.CASE_OPEN,
    ],
)
def test_answers_reasons_and_cases_are_the_centres_alone(permission: Permission) -> None:
    allowed = {Role.PSYCHOLOGIST, Role.CENTRE_HEAD, Role.CONSOLE, Role.WORKER}

    assert set(POLICY[permission, Purpose.CARE]) <= allowed


@pytest.mark.parametrize(
    "role", [Role.AID_OFFICER, Role.SCHOOL_LEADER, Role.OBSERVER, Role.SUPERVISOR, Role.TASK_PARTNER]
)
def test_a_role_without_a_part_in_care_has_nothing_but_its_own_workplace(role: Role) -> None:
    held = {permission for (permission, _), rules in POLICY.items() if role in rules}

    assert held == {Permission.OWN_WORKPLACE}


@pytest.mark.parametrize("role", [Role.SYSADMIN, Role.SECURITY_ADMIN, Role.AUDITOR])
def test_administrators_open_no_content(role: Role) -> None:
    opened = {
        field for (permission, _), rules in POLICY.items() if role in rules for field in OPENS.get(permission, ())
    }

    uploads = {"import_batch.file_name", "import_batch.plan", "import_batch.receipt", "batch_chunk.body"}
    assert opened <= {"draft.body", "staff.phone"} | uploads


def test_case_notes_open_only_under_the_keepers_rule() -> None:
    opening = [permission for permission, fields in OPENS.items() if "case_note.body" in fields]

    assert opening == [Permission.CASE_WORK]
    assert {rule.__name__ for rule in POLICY[Permission.CASE_WORK, Purpose.CARE].values()} == {"cases_i_keep"}


def test_an_advisor_can_open_neither_answers_nor_reasons_nor_notes() -> None:
    opened = {
        field
        for (permission, _), rules in POLICY.items()
        if Role.ADVISOR in rules
        for field in OPENS.get(permission, ())
    }

    assert not opened & {
        "response_set.body",
        "signal.reason",
        "case_note.body",
        "case.summary",
        "interview_entry.body",
        "alert.basis",
        "task.body",
        "risk_score.body",
        "model_objection.body",
    }


def test_whoever_is_not_of_the_whole_school_has_a_rule_that_says_whose_rows() -> None:
    bounded = {Role.ADVISOR, Role.CLASS_TEACHER, Role.COLLEGE_LEAD, Role.DUTY, Role.AFFAIRS_HEAD}
    free = [
        (permission, role)
        for (permission, _), rules in POLICY.items()
        for role, rule in rules.items()
        if role in bounded and rule is everything and permission in ROOTS and ROOTS[permission] not in OF_NOBODY
    ]

    assert free == [(Permission.UNPLACED_WORK, Role.AFFAIRS_HEAD)]
