"""The cohort of a row: the student's year of study at that moment.

Not the grade itself: a class enters every autumn, and a model that had never
seen its grade would have nothing to say of the very students a college screens
first. A first year is a first year again every autumn.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from app.risk.gathering.facts import Moments
from config import catalogue

_YEAR = re.compile(r"(?<!\d)(20\d\d)(?!\d)")
MOST = 8
"""Years of study; beyond them a grade is not what it seems."""


def cohorts(grades: NDArray[np.str_], at: Moments) -> NDArray[np.str_]:
    """Per row ``1``, ``2`` …; a grade without a year of entry as it is written, and empty where there is none."""
    month = catalogue.table("features")["cohort"]["year_begins_month"]
    begun = (at.astype("datetime64[M]") - np.timedelta64(month - 1, "M")).astype("datetime64[Y]").astype(
        np.int64
    ) + 1970
    entered = {grade: _entered(grade) for grade in set(grades.tolist())}
    found = [_cohort(grade, entered[grade], year) for grade, year in zip(grades.tolist(), begun.tolist(), strict=True)]
    return np.array(found, dtype="U16")


def _entered(grade: str) -> int | None:
    found = _YEAR.search(grade)
    return int(found[1]) if found else None


def _cohort(grade: str, entered: int | None, year: int) -> str:
    if entered is None:
        return grade
    of_study = year - entered + 1
    return str(of_study) if 1 <= of_study <= MOST else ""
