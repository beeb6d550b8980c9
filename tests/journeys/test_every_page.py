"""Every page as every role that may enter it: axe and the content policy are content, and nothing overflows."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from app.security.policy import POLICY
from models.identity import Role
from tests.furnished import ROLES, address, batches_of, furnish
from tests.house import Client
from tests.journeys.conftest import Site

AXE = Axe()
OPTIONS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
NOT_PAGES = {"vendor.static", "admin.health", "drafts.read", "static"}


@pytest.fixture(scope="module")
def furnished(shared_site: Site) -> tuple[Site, dict[Role, Client], dict[Role, list[str]]]:
    """The site, its people, and the addresses that each role may open."""
    ids, people = furnish(shared_site.house)
    batches = batches_of(shared_site.house, people)
    pages: dict[Role, list[str]] = {}
    for rule in sorted(shared_site.house.app.url_map.iter_rules(), key=str):
        if rule.endpoint in NOT_PAGES or "GET" not in rule.methods:
            continue
        need = shared_site.house.app.view_functions[rule.endpoint].declared
        place = address(rule, ids, batches)
        for role in ROLES:
            if need.permission is not None and role in POLICY[need.permission, need.purpose]:
                answer = people[role].get(place)
                if answer.status == 200 and answer.response.mimetype == "text/html":
                    pages.setdefault(role, []).append(place)
    return shared_site, people, pages


def faults_of(page: Page) -> list[str]:
    """What axe, the content policy, the console and a ruler say about an open page."""
    found = [f"axe {item['id']}: {[node['html'][:160] for node in item['nodes']]}" for item in violations(page)]
    found += [f"policy {item}" for item in page.evaluate("window.broken")]
    found += [f"console {item}" for item in page.faults]  # type: ignore[attr-defined]
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found + ([f"{wide} pixels too wide"] if wide > 0 else [])


def violations(page: Page) -> list[dict[str, Any]]:
    return list(AXE.run(page, options=OPTIONS).response["violations"])


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.value)
def test_no_page_of_a_role_has_a_fault_on_a_desktop(
    furnished: tuple[Site, dict[Role, Client], dict[Role, list[str]]], role: Role
) -> None:
    site, people, pages = furnished
    assert pages[role]
    assert _faults(site, people[role], pages[role]) == {}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.value)
def test_no_page_has_a_fault_on_a_phone(
    furnished: tuple[Site, dict[Role, Client], dict[Role, list[str]]], role: Role
) -> None:
    """Each page once, in the hands of the first role that has it."""
    site, people, pages = furnished
    mine = [place for place in pages[role] if _first(pages, place) is role]
    assert _faults(site, people[role], mine, phone=True) == {}


def _first(pages: dict[Role, list[str]], place: str) -> Role:
    return next(role for role in ROLES if place in pages[role])


def _faults(site: Site, client: Client, places: list[str], *, phone: bool = False) -> dict[str, list[str]]:
    page = site.window(client, phone=phone)
    wrong = {}
    for place in places:
        page.faults.clear()  # type: ignore[attr-defined]
        page.goto(site.url + place)
        found = faults_of(page)
        if found:
            wrong[place] = found
    site.close_windows()
    return wrong


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_the_sign_in_page_has_no_fault(shared_site: Site, phone: bool) -> None:
    page = shared_site.window(phone=phone)
    page.goto(f"{shared_site.url}/sign-in")

    assert faults_of(page) == []


def test_a_page_with_a_fault_would_be_found(shared_site: Site) -> None:
    """The instruments themselves: an unnamed field, a foreign image and a wide box are all noticed."""
    page = shared_site.window()
    page.goto(f"{shared_site.url}/sign-in")
    page.evaluate(_SPOIL)
    page.wait_for_timeout(100)

    found = " ".join(faults_of(page))

    assert "axe label" in found
    assert "policy img-src" in found
    assert "too wide" in found


_SPOIL = """() => {
  document.querySelector("main").append(document.createElement("input"));
  const wide = document.createElement("div");
  wide.style.width = "3000px"; wide.textContent = "x"; wide.style.height = "10px";
  document.querySelector("main").append(wide);
  const image = new Image();
  image.alt = "";
  image.src = "https://example.invalid/x.png";
  document.querySelector("main").append(image);
}"""
