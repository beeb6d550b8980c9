"""``screening``: results from the command line, scored and judged by the same path as on the page."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from app.cli import installation
from app.cli.imports import FILE, bring_in, words_of
from app.cli.output import json_option, progress, report
from app.intake.sheet import Table
from app.screening import mapping, prepare, round
from app.screening.scale import all_scales
from app.security.access import Access
from app.security.actor import CONSOLE
from app.security.door import Door
from app.security.policy import Permission, Purpose
from config import settings as configuration
from models.intake import ImportBatch
from models.refusal import Refusal


@click.group()
def screening() -> None:
    """普查结果。"""


@screening.command("import")
@click.argument("file", type=FILE)
@click.option("--round", "round_name", required=True, help="批次名称；没有时新建。")
@click.option("--scale", "scales", multiple=True, required=True, help="文件里有的量表，可多次给出。")
@click.option("--sheet", "sheet_name", default=None, help="工作表名称。")
@click.option("--mapping", "mapping_file", type=FILE, default=None, help="列的含义（TOML）。")
@click.option("--strict", is_flag=True, help="有任何问题就整份不导入。")
@click.option("--replace", is_flag=True, help="已有的作答以本文件为准（旧的作废，不删除）。")
@click.option("--dry-run", is_flag=True, help="只预览，不写入。")
@json_option
def screening_import_command(
    file: Path,
    round_name: str,
    scales: tuple[str, ...],
    sheet_name: str | None,
    mapping_file: Path | None,
    strict: bool,
    replace: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """导入测评结果，计分，发出预警，生成约谈名单。"""
    door = installation.opened(configuration.read())
    with progress(file.name, quiet=as_json) as beat:
        receipt = import_results(
            door,
            file,
            round_name=round_name,
            scales=scales,
            sheet_name=sheet_name,
            mapping_file=mapping_file,
            strict=strict,
            replace=replace,
            dry_run=dry_run,
            beat=beat,
        )
    report(receipt, as_json=as_json, words=words_of(receipt, dry_run=dry_run))


def import_results(
    door: Door,
    file: Path,
    *,
    round_name: str,
    scales: tuple[str, ...],
    sheet_name: str | None = None,
    mapping_file: Path | None = None,
    strict: bool = False,
    replace: bool = False,
    dry_run: bool = False,
    beat: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, Any]:
    """Import one results file into the round of that name, which is opened if it is new."""
    unknown = [key for key in scales if key not in all_scales()]
    if unknown:
        raise Refusal(f"不认识的量表 {'、'.join(unknown)}；可用：{'、'.join(all_scales())}。")
    saved = _read_mapping(mapping_file)
    with door.enter(CONSOLE, *_SCREENING, writing=False) as access:
        target, is_new = round.find_or_draft(access, round_name)
        round.refuse_unless_open(target)

    def preparing(access: Access, table: Table, batch: ImportBatch, tell: Callable[[int, int], None]) -> Any:
        if saved is None:
            plan = mapping.suggest(table.header, scales)
            mapping.refuse_unfit(plan, scales)
        else:
            plan = mapping.from_file(saved, table.header, scales)
        return prepare.work_out(access, table, batch, target, plan, tell)

    def first(access: Access) -> None:
        if is_new:
            round.add(access, target)

    return bring_in(
        door,
        prepare.IMPORTER,
        file,
        dry_run=dry_run,
        sheet_name=sheet_name or (saved or {}).get("sheet"),
        preparing=preparing,
        first=first,
        beat=beat,
        round_id=target.id,
        strict=strict,
        replace=replace,
    )


_SCREENING = (Permission.SCREENING_IMPORT, Purpose.CARE)


def _read_mapping(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise Refusal(f"映射文件 {path.name} 不是有效的 TOML：{problem}") from problem
