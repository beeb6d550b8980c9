"""A made college with a known truth, and models learned from it, for the tests of ``ml/``."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ml.features import MOMENT, Direction, Feature, FeatureTable
from ml.model import Model
from ml.train import train

FEATURES = (
    Feature(key="phq9", meaning="PHQ-9", direction=Direction.INCREASING, lowest=0, highest=27, core=True,
            higher="PHQ-9 总分较高", lower="PHQ-9 总分较低"),
    Feature(key="gad7", meaning="GAD-7", direction=Direction.INCREASING, lowest=0, highest=21, core=True),
    Feature(key="support", meaning="社会支持", direction=Direction.DECREASING),
    Feature(key="age", meaning="年龄"),
    Feature(key="grade_point", meaning="绩点"),
    Feature(key="home", meaning="生源地", nominal=True),
    Feature(key="constant", meaning="总是一样"),
)  # fmt: skip
KEYS = tuple(feature.key for feature in FEATURES)


def college(rows: int, seed: int = 0, *, gaps: float = 0.0) -> tuple[FeatureTable, NDArray[np.int8]]:
    """Students whose chance of the outcome is known; ``gaps`` is the share of values not known."""
    chance = np.random.default_rng(seed)
    burden = chance.normal(size=rows)
    phq9 = np.clip(np.round(7 + 4.5 * burden + 2 * chance.normal(size=rows)), 0, 27)
    gad7 = np.clip(np.round(5 + 3 * burden + 3 * chance.normal(size=rows)), 0, 21)
    support = np.round(chance.normal(40, 8, rows))
    age = np.round(chance.uniform(17, 26, rows))
    grade_point = chance.uniform(1, 4, rows)
    home = chance.integers(0, 6, rows).astype(float)
    truth = -2.4 + 0.18 * phq9 + 0.05 * gad7 - 0.04 * (support - 40) + 0.3 * (age - 21) ** 2 / 10 + 0.6 * (home == 3)
    labels = (chance.random(rows) < 1 / (1 + np.exp(-truth))).astype(np.int8)
    values = np.column_stack([phq9, gad7, support, age, grade_point, home, np.full(rows, 3.0)])
    values[chance.random(values.shape) < gaps] = np.nan
    return of(values, cohorts=np.where(chance.random(rows) < 0.5, "2025", "2024")), labels


def of(values: NDArray[np.float64], *, cohorts: NDArray[np.str_] | None = None) -> FeatureTable:
    """A table of these values, one person a row, all known a day before."""
    rows = len(values)
    at = np.full(rows, np.datetime64("2026-03-01", "us"), dtype=MOMENT)
    known = np.where(np.isnan(values), np.datetime64("NaT", "us"), np.datetime64("2026-02-28", "us"))
    people = np.array([f"p{row:05}" for row in range(rows)])
    return FeatureTable(FEATURES, people, at, np.full(rows, "2025") if cohorts is None else cohorts, values, known)


@cache
def model() -> Model:
    """Learned from 900 rows without gaps."""
    return train(*college(900))


@cache
def gappy_model() -> Model:
    """Learned from 900 rows with a tenth of the values missing."""
    return train(*college(900, seed=1, gaps=0.1))
