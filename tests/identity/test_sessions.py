"""Sessions live on the server: idle and absolute limits, sign-out, and a copied cookie that is worth nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.admin import housekeeping
from app.identity import account
from app.security import sign_in
from app.security.policy import Permission, Purpose
from models.identity import Role, RoleGrant, SignInSession, Staff
from models.moment import now, today, travel
from models.refusal import Refusal
from tests.house import Client, House
from tests.identity.door import Browser, sessions, somebody


def signed_in(house: House, staff: Staff) -> Browser:
    browser = Browser(house)
    browser.sign_in(staff.login)
    assert browser.is_in
    return browser


def last_seen(house: House, client: Client) -> object:
    return house.all(select(SignInSession.last_seen_at).where(SignInSession.staff_id == client.id))[0].last_seen_at


def test_a_session_dies_after_a_quarter_of_an_hour_without_its_person(house: House) -> None:
    head = house.make.head()

    with travel(now() + timedelta(minutes=14, seconds=50)):
        assert head.get("/worklist").status == 200
    with travel(now() + timedelta(minutes=29)):
        assert head.get("/worklist").status == 200
    with travel(now() + timedelta(minutes=45)):
        page = head.get("/worklist")
        assert page.status == 302
        assert page.response.headers["Location"].startswith("/sign-in")


def test_a_session_dies_after_eight_hours_however_busy(sqlite_house: House) -> None:
    head = sqlite_house.make.head()
    [row] = sessions(sqlite_house, head.staff)
    assert row.ends_at - row.started_at == timedelta(hours=8)
    with sqlite_house.door.database.writing() as session:
        session.execute(update(SignInSession).values(last_seen_at=row.ends_at - timedelta(minutes=1)))

    with travel(row.ends_at - timedelta(seconds=5)):
        assert head.get("/worklist").status == 200
    with travel(row.ends_at + timedelta(seconds=1)):
        assert head.get("/worklist").status == 302


def test_being_there_is_written_down_once_a_minute_at_most(house: House) -> None:
    head = house.make.head()
    first = last_seen(house, head)

    with travel(now() + timedelta(seconds=50)):
        head.get("/worklist")
        assert last_seen(house, head) == first
    with travel(now() + timedelta(seconds=61)):
        head.get("/worklist")
        assert last_seen(house, head) > first  # type: ignore[operator]


def test_a_script_that_saves_drafts_is_nobody_being_there(sqlite_house: House) -> None:
    head = sqlite_house.make.head()
    head.send("PUT", "/drafts/note", {"text": "a"})
    first = last_seen(sqlite_house, head)

    with travel(now() + timedelta(minutes=10)):
        assert head.send("PUT", "/drafts/note", {"text": "ab"}).status == 200
        assert head.send("GET", "/drafts/note").status == 200
        assert last_seen(sqlite_house, head) == first
    with travel(now() + timedelta(minutes=16)):
        assert head.send("GET", "/drafts/note").status == 401


def test_pressing_go_on_keeps_the_session(sqlite_house: House) -> None:
    head = sqlite_house.make.head()
    head.post("/notices/read")

    with travel(now() + timedelta(minutes=14)):
        assert head.send("POST", "/session/keep").html.strip() == '{"kept":true}'
    with travel(now() + timedelta(minutes=28)):
        assert head.get("/worklist").status == 200


def test_signing_out_makes_a_copied_cookie_worthless(house: House) -> None:
    staff = somebody(house)
    browser, thief = signed_in(house, staff), Browser(house, "10.9.9.9")
    thief.use_cookie(browser.cookie())
    assert thief.is_in

    browser.post("/sign-out")

    assert not browser.is_in
    assert not thief.is_in
    assert sessions(house, staff)[0].ended_at is not None
    assert house.log(act="signed_out", actor=staff.id.hex)


def test_signing_out_here_leaves_the_other_device_signed_in(sqlite_house: House) -> None:
    staff = somebody(sqlite_house)
    here, there = signed_in(sqlite_house, staff), signed_in(sqlite_house, staff)

    here.post("/sign-out")

    assert not here.is_in
    assert there.is_in


def test_signing_in_gives_a_new_token_each_time(sqlite_house: House) -> None:
    staff = somebody(sqlite_house)
    signed_in(sqlite_house, staff), signed_in(sqlite_house, staff)

    one, two = sessions(sqlite_house, staff)
    assert one.token_hash != two.token_hash


@pytest.mark.parametrize("token", ["", "0" * 43, "../../etc", "a" * 5000])
def test_a_token_nobody_was_given_is_nobody(sqlite_house: House, token: str) -> None:
    sqlite_house.make.head()

    assert sign_in.actor_of(sqlite_house.door, token, background=True) is None


def test_a_cookie_signed_by_somebody_else_is_nobody(sqlite_house: House) -> None:
    staff = somebody(sqlite_house)
    browser = signed_in(sqlite_house, staff)
    cookie = browser.cookie()

    browser.use_cookie(cookie[:-5] + ("A" if cookie[-5] != "A" else "B") + cookie[-4:])

    assert not browser.is_in


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(sqlite_house: House) -> None:
    page = Browser(sqlite_house).sign_in(somebody(sqlite_house).login)

    [cookie] = page.response.headers.getlist("Set-Cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_retiring_an_account_ends_its_sessions_at_the_next_click(house: House) -> None:
    head, admin = house.make.head(), house.make.person(Role.SYSADMIN)
    house.make.head()
    assert head.get("/worklist").status == 200

    admin.post(f"/accounts/{head.id}/retire")

    assert head.get("/worklist").status == 302
    assert sessions(house, head.staff)[0].ended_at is not None


def test_taking_the_role_away_ends_the_session_at_the_next_click(sqlite_house: House) -> None:
    head, admin = sqlite_house.make.head(), sqlite_house.make.person(Role.SYSADMIN)
    sqlite_house.make.head()
    [grant] = sqlite_house.all(select(RoleGrant.id).where(RoleGrant.staff_id == head.id))

    admin.post(f"/accounts/{head.id}/grants/{grant.id}/end")

    assert head.get("/worklist").status == 302


def test_a_role_that_ran_out_over_night_is_no_role_today(sqlite_house: House) -> None:
    head = sqlite_house.make.head()

    with sqlite_house.door.database.writing() as session:
        session.execute(update(RoleGrant).where(RoleGrant.staff_id == head.id).values(until=today()))

    assert head.get("/worklist").status == 302
    with pytest.raises(Refusal, match="没有任何岗位角色"):
        sign_in.open_session(sqlite_house.door, head.id)


def test_a_role_that_begins_tomorrow_is_none_today(sqlite_house: House) -> None:
    head = sqlite_house.make.head()

    with sqlite_house.door.database.writing() as session:
        session.execute(
            update(RoleGrant).where(RoleGrant.staff_id == head.id).values(since=today() + timedelta(days=1))
        )

    assert head.get("/worklist").status == 302


def test_old_sessions_are_cleared_away_and_young_ones_stay(sqlite_house: House) -> None:
    old, young = sqlite_house.make.head(), sqlite_house.make.head()
    with sqlite_house.door.database.writing() as session:
        session.execute(
            update(SignInSession)
            .where(SignInSession.staff_id == old.id)
            .values(ends_at=now() - housekeeping.KEEP_SESSIONS - timedelta(hours=1))
        )

    with sqlite_house.console(Permission.MAINTENANCE) as access:
        housekeeping.clear_away(access)

    assert (len(sessions(sqlite_house, old.staff)), len(sessions(sqlite_house, young.staff))) == (0, 1)


def test_somebody_with_open_items_is_not_retired_and_stays_signed_in(sqlite_house: House) -> None:
    _, psychologist, _ = sqlite_house.make.team()
    sqlite_house.make.case(psychologist, sqlite_house.make.student())

    with (
        pytest.raises(Refusal, match="还有工作事项") as refused,
        sqlite_house.console(Permission.ACCOUNTS_MANAGE, Purpose.ADMINISTRATION) as access,
    ):
        account.retire(access, access.session.get_one(Staff, psychologist.id))

    assert "个案" not in refused.value.sentence
    assert psychologist.get("/cases").status == 200
    assert sqlite_house.again(psychologist.staff).retired_at is None
