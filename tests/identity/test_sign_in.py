"""Signing in: a wrong password and an unknown account are one answer; haste is stopped by the database."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import select, update

from app.security import sign_in
from app.security.door import open_door
from models.identity import Role, SignInSession, SignInThrottle, Staff
from models.moment import now, travel
from models.refusal import Refusal
from tests.house import House, Page
from tests.identity.door import PASSWORD, Browser, sessions, somebody
from tests.intake.delivery import stored


def without_token(page: Page, login: str) -> str:
    html = re.sub(r'"[\w.-]{60,}"', "", page.html)
    return re.sub(r"\d\d:\d\d", "", html.replace(login, ""))


def test_the_right_password_opens_a_session_and_leads_home(house: House) -> None:
    staff, browser = somebody(house), Browser(house)

    page = browser.sign_in(staff.login)

    assert (page.status, page.response.headers["Location"]) == (302, "/")
    assert browser.is_in
    [row] = sessions(house, staff)
    assert (row.role, row.ended_at) == (Role.CENTRE_HEAD, None)
    assert [entry["outcome"] for entry in house.log(act="sign_in")] == ["done"]


def test_the_login_is_one_however_it_is_typed(sqlite_house: House) -> None:
    staff = somebody(sqlite_house)

    for typed in (staff.login.upper(), f"  {staff.login} "):
        browser = Browser(sqlite_house)
        browser.sign_in(typed)
        assert browser.is_in


def test_a_wrong_password_and_an_unknown_account_give_the_same_page(sqlite_house: House) -> None:
    staff = somebody(sqlite_house)
    retired, bare = somebody(sqlite_house), sqlite_house.make.staff(Role.ADVISOR)
    with sqlite_house.door.database.writing() as session:
        session.get_one(Staff, retired.id).retired_at = now()

    tried = {staff.login: "wrong-password", "nobody-here": PASSWORD, retired.login: PASSWORD, bare.login: PASSWORD}
    pages = {login: Browser(sqlite_house).sign_in(login, password) for login, password in tried.items()}

    assert {page.status for page in pages.values()} == {422}
    assert len({without_token(page, login) for login, page in pages.items()}) == 1
    assert all("账号或密码不正确" in page for page in pages.values())


def test_neither_an_unknown_login_nor_a_password_is_kept_anywhere(sqlite_house: House) -> None:
    staff, browser = somebody(sqlite_house), Browser(sqlite_house)

    browser.sign_in("jinsique-login", "jinsique-words")
    browser.sign_in(staff.login, PASSWORD)

    held = stored(sqlite_house)
    for secret in ("jinsique", PASSWORD, "10.0.0.1"):
        assert secret.encode() not in held, secret


def test_the_token_of_a_session_is_not_in_the_database(sqlite_house: House) -> None:
    client = sqlite_house.make.head()

    assert client.token.encode() not in stored(sqlite_house)


def test_five_wrong_passwords_shut_the_account_at_that_address_even_for_the_right_one(house: House) -> None:
    staff, browser = somebody(house), Browser(house)
    for _ in range(5):
        assert "账号或密码不正确" in browser.sign_in(staff.login, "wrong")

    page = browser.sign_in(staff.login)

    assert page.status == 422
    assert "登录尝试过于频繁" in page
    assert sessions(house, staff) == []


def test_an_unknown_account_is_shut_just_alike(sqlite_house: House) -> None:
    browser = Browser(sqlite_house)
    for _ in range(5):
        browser.sign_in("nobody-here", "wrong")

    assert "登录尝试过于频繁" in browser.sign_in("nobody-here", "wrong")


def test_the_owner_still_comes_in_from_another_address(sqlite_house: House) -> None:
    staff, stranger, owner = somebody(sqlite_house), Browser(sqlite_house), Browser(sqlite_house, "10.0.0.2")
    for _ in range(6):
        stranger.sign_in(staff.login, "wrong")

    owner.sign_in(staff.login)

    assert owner.is_in
    assert "登录尝试过于频繁" in stranger.sign_in(staff.login)


def test_a_shut_account_opens_after_a_quarter_of_an_hour(sqlite_house: House) -> None:
    staff, browser = somebody(sqlite_house), Browser(sqlite_house)
    for _ in range(5):
        browser.sign_in(staff.login, "wrong")

    with travel(now() + timedelta(minutes=14)):
        assert "登录尝试过于频繁" in browser.sign_in(staff.login)
    with travel(now() + timedelta(minutes=16)):
        assert browser.sign_in(staff.login).status == 302
    assert sqlite_house.count(SignInThrottle, SignInThrottle.blocked_until > now() + timedelta(minutes=20)) == 0


def test_the_right_password_forgets_the_wrong_ones_before_it(sqlite_house: House) -> None:
    staff = somebody(sqlite_house)
    for _ in range(2):
        browser = Browser(sqlite_house)
        for _ in range(4):
            browser.sign_in(staff.login, "wrong")
        browser.sign_in(staff.login)
        assert browser.is_in


def test_one_address_that_tries_every_account_is_shut_as_a_whole(sqlite_house: House) -> None:
    staff = somebody(sqlite_house)
    with pytest.raises(Refusal):
        sign_in.sign_in(sqlite_house.door, login="first", password="x", address="10.0.0.9")
    with sqlite_house.door.database.writing() as session:
        session.execute(update(SignInThrottle).values(failures=49))
    with pytest.raises(Refusal, match="不正确"):
        sign_in.sign_in(sqlite_house.door, login="fiftieth", password="x", address="10.0.0.9")

    with pytest.raises(Refusal, match="过于频繁"):
        sign_in.sign_in(sqlite_house.door, login=staff.login, password=PASSWORD, address="10.0.0.9")

    assert sessions(sqlite_house, staff) == []


def test_an_attempt_counts_in_every_process_of_the_house(house: House) -> None:
    staff = somebody(house)
    other = open_door(house.door.settings)
    for door in (house.door, other, house.door, other, house.door):
        with pytest.raises(Refusal, match="不正确"):
            sign_in.sign_in(door, login=staff.login, password="x", address="10.0.0.1")

    other.database.dispose()
    assert "登录尝试过于频繁" in Browser(house).sign_in(staff.login)
    assert sorted(row.failures for row in house.all(select(SignInThrottle.failures))) == [5, 5]


def test_somebody_without_any_role_is_told_and_gets_no_session(sqlite_house: House) -> None:
    staff = somebody(sqlite_house)
    admin = sqlite_house.make.person(Role.SYSADMIN)
    grant = admin.get(f"/accounts/{staff.id}").links(r"/accounts/[0-9a-f-]+/grants/[0-9a-f-]+/end")[0]
    sqlite_house.make.head()
    admin.post(grant)

    page = Browser(sqlite_house).sign_in(staff.login)

    assert page.status == 422
    assert "没有任何岗位角色" in page
    assert sqlite_house.count(SignInSession, SignInSession.staff_id == staff.id) == 0


def test_after_signing_in_one_is_led_on_within_the_house_only(sqlite_house: House) -> None:
    staff = somebody(sqlite_house)

    for asked, led_to in (
        ("/worklist", "/worklist"),
        ("/students?page=2", "/students?page=2"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ):
        page = Browser(sqlite_house).sign_in(staff.login, query=f"?next={quote(asked)}")
        assert page.response.headers["Location"] == led_to, asked


def test_a_form_without_a_token_signs_nobody_in(sqlite_house: House) -> None:
    staff = somebody(sqlite_house)

    page = Page(sqlite_house.anonymous().post("/sign-in", data={"login": staff.login, "password": PASSWORD}))

    assert page.status == 400
    assert sessions(sqlite_house, staff) == []


def test_the_demo_door_does_not_exist_in_a_real_house(sqlite_house: House) -> None:
    staff = somebody(sqlite_house)

    page = Browser(sqlite_house).post("/demo/sign-in", login=staff.login)

    assert page.status == 404
    assert staff.name not in Browser(sqlite_house).get("/sign-in").html
    assert sessions(sqlite_house, staff) == []


def test_a_page_asked_for_before_signing_in_shows_nothing_and_is_remembered(sqlite_house: House) -> None:
    page = Browser(sqlite_house).get("/students")

    assert page.status == 302
    assert page.response.headers["Location"] == "/sign-in?next=/students"


def test_failures_at_the_same_moment_are_all_counted(house: House) -> None:
    barrier = threading.Barrier(4)

    def fail(_place: int) -> bool:
        barrier.wait()
        with pytest.raises(Refusal, match="不正确"):
            sign_in.sign_in(house.door, login="nobody", password="x", address="10.0.0.1")
        return True

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(fail, range(4)))

    assert [row.failures for row in house.all(select(SignInThrottle.failures))] == [4, 4]


def test_a_zero_byte_in_a_login_never_reaches_a_query(house: House) -> None:
    assert Browser(house).sign_in("a\0b").status == 400
