"""Whether answers can be believed: careless sheets, copied sheets, and a batch whose items point the wrong way.

Pure arithmetic over arrays, like scoring: no names, no database. A doubtful
sheet asks for a re-test (作答质量存疑，建议重测); it is never taken for low, and
no rule is evaluated on anything but the answers themselves, so that a critical
answer counts on a doubtful sheet as on any other (laws 1 and 2).

Chosen: a straight line proves carelessness only where it contradicts itself.
On a scale with reversed items every straight line does. On one without, the
answer that means "no trouble" may honestly be given to everything, and is
left alone; any other answer asks for a re-test where there are enough items.
On PHQ-9 and GAD-7 it proves nothing: three of four real students who answered
them alike told reversed items apart a minute later (``config/validity.toml``).
Not chosen: one threshold for every scale, which would doubt each healthy
student's PHQ-9.

Measured (``manage.py bench validity``: 10,000 sheets a scale, seed 7, four
percent of each pattern in the batch): too fast is always found. A straight
line is always found on SAS, SDS and PSS-10, in 77-82 % on DASS and SCL-90 (the
rest chose "no trouble"), in half of UPI and MHT, not on PHQ-9 and GAD-7. The
second half answered alike: 70-90 % from 20 items on (yes/no: half), 17-31 % on
ten. Copied sheets: 68-99 % from 20 items on, hardly any on nine. Random
answers are not found by answers alone on any scale: the clock, lie items and
contradictions are what finds them. False alarms among careful people: 0.0 to
0.24 % for their answers (MHT 0.6 %), and about 1 % for their time under an
assumed spread of paces. On 5,000 real DASS-42 sheets 0.8 % are doubted, on 223
real PHQ-9 sheets none (``config/validity.toml`` says why). 100,000 sheets of 16
items take 0.03-0.06 s.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.screening.quality import consistency, patterns
from app.screening.quality.traits import Claim, Traits, can_check, traits
from app.screening.scales.scale import Scale
from app.screening.scales.scoring import MISSING, Answers
from config import catalogue

Mask = NDArray[np.bool_]
CODES = (
    "too_fast",
    "straight_line",
    "long_string",
    "copied",
    "lie_items",
    "contradiction",
    "said_invalid",
)
"""Why a sheet is doubtful, most telling last; labels in ``config/words.toml`` under ``validity``."""


_COMPARE: dict[str, Any] = {
    ">=": np.greater_equal,
    ">": np.greater,
    "<=": np.less_equal,
    "<": np.less,
    "==": np.equal,
}


@dataclass(slots=True)
class Validity:
    """What is doubtful, in the order of the sheets."""

    doubtful: Mask
    reasons: dict[str, Mask]

    def of(self, place: int) -> list[str]:
        """Codes that hold for one sheet."""
        return [code for code, held in self.reasons.items() if held[place]]


@dataclass(frozen=True, slots=True)
class BatchQuality:
    """What the round page says of the quality of one scale's sheets."""

    sheets: int
    doubtful: int
    reasons: dict[str, int]
    alpha: float | None
    alpha_expected: float | None
    alarm: str | None
    duplicates: int

    def as_table(self) -> dict[str, Any]:
        return asdict(self)


def quality(scale: Scale, answers: Answers, validity: Validity) -> BatchQuality:
    """Doubtful sheets by reason, and whether the items hold together.

    Alpha is over all complete sheets: in a file whose items were turned before,
    honest sheets look like straight lines, and leaving them out would hide it.
    """
    reasons = {code: int(found.sum()) for code, found in validity.reasons.items()}
    expected = scale.reliability
    alpha, alarm = None, None
    if can_check(scale):
        alpha, alarm = consistency.together(scale, answers, expected)
    return BatchQuality(
        sheets=len(answers),
        doubtful=int(validity.doubtful.sum()),
        reasons=reasons,
        alpha=alpha,
        alpha_expected=expected,
        alarm=alarm,
        duplicates=reasons.get("copied", 0),
    )


