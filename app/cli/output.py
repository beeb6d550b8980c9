"""How commands speak: a line for people, ``--json`` for programs, a bar while one waits."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--json", "as_json", is_flag=True, help="输出 JSON。")(command)


def report(held: dict[str, Any], *, as_json: bool, words: str = "") -> None:
    """Print a result once, in the form that was asked for."""
    if as_json:
        click.echo(json.dumps(held, ensure_ascii=False, indent=2))
    elif words:
        click.echo(words)


def fail(sentence: str, *, as_json: bool = False, done: dict[str, Any] | None = None, status: int = 1) -> NoReturn:
    """Say what is wrong, and what had been done before, and end with a status that is not 0."""
    if as_json:
        click.echo(json.dumps({"error": sentence, **(done or {})}, ensure_ascii=False))
    else:
        click.echo(click.style(sentence, fg="red"), err=True)
    raise SystemExit(status)


def usage(problem: click.ClickException) -> str:
    """What is wrong with a command line, in Chinese: click speaks English."""
    parameter = getattr(problem, "param", None)
    name = parameter.human_readable_name if isinstance(parameter, click.Argument) else ""
    name = name or (parameter.opts[-1] if parameter is not None else "")
    match problem:
        case click.MissingParameter():
            return f"缺少参数 {name}。用法见 --help。"
        case click.NoSuchOption():
            return f"没有选项 {problem.option_name}。用法见 --help。"
        case click.exceptions.NoSuchCommand():
            return "没有这条命令。全部命令见 python3 manage.py --help。"
        case click.BadParameter() if isinstance(getattr(parameter, "type", None), click.Path):
            return f"{name}：文件不存在，或不是可读的文件。"
        case click.BadParameter():
            return f"参数 {name} 的值不能用：{problem.message}"
    return f"命令不对：{problem.format_message()} 用法见 --help。"


@contextmanager
def progress(label: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error that is fed with (done, total)."""
    if quiet or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    with click.progressbar(length=1000, label=label, file=sys.stderr) as bar:

        def beat(done: int, total: int) -> None:
            bar.update(max(0, round(1000 * done / max(total, 1)) - bar.pos))

        yield beat
        bar.update(1000 - bar.pos)
