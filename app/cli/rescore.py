"""``scale rescore``: what another version of a scale has scored, scored by the one in force now."""

from __future__ import annotations

from typing import Any

import click

from app.cli import installation
from app.cli.output import json_option, progress, report
from app.screening.corrections import rescore
from app.screening.corrections.rescore import Difference
from app.security.actor import CONSOLE
from app.security.door import Door
from app.security.policy import Permission, Purpose
from config import settings as configuration

_CORRECT = (Permission.SCREENING_CORRECT, Purpose.CARE)


@click.command("rescore")
@click.option("--scale", "scale", default=None, help="只重新计分这个量表（默认全部）。")
@click.option("--round", "round_name", default=None, help="只重新计分这个批次（默认全部）。")
@click.option("--dry-run", is_flag=True, help="只列出差异，不写入。")
@json_option
def rescore_command(scale: str | None, round_name: str | None, dry_run: bool, as_json: bool) -> None:
    """按现在的量表版本重新计分：原来的计分作废，不修改；不会自动进行。可以中断，再次运行会继续。"""
    door = installation.opened(configuration.read())
    with progress("重新计分", quiet=as_json) as beat:
        found = rescore_all(door, scale=scale, round_name=round_name, dry_run=dry_run, beat=beat)
    held = {"dry_run": dry_run, "differences": [item.as_table() for item in found]}
    report(held, as_json=as_json, words=rescore.words_of(found, dry_run=dry_run))


def rescore_all(
    door: Door,
    *,
    scale: str | None = None,
    round_name: str | None = None,
    dry_run: bool = False,
    beat: Any = lambda _done, _total: None,
) -> list[Difference]:
    """Each slice in a transaction of its own, so that nobody waits for the whole."""
    with door.enter(CONSOLE, *_CORRECT, writing=False) as access:
        parts = rescore.slices(access, scale=scale, round_name=round_name)
    total, done = sum(len(part.ids) for part in parts), 0
    found: dict[tuple[str, str], Difference] = {}
    by = None
    for part in parts:
        place = (part.round_name, part.scale)
        difference = found.setdefault(place, rescore.difference_of(part))
        with door.enter(CONSOLE, *_CORRECT, writing=not dry_run) as access:
            if not dry_run and by is None:
                by = rescore.begin(access).id
            done += rescore.compare(access, part, difference, by=by)
        beat(done, total)
    return list(found.values())
