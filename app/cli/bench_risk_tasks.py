"""The tables ``bench risk`` is measured on, read from the folder that ``XINYU_REFERENCE_DATA`` names.

Follow-up of students over two waves: all totals and demographics of the first wave, the level at the second as the
outcome; and dropout from what is known at enrolment. What each file is stands in the README of that folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.cli import risk_table
from app.cli.risk_table import Columns
from app.intake.cells import number_of, text_of
from ml.features import Direction, Feature, FeatureTable, plain_table
from ml.shape import Floats

BDI = Path("argentina/bdi_stai_two_wave.xlsx")
K10 = Path("argentina/ghq_k10_two_wave.xlsx")
DROPOUT = Path("uci_dropout/students_dropout.csv")
FILES = (BDI, K10, DROPOUT)


@dataclass(frozen=True)
class Task:
    """``single`` is the one score to beat; a task without one is not a follow-up and has only a floor for its AUC."""

    name: str
    table: FeatureTable
    labels: NDArray[np.int8]
    single: str | None = None
    floor: float | None = None


def missing(folder: Path) -> list[str]:
    return [str(name) for name in FILES if not (folder / name).is_file()]


def tasks(folder: Path) -> Iterator[Task]:
    """Every task of the issue, in its order."""
    held = risk_table.read(folder / BDI, knows=["ADEPRESSION"])
    about = ("quarantinesubperiod", "sex", "mentdishist", "suic")
    table = _table(held, rising=("ADEPRESSION", "AANXIETY"), ordered=("age",), nominal=about)
    before, after = table.column("ADEPRESSION"), _numbers(held, "BDEPRESSION")
    yield Task("BDI ≥ 20", table, _over(after, 20), "ADEPRESSION")
    yield Task("BDI ≥ 29", table, _over(after, 29), "ADEPRESSION")
    below = before < 20
    yield Task("新发 BDI ≥ 20", table.rows(below), _over(after[below], 20), "ADEPRESSION")

    held = risk_table.read(folder / K10, knows=["AK10"])
    lives = ("prequar and quarsubperiod", "two_region", "sex", "mentdishist", "suic", "aloneoraccompanied")
    table = _table(held, rising=("AGHQ", "AK10"), ordered=("age_number",), nominal=lives)
    yield Task("K10 ≥ 30", table, _over(_numbers(held, "BK10"), 30), "AK10")

    held = risk_table.read(folder / DROPOUT, knows=["Target"])
    known = [name for name in held.cells if name != "Target" and not name.startswith("Curricular")]
    left = np.array([text_of(cell) == "Dropout" for cell in held.one("Target")]).astype(np.int8)
    yield Task("退学（入学时）", _table(held, ordered=known), left, floor=0.82)


def _over(values: Floats, bound: float) -> NDArray[np.int8]:
    return (values >= bound).astype(np.int8)


def _table(
    held: Columns, *, rising: Sequence[str] = (), ordered: Sequence[str] = (), nominal: Sequence[str] = ()
) -> FeatureTable:
    features = [Feature(key=name, meaning=name, direction=Direction.INCREASING) for name in rising]
    features += [Feature(key=name, meaning=name) for name in ordered]
    features += [Feature(key=name, meaning=name, nominal=True) for name in nominal]
    read: Callable[[Feature], Floats] = lambda own: (_codes if own.nominal else _numbers)(held, own.key)  # noqa: E731
    return plain_table(features, np.column_stack([read(feature) for feature in features]))


def _numbers(held: Columns, name: str) -> Floats:
    found = [number_of(cell) for cell in held.one(name)]
    return np.array([np.nan if value is None else value for value in found])


def _codes(held: Columns, name: str) -> Floats:
    words = [text_of(cell) for cell in held.one(name)]
    places = {word: float(place) for place, word in enumerate(sorted(set(words)))}
    return np.array([places[word] for word in words])
