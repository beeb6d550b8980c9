"""``test`` and ``check``: everything that must hold before a change lands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

from config.settings import PROJECT


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> None:
    """运行全部测试（SQLite、PostgreSQL、浏览器）；其余参数交给 pytest。"""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name == "XINYU_REFERENCE_DATA" or not name.startswith("XINYU_")
    }
    raise SystemExit(
        subprocess.call([sys.executable, "-m", "pytest", *_side_by_side(arguments)], cwd=PROJECT, env=environment)
    )


def _side_by_side(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The whole suite on every processor; a part of it, or what was asked for otherwise, as it was asked for."""
    return arguments or ("-n", str(os.cpu_count() or 1), "--dist", "loadscope")


CHECKS = (
    ("ruff", ("ruff", "check", ".")),
    ("types", ("mypy",)),
    ("imports", ("lint-imports", "--no-cache")),
    ("architecture", (sys.executable, "-m", "pytest", "-q", "tests/architecture")),
)
DEEP = (
    (
        "semgrep",
        (
            "semgrep",
            "scan",
            "--config",
            ".semgrep.yml",
            "--error",
            "--quiet",
            "--metrics=off",
            "--disable-version-check",
            "app",
            "models",
            "config",
            "ml",
        ),
    ),
)


@click.command()
@click.option("--deep", is_flag=True, help="再运行 semgrep 规则。")
def check(deep: bool) -> None:
    """静态检查：ruff、类型、导入次序、架构测试；--deep 再加 semgrep。"""
    failed = []
    tools = Path(sys.executable).parent
    for name, command in CHECKS + (DEEP if deep else ()):
        program = command[0] if Path(command[0]).is_absolute() else str(tools / command[0])
        if shutil.which(program) is None:
            failed.append(name)
            click.echo(f"{name}: 没有安装 {command[0]}")
            continue
        click.echo(f"--- {name}")
        if subprocess.call(
            [program, *command[1:]], cwd=PROJECT, env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
        ):
            failed.append(name)
    click.echo("全部通过。" if not failed else f"没有通过：{'、'.join(failed)}")
    raise SystemExit(bool(failed))
