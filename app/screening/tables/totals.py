"""Totals, factors and bands that the source computed: taken where there are no answers, compared where there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.intake import cells
from app.intake.headers import normal
from app.intake.problem import Problem
from app.intake.sheet import Table, text_of
from app.screening.scales.scale import Coding, Scale
from app.screening.scales.scoring import Scores, score_stated
from app.screening.tables.answers import NEAR, missing_words, usual_codes
from app.screening.tables.by_range import factors_of
from app.screening.tables.plan import ScalePlan
from app.screening.tables.sheets import ScaleSheets
from models.refusal import Unclear

Floats = NDArray[np.float64]
TOLERANCE = 0.51
"""Totals that differ by rounding are equal."""


@dataclass(slots=True)
class Stated:
    """What a source says of each row, in the scale's own coding; ``nan`` and "" where it says nothing."""

    totals: Floats
    subscales: Floats
    bands: list[str]

    def says_something(self, scale: Scale) -> NDArray[np.bool_]:
        """Where there is a number, or a result that is one of the scale's bands."""
        found: NDArray[np.bool_] = np.isfinite(self.totals) | np.isfinite(self.subscales).any(axis=1)
        return found | np.isfinite(_lowest_of(scale, self.bands))


def read(
    table: Table,
    scale: Scale,
    part: ScalePlan,
    coding: str | None,
    problems: list[Problem],
    missing_codes: Sequence[int] = (),
) -> Stated | None:
    """The stated columns of one scale, or none. Factors may be sums or means (practice §1.2)."""
    if part.total is None and part.band is None and not part.subscales:
        return None
    held = next(item for item in scale.codings if (part.coding or coding or scale.codings[0].key) == item.key)
    column = Column(table, scale, problems, missing_codes)
    subscales = _factors(column, part, held)
    is_shifted = scale.total.of == "items" and scale.total.method == "sum"
    shift = (scale.minimum - held.minimum) * scale.size if is_shifted else 0
    totals = np.full(len(table), np.nan)
    before = len(problems)
    if part.total is not None:
        totals = column.numbers(part.total, scale.lowest - shift, scale.highest - shift) + shift
        impossible = any(problem.code == "out_of_range" for problem in problems[before:])
        if impossible and not part.items and not np.isfinite(totals).any():
            raise Unclear(f"{scale.name} 的总分没有一格在可能的范围内；请核对列的含义和记分方式。")
    bands = [""] * len(table) if part.band is None else [text_of(row[part.band]) for row in table.rows]
    said = Stated(totals, subscales, bands)
    if part.band is not None and not part.items:
        unknown_bands(table, part.band, scale, said, problems)
    return said


def _factors(column: Column, part: ScalePlan, coding: Coding) -> Floats:
    """The factors that are stated, as the scale itself would give them."""
    scale = column.scale
    found = np.full((len(column.table), len(scale.subscales)), np.nan)
    values = {key: column.known(place) for key, place in part.subscales.items()}
    if not values:
        return found
    choice = factors_of(scale, values, coding.key, part.factors)
    if choice.question is not None:
        raise Unclear(choice.question)
    for at, held in enumerate(scale.subscales):
        if held.key in values:
            count = 1.0 if choice.key == "means" else len(held.items)
            count *= held.multiplier if choice.key == "scores" else 1
            place = part.subscales[held.key]
            said = column.within(place, values[held.key], coding.minimum * count, coding.maximum * count)
            means = said / count + (scale.minimum - coding.minimum)
            found[:, at] = means * (len(held.items) if held.method == "sum" else 1) * held.multiplier
    return found


@dataclass(frozen=True, slots=True)
class Column:
    """Reads columns of numbers that a source computed; what cannot be one becomes a problem of its cell."""

    table: Table
    scale: Scale
    problems: list[Problem]
    missing_codes: Sequence[int] = ()

    def numbers(self, place: int, low: float, high: float) -> Floats:
        """The numbers from ``low`` to ``high``: a 999 for 未答 is no total, and nobody is listed for it."""
        return self.within(place, self.known(place), low, high)

    def known(self, place: int) -> Floats:
        """Every number of a column."""
        found = np.full(len(self.table), np.nan)
        for position, row in enumerate(self.table.rows):
            value = cells.number_of(row[place])
            if value is not None:
                found[position] = round(value) if abs(value - round(value)) < NEAR else value
            elif text_of(row[place]).lower() not in missing_words():
                self._problem(position, place, "no_number", "应为数字，此格不是")
        return found

    def within(self, place: int, values: Floats, low: float, high: float) -> Floats:
        """The values that the scale can have; codes for missing ones are blank, others are named."""
        with np.errstate(invalid="ignore"):
            outside = (values < low - TOLERANCE) | (values > high + TOLERANCE)
        codes = usual_codes() | set(self.missing_codes)
        for position in np.flatnonzero(outside).tolist():
            if values[position] not in codes:
                self._problem(position, place, "out_of_range", f"应在 {low:g}–{high:g} 之间，此格不是")
        return np.where(outside, np.nan, values)

    def _problem(self, position: int, place: int, code: str, words: str) -> None:
        table, words = self.table, f"{self.scale.name} 的分数{words}；没有采用这一格。"
        self.problems.append(Problem(table.row_numbers[position], table.header[place], code, words, table.file))


