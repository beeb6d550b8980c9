"""The main job in real browsers: a file becomes alerts, the advisor acts, the centre cares, the auditor sees."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.identity import account
from app.security import sign_in
from app.security.policy import Permission
from models.identity import Role, Staff
from models.risk import Alert, Duty
from tests.house import CALM, HEADER, Client, House, xlsx
from tests.journeys.conftest import Site

PASSWORD = "Kaihua-2026-xin"


@contextmanager
def worker_running(house: House) -> Iterator[None]:
    """The worker at work while a page waits for it."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.1):
            house.work()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _give_password(house: House, client: Client) -> str:
    hashed = sign_in.hash_password(PASSWORD)
    with house.console(Permission.ACCOUNTS_MANAGE) as access:
        staff = access.session.get_one(Staff, client.id)
        account.set_password(access, staff, password_hash=hashed, must_change=False)
        return staff.login


def _sign_in(site: Site, client: Client, *, phone: bool = False) -> Page:
    login = _give_password(site.house, client)
    page = site.window(phone=phone)
    page.goto(site.url)
    page.get_by_label("账号").fill(login)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    return page


def _file(tmp_path: Path) -> Path:
    """One student with a critical answer, one above a threshold, one well, one row that names nobody."""
    path = tmp_path / "普查结果.xlsx"
    path.write_bytes(
        xlsx(
            HEADER,
            ["20260001", "林晓", "软件2601", *([1] * 8), 2, *([0] * 7)],
            ["20260002", "何夕", "软件2601", *([2] * 6), 0, 0, 0, *([0] * 7)],
            ["20260003", "周平", "软件2601", *CALM],
            ["20269999", "无名", "软件2601", *([0] * 8), 7, *([0] * 7)],
        )
    )
    return path


def test_from_a_file_to_a_closed_case(site: Site, tmp_path: Path) -> None:
    house = site.house
    head, psychologist, _ = house.make.team()
    group = house.make.class_group(house.make.college("信息学院"), "软件2601")
    advisor = house.make.advisor(group)
    auditor = house.make.person(Role.AUDITOR)
    for number, name in (("20260001", "林晓"), ("20260002", "何夕"), ("20260003", "周平")):
        house.make.student(group, number=number, name=name)

    _import_the_file(site, head, _file(tmp_path))
    assert house.count(Alert) == 1
    _advisor_acts(site, advisor)
    assert {row.stage.value for (row,) in house.all(select(Duty))} >= {"done"}
    _psychologist_cares(site, psychologist)
    _auditor_sees(site, auditor)


def _import_the_file(site: Site, head: Client, path: Path) -> None:
    page = _sign_in(site, head)
    page.get_by_role("link", name="普查批次").click()
    page.get_by_role("link", name=re.compile("新建")).first.click()
    page.get_by_label("批次名称").fill("秋季普查")
    page.get_by_label("约谈截止日期").fill("2027-01-10")
    page.get_by_role("button", name="建立并开放").click()
    page.get_by_role("link", name="导入结果").click()
    page.locator("input[type=file]").set_input_files(path)
    for box in page.get_by_role("checkbox").all()[:2]:
        box.check()
    page.locator("main form button").last.click()
    expect(page.get_by_role("heading", name="确认各列含义")).to_be_visible()
    with worker_running(site.house):
        page.get_by_role("button", name=re.compile("预览|确认|下一步")).first.click()
        expect(page.get_by_text("待确认")).to_be_visible(timeout=20_000)
        expect(page.get_by_text("第 5 行").or_(page.get_by_role("cell", name="5", exact=True)).first).to_be_visible()
        assert site.house.count(Alert) == 0, "a preview writes nothing"
        page.get_by_role("button", name=re.compile("导入|写入")).first.click()
        expect(page.get_by_text("已导入").first).to_be_visible(timeout=20_000)
    assert page.faults == []  # type: ignore[attr-defined]
    site.close_windows()


def _advisor_acts(site: Site, advisor: Client) -> None:
    page = _sign_in(site, advisor, phone=True)
    card = page.locator(".work-card")
    expect(card).to_have_count(1)
    expect(card.get_by_text("林晓")).to_be_visible()
    assert card.locator("a[href^='tel:']").get_attribute("href") == "tel:13800001234"
    for secret in ("PHQ", "第 9 题", "总分", "2 分"):
        assert secret not in page.content()
    card.get_by_role("button", name="签收").click()
    expect(page.get_by_text("已签收").first).to_be_visible()
    page.get_by_label("见到或通上话").check()
    page.get_by_label("电话", exact=True).check()
    page.get_by_label("简要记录").fill("宿舍见面聊了二十分钟，近两周睡得少。")
    page.get_by_label("请尽快评估（橙）").check()
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("已记录。")).to_be_visible()
    assert page.faults == []  # type: ignore[attr-defined]
    site.close_windows()


def _psychologist_cares(site: Site, psychologist: Client) -> None:
    page = _sign_in(site, psychologist)
    page.get_by_role("link", name="预警").first.click()
    page.get_by_role("link", name="查看").first.click()
    expect(page.get_by_text("PHQ-9 第 9 题 2 分及以上")).to_be_visible()
    page.get_by_role("button", name="我来跟进").click()
    page.get_by_role("link", name="建立个案").click()
    page.get_by_label("初次评估记录").fill("情绪低落约一个月，无计划，约定每周一次。")
    page.get_by_role("button", name=re.compile("建立")).click()
    expect(page.get_by_role("heading", name=re.compile("个案 2026-"))).to_be_visible()
    page.get_by_role("link", name="给辅导员建议").click()
    page.get_by_label("情绪", exact=True).check()
    page.locator("textarea").fill("每周见一次，先问睡眠。")
    page.get_by_label(re.compile("已确认不含")).check()
    page.get_by_role("button", name="发给辅导员").click()
    expect(page.get_by_text("每周见一次，先问睡眠。")).to_be_visible()
    assert page.faults == []  # type: ignore[attr-defined]
    site.close_windows()


def _auditor_sees(site: Site, auditor: Client) -> None:
    page = _sign_in(site, auditor)
    page.get_by_role("link", name="审计日志").click()
    for act in ("发出预警", "签收", "建立个案", "发出关注要点"):
        expect(page.get_by_role("cell", name=act, exact=True).first).to_be_visible()
    for secret in ("林晓", "睡得少", "13800001234"):
        assert secret not in page.content()
    page.get_by_role("link", name="日志校验").click()
    page.get_by_role("link", name="开始校验").click()
    expect(page.get_by_text("日志完整")).to_be_visible()
    assert page.faults == []  # type: ignore[attr-defined]
