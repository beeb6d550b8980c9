"""Mappings as a file: what columns mean, in TOML, to be read, reviewed, kept and given to ``--mapping``.

A file speaks of one layout (the tables of ``app/screening/tables/mapping.py`` at its
top), or of several, one ``[[layout]]`` each. It holds words of headers only,
never anything from the rows below them.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tomli_w

from app.intake.headers import normal
from app.screening.tables import mapping
from app.screening.tables.plan import PARTS, refuse_unfit
from models.refusal import Refusal

MOST_BYTES = 256 * 1024
MOST_LAYOUTS = 60
MOST_SIGNS = 400
"""Signs of one header: a whole question may be one."""
NUMBER = "学号"
"""A column that is found by its name where a mapping is not complete."""
KNOWN = frozenset({"sheet", "complete", "list", "missing_codes", "columns", "levels", "scales"})


def written(mappings: Sequence[Mapping[str, Any]]) -> str:
    """The text of a mapping file for these layouts."""
    held = dict(mappings[0]) if len(mappings) == 1 else {"layout": [dict(table) for table in mappings]}
    return tomli_w.dumps(held)


def read(raw: str | bytes) -> list[dict[str, Any]]:
    """The layouts of a mapping file. Refuses, in words, what is no mapping or speaks of what there is not."""
    if len(raw) > MOST_BYTES:
        raise Refusal("映射文件太大，应只写列名。")
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8-sig")
        held = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Refusal("映射文件不是有效的 TOML（UTF-8）文本，请用本页下载的文件修改。") from problem
    layouts = parts_of(held)
    if layouts is None:
        raise Refusal("有多种表头时，映射文件只写若干个 [[layout]]，不再写其他内容。")
    if not 0 < len(layouts) <= MOST_LAYOUTS or not all(layouts):
        raise Refusal(f"映射文件应有 1 到 {MOST_LAYOUTS} 种表头的说明，每种都不能是空的。")
    for table in layouts:
        _refuse_odd(table)
    return layouts


def parts_of(held: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The layouts of a parsed file: itself, or its ``[[layout]]`` tables and nothing beside them."""
    if "layout" not in held:
        return [held]
    layouts = held["layout"]
    is_clean = len(held) == 1 and isinstance(layouts, list) and all(isinstance(table, dict) for table in layouts)
    return layouts if is_clean else None


def headers_of(table: Mapping[str, Any]) -> frozenset[str]:
    """The headers one layout names, written alike."""
    return frozenset(normal(word) for word in _words(table))


def _refuse_odd(table: Mapping[str, Any]) -> None:
    """Whatever ``mapping.apply`` would refuse on a header that has every word the mapping names."""
    unknown = sorted(str(name) for name in table if name not in KNOWN)
    if unknown:
        raise Refusal(f"映射文件里的“{'、'.join(unknown)}”不认识；可用：{'、'.join(sorted(KNOWN))}。")
    if not isinstance(table.get("sheet"), str | None) or not isinstance(table.get("complete"), bool | None):
        raise Refusal("映射文件里的 sheet 应是工作表名称，complete 应是 true 或 false。")
    words = list(_words(table))
    if any(not isinstance(word, str) or len(word) > MOST_SIGNS for word in words):
        raise Refusal(f"映射文件里的列名应是 {MOST_SIGNS} 字以内的文字。")
    found_by_name = [] if table.get("complete") or normal(NUMBER) in map(normal, words) else [NUMBER]
    refuse_unfit(mapping.apply(table, [*_header(words), *found_by_name]))


def _words(table: Mapping[str, Any]) -> Iterator[Any]:
    """Every header a mapping names."""
    columns, scales = table.get("columns"), table.get("scales")
    yield from columns.values() if isinstance(columns, Mapping) else ()
    for part in scales.values() if isinstance(scales, Mapping) else ():
        if not isinstance(part, Mapping):
            continue
        items, factors = part.get("items"), part.get("subscales")
        yield from (word for word in items if word != "") if isinstance(items, list) else ()
        yield from factors.values() if isinstance(factors, Mapping) else ()
        yield from (part[name] for name in PARTS if name in part)


def _header(words: Sequence[str]) -> list[str]:
    """A header with exactly these words; ``总分#2`` asks for two columns called 总分."""
    most: Counter[str] = Counter()
    names: dict[str, str] = {}
    for word in words:
        name, _, number = word.partition("#")
        key = normal(name)
        names.setdefault(key, name)
        most[key] = max(most[key], min(int(number), 99) if number.isascii() and number.isdecimal() else 1)
    return [names[key] for key, count in most.items() for _ in range(count)]