def joined(scale: Scale, parts: Sequence[Stated | None], lengths: Sequence[int]) -> Stated | None:
    """The stated columns of several tables, one after the other."""
    if all(part is None for part in parts):
        return None
    whole = [
        part
        if part is not None
        else Stated(np.full(count, np.nan), np.full((count, len(scale.subscales)), np.nan), [""] * count)
        for part, count in zip(parts, lengths, strict=True)
    ]
    return Stated(
        np.concatenate([part.totals for part in whole]),
        np.concatenate([part.subscales for part in whole]),
        [band for part in whole for band in part.bands],
    )


def fill(scale: Scale, scores: Scores, said: Stated, where: NDArray[np.bool_]) -> None:
    """Let what is stated stand for scores on the rows that have no answers."""
    if not where.any():
        return
    found = score_stated(scale, said.totals[where], said.subscales[where])
    for name in ("totals", "at_least", "at_most", "bands", "positive", "subscales", "subscale_bands", "complete"):
        getattr(scores, name)[where] = getattr(found, name)
    lowest = _lowest_of(scale, said.bands)
    worded = where & ~np.isfinite(scores.totals) & (scores.bands < 0) & np.isfinite(lowest)
    if worded.any():
        found = score_stated(scale, lowest[worded], said.subscales[worded])
        for name in ("at_least", "bands", "positive"):
            getattr(scores, name)[worded] = getattr(found, name)


def at_least_as_said(scale: Scale, scores: Scores, said: Stated, where: NDArray[np.bool_]) -> Scores:
    """An incomplete sheet is at least what its source's own total or band says: gaps take nothing back."""
    lowest = np.fmax(said.totals, _lowest_of(scale, said.bands))
    with np.errstate(invalid="ignore"):
        gaps = where & ~scores.complete & (lowest >= scale.lowest) & (lowest <= scale.highest)
        known = gaps & np.isfinite(said.totals) & (said.totals >= scale.lowest)
    if not gaps.any():
        return scores
    least = scores.at_least.astype(np.float64)
    most = scores.at_most.astype(np.float64)
    least[gaps] = np.maximum(least[gaps], lowest[gaps])
    most[known] = np.minimum(most[known], said.totals[known])
    return replace(scores, at_least=least, at_most=most)


def unknown_bands(table: Table, place: int, scale: Scale, said: Stated, problems: list[Problem]) -> None:
    """Results that stand alone and are none of the scale's bands: nothing is known then, and that is said."""
    alone = ~said.says_something(scale)
    words = f"{scale.name} 的这个结果不是系统认识的分级，又没有分数，没有采用；请补上分数，或按“来源的等级”导入。"
    problems += [
        Problem(table.row_numbers[position], table.header[place], "band_unknown", words, table.file)
        for position in np.flatnonzero(alone).tolist()
        if said.bands[position]
    ]


def _lowest_of(scale: Scale, bands: Sequence[str]) -> Floats:
    """The least total of the band that each word names; ``nan`` for words that are no band of the scale."""
    starts = {normal(band.label): float(band.start) for band in scale.bands if band.when is None}
    return np.array([starts.get(normal(word), np.nan) if word else np.nan for word in bands], dtype=np.float64)


def differences(held: ScaleSheets, row_numbers: Sequence[int], files: Sequence[str]) -> list[Problem]:
    """Rows on which the source's own total or band is not what the answers come to (practice §1.2)."""
    found = []
    if held.totals_said is not None:
        with np.errstate(invalid="ignore"):
            apart = np.abs(held.totals_said - held.scores.totals) > TOLERANCE
        words = "来源给出的总分与按题计分不一致，以按题计分为准。"
        places = np.flatnonzero(apart & held.present & ~held.stated).tolist()
        found += [(place, "total_differs", words) for place in places]
    if held.bands_said is not None and held.scale.bands:
        labels = [normal(band.label) for band in held.scale.bands]
        for place in np.flatnonzero(held.present & (held.scores.bands >= 0)).tolist():
            said = normal(held.bands_said[place])
            if said in labels and labels[int(held.scores.bands[place])] != said:
                found.append((place, "band_differs", "来源给出的结果与本系统的筛查提示不一致，以本系统为准。"))
    return [
        Problem(row_numbers[place], None, code, f"{held.scale.name}：{words}", files[place] if files else "")
        for place, code, words in found
    ]
