"""``demo``: an invented college on this machine, brought in by the real paths."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import click
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from app.cli import demo_college, installation
from app.cli.database import say_shares
from app.cli.demo_college import DemoBuilt
from app.cli.output import fail, json_option, report
from app.cli.serve import run_all
from app.security.door import Door
from config import settings as configuration
from config.settings import Settings
from models.audit import LedgerEntry
from models.database import Database
from models.keys import Deployment, DeploymentKind
from models.student import Student

SCHOOL = "示例职业技术学院（演示）"
NOT_HERE = "这里已有真实的数据库，不能在上面开启演示。请换一个位置：XINYU_HOME=… python3 manage.py demo"


@click.command()
@click.option("--students", default=3000, show_default=True, type=click.IntRange(60, 100_000), help="虚构学生人数。")
@click.option("--fresh", is_flag=True, help="删除现有演示数据，重新建立。")
@click.option("--port", default=8000, show_default=True, help="端口；只监听本机。")
@click.option("--no-serve", is_flag=True, help="只建立，不启动网站。")
@json_option
def demo(students: int, fresh: bool, port: int, no_serve: bool, as_json: bool) -> None:
    """建立并启动演示：虚构的学院、教师、学生和一次普查。"""
    os.environ.setdefault("XINYU_SECURE_COOKIES", "0")
    settings = configuration.read()
    started = time.monotonic()
    kind = _kind(settings)
    if kind is DeploymentKind.REAL:
        fail(NOT_HERE, as_json=as_json)
    if kind is DeploymentKind.DEMO and (fresh or not _is_complete(settings)):
        _remove(settings)
        kind = None
    held: dict[str, object] = {"built": kind is None}
    if kind is None:
        shares = installation.create(settings, kind=DeploymentKind.DEMO, school=SCHOOL)
        if not as_json:
            say_shares(shares)
        door = installation.opened(settings)
        if not door.is_demo:
            fail(NOT_HERE, as_json=as_json)
        held |= demo_college.build(door, students=students, quiet=as_json)
    else:
        installation.upgrade(settings)
        door = installation.opened(settings)
    held |= {"students": _count(door), "seconds": round(time.monotonic() - started, 1), "port": port}
    door.database.dispose()
    words = f"演示已就绪（{held['students']} 名虚构学生，用时 {held['seconds']} 秒）。"
    report(held, as_json=as_json, words=words)
    if no_serve:
        return
    click.echo(f"请在浏览器打开 http://127.0.0.1:{port} ，按 Ctrl+C 结束。", err=True)
    sys.stdout.flush()
    run_all(f"127.0.0.1:{port}", 1, with_worker=True)


def _kind(settings: Settings) -> DeploymentKind | None:
    """What kind of installation stands here, if any."""
    if settings.is_sqlite and not Path(Database(settings.database_url).url.database or "").exists():
        return None
    database = Database(settings.database_url)
    try:
        with database.reading() as session:
            return session.scalar(select(Deployment.kind))
    except SQLAlchemyError:
        return None
    finally:
        database.dispose()


def _is_complete(settings: Settings) -> bool:
    """Whether the college was built to its end: the log says so last. A build that was cut off is begun anew."""
    database = Database(settings.database_url)
    try:
        with database.reading() as session:
            built = select(LedgerEntry.id).where(LedgerEntry.act == DemoBuilt.act()).limit(1)
            return session.scalar(built) is not None
    except SQLAlchemyError:
        return False
    finally:
        database.dispose()


def _remove(settings: Settings) -> None:
    """Delete an invented installation: only its own files, only on SQLite."""
    if not settings.is_sqlite:
        installation.downgrade(settings, "base")
        return
    path = Path(Database(settings.database_url).url.database or "")
    for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm"), Path(f"{path}.queue")):
        name.unlink(missing_ok=True)
    shutil.rmtree(settings.anchor_dir, ignore_errors=True)


def _count(door: Door) -> int:
    with door.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Student)) or 0
