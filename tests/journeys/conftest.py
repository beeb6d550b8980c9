"""A real Chromium before the real house: skipped, with the reason printed, only where no Chromium is found."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import justmytype_intl_cjk
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from app.security.door import open_door
from config.settings import Settings
from tests.conftest import copied_sqlite
from tests.house import Client, House

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
DESKTOP = {"width": 1366, "height": 820}
PHONE = {"width": 390, "height": 844}
WATCH = """
window.broken = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.broken.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


expect.set_options(timeout=15_000)


def _chromium() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    reason = f"no Chromium found (looked for {', '.join(NAMES)}): install it and run again"
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if _chromium() is None:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def browser(folder: Path) -> Iterator[Browser]:
    """Chromium with the Chinese glyphs of an installed package, so that a bare machine shows what a reader sees."""
    fonts = Path(justmytype_intl_cjk.__file__).parent / "fonts"
    settings = folder / "fonts.conf"
    settings.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>{fonts}</dir><dir>/usr/share/fonts</dir><cachedir>{folder / 'fonts'}</cachedir></fontconfig>"
    )
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=_chromium(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
            env={**os.environ, "FONTCONFIG_FILE": str(settings)},
        )
        yield chromium
        chromium.close()


@dataclass
class Site:
    """The house behind an address, and windows into it."""

    house: House
    url: str
    browser: Browser
    open: list[BrowserContext] = field(default_factory=list)

    def window(self, client: Client | None = None, *, phone: bool = False, **more: Any) -> Page:
        """A window of this person, on a desktop or a phone; ``page.faults`` collects what went wrong in it."""
        context = self.browser.new_context(
            viewport=PHONE if phone else DESKTOP, is_mobile=phone, has_touch=phone, locale="zh-CN", **more
        )
        self.open.append(context)
        context.add_init_script(WATCH)
        if client is not None:
            cookie = client.cookie()
            context.add_cookies([{"name": "xinyu", "value": cookie, "url": self.url}])
        page = context.new_page()
        page.set_default_timeout(10_000)
        faults: list[str] = []
        page.on("pageerror", lambda problem: faults.append(str(problem)))
        page.on("console", lambda said: faults.append(said.text) if said.type in {"error", "warning"} else None)
        page.faults = faults  # type: ignore[attr-defined]
        return page

    def close_windows(self) -> None:
        while self.open:
            self.open.pop().close()


class Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log(self, *_arguments: Any) -> None: ...


def served(house: House, browser: Browser) -> Iterator[Site]:
    server = make_server("127.0.0.1", 0, house.app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site = Site(house, f"http://127.0.0.1:{server.port}", browser)
    yield site
    site.close_windows()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def site(sqlite_house: House, browser: Browser) -> Iterator[Site]:
    """An empty house, served."""
    yield from served(sqlite_house, browser)


@pytest.fixture(scope="module")
def shared_site(
    sqlite_template: Settings, tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> Iterator[Site]:
    """One house for a whole module that only looks."""
    door = open_door(copied_sqlite(sqlite_template, tmp_path_factory.mktemp("shared")))
    yield from served(House(door), browser)
    door.database.dispose()
