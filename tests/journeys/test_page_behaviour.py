"""What pages do by themselves: names hide again, drafts come back, a session announces its end; keys and print."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from config import catalogue
from models.identity import Draft
from models.student import Student
from tests.house import Client
from tests.journeys.conftest import Site


@pytest.fixture
def staffed(site: Site) -> tuple[Site, Client, Client, Student]:
    """A psychologist, an advisor and a student of his."""
    _, psychologist, _ = site.house.make.team()
    group = site.house.make.class_group()
    advisor = site.house.make.advisor(group)
    return site, psychologist, advisor, site.house.make.student(group, name="欧阳晓雪", number="20260007")


def _seconds(name: str) -> int:
    table = catalogue.table("security")
    return int((table["screen"] | table["session"])[name])


def test_a_name_is_shown_for_some_seconds_and_leaves_a_row_in_the_log(
    staffed: tuple[Site, Client, Client, Student],
) -> None:
    site, psychologist, _, student = staffed
    page = site.window(psychologist)
    page.clock.install()
    page.goto(f"{site.url}/students/{student.id}")
    expect(page.get_by_text("欧阳晓雪")).to_have_count(0)
    before = len(site.house.log(act="student_read"))

    page.get_by_role("button", name="显示全名").click()
    expect(page.get_by_text("欧阳晓雪")).to_be_visible()
    assert len(site.house.log(act="student_read")) == before + 1

    page.clock.fast_forward((_seconds("reveal_seconds") + 1) * 1000)
    expect(page.get_by_text("欧阳晓雪")).to_have_count(0)


def test_what_was_being_written_comes_back_after_the_window_was_closed(
    staffed: tuple[Site, Client, Client, Student],
) -> None:
    site, _, advisor, student = staffed
    page = _writing(site, advisor, student)
    page.get_by_label("简要记录").fill("聊到一半网络断了")
    page.get_by_label("简要记录").blur()
    expect(page.get_by_text(re.compile(r"草稿已保存 \d"))).to_be_visible()
    site.close_windows()

    page = _writing(site, advisor, student)

    expect(page.get_by_label("简要记录")).to_have_value("聊到一半网络断了")
    assert site.house.count(Draft) == 1


def test_a_draft_is_gone_once_its_form_was_handed_in(staffed: tuple[Site, Client, Client, Student]) -> None:
    site, _, advisor, student = staffed
    page = _writing(site, advisor, student)
    page.get_by_label("见到或通上话").check()
    page.get_by_label("当面").check()
    page.get_by_label("简要记录").fill("见面聊过")
    page.get_by_label("不需要，由我继续关心").check()
    page.get_by_label("简要记录").blur()
    expect(page.get_by_text(re.compile(r"草稿已保存 \d"))).to_be_visible()

    page.get_by_role("button", name="保存").click()

    expect(page.get_by_text("已记录。")).to_be_visible()
    assert site.house.count(Draft) == 0


def test_leaving_with_something_unsaved_is_asked_about(staffed: tuple[Site, Client, Client, Student]) -> None:
    site, _, advisor, student = staffed
    page = _writing(site, advisor, student)
    page.get_by_label("简要记录").fill("还没写完")

    page.get_by_role("link", name="我的待办").first.click()

    expect(page.locator("dialog#leave")).to_be_visible()
    assert page.url.endswith("/talk")


def _writing(site: Site, advisor: Client, student: Student) -> Page:
    page = site.window(advisor)
    page.goto(f"{site.url}/students/{student.id}/talk")
    return page


def test_the_end_of_a_session_is_announced_and_can_be_put_off(staffed: tuple[Site, Client, Client, Student]) -> None:
    site, psychologist, _, _ = staffed
    page = site.window(psychologist)
    page.clock.install()
    page.goto(f"{site.url}/alerts")
    idle = int(page.locator("body").get_attribute("data-idle") or 0)
    warn = int(page.locator("body").get_attribute("data-warn") or 0)
    assert idle > warn > 0

    page.clock.fast_forward((idle - warn + 2) * 1000)
    dialog = page.locator("dialog#idle")
    expect(dialog).to_be_visible()

    dialog.locator("[data-keep]").click()
    page.clock.fast_forward(2000)
    expect(dialog).not_to_be_visible()


def test_the_screen_can_be_covered_and_the_search_reached_with_a_key(
    staffed: tuple[Site, Client, Client, Student],
) -> None:
    site, psychologist, _, _ = staffed
    page = site.window(psychologist)
    page.goto(f"{site.url}/alerts")
    page.keyboard.press("/")
    expect(page.locator("#top-words")).to_be_focused()

    page.keyboard.press("Control+.")
    expect(page.locator("#blank")).to_be_visible()
    page.keyboard.press("a")
    expect(page.locator("#blank")).not_to_be_visible()


def test_the_keyboard_reaches_the_main_text_first(staffed: tuple[Site, Client, Client, Student]) -> None:
    site, psychologist, _, _ = staffed
    page = site.window(psychologist)
    page.goto(f"{site.url}/alerts")
    page.keyboard.press("Tab")

    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_a_printed_file_shows_no_navigation_and_no_full_name(staffed: tuple[Site, Client, Client, Student]) -> None:
    site, psychologist, _, student = staffed
    page = site.window(psychologist)
    page.goto(f"{site.url}/students/{student.id}")
    page.emulate_media(media="print")

    for hidden in (".top", ".side", ".tabs"):
        expect(page.locator(hidden)).not_to_be_visible()
    expect(page.locator("[data-identity]")).to_be_visible()
    assert "欧阳晓雪" not in page.locator("body").inner_text()


def test_chinese_words_are_drawn_with_chinese_glyphs(site: Site) -> None:
    page = site.window()
    page.goto(f"{site.url}/sign-in")

    drawn = page.evaluate(_DRAW, ["心", "育", "\U0010fffd"])

    assert len(set(drawn)) == 3
    assert all(int(ink) > 0 for ink in drawn)


_DRAW = """(words) => words.map((word) => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 40;
  const context = canvas.getContext("2d");
  context.font = `32px ${getComputedStyle(document.body).fontFamily}`;
  context.fillText(word, 2, 32);
  const pixels = context.getImageData(0, 0, 40, 40).data;
  return String(pixels.reduce((sum, value, place) => sum + value * (place % 9973), 0));
})"""


def test_a_form_pressed_twice_is_sent_once(staffed: tuple[Site, Client, Client, Student]) -> None:
    site, _, advisor, student = staffed
    site.house.make.alert(student)
    page = site.window(advisor)
    page.goto(f"{site.url}/worklist")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)

    page.evaluate("""() => {
      const form = document.querySelector("form[action$='/acknowledge']");
      const button = form.querySelector("button");
      button.click(); button.click();
    }""")
    expect(page.get_by_text("已签收").first).to_be_visible()

    assert len(sent) == 1


def test_a_session_that_was_ended_elsewhere_leads_to_the_sign_in_page(
    staffed: tuple[Site, Client, Client, Student],
) -> None:
    site, psychologist, _, _ = staffed
    page = site.window(psychologist)
    page.goto(f"{site.url}/alerts")
    psychologist.post("/sign-out")

    page.reload()

    expect(page.get_by_role("button", name="登录")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="预警", exact=True)).to_have_count(0)


def test_a_reminder_is_copied_by_a_button_and_by_hand_where_no_script_runs(
    staffed: tuple[Site, Client, Client, Student],
) -> None:
    site, _, advisor, student = staffed
    path = f"{site.url}/reminders/{site.house.make.round().id}/{student.class_id}"
    page = site.window(advisor, permissions=["clipboard-read", "clipboard-write"])
    page.goto(path)

    page.get_by_role("button", name="复制").click()

    expect(page.get_by_text("已复制")).to_be_visible()
    assert "欧阳晓雪" in page.evaluate("navigator.clipboard.readText()")
    bare = site.window(advisor, java_script_enabled=False)
    bare.goto(path)
    assert "欧阳晓雪" in bare.get_by_label("复制下面的文字").input_value()
    expect(bare.get_by_role("button", name="复制")).to_be_hidden()
