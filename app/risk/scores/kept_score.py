"""What is kept of a score, and how it is read again: every number to its last bit.

Numbers are written as hexadecimal floats, because ``0.1`` in decimals is
already another number; moments as ISO times in UTC with microseconds. A value
that was not known is left out, and so is a contribution that is exactly zero.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.risk.gathering.facts import NEVER
from ml.features import MOMENT, Feature, FeatureTable
from ml.model import Model, Reason, Scored

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Names:
    """Which model and which rulebook a score rests on: the hash of the file, the version of the rules."""

    model: bytes
    rules: str


@dataclass(frozen=True, slots=True)
class Kept:
    """The body of one score, as it was written."""

    at: str
    cohort: str
    model: str
    """Hash of the model's file: an exchanged ``model_id`` is noticed."""
    rules: str
    """The rulebook of that moment."""
    base: str
    log_odds: str | None
    inputs: Mapping[str, tuple[str, str]]
    contributions: Mapping[str, str]
    band: str
    abstains: str
    reasons: tuple[Mapping[str, Any], ...]


def bodies(
    model: Model,
    names: Names,
    table: FeatureTable,
    scored: Scored,
    bands: Sequence[str],
    reasons: Sequence[Sequence[Reason]],
) -> Iterator[bytes]:
    """The bodies of the rows of ``table``, one after the other; ``table`` has the model's columns in their order."""
    rules = json.dumps(names.rules, ensure_ascii=False)
    head = f'{{"v":{FORMAT},"model":"{names.model.hex()}","rules":{rules},"base":"{float(model.base).hex()}"'
    keys = [json.dumps(key) for key in table.keys]
    inputs = _joined([_inputs(key, table, place) for place, key in enumerate(keys)], ~np.isnan(table.values))
    moved = [_said(key, scored.contributions[:, place]) for place, key in enumerate(keys)]
    parts = _joined(moved, ~_is_plain_zero(scored.contributions))
    moments = np.datetime_as_string(table.at, unit="us").tolist()
    cohorts = [json.dumps(cohort, ensure_ascii=False) for cohort in table.cohorts.tolist()]
    logs = ["null" if isnan(value) else f'"{value.hex()}"' for value in scored.log_odds.tolist()]
    rows = zip(moments, cohorts, inputs, logs, parts, bands, scored.abstains.tolist(), reasons, strict=True)
    for at, cohort, known, log_odds, part, band, why, said in rows:
        text = (
            f'{head},"at":"{at}","cohort":{cohort},"inputs":{{{known}}},"log_odds":{log_odds},'
            f'"contributions":{{{part}}},"band":"{band}","abstains":"{why}","reasons":{_reasons(said)}}}'
        )
        yield text.encode()


def read(text: str) -> Kept:
    """A body as it was written. Raises ``ValueError`` for anything else."""
    try:
        held = json.loads(text)
        if held["v"] != FORMAT:
            raise ValueError("another format of a score")
        return Kept(
            at=held["at"],
            cohort=held["cohort"],
            model=held["model"],
            rules=held["rules"],
            base=held["base"],
            log_odds=held["log_odds"],
            inputs={key: (value, known) for key, (value, known) in held["inputs"].items()},
            contributions=dict(held["contributions"]),
            band=held["band"],
            abstains=held["abstains"],
            reasons=tuple(held["reasons"]),
        )
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError("not the body of a score") from problem


def table_of(kept: Kept, features: Sequence[Feature], person: str) -> FeatureTable:
    """The one row a score rested on. Raises ``ValueError`` where the body cannot have been one."""
    values = np.full((1, len(features)), np.nan)
    known = np.full((1, len(features)), NEVER, dtype=MOMENT)
    for place, feature in enumerate(features):
        if feature.key in kept.inputs:
            value, moment = kept.inputs[feature.key]
            values[0, place], known[0, place] = float.fromhex(value), np.datetime64(moment, "us")
    return FeatureTable(
        tuple(features),
        np.array([person]),
        np.array([kept.at], dtype=MOMENT),
        np.array([kept.cohort], dtype=str),
        values,
        known,
    )


def _reasons(said: Sequence[Reason]) -> str:
    held = [{"key": one.key, "text": one.words, "raises": one.raises} for one in said]
    return json.dumps(held, ensure_ascii=False, separators=(",", ":"))


def _inputs(key: str, table: FeatureTable, place: int) -> list[str]:
    """``"key":["0x1p+0","2026-…"]`` for every row; the same value and the same moment are written once."""
    values, of_value = _distinct(table.values[:, place])
    moments, of_moment = np.unique(table.known_at[:, place], return_inverse=True)
    words = [f'{key}:["{value.hex()}","' for value in values.tolist()]
    times = [f'{moment}"]' for moment in np.datetime_as_string(moments, unit="us").tolist()]
    pairs = of_value * len(times) + of_moment
    known, of_pair = np.unique(pairs, return_inverse=True)
    written = [words[pair // len(times)] + times[pair % len(times)] for pair in known.tolist()]
    return [written[pair] for pair in of_pair.tolist()]


def _said(key: str, contributions: NDArray[np.float64]) -> list[str]:
    values, of_value = _distinct(contributions)
    written = [f'{key}:"{value.hex()}"' for value in values.tolist()]
    return [written[value] for value in of_value.tolist()]


def _distinct(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int_]]:
    """Each bit pattern once: minus zero is not zero here."""
    found, inverse = np.unique(np.ascontiguousarray(values).view(np.int64), return_inverse=True)
    return found.view(np.float64), inverse


def _is_plain_zero(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((values == 0) & ~np.signbit(values))


def _joined(columns: Sequence[Sequence[str]], kept: NDArray[np.bool_]) -> list[str]:
    """Row by row the fragments that are kept, with commas."""
    if not columns:
        return [""] * len(kept)
    rows = zip(zip(*columns, strict=True), kept.tolist(), strict=True)
    return [",".join(compress(row, chosen)) for row, chosen in rows]
