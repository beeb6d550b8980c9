"""From a table and what was asked of it to features, outcomes and groups: every decision is noted in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.cli import risk_columns
from app.cli.risk_columns import MOST_CODES, Column
from app.cli.risk_table import Columns
from ml.fairness import SMALLEST
from ml.features import Direction, Feature, FeatureTable
from ml.intervals import Floats
from ml.train import Settings
from models.refusal import Refusal

START = np.datetime64("2000-01-01", "us")
DAY = np.timedelta64(86_400_000_000, "us")
_FEWEST_GROUPS = 10
"""Groups from which they part the folds; of fewer (a sex, four grades) only figures by group are given."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The columns by what they are for, in the words of the command line."""

    label: str
    positive: str | None = None
    group: str | None = None
    by: Sequence[str] = ()
    increasing: Sequence[str] = ()
    decreasing: Sequence[str] = ()
    exclude: Sequence[str] = ()
    rules: str | None = None
    weights: str | None = None
    event_days: str | None = None
    time: str | None = None

    @property
    def words(self) -> list[str]:
        single = (self.label, self.group, self.rules, self.weights, self.event_days, self.time)
        return [word for word in (*single, *self.by, *self.increasing, *self.decreasing) if word]


@dataclass(frozen=True)
class Prepared:
    """What the procedure takes. ``labelled`` are the rows of the table that have an outcome."""

    table: FeatureTable
    labels: NDArray[np.int8]
    labelled: NDArray[np.intp]
    rows: NDArray[np.int_]
    """Row numbers of the file, of every row of the table."""
    columns: tuple[Column, ...]
    clusters: NDArray[Any] | None
    groups: dict[str, NDArray[Any]]
    rules: Floats | None
    weights: Floats | None
    event_days: Floats | None
    rounds: NDArray[np.int_] | None
    left_out: dict[str, str]
    notes: list[str] = field(default_factory=list)


def prepare(held: Columns, asked: Asked) -> Prepared:
    """Sort every column into its use. Refuses, by row and column, what is not what it has to be."""
    used, directions = _uses(held, asked)
    outcome = risk_columns.outcome(used["label"], held.one(used["label"]), asked.positive)
    notes = [*held.notes, outcome.words]
    columns, left_out = _features(held, set(used.values()), held.named(asked.exclude), directions)
    if not columns:
        raise Refusal("除去结局和排除的列之后，没有可用的列。")
    labelled = np.flatnonzero(np.isfinite(outcome.values))
    if len(labelled) < len(held.numbers):
        notes.append(f"{len(held.numbers) - len(labelled)} 行没有结局，不参与检验。")
    clusters, groups = _groups(held, asked, notes)
    rounds = risk_columns.rounds(used["time"], held.one(used["time"]), held.numbers) if "time" in used else None
    return Prepared(
        _table(columns, directions, _people(clusters, len(held.numbers)), rounds),
        outcome.values[labelled].astype(np.int8),
        labelled,
        np.array(held.numbers),
        tuple(columns),
        clusters,
        groups,
        _number(held, used, "rules"),
        _weights(held, used),
        _number(held, used, "event_days"),
        rounds,
        left_out,
        notes,
    )


def _uses(held: Columns, asked: Asked) -> tuple[dict[str, str], dict[str, Direction]]:
    """The columns that are no features, and the directions of those that are; no column for two things."""
    single = {
        "label": asked.label,
        "group": asked.group,
        "rules": asked.rules,
        "weights": asked.weights,
        "event_days": asked.event_days,
        "time": asked.time,
    }
    used = {use: _one(held, word) for use, word in single.items() if word}
    rising, falling = held.named(asked.increasing), held.named(asked.decreasing)
    if both := [name for name in rising if name in falling]:
        raise Refusal(f"列“{both[0]}”不能同时写在 --increasing 和 --decreasing 里。")
    excluded = held.named(asked.exclude)
    for name in (*rising, *falling):
        if name in used.values() or name in excluded:
            raise Refusal(f"列“{name}”既写了方向，又作了别的用途或被排除，请只写一处。")
    for use, name in used.items():
        if use != "label" and name == used["label"]:
            raise Refusal(f"列“{name}”是结局，不能再作别的用途。")
    directions = dict.fromkeys(rising, Direction.INCREASING) | dict.fromkeys(falling, Direction.DECREASING)
    return used, directions