def assess(
    scale: Scale,
    answers: Answers,
    *,
    seconds: NDArray[np.float64] | None = None,
    said_invalid: Mask | None = None,
) -> Validity:
    """Look at sheets x items as answered (canonical coding, before reversal).

    ``seconds`` are those spent on this scale, ``nan`` where unknown: a time for
    a whole questionnaire is shared out by items before. ``said_invalid``: the
    source itself calls the sheet void (作废、无效、未通过测谎题).
    """
    held = traits(scale)
    none = np.zeros(len(answers), dtype=bool)
    reasons = dict.fromkeys(CODES, none)
    if said_invalid is not None:
        reasons["said_invalid"] = said_invalid.astype(bool)
    if can_check(scale) and len(answers):
        chosen = np.ascontiguousarray(answers.T if len(held.columns) == scale.size else answers.T[list(held.columns)])
        given = (chosen != MISSING).sum(axis=0)
        straight = _straight_line(scale, held, chosen, given)
        copied = patterns.copied(chosen, [held.columns.index(item - 1) for item in held.reversed])
        reasons |= {
            "too_fast": _too_fast(held, (answers != MISSING).sum(axis=1), seconds),
            "straight_line": straight,
            "long_string": _long_string(scale, held, chosen, given) & ~straight,
            "copied": copied & ~straight,
            "lie_items": _lie_items(held, answers),
            "contradiction": _contradiction(held, answers),
        }
    doubtful = np.logical_or.reduce(list(reasons.values()))
    return Validity(doubtful, {code: found for code, found in reasons.items() if found.any()})


def _too_fast(held: Traits, given: NDArray[Any], seconds: NDArray[np.float64] | None) -> Mask:
    if seconds is None:
        return np.zeros(len(given), dtype=bool)
    known = np.isfinite(seconds) & (seconds > 0)
    return np.asarray(known & (given > 0) & (np.where(known, seconds, 0.0) < held.seconds_per_item * given))


def _straight_line(scale: Scale, held: Traits, chosen: Answers, given: NDArray[Any]) -> Mask:
    """Nearly everything answered alike, where that proves something."""
    told = catalogue.table("validity")["straight_line"]
    least = np.ceil(told["share"] * given)
    found = np.zeros(len(given), dtype=bool)
    for value in range(scale.minimum, scale.maximum + 1):
        if value != held.calm:
            found |= (chosen == value).sum(axis=0) >= least
    return np.asarray(found & (given >= told["items_with_reversed" if held.reversed else "items"]))


def _long_string(scale: Scale, held: Traits, chosen: Answers, given: NDArray[Any]) -> Mask:
    """A run that the rest of the same sheet makes very improbable (Johnson 2005)."""
    told = catalogue.table("validity")["long_string"]
    if len(chosen) < told["items"]:
        return np.zeros(len(given), dtype=bool)
    best, value = _longest_run(held, chosen)
    places = np.flatnonzero(best >= told["run" if scale.maximum - scale.minimum > 1 else "run_of_two"])
    found = np.zeros(len(given), dtype=bool)
    run, rest = best[places].astype(np.float64), (given[places] - best[places]).astype(np.float64)
    same = (chosen[:, places] == value[places]).sum(axis=0) - run
    share = (same + 1) / (rest + 2)
    found[places] = np.asarray((rest + 1) * share**run) < told["chance"]
    return found


def _longest_run(held: Traits, chosen: Answers) -> tuple[NDArray[np.int16], Answers]:
    """Longest run of one answer on each sheet and which answer it is; silence and "no trouble" are no run."""
    run = np.zeros(chosen.shape[1], dtype=np.int16)
    best, value = run.copy(), chosen[0].copy()
    before = np.full(chosen.shape[1], MISSING, dtype=chosen.dtype)
    for row in chosen:
        counts = row != MISSING if held.calm is None else (row != MISSING) & (row != held.calm)
        run = (run * (row == before) + 1) * counts
        longer = run > best
        np.copyto(best, run, where=longer)
        np.copyto(value, row, where=longer)
        before = row
    return best, value


def _lie_items(held: Traits, answers: Answers) -> Mask:
    """Too many statements claimed that hardly anybody can claim (UPI: all four; MHT: seven of ten)."""
    if not held.lie:
        return np.zeros(len(answers), dtype=bool)
    claimed = sum((_claimed(answers, claim).astype(np.int64) for claim in held.lie), np.zeros(len(answers), np.int64))
    return np.asarray(claimed >= held.lie_from)


def _contradiction(held: Traits, answers: Answers) -> Mask:
    """Answers that cannot all be true."""
    found = np.zeros(len(answers), dtype=bool)
    for claims in held.contradictions:
        if claims:
            found |= np.logical_and.reduce([_claimed(answers, claim) for claim in claims])
    return found


def _claimed(answers: Answers, claim: Claim) -> Mask:
    item, op, value = claim
    given = answers[:, item - 1]
    return np.asarray(_COMPARE[op](given, value) & (given != MISSING))
