"""What ``risk evaluate`` found, as JSON for programs and as lines for people."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
import sklearn

from app.cli.risk_prepared import Prepared
from ml import card, measures
from ml.evaluate import Comparison, Forward
from ml.fairness import GroupFigures
from ml.figures import Figures, evaluate
from ml.intervals import Estimate, as_json
from ml.measures import Ranked
from ml.model import Model
from ml.monotone import Monotone
from ml.ranking import rank_by_rules
from ml.train import PROCEDURE, OutOfFold, Settings

FOLDS = 5
_SUSPECT, _MOST_SUSPECTS = 0.85, 5
_BASELINES = ("logistic", "mono_additive", "boosted_default", "single", "rules")


@dataclass(frozen=True)
class Found:
    """Everything one run of the procedure found."""

    model: Model
    oof: OutOfFold
    comparison: Comparison
    monotone: tuple[Monotone, ...]
    groups: tuple[GroupFigures, ...]
    forward: Forward | None


def evaluated(held: Prepared, found: Found, *, seconds: float, settings: Settings, repeats: int) -> dict[str, Any]:
    """The whole result, JSON ready; figures are plain numbers, their intervals stand beside them."""
    comparison = found.comparison
    baselines: dict[str, Any] = {
        name: _figures(comparison.baselines[name]) if name in comparison.baselines else None for name in _BASELINES
    }
    if baselines["single"] is not None:
        baselines["single"] = {"name": comparison.single[0], "names": list(comparison.single), **baselines["single"]}
    everything = evaluate(held.labels, found.oof.would_say, weights=_weights(held), draws=0)
    return {
        "trained": True,
        **_about(held),
        "procedure": found.model.procedure,
        "seed": settings.seed,
        "folds": FOLDS,
        "repeats": repeats,
        "abstained": comparison.model.abstained,
        "model": {**_figures(comparison.model), "all_rows": _plain(everything)},
        "baselines": baselines,
        "differences": as_json(comparison.differences),
        "calibration": [_bin(one) for one in as_json(comparison.model.calibration)],
        "net_benefit": as_json(comparison.model.net_benefit),
        "lead_time": as_json(comparison.model.lead),
        "monotone": {
            one.key: {"rows": one.rows, "steps": one.steps, "violations": one.violations} for one in found.monotone
        },
        "shuffled": _shuffled(comparison),
        "by_group": [_group(one) for one in found.groups],
        "forward": _forward(found.forward),
        "words": card.words(comparison),
        "leak_suspected": comparison.leak_suspected,
        "leak_limit": comparison.leak_limit,
        "suspects": _suspects(held) if comparison.leak_suspected else [],
        "strongest": _strongest(found.model),
        "seconds": round(seconds, 1),
        "versions": versions(),
    }


def untrained(held: Prepared, settings: Settings) -> dict[str, Any]:
    """Too few outcomes: say so, and put the rows in the order of the rules if there are any."""
    reason = _too_few(held, settings) + (
        "本次不训练，按规则排序。" if held.rules is not None else "本次不训练；没有给出规则，不能排序。"
    )
    result: dict[str, Any] = {"trained": False, "reason": reason, **_about(held), "procedure": PROCEDURE}
    result["baselines"] = {"rules": None}
    if held.rules is not None:
        order = rank_by_rules(held.rules)
        result["order_by_rules"] = held.rows[order].tolist()
        ranks = held.rules[held.labelled]
        result["baselines"]["rules"] = _figures(
            evaluate(held.labels, np.where(np.isnan(ranks), np.nan, 0.0), ranks=ranks, weights=_weights(held))
        )
    return result | {"leak_suspected": False, "versions": versions()}


def _too_few(held: Prepared, settings: Settings) -> str:
    """What is lacking: outcomes of different people, or, where there are enough, outcomes outside a few groups."""
    people = held.table.people[held.labelled]
    everyone, positives, negatives = (
        len(np.unique(people[chosen])) for chosen in (held.labels >= 0, held.labels == 1, held.labels == 0)
    )
    if everyone >= settings.least_labels and min(positives, negatives) >= settings.least_positives:
        return "同一种结局几乎都在少数几组里，留出这些组之后，其余的组不够训练；请换一列作 --group，或不写。"
    return (
        f"有结局的 {len(held.labels)} 行、{everyone} 人（有 {positives}，没有 {negatives}），"
        f"少于训练所需：{settings.least_labels} 人，两种结局各 {settings.least_positives} 人。"
    )


def versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
        "procedure": PROCEDURE,
    }


def _weights(held: Prepared) -> Any:
    return None if held.weights is None else held.weights[held.labelled]


def _about(held: Prepared) -> dict[str, Any]:
    features = [
        {
            "name": feature.key,
            "kind": "nominal" if feature.nominal else "numeric",
            "direction": str(feature.direction),
            "missing": int(np.isnan(held.table.values[:, place]).sum()),
            "values": len(np.unique(held.table.values[np.isfinite(held.table.values[:, place]), place])),
        }
        for place, feature in enumerate(held.table.features)
    ]
    groups = None if held.clusters is None else len(np.unique(held.clusters[held.labelled]))
    return {
        "rows": len(held.labels),
        "positives": int(held.labels.sum()),
        "unlabelled": len(held.table) - len(held.labels),
        "features": features,
        "left_out": held.left_out,
        "groups": groups,
        "notes": held.notes,
    }


def _figures(held: Figures) -> dict[str, Any]:
    """Plain numbers, and the intervals by the same names."""
    named = {name: getattr(held, name) for name in ("auc", "ap", "brier", "slope", "intercept", "in_the_large")}
    lists = {f"{one.capacity:.2f}": one for one in held.at_capacity}
    intervals = {name: _ends(one) for name, one in named.items()}
    for name, one in lists.items():
        intervals[f"recall_at_{name}"], intervals[f"precision_at_{name}"] = _ends(one.recall), _ends(one.precision)
    return {**_plain(held), "intervals": intervals}


def _plain(held: Figures) -> dict[str, Any]:
    names = ("auc", "ap", "brier", "slope", "intercept", "in_the_large")
    plain: dict[str, Any] = {name: as_json(getattr(held, name).value) for name in names}
    plain["recall_at"] = {f"{one.capacity:.2f}": as_json(one.recall.value) for one in held.at_capacity}
    plain["precision_at"] = {f"{one.capacity:.2f}": as_json(one.precision.value) for one in held.at_capacity}
    return plain | {"rows": held.rows}


def _ends(one: Estimate) -> list[float | None]:
    return [as_json(one.low), as_json(one.high)]


def _bin(one: dict[str, Any]) -> dict[str, Any]:
    seen = one["observed"]
    return {
        "rows": one["rows"],
        "predicted": one["predicted"],
        "observed": seen["value"],
        "low": seen["low"],
        "high": seen["high"],
    }


def _shuffled(comparison: Comparison) -> dict[str, Any] | None:
    held = comparison.shuffled
    if held is None:
        return None
    return {"auc": as_json(held.auc.value), "interval": _ends(held.auc), "shows_nothing": held.shows_nothing}


def _group(one: GroupFigures) -> dict[str, Any]:
    return {**as_json(one), "words": one.words}


def _forward(held: Forward | None) -> dict[str, Any] | None:
    if held is None:
        return None
    return {"trained_rows": held.trained_rows, "tested_rows": held.tested_rows, **_figures(held.figures)}


def _strongest(model: Model) -> list[str]:
    order = np.argsort(-model.importance, kind="stable")[:5]
    return [model.features[place].key for place in order if model.importance[place] > 0]


def _suspects(held: Prepared) -> list[str]:
    """Columns that nearly know the outcome by themselves, by their value or by being empty; the closest first."""
    y, ones = held.labels.astype(np.float64), np.ones(len(held.labels))
    found = {}
    for place, feature in enumerate(held.table.features):
        values = held.table.values[held.labelled, place]
        gone = np.isnan(values).astype(np.float64)
        known = gone == 0
        both = Ranked(y, gone, gone), Ranked(y[known], values[known], values[known])
        areas = [measures.auc(one, ones[: len(one.labels)]) for one in both]
        found[feature.key] = max(max(area, 1 - area) for area in np.nan_to_num(areas, nan=0.5))
    order = sorted(found, key=lambda name: -found[name])
    return [name for name in order[:_MOST_SUSPECTS] if found[name] > _SUSPECT]
