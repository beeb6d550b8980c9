"""``serve`` and ``worker``: the web application under gunicorn, and the clocks and jobs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from types import FrameType

import click
from flask import Flask

from app import wiring
from app.cli import installation
from app.security.door import open_door
from app.security.plainlog import configure
from config import settings as configuration

THREADS = 8


def web() -> Flask:
    """What gunicorn calls in each of its processes."""
    os.umask(0o077)
    configure()
    return wiring.create_app(open_door(configuration.read()))


def gunicorn_command(bind: str, processes: int) -> list[str]:
    """The command that serves the application; nothing of a request is logged by gunicorn itself."""
    return [
        sys.executable,
        "-P",
        "-m",
        "gunicorn",
        "app.cli.serve:web()",
        "--bind",
        bind,
        "--workers",
        str(processes),
        "--threads",
        str(THREADS),
        "--worker-class",
        "gthread",
        "--timeout",
        "120",
        "--graceful-timeout",
        "20",
        "--log-level",
        "warning",
        "--no-control-socket",
    ]


@click.command()
@click.option("--bind", default="127.0.0.1:8000", show_default=True, help="监听地址；对外请放在反向代理之后。")
@click.option("--processes", default=2, show_default=True, help="进程数。")
@click.option("--with-worker", is_flag=True, help="同时运行一个后台进程。")
def serve(bind: str, processes: int, with_worker: bool) -> None:
    """启动网站（gunicorn）。"""
    installation.opened(configuration.read())
    run_all(bind, processes, with_worker=with_worker)


def run_all(bind: str, processes: int, *, with_worker: bool) -> None:
    """Run web and worker until a signal comes; when one of them dies, both end."""
    if not with_worker:
        os.execv(sys.executable, gunicorn_command(bind, processes))
    commands = [gunicorn_command(bind, processes), [sys.executable, "-P", "-m", "app.cli", "worker"]]
    children = [subprocess.Popen(command) for command in commands]

    def stop(_number: int, _frame: FrameType | None) -> None:
        for child in children:
            child.terminate()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    while all(child.poll() is None for child in children):
        try:
            children[0].wait(timeout=1)
        except subprocess.TimeoutExpired:
            continue
    stop(0, None)
    for child in children:
        child.wait()


@click.command()
def worker() -> None:
    """运行后台任务和时限检查。可同时运行多个。"""
    wiring.worker(installation.opened(configuration.read())).run_forever()
