"""One fixed procedure from a table with outcomes to a model; its name stands in every model it makes.

1. People are dealt to folds; nobody stands on both sides of one.
2. Two additive parts: straight and bent lines (``ml/ramps.py``) and boosted steps (``ml/boosted.py``), the rounds of
   the latter found on the held-out folds. The blend is one fixed weighted mean
   of their log-odds.
3. The blend of the held-out rows is calibrated (``ml/calibrate.py``) with missing values already without effect.
4. Both parts are learned once more from all rows, added up feature by feature, centred and frozen (``ml/shape.py``).

Nothing is tuned to a table. Few labels: below ``least_labels`` people or ``least_positives`` people of either outcome
it refuses (``TooFew``) and the order by rules stands (``ml/ranking.py``). Between that and ``full_labels`` (and
``full_positives``) it leans on the rules: the order by rules is then one more declared column, increasing, with its
own curve and its own reason, and its share of the blend falls linearly to nothing. So the score stays a
sum of reasons. Where no order by rules is given, the calibration doubts the slope instead: as if up to a tenth as
many rows again had shown nothing.

All of it runs in one thread: on tables of this size a second one gains nothing and stands in the way of others, and
sums made in one order give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import scipy
import sklearn
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ml.blend import Learned, Rows, compose, learn
from ml.features import Feature, FeatureTable
from ml.folds import Index, deal, sides, taken
from ml.model import Model, Parts, at_shares
from ml.shape import Floats, Shape

PROCEDURE = "additive-1"

Labels = NDArray[np.int8]
Beat = Callable[[int, int], None]


class TooFew(ValueError):
    """Too few outcomes to learn from; says how many there are and how many it takes."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a centre may state; the same for every table.

    The bounds for few labels are measured on the public follow-up data (random training sets of one task, scored on
    its other rows): with 60 people the model ranks below the one best score, with 100 like it; up to 300 the mix with
    the order by rules is better than either, from 400 on the order by rules adds nothing.
    """

    folds: int = 5
    seed: int = 20261125
    least_labels: int = 100
    least_positives: int = 20
    full_labels: int = 400
    full_positives: int = 60
    most_missing: float = 0.5  # share of the importance
    beyond: float = 0.25  # share of the learned range an undirected value may lie outside it
    first: float = 0.05  # share of people
    soon: float = 0.15


def nothing(done: int, of: int) -> None:
    """No progress shown."""


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """What the whole procedure says of rows it did not learn from; repeats x rows.

    ``log_odds`` is nan where the model abstained, ``would_say`` never; ``ramps`` and ``trees`` are the parts, not yet
    calibrated.
    """

    log_odds: Floats
    would_say: Floats
    ramps: Floats
    trees: Floats
    abstains: NDArray[np.str_]
    folds: Index


def train(
    table: FeatureTable,
    labels: Labels,
    *,
    rules: Floats | None = None,
    weights: Floats | None = None,
    settings: Settings = Settings(),
    beat: Beat = nothing,
) -> Model:
    """Learn from rows whose outcome is known (1 or 0); ``weights`` are inverse chances of having been asked."""
    _enough(table, labels, settings)
    return _model(table, labels, rules, weights, settings, beat)


def out_of_fold(
    table: FeatureTable,
    labels: Labels,
    *,
    rules: Floats | None = None,
    weights: Floats | None = None,
    settings: Settings = Settings(),
    folds: int = 5,
    repeats: int = 1,
    beat: Beat = nothing,
) -> OutOfFold:
    """Run the whole procedure, inner folds and all, ``folds`` times per repeat, each time on the other rows."""
    _enough(table, labels, settings)
    count = _folds(table, labels, folds)
    seeds = range(settings.seed + 1, settings.seed + 1 + repeats)
    dealt = np.array([deal(table.people, labels, folds=count, seed=seed) for seed in seeds])
    return out_of_given_folds(table, labels, dealt, rules=rules, weights=weights, settings=settings, beat=beat)


def out_of_given_folds(
    table: FeatureTable,
    labels: Labels,
    folds: Index,
    *,
    rules: Floats | None = None,
    weights: Floats | None = None,
    settings: Settings = Settings(),
    beat: Beat = nothing,
) -> OutOfFold:
    """The whole procedure on folds dealt elsewhere (repeats x rows), for groups of people that must stay together.

    A class or a college is no person: labels count by people, folds part by group. Raises ``TooFew`` where the rest
    of a fold has fewer than two people of either outcome.
    """
    size = folds.shape
    found = OutOfFold(
        log_odds=np.empty(size),
        would_say=np.empty(size),
        ramps=np.empty(size),
        trees=np.empty(size),
        abstains=np.full(size, "", dtype="U7"),
        folds=folds,
    )
    steps = [(repeat, int(fold)) for repeat in range(len(folds)) for fold in np.unique(folds[repeat])]
    least = replace(settings, least_labels=2, least_positives=2)
    for done, (repeat, fold) in enumerate(steps, start=1):
        learn, held = sides(folds[repeat], fold)
        of_learn, of_held, own = taken(rules, learn), taken(rules, held), taken(weights, learn)
        _enough(table.rows(learn), labels[learn], least)
        model = _model(table.rows(learn), labels[learn], of_learn, own, settings, nothing)
        _say(found, repeat, held, model, table.rows(held), of_held)
        beat(done, len(steps))
    return found


def _say(found: OutOfFold, repeat: int, held: Index, model: Model, table: FeatureTable, rules: Floats | None) -> None:
    scored = model.score(table, rules=rules)
    found.log_odds[repeat, held] = scored.log_odds
    found.would_say[repeat, held] = scored.would_say
    found.abstains[repeat, held] = scored.abstains
    values = table.values
    found.ramps[repeat, held] = model.parts.ramps.log_odds(values)
    found.trees[repeat, held] = model.parts.trees.log_odds(values)


def share_of_model(people: int, positives: int, settings: Settings) -> float:
    """How much of the blend the model's own parts get; 1 from ``full_labels`` and ``full_positives`` on."""
    return min(1.0, people / settings.full_labels, positives / settings.full_positives)


