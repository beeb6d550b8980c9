"""C-SSRS stands in two files, as an interview and as a scale that a file may bring: both come to the same level."""

from __future__ import annotations

import itertools

import numpy as np

from app.screening.scales.scale import all_scales
from app.screening.scales.scoring import MISSING, score
from app.screening.structured import guide

WORDS = {0: "no", 1: "yes"}
BEHAVIOUR = {0: "no", 1: "earlier", 2: "recent"}


def test_every_possible_interview_has_one_level_in_both_files() -> None:
    scale = all_scales()["cssrs"]
    sheets = [
        (*first, *(more if first[1] else (MISSING,) * 3), last)
        for first in itertools.product((0, 1), repeat=2)
        for more in itertools.product((0, 1), repeat=3)
        for last in BEHAVIOUR
    ]
    bands = score(scale, np.array(sheets, dtype=np.int16)).bands

    for sheet, band in zip(sheets, bands.tolist(), strict=True):
        answers = {number: WORDS[value] for number, value in enumerate(sheet[:5], start=1) if value != MISSING}
        level = guide().level(answers | {6: BEHAVIOUR[sheet[5]]})
        assert scale.bands[band].key == level.key, sheet
