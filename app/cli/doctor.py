"""``doctor``: each line says ok, or what to do."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import click
from sqlalchemy import func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from app.admin import housekeeping, rulebook
from app.cli import installation
from app.cli.output import json_option, report
from app.screening.scales.scale import all_scales
from app.security import keyring
from app.security.door import Door, NotReady, open_door
from app.security.heads import ANCHORS
from app.security.holders import holders_of
from config import catalogue
from config import settings as configuration
from config.settings import Settings
from models.audit import LEDGER_TABLES, LedgerHead
from models.identity import Role
from models.job import Job, JobStage
from models.moment import today

TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'",
}
Finding = tuple[str, str]
"""What was looked at, and what to do; an empty second part means it is well."""


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """检查这台机器上的安装：每行不是 ok，就是要做什么。"""
    settings = configuration.read()
    findings = [*_outside(settings), *_inside(settings)]
    wrong = [finding for finding in findings if finding[1]]
    lines = [f"{'ok  ' if not advice else '!!  '}{name}{'：' + advice if advice else ''}" for name, advice in findings]
    report(
        {"ok": not wrong, "findings": [{"name": name, "todo": advice} for name, advice in findings]},
        as_json=as_json,
        words="\n".join(lines),
    )
    if wrong:
        raise SystemExit(1)


def _outside(settings: Settings) -> Iterator[Finding]:
    yield f"Python {sys.version.split()[0]}", "" if sys.version_info >= (3, 11) else "需要 3.11 以上"
    yield "密钥文件", "；".join(keyring.problems(settings.key_dir))
    there = next(path for path in (settings.home, *settings.home.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    yield "磁盘空间", "" if free > 2 * 1024**3 else f"只剩 {free // 1024**2} MB，请清理"
    yield "会话 Cookie 只走 HTTPS", "" if settings.secure_cookies else "对外使用前去掉 XINYU_SECURE_COOKIES=0"
    until = catalogue.table("calendar")["covers_until"]
    yield (
        "工作日历",
        "" if until >= today() + timedelta(days=60) else f"config/calendar.toml 只到 {until}，请补录节假日",
    )
    yield from _inbox(settings)
    yield "量表文件", _attempt(all_scales)


def _inbox(settings: Settings) -> Iterator[Finding]:
    """The watched folder holds answers in the clear for a minute: nobody else reads it, and we can empty it."""
    path = settings.inbox
    if path is None:
        return
    if path.is_symlink() or not path.is_dir():
        yield "共享文件夹", f"{path} 不是文件夹，请建立（权限 0700）"
        return
    folders = [path, *(found for found in sorted(path.iterdir()) if found.is_dir() and not found.is_symlink())]
    closed = [found.name for found in folders if not os.access(found, os.R_OK | os.W_OK | os.X_OK)]
    wide = [found.name for found in folders[:1] if found.stat().st_mode & 0o077]
    yield "共享文件夹", f"不能读写：{'、'.join(closed)}" if closed else ""
    yield "共享文件夹只有本系统可进", f"请运行：chmod 700 {path}" if wide else ""


def _attempt(work: Callable[[], object]) -> str:
    try:
        work()
    except Exception as problem:  # noqa: BLE001 - a doctor reports whatever is wrong
        return f"{type(problem).__name__}: {problem}"
    return ""


def _inside(settings: Settings) -> Iterator[Finding]:
    if settings.is_sqlite and not Path(make_url(settings.database_url).database or "").exists():
        yield "数据库", "还没有，请运行：python3 manage.py db upgrade"
        return
    try:
        current, head = installation.revision_of(settings)
    except SQLAlchemyError as problem:
        yield "数据库", f"连不上（{type(problem).__name__}），请检查 XINYU_DATABASE_URL"
        return
    yield f"数据库结构 {current or '空'}", "" if current == head else "请运行：python3 manage.py db upgrade"
    try:
        door = open_door(settings)
    except NotReady as problem:
        yield "安装", str(problem)
        return
    yield "内容密钥", door.key_problem and f"{door.key_problem}；系统处于封存状态"
    yield from _guards(door)
    yield from _people(door)
    yield from _running(door)
    door.database.dispose()


def _guards(door: Door) -> Iterator[Finding]:
    with door.database.reading() as session:
        found = set(session.scalars(text(TRIGGERS["sqlite" if door.database.is_sqlite else "postgresql"])))
        kinds = ("no_update", "no_delete", "no_replace") if door.database.is_sqlite else ("only_grows",)
        missing = [name for table in LEDGER_TABLES for kind in kinds if (name := f"{table.name}_{kind}") not in found]
        yield "日志只能追加", f"缺少触发器或已停用：{'、'.join(missing)}；请检查数据库结构" if missing else ""
        if not door.database.is_sqlite:
            rights = text("SELECT has_table_privilege(current_user, :name, 'UPDATE, DELETE, TRUNCATE')")
            may = any(session.scalar(rights, {"name": table.name}) for table in LEDGER_TABLES)
            yield "应用账号不能改日志", "应用账号拥有改删权限：请用两个账号（owner 与 app）" if may else ""
        yield "规则与时限", _attempt(lambda: rulebook.current(session))


def _people(door: Door) -> Iterator[Finding]:
    with door.database.reading() as session:
        for role, words in (
            (Role.CENTRE_HEAD, "心理中心主任"),
            (Role.PSYCHOLOGIST, "心理咨询师"),
            (Role.AFFAIRS_HEAD, "学工部长"),
            (Role.SYSADMIN, "系统管理员"),
            (Role.AUDITOR, "审计员"),
        ):
            yield f"岗位：{words}", "" if holders_of(session, role) else "还没有人，请开通账号（关键提示要有人负责）"


def _running(door: Door) -> Iterator[Finding]:
    with door.database.reading() as session:
        running = housekeeping.is_worker_running(session)
        yield "后台任务", "" if running else "最近 5 分钟没有运行，请启动：python3 manage.py worker"
        failed = session.scalar(select(func.count()).where(Job.stage == JobStage.FAILED)) or 0
        yield "任务结果", f"{failed} 个任务未能完成，见“系统状态”" if failed else ""
        head = session.scalars(select(LedgerHead).order_by(LedgerHead.number.desc()).limit(1)).first()
        path = door.settings.anchor_dir / ANCHORS
        anchored = head is None or (path.exists() and os.access(path, os.W_OK))
        yield "日志锚定文件", "" if anchored else f"{path} 不存在或不可写"
