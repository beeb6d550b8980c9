"""``screening``: results from the command line, scored and judged by the same path as on the page."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from app.cli import installation
from app.cli.imports import FILE, bring_in, words_of
from app.cli.output import json_option, progress, report
from app.intake.delivery import together
from app.intake.sheet import Table
from app.screening.importing import prepare
from app.screening.rounds import round
from app.screening.scales.scale import all_scales
from app.screening.tables.layout import plans_for, suggested
from app.screening.tables.plan import LISTS, refuse_missing
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
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("--round", "round_name", required=True, help="批次名称；没有时新建。")
@click.option("--scale", "scales", multiple=True, help="文件里有的量表，可多次给出；不给时自动识别。")
@click.option("--sheet", "sheets", multiple=True, help="工作表名称，可多次给出。")
@click.option("--all-sheets", is_flag=True, help="读取每个有表头的工作表。")
@click.option("--mapping", "mapping_file", type=FILE, default=None, help="列的含义（TOML）。")
@click.option("--coding", "codings", multiple=True, help="文件的记分方式，例如 phq9=1-4。")
@click.option("--list", "listed", type=click.Choice(LISTS), default=None, help="文件只是一份名单时：是什么名单。")
@click.option("--strict", is_flag=True, help="有任何问题就整份不导入。")
@click.option("--replace", is_flag=True, help="已有的作答以本文件为准（旧的作废，不删除）。")
@click.option("--dry-run", is_flag=True, help="只预览，不写入。")
@json_option
def screening_import_command(files: tuple[Path, ...], as_json: bool, **options: Any) -> None:
    """导入测评结果（一份或多份文件、一个 zip），计分，发出预警，生成约谈名单。"""
    door = installation.opened(configuration.read())
    with progress(files[0].name, quiet=as_json) as beat:
        receipt = import_results(door, files, **options, beat=beat)
    report(receipt, as_json=as_json, words=words_of(receipt, dry_run=options["dry_run"]))


def import_results(
    door: Door,
    files: Path | Sequence[Path],
    *,
    round_name: str,
    scales: Sequence[str] = (),
    sheets: Sequence[str] = (),
    all_sheets: bool = False,
    mapping_file: Path | None = None,
    codings: Sequence[str] = (),
    listed: str | None = None,
    strict: bool = False,
    replace: bool = False,
    dry_run: bool = False,
    beat: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, Any]:
    """Import results into the round of that name, which is opened if it is new; several files are one delivery."""
    unknown = [key for key in scales if key not in all_scales()]
    if unknown:
        raise Refusal(f"不认识的量表 {'、'.join(unknown)}；可用：{'、'.join(all_scales())}。")
    saved = _saved(mapping_file)
    with door.enter(CONSOLE, *_SCREENING, writing=False) as access:
        target, is_new = round.find_or_draft(access, round_name)
        round.refuse_unless_open(target)

    def preparing(access: Access, tables: Sequence[Table], batch: ImportBatch, tell: Callable[[int, int], None]) -> Any:
        mappings = saved or suggested(tables, scales or None, round.scales_of(target))
        mappings = [_with(held, codings, listed) for held in mappings]
        plans = plans_for(tables, mappings, scales)
        refuse_missing(plans, scales)
        return prepare.work_out(access, tables, batch, target, plans, tell)

    def first(access: Access) -> None:
        if is_new:
            round.add(access, target)

    return bring_in(
        door,
        prepare.IMPORTER,
        together([(path.name, path.read_bytes()) for path in ([files] if isinstance(files, Path) else files)]),
        dry_run=dry_run,
        plan={"sheets": list(sheets) or None, "all_sheets": all_sheets},
        preparing=preparing,
        first=first,
        beat=beat,
        round_id=target.id,
        strict=strict,
        replace=replace,
    )


_SCREENING = (Permission.SCREENING_IMPORT, Purpose.CARE)


def _with(held: dict[str, Any], codings: Sequence[str], listed: str | None) -> dict[str, Any]:
    """A mapping with what the command line states beside it."""
    held = dict(held) | ({"list": listed} if listed else {})
    for stated in codings:
        key, _, coding = stated.partition("=")
        if key not in all_scales() or coding not in {item.key for item in all_scales()[key].codings}:
            raise Refusal(f"--coding {stated} 不认识；写成 量表=记分方式，例如 phq9=1-4。")
        if key in held.get("scales", {}):
            held["scales"] = held["scales"] | {key: held["scales"][key] | {"coding": coding}}
    return held


def _saved(path: Path | None) -> list[dict[str, Any]] | None:
    """The layouts of a mapping file: the file itself, or its ``[[layout]]`` parts."""
    if path is None:
        return None
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise Refusal(f"映射文件 {path.name} 不是有效的 TOML：{problem}") from problem
    parts = table.get("layout")
    return list(parts) if isinstance(parts, list) and parts else [table]
