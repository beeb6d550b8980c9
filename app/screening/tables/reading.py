"""The tables of a delivery and the plan for each, read into one sheet per row and scale.

Whatever shape the source chose (items, totals, factors, one line per scale,
levels, lists), what comes out is the same: arrays over all rows of all tables.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from app.intake import cells
from app.intake.problem import Problem
from app.intake.sheet import Table, text_of
from app.screening.matching.match import Identities
from app.screening.quality.validity import Validity, assess
from app.screening.scales.scale import Scale, all_scales
from app.screening.scales.scoring import MISSING, Answers, recode, score
from app.screening.tables import answers as answering
from app.screening.tables import long_form, stated, totals
from app.screening.tables.by_range import coding_of
from app.screening.tables.plan import Plan, ScalePlan, brings_critical_items
from app.screening.tables.sheets import ScaleSheets
from app.screening.tables.words import is_doubtful
from models.refusal import Unclear


@dataclass(slots=True)
class Reading:
    """Everything a delivery says, before anybody knows who its people are."""

    row_numbers: Sequence[int]
    files: Sequence[str]
    identities: Identities
    scales: dict[str, ScaleSheets]
    taken_at: list[datetime | None]
    problems: list[Problem]
    notes: list[str] = field(default_factory=list)
    has_critical_items: bool = False
    left_out: dict[tuple[int, str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    """Row, code and words of what is left out → the scales it is said of."""

    def __len__(self) -> int:
        return len(self.row_numbers)


@dataclass(slots=True)
class Piece:
    """One scale in one table."""

    answers: Answers
    present: NDArray[np.bool_]
    coding: str | None = None
    stated: totals.Stated | None = None
    seconds: NDArray[np.float64] | None = None
    note: str = ""
    unread: int = 0
    """Cells of critical items that say something, but nothing that can be read."""
    is_expected: bool = False
    """The table has columns for this scale."""


def read(tables: Sequence[Table], plans: Sequence[Plan]) -> Reading:
    """Read every table by its plan. Refuses what only a person can say (two codings fit, an unknown grade)."""
    if any(stated.unmapped(table, plan) for table, plan in zip(tables, plans, strict=True)):
        raise Unclear("来源的等级还没有全部对应到本校等级（常规、关注、重点、最高级），请在列的含义中补上。")
    problems = [problem for table in tables for problem in table.filled]
    notes = [_placed(table, note) for table in tables for note in table.notes]
    keys = _keys(tables, plans)
    scales = {}
    for key in keys:
        pieces = [_piece(table, plan, key, problems) for table, plan in zip(tables, plans, strict=True)]
        scales[key] = _joined(
            all_scales()[key], pieces, [_said_invalid(t, p) for t, p in zip(tables, plans, strict=True)]
        )
        unread = sum(piece.unread for piece in pieces)
        if unread:
            notes.insert(0, f"{all_scales()[key].name} 有 {unread} 格关键题读不出，请尽快核对原始作答（见问题清单）。")
        notes += list(dict.fromkeys(piece.note for piece in pieces if piece.note))
    if not scales:
        raise Unclear("文件里没有读到任何量表、等级或提示名单，请核对列的含义。")
    return Reading(
        row_numbers=_over(tables, lambda table: table.row_numbers),
        files=files_of(tables),
        identities=identities_of(tables, plans),
        scales=scales,
        taken_at=[moment for table, plan in zip(tables, plans, strict=True) for moment in _taken(table, plan)],
        problems=problems,
        notes=notes,
        has_critical_items=any(brings_critical_items(plan) for plan in plans)
        or any(held.scale.red_flags and (held.answers != MISSING).any() for held in scales.values()),
    )


def _keys(tables: Sequence[Table], plans: Sequence[Plan]) -> list[str]:
    found = {key for plan in plans for key in plan.scales}
    for table, plan in zip(tables, plans, strict=True):
        if plan.is_long:
            found |= set(long_form.scales_in(table, plan))
    if any(plan.states_something for plan in plans):
        found.add(stated.STATEMENT)
    return sorted(found)


def _placed(table: Table, note: str) -> str:
    return f"{table.file}：{note}" if table.file else note


def _over(tables: Sequence[Table], of: Callable[[Table], Sequence[int]]) -> Sequence[int]:
    return of(tables[0]) if len(tables) == 1 else [number for table in tables for number in of(table)]


# --- one scale ----------------------------------------------------------------------------------


def _piece(table: Table, plan: Plan, key: str, problems: list[Problem]) -> Piece:
    scale = all_scales()[key]
    empty = np.full((len(table), scale.size), MISSING, dtype=np.int16)
    if key == stated.STATEMENT and plan.states_something:
        found = stated.answers_of(table, plan)
        return Piece(found, (found != MISSING).any(axis=1))
    part = plan.scales.get(key)
    if part is None and plan.is_long:
        said, present = long_form.stated_of(table, plan, scale, problems)
        return Piece(empty, present, stated=said)
    if part is None:
        return Piece(empty, np.zeros(len(table), dtype=bool))
    piece = (
        _answered(table, plan, scale, part, problems) if part.items else Piece(empty, np.zeros(len(table), dtype=bool))
    )
    piece.is_expected = True
    piece.stated = totals.read(table, scale, part, piece.coding, problems, plan.missing_codes)
    if not part.items and piece.stated is not None:
        piece.present = piece.stated.says_something(scale)
    piece.seconds = _seconds(table, plan, scale, part)
    return piece


def _answered(table: Table, plan: Plan, scale: Scale, part: ScalePlan, problems: list[Problem]) -> Piece:
    raw = answering.read(table, scale, part.items, plan.missing_codes)
    choice = coding_of(scale, raw, part.coding)
    if choice.question is not None:
        raise Unclear(choice.question)
    own = scale.codings[0].key
    readable = (raw.values != MISSING) & (raw.values != answering.UNUSABLE)
    values = np.where(readable, raw.values, MISSING)
    if choice.key not in {None, own}:
        values = np.where(raw.worded, values, recode(scale, values, choice.key or own))
    low = np.array([item.minimum for item in scale.items])
    high = np.array([item.maximum for item in scale.items])
    coded = next(coding for coding in scale.codings if coding.key == (choice.key or own))
    wrong: NDArray[np.bool_] = ~raw.blank & (~readable | (values < low) | (values > high))
    if wrong.any():
        problems += answering.out_of_range(table, scale, part.items, wrong, coded.minimum, coded.maximum)
        values[wrong] = MISSING
    note = "" if choice.key in {None, own} else f"{scale.name}：按 {choice.key} 记分读取（{choice.reason}）。"
    coding = None if choice.key == own else choice.key
    present: NDArray[np.bool_] = ~np.all(raw.blank, axis=1)
    asked = [number - 1 for number in sorted(answering.critical_items(scale))]
    unread = int(wrong[:, asked].sum())
    return Piece(values.astype(np.int16), present, coding=coding, note=note, unread=unread)


def _seconds(table: Table, plan: Plan, scale: Scale, part: ScalePlan) -> NDArray[np.float64] | None:
    """Seconds on this scale; a time for the whole questionnaire is shared out by items."""
    place = part.seconds if part.seconds is not None else plan.columns.get("seconds")
    if place is None or not part.items:
        return None
    taken = np.array([_number(cells.seconds_of(row[place])) for row in table.rows], dtype=np.float64)
    if part.seconds is not None:
        return taken
    return taken * (scale.size / sum(all_scales()[key].size for key, items in plan.items.items() if items))


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _said_invalid(table: Table, plan: Plan) -> NDArray[np.bool_] | None:
    if "validity" not in plan.columns:
        return None
    place = plan.columns["validity"]
    return np.array([is_doubtful(text_of(row[place])) for row in table.rows], dtype=bool)


def _joined(scale: Scale, pieces: Sequence[Piece], invalid: Sequence[NDArray[np.bool_] | None]) -> ScaleSheets:
    """The pieces of one scale, one after the other, scored and checked together."""
    whole = pieces[0].answers if len(pieces) == 1 else np.concatenate([piece.answers for piece in pieces])
    present = np.concatenate([piece.present for piece in pieces])
    scores = score(scale, whole)
    said = totals.joined(scale, [piece.stated for piece in pieces], [len(piece.present) for piece in pieces])
    without = np.zeros(len(present), dtype=bool)
    if said is not None:
        without = said.says_something(scale) & (whole == MISSING).all(axis=1)
        totals.fill(scale, scores, said, without)
        scores = totals.at_least_as_said(scale, scores, said, ~without)
    present |= without
    none = np.zeros(len(present), dtype=bool)
    return ScaleSheets(
        scale=scale,
        answers=whole,
        scores=scores,
        present=present,
        fresh=none,
        known=none.copy(),
        stated=without,
        expected=np.concatenate([np.full(len(piece.present), piece.is_expected) for piece in pieces]),
        validity=_checked(scale, whole, pieces, present, invalid),
        coding=[piece.coding for piece in pieces for _ in range(len(piece.present))],
        bands_said=said.bands if said is not None else None,
        totals_said=said.totals if said is not None else None,
    )


def _checked(
    scale: Scale,
    whole: Answers,
    pieces: Sequence[Piece],
    present: NDArray[np.bool_],
    invalid: Sequence[NDArray[np.bool_] | None],
) -> Validity:
    def together(parts: Sequence[NDArray[np.float64] | NDArray[np.bool_] | None], empty: float | bool) -> object:
        if all(part is None for part in parts):
            return None
        return np.concatenate(
            [
                np.full(len(piece.present), empty) if part is None else part
                for part, piece in zip(parts, pieces, strict=True)
            ]
        )

    seconds = together([piece.seconds for piece in pieces], np.nan)
    said = together(list(invalid), False)
    return assess(scale, whole, seconds=seconds, said_invalid=None if said is None else said & present)  # type: ignore[arg-type, operator]


# --- whose rows ---------------------------------------------------------------------------------


def identities_of(tables: Sequence[Table], plans: Sequence[Plan]) -> Identities:
    """The identity columns of every row, as the file has them."""

    def column(name: str) -> list[object]:
        return [cell for table, plan in zip(tables, plans, strict=True) for cell in _cells(table, plan, name)]

    def texts(name: str) -> list[str]:
        return [cell if type(cell) is str else text_of(cell) for cell in column(name)]  # type: ignore[arg-type]

    return Identities(
        rows=_over(tables, lambda table: table.row_numbers),
        numbers=column("student_number"),  # type: ignore[arg-type]
        names=texts("name"),
        classes=texts("class"),
        colleges=texts("college"),
        births=column("birth_date"),  # type: ignore[arg-type]
        titles={name: tables[0].header[place] for name, place in plans[0].columns.items()},
        files=files_of(tables),
    )


def files_of(tables: Sequence[Table]) -> list[str]:
    """File or sheet of every row; nothing for a single table."""
    return [table.file or table.sheet for table in tables for _ in range(len(table))] if len(tables) > 1 else []


def _cells(table: Table, plan: Plan, name: str) -> list[object]:
    place = plan.columns.get(name)
    return [""] * len(table) if place is None else [row[place] for row in table.rows]


def _taken(table: Table, plan: Plan) -> list[datetime | None]:
    place = plan.columns.get("taken_at")
    return [None] * len(table) if place is None else [cells.moment_of(row[place]) for row in table.rows]
