"""What the card says of an edition: measured out of fold and forward in time, beside simpler orders, by group.

The card is JSON in the edition's own row. It holds figures of groups large
enough to be told and never a person: lists shorter than the smallest group,
tenths with fewer rows than that and the outermost values of a feature are left
out here, once, so that no page and no paper can show them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.risk.editions import card_words
from app.risk.gathering.facts import moment64
from app.risk.gathering.gather import Gathered
from app.risk.gathering.labels import Labelled
from config import catalogue
from ml.evaluate import Comparison, worth
from ml.fairness import by_group
from ml.figures import Figures
from ml.forward import forward
from ml.intervals import as_json, wilson
from ml.model import Model
from ml.train import OutOfFold, Settings, TooFew, out_of_fold

FORMAT = 1
TENTHS = 21
"""Places along a feature at which its effect is told."""
FEW_VALUES = 6
"""A feature of no more values than these is told value by value."""
INNER = (0.05, 0.95)
"""Of the known values of a feature: further out stand single people."""
Told = Callable[[int, int], None]


def card_of(
    model: Model,
    gathered: Gathered,
    known: Labelled,
    groups: Mapping[str, NDArray[np.str_]],
    *,
    told_at: Sequence[datetime],
    settings: Settings,
    beat: Told,
) -> dict[str, Any]:
    """Everything the card says, ready to be stored. ``told_at``: when each outcome became known."""
    held = catalogue.table("risk_model")
    seed, draws = held["seed"], held["card_draws"]
    oof, compared = _compared(gathered, known, settings, beat)
    beat(85, 100)
    card = {
        "format": FORMAT,
        "leak": compared.leak_suspected,
        "leak_limit": held["leak_auc"],
        "data": _data(model, gathered, known),
        "procedure": _procedure(model, settings),
        "figures": _figures(compared.model, held["smallest_group"]),
        "baselines": {name: _figures(one, held["smallest_group"]) for name, one in compared.baselines.items()},
        "single": list(compared.single),
        "differences": as_json(dict(compared.differences)),
        "shuffled": as_json(compared.shuffled),
        "forward": _forward(gathered, known, told_at, settings, draws, seed),
        "groups": _groups(known, oof, groups, draws, seed),
        "features": _features(model, gathered),
    }
    card["words"] = card_words.summary(card)
    beat(100, 100)
    return card


def _compared(gathered: Gathered, known: Labelled, settings: Settings, beat: Told) -> tuple[OutOfFold, Comparison]:
    """The whole procedure out of fold, and simpler orders on the same folds."""
    held = catalogue.table("risk_model")
    oof = out_of_fold(
        gathered.table,
        known.labels,
        rules=known.rules,
        weights=known.weights,
        settings=settings,
        repeats=held["card_repeats"],
        beat=lambda done, total: beat(done * 50 // total, 100),
    )
    compared = worth(
        gathered.table,
        known.labels,
        oof,
        rules=known.rules,
        weights=known.weights,
        event_days=known.event_days,
        capacity=held["card_lists"],
        settings=settings,
        leak_limit=held["leak_auc"],
        stop=False,
        draws=held["card_draws"],
        seed=held["seed"],
        beat=lambda done, total: beat(50 + done * 20 // total, 100),
    )
    return oof, compared


def _data(model: Model, gathered: Gathered, known: Labelled) -> dict[str, Any]:
    """What it learned from, in counts of the whole."""
    few = catalogue.table("risk_model")["smallest_group"]
    origins, sizes = np.unique(np.asarray(known.origins), return_counts=True)
    told = {str(name): int(size) for name, size in zip(origins, sizes, strict=True)}
    return {
        "rows": len(known.students),
        "people": model.labels,
        "positives": model.positives,
        "rounds": len(set(known.rounds)),
        "first": str(gathered.table.at.min())[:10],
        "last": str(gathered.table.at.max())[:10],
        "weighted": model.weighted,
        "cohorts": sorted(model.cohorts),
        "origins": told if min(told.values()) >= few else {},
        "counts": {
            name: (count if count >= few or count == 0 else None) for name, count in sorted(known.counts.items())
        },
    }


def _procedure(model: Model, settings: Settings) -> dict[str, Any]:
    held = catalogue.table("risk_model")
    return {
        "name": model.procedure,
        "seed": model.seed,
        "folds": settings.folds,
        "repeats": held["card_repeats"],
        "draws": held["card_draws"],
        "rules_share": round(model.parts.rules_share, 3),
        "bands": [settings.first, settings.soon],
        "versions": dict(sorted(model.versions.items())),
    }


def _figures(figures: Figures, few: int) -> dict[str, Any]:
    """Figures without lists and tenths in which too few people stand."""
    told = figures.as_json()
    told["at_capacity"] = [one for one in told["at_capacity"] if one["talks"] >= few]
    told["calibration"] = _joined(told["calibration"], few)
    if figures.lead is not None and figures.lead.rows < few:
        told["lead"] = None
    for name in ("abstained", "unlabelled"):
        told[name] = told[name] if told[name] == 0 or told[name] >= few else None
    return told


def _joined(bins: list[dict[str, Any]], few: int) -> list[dict[str, Any]]:
    """Neighbouring tenths together until each holds enough people."""
    found: list[dict[str, Any]] = []
    for one in bins:
        if found and found[-1]["rows"] < few:
            found[-1] = _together(found[-1], one)
        else:
            found.append(one)
    if len(found) > 1 and found[-1]["rows"] < few:
        last = found.pop()
        found[-1] = _together(found[-1], last)
    return found if all(one["rows"] >= few for one in found) else []


def _together(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    rows = one["rows"] + other["rows"]
    observed = (one["rows"] * one["observed"]["value"] + other["rows"] * other["observed"]["value"]) / rows
    predicted = (one["rows"] * one["predicted"] + other["rows"] * other["predicted"]) / rows
    return {"rows": rows, "predicted": round(predicted, 6), "observed": as_json(wilson(observed, rows))}


def _forward(
    gathered: Gathered, known: Labelled, told_at: Sequence[datetime], settings: Settings, draws: int, seed: int
) -> dict[str, Any] | None:
    """Learned from the rounds before the last, measured on the last; nothing where one side is too small."""
    last = known.rounds[int(np.argmax(gathered.table.at))]
    since = gathered.table.at[np.array([one == last for one in known.rounds])].min()
    ended = np.array([moment64(one) for one in told_at])
    try:
        found = forward(
            gathered.table,
            known.labels,
            since=since,
            known_by=ended,
            rules=known.rules,
            weights=known.weights,
            settings=settings,
            draws=draws,
            seed=seed,
        )
    except TooFew:
        return None
    few = catalogue.table("risk_model")["smallest_group"]
    if found.tested_rows < few:
        return None
    return {
        "since": found.since[:10],
        "trained_rows": found.trained_rows,
        "tested_rows": found.tested_rows,
        "figures": _figures(found.figures, few),
    }


def _groups(
    known: Labelled, oof: OutOfFold, groups: Mapping[str, NDArray[np.str_]], draws: int, seed: int
) -> list[dict[str, Any]]:
    held = catalogue.table("risk_model")
    found = by_group(
        known.labels,
        oof.log_odds,
        groups,
        smallest=held["smallest_group"],
        smallest_positives=held["smallest_positives"],
        weights=known.weights,
        people=np.array([one.hex for one in known.students]),
        draws=draws,
        seed=seed,
    )
    return [as_json(one) | {"words": one.words} for one in found]


def _features(model: Model, gathered: Gathered) -> list[dict[str, Any]]:
    """Each input: what it means, how often it was known, its effect along its inner values; weightiest first."""
    found = []
    for place, feature in enumerate(model.features):
        values = gathered.table.column(feature.key) if feature.key in gathered.table.keys else np.zeros(0)
        known = values[np.isfinite(values)]
        found.append(
            {
                "key": feature.key,
                "meaning": feature.meaning,
                "unit": feature.unit,
                "source": feature.source,
                "direction": feature.direction.value,
                "sensitivity": feature.sensitivity.value,
                "known": round(len(known) / len(values), 2) if len(values) else None,
                "weight": round(float(model.importance[place]), 4),
                "shape": _shape(model, place, known),
            }
        )
    return sorted(found, key=lambda one: (-one["weight"], one["key"]))


def _shape(model: Model, place: int, known: NDArray[np.float64]) -> list[list[float]]:
    """Pairs of value and effect; nothing where hardly anybody has a value."""
    few = catalogue.table("risk_model")["smallest_group"]
    if len(known) < few:
        return []
    values, sizes = np.unique(known, return_counts=True)
    if model.features[place].nominal or len(values) <= FEW_VALUES:
        grid = values[sizes >= few]
    else:
        low, high = np.quantile(known, INNER)
        grid = np.unique(np.linspace(low, high, TENTHS))
    return [[round(float(x), 4), round(float(y), 4)] for x, y in zip(grid, model.shapes[place](grid), strict=True)]
