"""``scale``: check a scale file, list the scales, score a plain table. Needs neither installation nor database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.cli.output import fail, json_option, report
from app.intake import sheet
from app.screening.scales import plain_table
from app.screening.scales.scale import Scale, ScaleFault, all_scales, read_path
from config import catalogue
from models.refusal import Refusal

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_LICENCES = {"open": "可随产品携带题目", "nc": "非商业使用", "scoring_only": "只计分", "import_only": "只导入结果"}


@click.group()
def scale() -> None:
    """量表：检查、列出、给一张普通表格计分。"""


@scale.command("check")
@click.argument("file", type=_FILE)
@json_option
def check_command(file: Path, as_json: bool) -> None:
    """检查一个量表文件；一次列出全部问题。题目文字可另放在同一文件夹的 texts/ 下的同名文件里。"""
    try:
        held = read_path(file)
        refuse_clash(held, file)
    except ScaleFault as problem:
        fail(str(problem), as_json=as_json, done={"faults": list(problem.faults)})
    place = f"放入 {catalogue.FOLDER.name}/scales/{held.key}.toml 后重启即生效。"
    words = f"{held.title}：可以使用。{_words(held)}\n{place}"
    report({"ok": True, **_entry(held)}, as_json=as_json, words=words)


def refuse_clash(held: Scale, file: Path) -> None:
    """A file from outside may not call itself like another scale, nor answer to its headers."""
    known = {key: other for key, other in all_scales().items() if key != held.key}
    taken = {word: key for key, other in known.items() for word in other.prefixes}
    faults = [f"prefixes：“{word}”已是 {taken[word]} 的列名前缀" for word in held.prefixes if word in taken]
    if file.stem != held.key:
        faults.append(f"key：应与文件名相同，即 {file.stem}")
    if faults:
        raise ScaleFault(file.name, faults)


@scale.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """列出全部量表。"""
    held = list(all_scales().values())
    lines = [f"{one.key:<18}{one.version:<10}{_LICENCES[one.licence_class]}  {one.title}" for one in held]
    report({"scales": [_entry(one) for one in held]}, as_json=as_json, words="\n".join(lines))


@scale.command("score")
@click.argument("scale_or_file")
@click.argument("file", type=_FILE)
@click.option("--coding", help="文件里的计分方式，如 1-4；不写则按数值范围判断。")
@json_option
def score_command(scale_or_file: str, file: Path, coding: str | None, as_json: bool) -> None:
    """给一张普通表格计分：每行一份，列名用题号、题目名称或“前缀+题号”。什么也不保存。"""
    held = _named(scale_or_file)
    table = sheet.read(file.read_bytes(), knows=lambda word: plain_table.knows(held, word))
    found = plain_table.as_table(plain_table.score_table(held, table, coding=coding))
    report(found, as_json=as_json, words="\n".join(_lines(found)))


def _named(word: str) -> Scale:
    """A scale by its key, or a scale file."""
    if word in all_scales():
        return all_scales()[word]
    if word.endswith(".toml") and Path(word).is_file():
        return read_path(Path(word))
    raise Refusal(f"没有量表 {word}；可用：{'、'.join(all_scales())}，或一个 .toml 文件。")


def _entry(held: Scale) -> dict[str, Any]:
    return {
        "key": held.key,
        "title": held.title,
        "version": held.version,
        "kind": held.kind,
        "licence_class": held.licence_class,
        "items": held.size,
        "has_item_text": any(item.text for item in held.items),
        "total": [held.lowest, held.highest] if held.has_total else None,
        "codings": [coding.key for coding in held.codings],
        "subscales": [sub.key for sub in held.subscales],
        "bands": [band.key for band in held.bands],
        "band_sets": [name for name in held.band_sets if name],
        "red_flags": [flag.item for flag in held.red_flags if flag.is_critical],
        "norm": held.norm.key if held.norm else None,
        "source": held.source,
    }


def _words(held: Scale) -> str:
    total = f"总分 {held.lowest:g}–{held.highest:g}，" if held.has_total else "没有总分，"
    critical = "、".join(str(flag.item) for flag in held.red_flags if flag.is_critical)
    return f"{held.size} 题，{total}{len(held.subscales)} 个分量表，关键题：{critical or '无'}。"


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [f"计分方式 {found['coding']}（{found['coding_reason']}）；{found['rows']} 行，完整 {found['scored']} 行"]
    for row in found["results"]:
        total = "总分 --" if row["total"] is None else f"总分 {row['total']}"
        band = f"，筛查提示：{row['band_label']}" if row["band_label"] else ""
        flags = f"，关键题提示：第 {'、'.join(map(str, row['flags']))} 题" if row["flags"] else ""
        parts = "，".join(f"{key} {value}" for key, value in row["subscales"].items() if value is not None)
        lines.append(f"第 {row['row']} 行：{total}{band}{flags}{'；' + parts if parts else ''}")
    lines += [f"第 {one['row']} 行“{one['column']}”列：应为{one['expected']}" for one in found["problems"]]
    return lines