def _counts(table: FeatureTable, labels: Labels) -> tuple[int, int, int]:
    """People, those with a positive row, those with a negative one."""
    return tuple(len(np.unique(table.people[rows])) for rows in (labels >= 0, labels == 1, labels == 0))  # type: ignore[return-value]


def _enough(table: FeatureTable, labels: Labels, settings: Settings) -> None:
    if len(labels) != len(table) or not np.isin(labels, (0, 1)).all():
        raise ValueError("every row needs a label that is 0 or 1")
    people, positives, negatives = _counts(table, labels)
    if people < settings.least_labels or min(positives, negatives) < settings.least_positives:
        raise TooFew(
            f"{people} people with an outcome, {positives} with and {negatives} without the event; it takes "
            f"{settings.least_labels} people and {settings.least_positives} of either outcome to learn from them"
        )


def _folds(table: FeatureTable, labels: Labels, folds: int) -> int:
    _, positives, negatives = _counts(table, labels)
    return max(2, min(folds, positives, negatives))


def _model(
    table: FeatureTable,
    labels: Labels,
    rules: Floats | None,
    weights: Floats | None,
    settings: Settings,
    beat: Beat,
) -> Model:
    fold_of = deal(table.people, labels, folds=_folds(table, labels, settings.folds), seed=settings.seed)
    rows = Rows(table.features, table.values, labels.astype(np.float64), _weights(weights, len(table)), fold_of, rules)
    people, positives, negatives = _counts(table, labels)
    share = share_of_model(people, min(positives, negatives), settings)
    with threadpool_limits(1):
        learned = learn(rows, share, lambda done: beat(done, 5))
    features, shapes, base = compose(rows, learned)
    values = rows.values if learned.rules is None or rules is None else np.column_stack([rows.values, rules])
    effects, said = np.zeros(values.shape), np.full(len(values), base)
    for column, shape in enumerate(shapes):
        effects[:, column] = shape(values[:, column])
        said += effects[:, column]
    first, soon = at_shares(said, rows.weights, (1 - settings.first, 1 - settings.soon))
    model = Model(
        features=features,
        shapes=shapes,
        base=base,
        limits=_limits(features, shapes, values, settings.beyond),
        importance=np.sum(np.abs(effects) * rows.weights[:, None], axis=0) / np.sum(rows.weights),
        most_missing=settings.most_missing,
        cuts=(first, soon),
        cohorts=frozenset(str(cohort) for cohort in table.cohorts if cohort),
        procedure=PROCEDURE,
        seed=settings.seed,
        trained_until=str(table.at.max()),
        labels=people,
        positives=positives,
        weighted=weights is not None,
        versions={"numpy": np.__version__, "scikit-learn": sklearn.__version__, "scipy": scipy.__version__},
        parts=_parts(learned),
    )
    beat(5, 5)
    return model


def _weights(weights: Floats | None, rows: int) -> Floats:
    if weights is None:
        return np.ones(rows)
    if len(weights) != rows or not (np.isfinite(weights) & (weights > 0)).all():
        raise ValueError("every row needs a weight above 0")
    return np.asarray(weights / np.mean(weights), dtype=np.float64)


def _limits(features: tuple[Feature, ...], shapes: tuple[Shape, ...], values: Floats, beyond: float) -> Floats:
    """Per feature the lowest and the highest value the model answers for."""
    found = np.tile([-np.inf, np.inf], (len(features), 1))
    for column, (feature, shape) in enumerate(zip(features, shapes, strict=True)):
        known = values[~np.isnan(values[:, column]), column]
        if not feature.nominal and feature.direction.sign == 0 and not shape.is_flat:
            width = known.max() - known.min()
            found[column] = known.min() - beyond * width, known.max() + beyond * width
        if feature.lowest is not None:
            found[column, 0] = max(found[column, 0], feature.lowest)
        if feature.highest is not None:
            found[column, 1] = min(found[column, 1], feature.highest)
    return found


def _parts(learned: Learned) -> Parts:
    return Parts(
        ramps=learned.ramps,
        trees=learned.trees,
        rules=learned.rules,
        rules_share=learned.rules_share,
        slope=learned.calibration.slope,
        intercept=learned.calibration.intercept,
        rounds=learned.rounds,
        forest=learned.forest,
    )