def _one(held: Columns, word: str) -> str:
    found = held.named([word])
    if len(found) != 1:
        raise Refusal(f"“{word}”应是一列，写成了 {len(found)} 列。")
    return found[0]


def _features(
    held: Columns, used: set[str], excluded: list[str], directions: dict[str, Direction]
) -> tuple[list[Column], dict[str, str]]:
    found, left_out = [], dict.fromkeys(excluded, "按要求排除")
    for name, cells in held.cells.items():
        if name in used or name in left_out:
            continue
        if name in directions:
            found.append(Column(name, _directed(name, cells, held)))
            continue
        column = risk_columns.column(name, cells, held.numbers)
        if isinstance(column, str):
            left_out[name] = column
        else:
            found.append(column)
    return found, left_out


def _directed(name: str, cells: list[Any], held: Columns) -> Floats:
    """Numbers, or yes and no as 1 and 0."""
    column = risk_columns.column(name, cells, held.numbers)
    if isinstance(column, Column) and not column.nominal:
        return column.values
    return risk_columns.numbers(name, cells, held.numbers)


def _groups(held: Columns, asked: Asked, notes: list[str]) -> tuple[NDArray[Any] | None, dict[str, NDArray[Any]]]:
    """Groups that stay together in a fold, and groups of which figures are told."""
    groups = {name: np.array(risk_columns.texts(held.one(name))) for name in held.named(asked.by)}
    if asked.group is None:
        return None, groups
    name = _one(held, asked.group)
    words = risk_columns.texts(held.one(name))
    count = len({word for word in words if word})
    if count <= MOST_CODES and len(words) >= SMALLEST * count:
        groups[name] = np.array(words)
    if count < _FEWEST_GROUPS:
        notes.append(f"“{name}”只有 {count} 组，只用来分组列出结果，不用来划分折。")
        return None, groups
    notes.append(f"“{name}”有 {count} 组，同一组不会分在训练和检验两边；置信区间也按组抽取。")
    return np.array([f"={word}" if word else f"#{row}" for word, row in zip(words, held.numbers, strict=True)]), groups


def _number(held: Columns, used: dict[str, str], use: str) -> Floats | None:
    if use not in used:
        return None
    return risk_columns.numbers(used[use], held.one(used[use]), held.numbers)


def _weights(held: Columns, used: dict[str, str]) -> Floats | None:
    if "weights" not in used:
        return None
    name = used["weights"]
    values = risk_columns.numbers(name, held.one(name), held.numbers, whole=True)
    for value, row in zip(values, held.numbers, strict=True):
        if value <= 0:
            raise Refusal(f"第 {row} 行“{name}”列：权重应大于 0。")
    return values


def _people(clusters: NDArray[Any] | None, rows: int) -> NDArray[np.str_]:
    """Many groups are people with several rows; a few dozen are classes or colleges, and every row is a person."""
    alone = np.arange(rows).astype(str)
    return clusters if clusters is not None and len(np.unique(clusters)) >= Settings().least_labels else alone


def _table(
    columns: list[Column],
    directions: dict[str, Direction],
    people: NDArray[np.str_],
    rounds: NDArray[np.int_] | None,
) -> FeatureTable:
    rows = len(people)
    features = tuple(
        Feature(
            key=column.name,
            meaning=column.name,
            nominal=column.nominal,
            direction=directions.get(column.name, Direction.NONE),
        )
        for column in columns
    )
    values = np.column_stack([column.values for column in columns])
    at = np.full(rows, START) if rounds is None else START + rounds * DAY
    known_at = np.where(np.isnan(values), np.datetime64("NaT", "us"), at[:, None])
    return FeatureTable(features, people, at, np.full(rows, "", dtype="U1"), values, known_at)
