"""How commands speak: a line for people, ``--json`` for programs, a bar while one waits."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--json", "as_json", is_flag=True, help="输出 JSON。")(command)


def report(held: dict[str, Any], *, as_json: bool, words: str = "") -> None:
    """Print a result once, in the form that was asked for."""
    if as_json:
        click.echo(json.dumps(held, ensure_ascii=False, indent=2))
    elif words:
        click.echo(words)


def fail(sentence: str, *, as_json: bool = False) -> None:
    """Say what is wrong and end with status 1."""
    if as_json:
        click.echo(json.dumps({"error": sentence}, ensure_ascii=False))
    else:
        click.echo(click.style(sentence, fg="red"), err=True)
    raise SystemExit(1)


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
