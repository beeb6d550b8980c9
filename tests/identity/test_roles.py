"""One role at a time: chosen on top of the page, with a session of its own."""

from __future__ import annotations

import pytest

from app.identity import account
from app.security import sign_in
from app.security.policy import Permission, Purpose
from models.identity import Role, RoleGrant, Staff
from models.refusal import Refusal
from tests.house import House
from tests.identity.door import Browser, sessions, somebody


def test_whoever_holds_two_roles_comes_in_with_the_rights_of_one(sqlite_house: House) -> None:
    person = sqlite_house.make.person(Role.PSYCHOLOGIST, more=[Role.AID_OFFICER])

    assert person.actor.role is Role.PSYCHOLOGIST
    assert person.get("/cases").status == 200
    person.post("/role", role="aid_officer")
    assert person.get("/cases").status == 403
    assert person.get("/students").status == 403


def test_switching_gives_a_new_session_and_kills_the_old_token(house: House) -> None:
    person = house.make.person(Role.PSYCHOLOGIST, more=[Role.AID_OFFICER])

    person.post("/role", role="aid_officer")

    old, new = sessions(house, person.staff)
    assert (old.role, new.role) == (Role.PSYCHOLOGIST, Role.AID_OFFICER)
    assert old.ended_at is not None
    assert new.ended_at is None
    assert old.token_hash != new.token_hash
    assert sign_in.actor_of(house.door, person.token, background=True) is None
    assert house.log(act="role_switched", actor=person.id.hex)


def test_switching_does_not_make_the_day_longer(sqlite_house: House) -> None:
    person = sqlite_house.make.person(Role.PSYCHOLOGIST, more=[Role.AID_OFFICER])

    person.post("/role", role="aid_officer")

    old, new = sessions(sqlite_house, person.staff)
    assert (new.started_at, new.ends_at) == (old.started_at, old.ends_at)


def test_another_device_keeps_its_own_role(sqlite_house: House) -> None:
    staff = somebody(sqlite_house, Role.PSYCHOLOGIST, more=[Role.AID_OFFICER])
    here, there = Browser(sqlite_house), Browser(sqlite_house)
    here.sign_in(staff.login), there.sign_in(staff.login)

    here.post("/role", role="aid_officer")

    assert here.get("/cases").status == 403
    assert there.get("/cases").status == 200


@pytest.mark.parametrize("role", ["centre_head", "console", "worker", "student", "", "nonsense", "PSYCHOLOGIST"])
def test_nobody_switches_to_a_role_he_does_not_hold(sqlite_house: House, role: str) -> None:
    person = sqlite_house.make.person(Role.PSYCHOLOGIST, more=[Role.AID_OFFICER])

    page = person.post("/role", role=role)

    assert page.status == 409
    assert len(sessions(sqlite_house, person.staff)) == 1
    assert person.actor.role is Role.PSYCHOLOGIST


def test_one_session_does_not_become_two_by_switching_twice(house: House) -> None:
    person = house.make.person(Role.PSYCHOLOGIST, more=[Role.AID_OFFICER, Role.ADVISOR])
    me = person.actor

    with house.door.enter(me, Permission.OWN_WORKPLACE, Purpose.OWN) as access:
        sign_in.switch_role(access, house.door, Role.AID_OFFICER)
    with pytest.raises(Refusal), house.door.enter(me, Permission.OWN_WORKPLACE, Purpose.OWN) as access:
        sign_in.switch_role(access, house.door, Role.ADVISOR)

    assert [row.role for row in sessions(house, person.staff) if row.ended_at is None] == [Role.AID_OFFICER]


def test_what_was_looked_at_in_a_role_stands_in_the_log_under_that_role(sqlite_house: House) -> None:
    person = sqlite_house.make.person(Role.CENTRE_HEAD, more=[Role.AID_OFFICER])
    student = sqlite_house.make.student()

    person.get(f"/students/{student.id}")
    person.post("/role", role="aid_officer")
    person.get(f"/students/{student.id}")

    rows = sqlite_house.log(act="student_read", actor=person.id.hex)
    assert [(row["role"], row["outcome"]) for row in rows] == [("centre_head", "done"), ("aid_officer", "denied")]


@pytest.mark.parametrize(
    ("held", "wanted"),
    [(Role.AUDITOR, Role.SYSADMIN), (Role.AUDITOR, Role.ADVISOR), (Role.CENTRE_HEAD, Role.AUDITOR)],
)
def test_an_auditor_is_nothing_else(sqlite_house: House, held: Role, wanted: Role) -> None:
    person, admin = sqlite_house.make.person(held), sqlite_house.make.person(Role.SYSADMIN)
    page = admin.get(f"/accounts/{person.id}")

    page = admin.post(f"/accounts/{person.id}/grants", role=wanted.value, version=page.value("version"))

    assert page.status == 422
    assert "三员分立" in page
    assert sqlite_house.count(RoleGrant, RoleGrant.staff_id == person.id) == 1


@pytest.mark.parametrize("role", [Role.CONSOLE, Role.WORKER])
def test_the_roles_of_the_machine_are_given_to_nobody(sqlite_house: House, role: Role) -> None:
    staff = sqlite_house.make.staff(Role.ADVISOR)

    with (
        pytest.raises(Refusal, match="只供系统使用"),
        sqlite_house.console(Permission.ACCOUNTS_MANAGE, Purpose.ADMINISTRATION) as access,
    ):
        account.grant(access, access.session.get_one(Staff, staff.id), role=role)
    admin = sqlite_house.make.person(Role.SYSADMIN)
    assert admin.post(f"/accounts/{staff.id}/grants", role=role.value, version="1").status == 422


def test_a_role_given_works_at_the_next_choice_without_signing_in_again(sqlite_house: House) -> None:
    person, admin = sqlite_house.make.person(Role.ADVISOR), sqlite_house.make.person(Role.SYSADMIN)
    page = admin.get(f"/accounts/{person.id}")

    admin.post(f"/accounts/{person.id}/grants", role="registrar", version=page.value("version"))

    assert person.get("/roster").status == 403
    person.post("/role", role="registrar")
    assert person.get("/roster").status == 200
