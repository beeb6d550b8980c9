"""What every answer tells the browser: nothing foreign, nothing framed, nothing kept."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.security.door import open_door
from app.web.headers import FIXED, POLICY
from config.settings import Settings
from models.identity import Role
from tests.conftest import copied_sqlite
from tests.furnished import furnish
from tests.house import House, Page


def _kept(page: Page) -> bool:
    return page.response.headers["Cache-Control"] != "no-store" or "ETag" in page.response.headers


@pytest.mark.parametrize("place", ["/worklist", "/alerts", "/help", "/nowhere", "/students/x", "/health", "/sign-in"])
def test_no_page_is_kept_by_a_browser_and_each_carries_the_fixed_headers(sqlite_house: House, place: str) -> None:
    _, psychologist, _ = sqlite_house.make.team()
    page = psychologist.get(place)

    assert not _kept(page)
    assert {name: page.response.headers[name] for name in FIXED} == FIXED


def test_the_content_policy_lets_in_nothing_inline_and_nothing_foreign() -> None:
    rules = dict(part.split(" ", 1) for part in POLICY.split("; "))

    assert rules["default-src"] == "'none'"
    assert {name: rules[name] for name in ("script-src", "style-src")} == {
        "script-src": "'self'",
        "style-src": "'self'",
    }
    assert rules["frame-ancestors"] == "'none'"
    assert re.search(r"unsafe|http|\*", POLICY) is None


def test_static_files_are_kept_for_ever_because_their_address_changes_with_them(sqlite_house: House) -> None:
    sqlite_house.make.team()
    html = sqlite_house.anonymous().get("/sign-in").get_data(as_text=True)
    for address in re.findall(r'(?:href|src)="(/(?:static|vendor)/[^"]+)"', html):
        assert re.search(r"\?v=[0-9a-f]{12}$", address)
        response = sqlite_house.anonymous().get(address)
        assert response.status_code == 200
        assert "immutable" in response.headers["Cache-Control"]
        response.close()


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(sqlite_house: House) -> None:
    person = sqlite_house.make.psychologist()
    found: Any = person.get("/help").response.headers.getlist("Set-Cookie")

    assert len(found) == 1
    assert "HttpOnly" in found[0]
    assert "SameSite=Lax" in found[0]


def test_over_https_the_cookie_and_the_transport_are_strict(sqlite_template: Settings, tmp_path: Path) -> None:
    door = open_door(replace(copied_sqlite(sqlite_template, tmp_path), secure_cookies=True))
    response = House(door).app.test_client().get("/sign-in", base_url="https://localhost")
    door.database.dispose()

    assert "max-age=31536000" in response.headers["Strict-Transport-Security"]
    assert response.headers.getlist("Set-Cookie")
    assert all("Secure" in cookie for cookie in response.headers.getlist("Set-Cookie"))


@pytest.mark.parametrize("how", ["missing", "wrong", "of somebody else"])
def test_a_change_without_its_token_is_refused_and_changes_nothing(sqlite_house: House, how: str) -> None:
    ids, people = furnish(sqlite_house)
    advisor, other = people[Role.ADVISOR], people[Role.CLASS_TEACHER]
    other.get("/help")
    headers = {"missing": {}, "wrong": {"X-CSRFToken": "x"}, "of somebody else": {"X-CSRFToken": _token(other)}}[how]

    answer = advisor._browser.post(f"/duties/{ids['duty_id']}/acknowledge", headers=headers)

    assert answer.status_code == 400
    assert sqlite_house.log(act="duty_acknowledged") == []


def _token(client: Any) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/help").html)
    assert found
    return found[1]


def test_a_request_with_a_zero_byte_ends_before_any_query(house: House) -> None:
    auditor = house.make.person(Role.AUDITOR)

    assert auditor.get("/audit?act=%00").status == 400
    assert house.anonymous().post("/sign-in", data={"login": "a\0b", "password": "x"}).status_code == 400


def test_an_error_page_says_nothing_of_the_inside(sqlite_house: House) -> None:
    _, psychologist, _ = sqlite_house.make.team()
    page = psychologist.get("/students/00000000-0000-0000-0000-000000000000")

    assert page.status == 404
    for inside in ("Traceback", "sqlalchemy", "werkzeug", "SELECT", "Error"):
        assert inside not in page.html
