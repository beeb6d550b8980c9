"""What the checks of careless answers find, and how often they are wrong, on labelled synthetic sheets.

Careful people answer by a graded-response model (Samejima 1969): one trouble
behind all items and one behind each third of them, items of different
severity and sharpness, reversed items answered the other way round, four and
a half seconds an item. Careless ones answer in one of five ways. The numbers
say what the checks can do, not how many careless people there are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.screening.quality.traits import can_check, traits
from app.screening.quality.validity import assess
from app.screening.scales.scale import Scale, all_scales

PATTERNS = ("random", "straight", "long_string", "copied", "too_fast")
EACH = 0.04
"""Share of every careless pattern in a batch."""
GROUP = 4
"""People who hand in the same copied sheet."""
CLAIMED = 0.2
"""How often a careful person claims what hardly anybody can (assumed: a lie item)."""
Sheets = NDArray[Any]


def run(sheets: int, seed: int, keys: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """One row per scale: the share found of every pattern, and false alarms on careful sheets by reason."""
    return [
        measure(scale, sheets, np.random.default_rng([seed, *key.encode()]))
        for key, scale in sorted(all_scales().items())
        if can_check(scale) and (not keys or key in keys)
    ]


def measure(scale: Scale, sheets: int, chance: np.random.Generator) -> dict[str, Any]:
    answers, seconds, label = batch(scale, sheets, chance)
    found = assess(scale, answers, seconds=seconds, said_invalid=None)
    careful = label == len(PATTERNS)
    return {
        "scale": scale.key,
        "items": scale.size,
        "reversed": len(traits(scale).reversed),
        "found": {name: round(float(found.doubtful[label == place].mean()), 3) for place, name in enumerate(PATTERNS)},
        "false_alarms": round(float(found.doubtful[careful].mean()), 4),
        "by_reason": {code: round(float(held[careful].mean()), 4) for code, held in found.reasons.items()},
    }


def batch(
    scale: Scale, sheets: int, chance: np.random.Generator
) -> tuple[Sheets, NDArray[np.float64], NDArray[np.int64]]:
    """Answers, seconds and what each sheet is: the place of its pattern, or their number for a careful one."""
    answers = careful_answers(scale, sheets, chance)
    seconds = scale.size * chance.lognormal(np.log(4.5), 0.35, sheets)
    label = np.full(sheets, len(PATTERNS))
    many = max(int(sheets * EACH) // GROUP, 1) * GROUP
    for place, name in enumerate(PATTERNS):
        some = slice(place * many, (place + 1) * many)
        label[some] = place
        answers[some] = careless(name, scale, answers[some], chance)
        if name == "too_fast":
            seconds[some] = scale.size * chance.uniform(0.4, 1.9, many)
    return answers, seconds, label


def careful_answers(scale: Scale, sheets: int, chance: np.random.Generator) -> Sheets:
    """People of whom most have little trouble, answering as they feel (graded responses)."""
    steps = scale.maximum - scale.minimum
    trouble = (
        chance.normal(size=(sheets, 1))
        + 0.5 * np.repeat(chance.normal(size=(sheets, 3)), -(-scale.size // 3), axis=1)[:, : scale.size]
    )
    sharp = chance.uniform(1.0, 2.2, scale.size)
    first = chance.normal(0.3 if steps > 1 else 0.9, 0.6, scale.size)
    apart = chance.uniform(0.7, 1.2, (steps, scale.size))
    apart[0] = 0
    severity = first + np.cumsum(apart, axis=0)
    felt = chance.logistic(size=(sheets, scale.size)) + sharp * trouble
    values = scale.minimum + sum((felt > sharp * severity[step] for step in range(steps)), np.zeros_like(felt, int))
    claims = [item - 1 for item, _, _ in traits(scale).lie]
    values[:, claims] = np.where(chance.random((sheets, len(claims))) < CLAIMED, scale.maximum, scale.minimum)
    turned = [item - 1 for item in traits(scale).reversed]
    values[:, turned] = scale.minimum + scale.maximum - values[:, turned]
    return values.astype(np.int16)


def careless(name: str, scale: Scale, honest: Sheets, chance: np.random.Generator) -> Sheets:
    """How somebody answers who does not read. Too fast is seen by the clock alone: the answers stay."""
    count, items = honest.shape
    any_answer = chance.integers(scale.minimum, scale.maximum + 1, (count, items)).astype(np.int16)
    if name == "random":
        return any_answer
    if name == "straight":
        return np.repeat(any_answer[:, :1], items, axis=1)
    if name == "long_string":
        tired = honest.copy()
        tired[:, items // 2 :] = any_answer[:, :1]
        return tired
    return np.repeat(honest[::GROUP], GROUP, axis=0) if name == "copied" else honest


def as_lines(rows: list[dict[str, Any]]) -> list[str]:
    """The table for people."""
    heads = ("随机作答", "直线作答", "后半相同", "抄同一份", "作答过快", "误报")
    lines = [f"{'量表':<10}{'题数':>5}{'反向':>5}" + "".join(f"{head:>8}" for head in heads)]
    for row in rows:
        shares = [*row["found"].values(), row["false_alarms"]]
        lines.append(
            f"{row['scale']:<12}{row['items']:>7}{row['reversed']:>7}" + "".join(f"{share:>12.1%}" for share in shares)
        )
    return lines
