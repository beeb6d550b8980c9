"""Small tables of made-up people for tests of the mathematics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ml.features import Direction, Feature, FeatureTable

Floats = NDArray[np.float64]
DAY = np.timedelta64(86_400_000_000, "us")


def made(
    columns: dict[str, Floats],
    *,
    rising: Sequence[str] = (),
    nominal: Sequence[str] = (),
    people: NDArray[np.str_] | None = None,
    day: int | NDArray[np.int_] = 0,
) -> FeatureTable:
    """A table of these columns; every value was known at the moment of its row."""
    values = np.column_stack(list(columns.values())).astype(np.float64)
    features = tuple(
        Feature(
            key=key,
            meaning=f"{key} 的意思",
            direction=Direction.INCREASING if key in rising else Direction.NONE,
            nominal=key in nominal,
        )
        for key in columns
    )
    at = np.full(len(values), np.datetime64("2026-09-01", "us")) + np.broadcast_to(day, len(values)) * DAY
    known_at = np.where(np.isnan(values), np.datetime64("NaT", "us"), at[:, None])
    who = np.arange(len(values)).astype(str) if people is None else people
    return FeatureTable(features, who, at, np.full(len(values), "", dtype="U1"), values, known_at)


def college(rows: int, seed: int, *, day: int = 0, shift: float = 0.0) -> tuple[FeatureTable, NDArray[np.int8]]:
    """A questionnaire with an effect, another that follows it, noise, a nominal code, gaps; and the outcome."""
    rng = np.random.default_rng(seed)
    score = np.clip(np.round(8 + 5 * rng.normal(size=rows) + shift), 0, 27)
    second = np.round(score / 2 + 3 * rng.normal(size=rows))
    code = rng.integers(0, 4, rows).astype(float)
    gaps = np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows))
    labels = (rng.random(rows) < expit(-3.4 + 0.22 * score + 0.3 * (code == 2))).astype(np.int8)
    columns = {"score": score, "second": second, "code": code, "gaps": gaps, "noise": rng.normal(size=rows)}
    people = np.char.add(f"{seed}-", np.arange(rows).astype(str))
    return made(columns, rising=("score", "second"), nominal=("code",), people=people, day=day), labels
