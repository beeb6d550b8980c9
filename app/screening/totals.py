"""Totals, factors and bands that the source computed: taken where there are no answers, compared where there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.intake import cells
from app.intake.headers import normal
from app.intake.problem import Problem
from app.intake.sheet import Table, text_of
from app.screening.by_range import factors_of
from app.screening.plan import ScalePlan
from app.screening.scale import Coding, Scale
from app.screening.scoring import Scores, score_stated
from app.screening.sheets import ScaleSheets
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


def read(table: Table, scale: Scale, part: ScalePlan, coding: str | None, problems: list[Problem]) -> Stated | None:
    """The stated columns of one scale, or none. Factors may be sums or means (practice §1.2)."""
    if part.total is None and part.band is None and not part.subscales:
        return None
    held = next(item for item in scale.codings if (part.coding or coding or scale.codings[0].key) == item.key)
    totals = np.full(len(table), np.nan) if part.total is None else numbers(table, part.total, scale, problems)
    subscales = np.full((len(table), len(scale.subscales)), np.nan)
    columns = {key: numbers(table, place, scale, problems) for key, place in part.subscales.items()}
    if columns:
        choice = factors_of(scale, columns, held.key, part.factors)
        if choice.question is not None:
            raise Unclear(choice.question)
        for at, subscale in enumerate(scale.subscales):
            if subscale.key in columns:
                values = _as_means(columns[subscale.key], held, scale, len(subscale.items), choice.key == "sums")
                subscales[:, at] = values * len(subscale.items) if subscale.method == "sum" else values
    if scale.total.of == "items" and scale.total.method == "sum":
        totals = totals + (scale.minimum - held.minimum) * scale.size
    bands = [""] * len(table) if part.band is None else [text_of(row[part.band]) for row in table.rows]
    return Stated(totals, subscales, bands)


def _as_means(values: Floats, coding: Coding, scale: Scale, count: int, are_sums: bool) -> Floats:
    return (values / count if are_sums else values) + (scale.minimum - coding.minimum)


def numbers(table: Table, place: int, scale: Scale, problems: list[Problem]) -> Floats:
    """A column of numbers; what is no number becomes a problem of its cell."""
    found = np.full(len(table), np.nan)
    for position, row in enumerate(table.rows):
        value = cells.number_of(row[place])
        if value is not None:
            found[position] = value
        elif text_of(row[place]) not in {"", "-", "--", "/"}:
            words = f"{scale.name} 的分数应为数字，此格不是；没有采用这一格。"
            problems.append(Problem(table.row_numbers[position], table.header[place], "no_number", words, table.file))
    return found


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
