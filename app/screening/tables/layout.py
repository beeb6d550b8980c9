"""Tables of one delivery that have the same header are read by one plan; a delivery may have several such layouts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.intake.headers import normal
from app.intake.sheet import Table
from app.screening.tables import mapping, stated
from app.screening.tables.plan import Plan, refuse_unfit, unique
from app.screening.tables.suggest import suggest
from models.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Layout:
    """The tables with one header."""

    header: tuple[str, ...]
    tables: tuple[Table, ...]

    @property
    def rows(self) -> int:
        return sum(map(len, self.tables))


def layouts(tables: Sequence[Table]) -> list[Layout]:
    """The layouts of a delivery, in the order in which they first appear; the order of columns does not matter."""
    groups: dict[tuple[str, ...], list[Table]] = {}
    for table in tables:
        groups.setdefault(_signature(table.header), []).append(table)
    return [Layout(tuple(group[0].header), tuple(group)) for group in groups.values()]


def _signature(header: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(normal(word) for word in unique(header)))


def suggested(tables: Sequence[Table], wanted: Sequence[str] | None, likely: Sequence[str]) -> list[dict[str, Any]]:
    """A mapping for each layout, guessed; grades whose meaning is the same everywhere have theirs."""
    return [guessed(found, wanted, likely).as_mapping(found.header) for found in layouts(tables)]


def guessed(found: Layout, wanted: Sequence[str] | None, likely: Sequence[str]) -> Plan:
    """What the columns of one layout probably mean, with the reasons."""
    plan = suggest(found.header, wanted, sheet=found.tables[0].sheet or None, likely=likely)
    words = {word for table in found.tables for word in stated.level_values(table, plan)}
    plan.levels = {word: level for word in sorted(words) if (level := stated.suggested_level(word)) is not None}
    return plan


def known_plan(found: Layout, mappings: Sequence[Mapping[str, Any]]) -> Plan | None:
    """The plan by a mapping that was confirmed earlier, if one fits; the person is told that it was."""
    for held in mappings:
        try:
            plan = mapping.apply(held, found.header)
        except Refusal:
            continue
        used = [*plan.columns.values(), *(place for part in plan.scales.values() for place in part.places)]
        plan.reasons = dict.fromkeys(used, "上次确认过")
        return plan
    return None


def plans_for(tables: Sequence[Table], mappings: Sequence[Mapping[str, Any]], wanted: Sequence[str] = ()) -> list[Plan]:
    """The plan of each table: the first mapping whose headers it has. Refuses, naming the table, where none fits.

    ``wanted``: the scales that a single table must hold.
    """
    known: dict[tuple[str, ...], Mapping[str, Any]] = {}
    plans = []
    for table in tables:
        signature = _signature(table.header)
        if signature not in known:
            known[signature] = _fitting(table, mappings)
        plan = mapping.apply(known[signature], table.header)
        _refuse_unfit(plan, table, wanted if len(tables) == 1 else (), named=len(tables) > 1)
        plans.append(plan)
    return plans


def _refuse_unfit(plan: Plan, table: Table, wanted: Sequence[str], *, named: bool) -> None:
    """Of several tables, say which one cannot be read."""
    try:
        refuse_unfit(plan, wanted)
    except Refusal as refusal:
        name = table.file or table.sheet
        raise Refusal(f"{name}：{refusal.sentence}" if named and name else refusal.sentence) from refusal


def _fitting(table: Table, mappings: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    refused = Refusal("没有可用的列映射，请先确认各列含义。")
    for held in mappings:
        try:
            mapping.apply(held, table.header)
        except Refusal as refusal:
            refused = refusal
            continue
        return held
    raise Refusal(f"{table.file or table.sheet or '文件'}：{refused.sentence}")
