"""A model as dicts, lists, plain values and arrays, and back; what ``ml/store.py`` writes.

Coming back, everything is checked as if a stranger had written it: kinds, lengths, finite numbers, ascending breaks,
and that every directed curve still keeps its direction.
"""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import numpy as np

from ml.features import Direction, Feature, Sensitivity
from ml.model import Model, Parts
from ml.shape import Additive, Floats, Shape, ordered

LAYOUT = 1
CURVE = ("breaks", "levels", "slopes", "anchors")
PLAIN = {
    "base": float,
    "most_missing": float,
    "procedure": str,
    "seed": int,
    "trained_until": str,
    "labels": int,
    "positives": int,
    "weighted": bool,
}
PLAIN_PARTS = {"rules_share": float, "slope": float, "intercept": float, "rounds": int}


class Malformed(ValueError):
    """Something that a model of ours does not hold."""


def as_plain(model: Model) -> dict[str, Any]:
    """Everything that scoring and the card need."""
    parts = model.parts
    return {
        "layout": LAYOUT,
        "features": [{one.name: _plain(getattr(own, one.name)) for one in fields(Feature)} for own in model.features],
        "shapes": [_curve(shape) for shape in model.shapes],
        "limits": _array(model.limits),
        "importance": _array(model.importance),
        "cuts": _array(np.array(model.cuts)),
        "cohorts": sorted(model.cohorts),
        "versions": dict(sorted(model.versions.items())),
        **{name: getattr(model, name) for name in PLAIN},
        "parts": {
            "ramps": _additive(parts.ramps),
            "trees": _additive(parts.trees),
            "rules": None if parts.rules is None else _additive(parts.rules),
            **{name: getattr(parts, name) for name in PLAIN_PARTS},
        },
    }


def from_plain(held: Any) -> Model:
    """The model again; ``Malformed`` (or another ``ValueError``, ``KeyError``, ``TypeError``) where it is not one."""
    if held["layout"] != LAYOUT:
        raise Malformed("another layout")
    features = tuple(_feature(one) for one in _list(held["features"]))
    shapes = tuple(_shape(one) for one in _list(held["shapes"]))
    size = len(features)
    if len(shapes) != size or any(own.nominal != one.nominal for own, one in zip(features, shapes, strict=True)):
        raise Malformed("features and curves do not match")
    for feature, shape in zip(features, shapes, strict=True):
        if not np.array_equal(ordered(shape, feature.direction.sign, feature.key).levels, shape.levels):
            raise Malformed("a curve against its direction")
    first, soon = _numbers(held["cuts"], (2,)).tolist()
    return Model(
        features=features,
        shapes=shapes,
        limits=_numbers(held["limits"], (size, 2), finite=False),
        importance=_numbers(held["importance"], (size,)),
        cuts=(first, soon),
        cohorts=frozenset(_of(str, one) for one in _list(held["cohorts"])),
        versions={_of(str, key): _of(str, own) for key, own in held["versions"].items()},
        parts=_parts(held["parts"]),
        **{name: _of(kind, held[name]) for name, kind in PLAIN.items()},
    )


def _parts(held: Any) -> Parts:
    return Parts(
        ramps=_sum(held["ramps"]),
        trees=_sum(held["trees"]),
        rules=None if held["rules"] is None else _sum(held["rules"]),
        **{name: _of(kind, held[name]) for name, kind in PLAIN_PARTS.items()},
    )


def _plain(value: Any) -> Any:
    """Enum members as words, whole limits as the floats they come back as."""
    if isinstance(value, str):
        return str(value)
    return value if value is None or isinstance(value, bool) else float(value)


def _array(values: Floats) -> Floats:
    return np.ascontiguousarray(values, dtype="<f8")


def _curve(shape: Shape) -> dict[str, Any]:
    return {"nominal": shape.nominal, **{name: _array(getattr(shape, name)) for name in CURVE}}


def _additive(part: Additive) -> dict[str, Any]:
    return {"intercept": part.intercept, "shapes": [_curve(shape) for shape in part.shapes]}


def _of(kind: type[Any], value: Any) -> Any:
    if type(value) is not kind or (isinstance(value, float) and not math.isfinite(value)):
        raise Malformed(f"expected {kind.__name__}")
    return value


def _list(value: Any) -> list[Any]:
    return list(_of(list, value))


def _numbers(value: Any, shape: tuple[int, ...], *, finite: bool = True) -> Floats:
    if not isinstance(value, np.ndarray) or value.dtype != np.float64 or value.shape != shape:
        raise Malformed("expected numbers")
    if np.isnan(value).any() or (finite and not np.isfinite(value).all()):
        raise Malformed("expected finite numbers")
    return value


def _shape(held: Any) -> Shape:
    nominal, size = _of(bool, held["nominal"]), len(held["breaks"])
    breaks = _numbers(held["breaks"], (size,))
    if (np.diff(breaks) <= 0).any():
        raise Malformed("breaks that do not ascend")
    pieces = (size if nominal else size + 1,)
    return Shape(nominal, breaks, *(_numbers(held[name], pieces) for name in CURVE[1:]))


def _sum(held: Any) -> Additive:
    return Additive(_of(float, held["intercept"]), tuple(_shape(one) for one in _list(held["shapes"])))


def _feature(held: Any) -> Feature:
    kinds: dict[str, type[Any]] = {
        **dict.fromkeys(("key", "meaning", "unit", "source", "higher", "lower"), str),
        **dict.fromkeys(("nominal", "core"), bool),
    }
    told: dict[str, Any] = {name: _of(kind, held[name]) for name, kind in kinds.items()}
    told |= {name: None if held[name] is None else float(held[name]) for name in ("lowest", "highest")}
    return Feature(direction=Direction(held["direction"]), sensitivity=Sensitivity(held["sensitivity"]), **told)
