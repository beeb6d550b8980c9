"""Accounts: opened with a role, taken back only when nothing waits, never deleted."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import select

from models.identity import ClassPost, Role, RoleGrant, SignInSession, Staff
from tests.house import Client, House, Page
from tests.risk.people import Staffed, staffed


@pytest.fixture
def people(sqlite_house: House) -> Staffed:
    return staffed(sqlite_house)


@pytest.fixture
def sysadmin(sqlite_house: House) -> Client:
    return sqlite_house.make.person(Role.SYSADMIN)


def grant_of(house: House, person: Client, role: Role) -> RoleGrant:
    [(row,)] = house.all(select(RoleGrant).where(RoleGrant.staff_id == person.id, RoleGrant.role == role))
    found: RoleGrant = row
    return found


def end(house: House, sysadmin: Client, person: Client, role: Role) -> Page:
    return sysadmin.post(f"/accounts/{person.id}/grants/{grant_of(house, person, role).id}/end")


@pytest.mark.parametrize("who", ["advisor", "head", "lead", "psychologist"])
def test_nobody_is_retired_while_something_waits_for_him(
    sqlite_house: House, people: Staffed, sysadmin: Client, who: str
) -> None:
    sqlite_house.make.alert(people.student)
    sqlite_house.make.case(people.psychologist, sqlite_house.make.student(people.group))
    sqlite_house.make.alert(sqlite_house.make.student(sqlite_house.make.class_group()))
    person: Client = getattr(people, who)

    page = sysadmin.post(f"/accounts/{person.id}/retire")

    assert page.status == 409
    assert "还有工作事项在这位老师名下" in page
    for words in ("林晓", "预警", "个案"):
        assert words not in page
    assert sqlite_house.again(person.staff).retired_at is None
    assert person.get("/worklist").status == 200


@pytest.mark.parametrize("who", ["advisor", "head", "lead", "psychologist"])
def test_no_role_is_taken_away_while_something_waits_in_it(
    sqlite_house: House, people: Staffed, sysadmin: Client, who: str
) -> None:
    sqlite_house.make.alert(people.student)
    sqlite_house.make.case(people.psychologist, sqlite_house.make.student(people.group))
    sqlite_house.make.alert(sqlite_house.make.student(sqlite_house.make.class_group()))
    person: Client = getattr(people, who)

    page = end(sqlite_house, sysadmin, person, person.role)

    assert page.status == 409
    assert grant_of(sqlite_house, person, person.role).until is None


def test_retired_he_is_signed_out_off_his_posts_and_still_in_the_books(
    sqlite_house: House, people: Staffed, sysadmin: Client
) -> None:
    page = sysadmin.post(f"/accounts/{people.advisor.id}/retire")

    assert page.status == 200
    gone = people.advisor.get("/worklist")
    assert (gone.status, "/sign-in" in gone.response.headers["Location"]) == (302, True)
    assert sqlite_house.count(Staff, Staff.id == people.advisor.id, Staff.retired_at.is_not(None)) == 1
    assert sqlite_house.count(ClassPost, ClassPost.staff_id == people.advisor.id, ClassPost.until.is_(None)) == 0
    raised = sqlite_house.make.alert(people.student)
    assert sqlite_house.make.duties(raised)["contact"].owner_id == people.lead.id


def test_a_role_that_is_taken_away_ends_every_session_at_once(
    sqlite_house: House, people: Staffed, sysadmin: Client
) -> None:
    end(sqlite_house, sysadmin, people.lead, Role.COLLEGE_LEAD)

    assert people.lead.get("/overview").status == 302
    assert sqlite_house.count(SignInSession, SignInSession.staff_id == people.lead.id) >= 1
    assert len(sqlite_house.log(act="role_ended")) == 1


def test_nobody_retires_himself(sqlite_house: House, sysadmin: Client) -> None:
    page = sysadmin.post(f"/accounts/{sysadmin.id}/retire")

    assert page.status == 409
    assert sqlite_house.again(sysadmin.staff).retired_at is None


@pytest.mark.parametrize("other", [Role.ADVISOR, Role.SECURITY_ADMIN])
def test_an_auditor_is_nothing_else(sqlite_house: House, sysadmin: Client, other: Role) -> None:
    auditor, worker = sqlite_house.make.person(Role.AUDITOR), sqlite_house.make.person(other)

    joined = sysadmin.post(f"/accounts/{auditor.id}/grants", role=other.value, college_id="")
    reverse = sysadmin.post(f"/accounts/{worker.id}/grants", role="auditor", college_id="")

    assert (joined.status, reverse.status) == (422, 422)
    assert sqlite_house.count(RoleGrant, RoleGrant.staff_id.in_([auditor.id, worker.id])) == 2


@pytest.mark.parametrize("role", ["console", "worker", "god", ""])
def test_no_person_gets_a_role_of_the_machine(
    sqlite_house: House, people: Staffed, sysadmin: Client, role: str
) -> None:
    page = sysadmin.post(f"/accounts/{people.advisor.id}/grants", role=role, college_id="")

    assert page.status == 422
    assert sqlite_house.count(RoleGrant, RoleGrant.staff_id == people.advisor.id) == 1


def test_a_college_lead_needs_a_college(sqlite_house: House, people: Staffed, sysadmin: Client) -> None:
    page = sysadmin.post(f"/accounts/{people.advisor.id}/grants", role="college_lead", college_id="")

    assert page.status == 422
    assert "院系角色要选择所属学院" in page


def test_a_new_account_gets_a_password_that_must_be_changed_first(sqlite_house: House, sysadmin: Client) -> None:
    page = sysadmin.post(
        "/accounts/new", login=" ZhangSan ", name="章三", staff_number="T1", role="advisor", college_id=""
    )

    [(staff,)] = sqlite_house.all(select(Staff).where(Staff.login == "zhangsan"))
    assert page.status == 200
    assert staff.must_change_password is True
    fresh = Client(sqlite_house, staff, Role.ADVISOR).get("/worklist")
    assert (fresh.status, fresh.response.headers["Location"]) == (302, "/account/password")


@pytest.mark.parametrize("login", ["TAKEN", " taken "])
def test_a_login_is_one_however_it_is_typed(sqlite_house: House, sysadmin: Client, login: str) -> None:
    new = {"name": "章三", "staff_number": "", "role": "advisor", "college_id": ""}
    sysadmin.post("/accounts/new", login="taken", **new)

    page = sysadmin.post("/accounts/new", login=login, **new)

    assert page.status == 422
    assert sqlite_house.count(Staff, Staff.login == "taken") == 1


def test_an_account_that_does_not_exist_is_not_found(sqlite_house: House, sysadmin: Client) -> None:
    for path in ("", "/grants", "/password", "/retire", f"/grants/{uuid4()}/end"):
        ask = sysadmin.post if path else sysadmin.get
        assert ask(f"/accounts/{uuid4()}{path}").status == 404, path
    assert sqlite_house.log(act="password_set") == []
