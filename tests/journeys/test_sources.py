"""数据来源 in a browser: set up on the page, seen in every state on desktop and phone, a waiting file seen to."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from models import moment
from models.source import ArrivalState, SourceKind
from tests.journeys.conftest import Site
from tests.journeys.test_every_page import faults_of
from tests.screening.files import line, phq
from tests.sources.delivering import Delivering, calm, clean, table


@pytest.fixture
def centre(site: Site, tmp_path: Path) -> Delivering:
    (tmp_path / "inbox").mkdir(mode=0o700)
    site.house.door.settings = replace(site.house.door.settings, inbox=tmp_path / "inbox")
    return Delivering(site.house, tmp_path / "inbox")


def everything(centre: Delivering) -> list[str]:
    """Pages of sources in every state there is."""
    empty = ["/sources", "/sources/new"]
    folder = centre.source(every_days=7)
    centre.deliver(clean(centre.people))
    centre.deliver(clean(centre.people))
    centre.deliver(table(line(centre.people[0], phq(12, 3)), ["404", "路人", *phq(1), *([0] * 7)]))
    centre.deliver(b"\x00\x01PK nonsense" * 40, "坏.xlsx")
    (centre.inbox / "测评平台" / "链接.csv").symlink_to(os.devnull)
    centre.look()
    push = centre.source(name="问卷星", kind=SourceKind.PUSH, mapped=False)
    late = moment.today() - timedelta(days=30)
    ended = centre.source(name="以前的平台", kind=SourceKind.UPLOAD, expected_on=late)
    centre.source(name="迟到的平台", kind=SourceKind.UPLOAD, expected_on=late)
    centre.head.post(f"/sources/{ended.id}/retire", version="2")
    shown = [f"/sources/{row.id}" for row in (folder, push, ended)]
    return [*empty, *shown, f"/sources/{folder.id}/edit", f"/sources/{push.id}/edit", "/help/sources", "/notices"]


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_pages_of_sources_have_no_fault_in_any_state(site: Site, centre: Delivering, phone: bool) -> None:
    window = site.window(centre.psychologist, phone=phone)
    window.goto(f"{site.url}/sources")
    wrong = {"empty": faults_of(window)} if faults_of(window) else {}
    for place in everything(centre):
        window.goto(site.url + place)
        found = faults_of(window)
        if found:
            wrong[place] = found
    window.goto(f"{site.url}/sources")
    for words in ("等待处理", "已停用", "迟到", "正常"):
        expect(window.get_by_text(words, exact=False).first).to_be_visible()

    assert wrong == {}


def test_a_waiting_file_is_opened_from_its_source_and_let_in(site: Site, centre: Delivering) -> None:
    centre.source()
    centre.deliver(table(*calm(centre.people), ["404", "路人", *phq(1), *([0] * 7)]))
    window = site.window(centre.psychologist)
    window.goto(f"{site.url}/sources")
    window.get_by_role("link", name="打开").click()
    window.get_by_role("link", name="处理").click()
    window.get_by_role("button", name="确认导入").click()
    centre.work()

    assert centre.states() == [ArrivalState.COMMITTED]


def test_a_key_is_shown_once_when_a_pushing_source_is_made(site: Site, centre: Delivering) -> None:
    window = site.window(centre.head)
    window.goto(f"{site.url}/sources/new")
    window.get_by_label("来源名称").fill("朗心平台")
    window.get_by_text("平台推送").click()
    window.get_by_label("供给的批次").select_option(label="春季普查")
    window.get_by_role("button", name="新建").click()

    assert len(window.locator("code").inner_text()) == 43
    assert faults_of(window) == []
    window.get_by_role("link", name="已保存，打开来源").click()
    expect(window.locator("code")).to_have_count(0)
