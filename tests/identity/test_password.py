"""Passwords: the first one must be changed before anything else, and a change ends every other session."""

from __future__ import annotations

from models.identity import Role, Staff
from tests.house import House, Page
from tests.identity.door import NEW, PASSWORD, Browser, sessions, somebody

BAD = [
    ({"current": "not-this-one-1"}, "现在的密码不正确"),
    ({"password": "Short-1"}, "密码至少 10 位"),
    ({"password": "aaaaaaaaaaaa"}, "密码太容易猜到"),
    ({"password": NEW, "again": "Something-else-9"}, "两次输入的新密码不一致"),
    ({"password": ""}, "请填写新密码"),
    ({"password": PASSWORD}, "新密码不能与现在的密码相同"),
]


def change(browser: Browser, current: str = PASSWORD, password: str = NEW, again: str | None = None) -> Page:
    return browser.post(
        "/account/password", current=current, password=password, again=password if again is None else again
    )


def came_in(house: House, staff: Staff, password: str = PASSWORD) -> Browser:
    browser = Browser(house)
    browser.sign_in(staff.login, password)
    return browser


def test_a_first_password_leads_to_its_change_and_to_nothing_else(sqlite_house: House) -> None:
    student = sqlite_house.make.student()
    staff = somebody(sqlite_house, must_change=True)
    browser = Browser(sqlite_house)

    assert browser.sign_in(staff.login).response.headers["Location"] == "/account/password"
    for path in ("/", "/worklist", "/students", f"/students/{student.id}", "/drafts/note", "/notices", "/help"):
        page = browser.get(path)
        assert (page.status, page.response.headers["Location"]) == (302, "/account/password"), path
    assert browser.post(f"/students/{student.id}/reveal").status == 302
    assert sqlite_house.log(act="student_read") == []
    assert browser.get("/account/password").status == 200


def test_after_the_change_the_house_is_open(sqlite_house: House) -> None:
    staff = somebody(sqlite_house, must_change=True)
    browser = came_in(sqlite_house, staff)

    page = change(browser)

    assert (page.status, page.response.headers["Location"]) == (302, "/")
    assert browser.is_in
    assert sqlite_house.again(staff).must_change_password is False
    assert came_in(sqlite_house, staff, NEW).is_in
    assert not came_in(sqlite_house, staff).is_in
    assert sqlite_house.log(act="password_set")


def test_a_first_password_may_always_be_left_by_signing_out(sqlite_house: House) -> None:
    staff = somebody(sqlite_house, must_change=True)
    browser = came_in(sqlite_house, staff)

    browser.post("/sign-out")

    assert sessions(sqlite_house, staff)[0].ended_at is not None


def test_a_changed_password_ends_every_other_session_and_keeps_this_one(house: House) -> None:
    staff = somebody(house)
    here, there, third = (came_in(house, staff) for _ in range(3))

    change(here)

    assert here.is_in
    assert not there.is_in
    assert not third.is_in


def test_a_bad_change_is_told_at_its_field_and_changes_nothing(sqlite_house: House) -> None:
    staff = somebody(sqlite_house)
    here, there = came_in(sqlite_house, staff), came_in(sqlite_house, staff)
    before = sqlite_house.again(staff).password_hash

    for named, words in BAD:
        page = change(here, **named)
        assert page.status == 422, words
        assert words in page, page.text
        assert NEW not in page.html

    assert there.is_in
    assert sqlite_house.again(staff).password_hash == before


def test_a_password_that_holds_the_login_is_too_easy(sqlite_house: House) -> None:
    staff = somebody(sqlite_house)
    with sqlite_house.door.database.writing() as session:
        session.get_one(Staff, staff.id).login = "lixiaoyu"

    page = change(came_in(sqlite_house, sqlite_house.again(staff)), password="9-LiXiaoYu-2026")

    assert page.status == 422
    assert "密码太容易猜到" in page


def test_a_reset_password_is_shown_once_ends_all_sessions_and_must_be_changed(sqlite_house: House) -> None:
    staff, admin = somebody(sqlite_house), sqlite_house.make.person(Role.SYSADMIN)
    browser = came_in(sqlite_house, staff)

    page = admin.post(f"/accounts/{staff.id}/password")

    assert not browser.is_in
    assert not came_in(sqlite_house, staff).is_in
    words = [word for word in page.text.split() if len(word) == 12 and came_in_with(sqlite_house, staff, word)]
    assert len(words) == 1
    assert words[0] not in admin.get(f"/accounts/{staff.id}").html
    assert "no-store" in page.response.headers["Cache-Control"]


def came_in_with(house: House, staff: Staff, password: str) -> bool:
    """Whether this password leads to the page where it must be changed."""
    page = Browser(house, "10.0.0.7").sign_in(staff.login, password)
    return page.response.headers.get("Location") == "/account/password"


def test_only_a_system_administrator_resets_a_password(sqlite_house: House) -> None:
    staff = somebody(sqlite_house)
    before = sqlite_house.again(staff).password_hash

    for role in (Role.CENTRE_HEAD, Role.SECURITY_ADMIN, Role.AUDITOR, Role.REGISTRAR, Role.ADVISOR):
        assert sqlite_house.make.person(role).post(f"/accounts/{staff.id}/password").status == 403

    assert sqlite_house.again(staff).password_hash == before


def test_a_stored_password_is_an_argon2id_hash_that_differs_for_equal_words(sqlite_house: House) -> None:
    staff, other = somebody(sqlite_house), somebody(sqlite_house)
    change(came_in(sqlite_house, staff))
    change(came_in(sqlite_house, other))

    one, two = sqlite_house.again(staff).password_hash, sqlite_house.again(other).password_hash
    assert one.startswith("$argon2id$")
    assert one != two
