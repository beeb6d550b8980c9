"""The finished model: a number for the average person and one curve per feature, nothing else.

It scores from these curves alone: ``log_odds = base + contribution + contribution + ...`` in the order of its
features, in this order of additions, so anybody can add up the reasons and arrive at the score to the last bit. The
contribution of a value is 0 for the average of those known, and exactly 0 where nothing is known. Scoring adds,
subtracts and multiplies and nothing else, so a stored model gives the same bits on any machine; training also takes
logarithms, whose last bit may differ between kinds of processors: equal bytes are promised on one kind.

Where it would have to guess it abstains, and says why: a cohort it never saw, a value outside what the column can
be (or, for a column without a direction, far outside what it learned from), none of the core values, or too much of
what it rests on missing. A directed column beyond its learned range is simply as high, or as low, as the last
value learned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ml.features import Direction, Feature, FeatureTable
from ml.shape import Additive, Floats, Shape

BLOCK = 65_536
RULES = Feature(
    key="rules_order",
    meaning="现行规则的排序",
    direction=Direction.INCREASING,
    source="rules",
    higher="按现行规则排序靠前",
    lower="按现行规则排序靠后",
)


@dataclass(frozen=True, eq=False)
class Parts:
    """What the model was blended from, for its card and for comparing speed; scoring does not need it.

    ``log_odds = slope * ((1 - rules_share) * blend + rules_share * rules) + intercept``, where the blend is the
    weighted mean of ``ramps`` and ``trees`` (``LINES`` in ``ml/blend.py``).
    ``forest`` (the scikit-learn estimator) lives only in the process that trained: it is not stored.
    """

    ramps: Additive
    trees: Additive
    rules: Additive | None
    rules_share: float
    slope: float
    intercept: float
    rounds: int
    forest: Any = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class Scored:
    """One row per person asked about. ``log_odds`` is nan where the model abstains; contributions are always there."""

    log_odds: Floats
    contributions: Floats
    abstains: NDArray[np.str_]
    would_say: Floats  # the sum even where it abstains: for evaluation only, never for a screen

    @property
    def probability(self) -> Floats:
        return np.asarray(expit(self.log_odds))


@dataclass(frozen=True)
class Reason:
    """Why, in words a psychologist can check."""

    key: str
    words: str
    contribution: float
    raises: bool


@dataclass(frozen=True, eq=False)
class Model:
    """Everything a score needs and everything a card says of its making; frozen, and equal bytes for equal data."""

    features: tuple[Feature, ...]
    shapes: tuple[Shape, ...]
    base: float
    limits: Floats  # features x (lowest, highest) the model answers for
    importance: Floats  # mean size of each contribution over the rows it learned from
    most_missing: float  # abstains when more than this share of the importance is not known
    cuts: tuple[float, float]  # log-odds above which a person is "first", "soon"
    cohorts: frozenset[str]
    procedure: str
    seed: int
    trained_until: str
    labels: int
    positives: int
    weighted: bool
    versions: Mapping[str, str]
    parts: Parts

    @property
    def needs_rules(self) -> bool:
        """Whether the order by rules is one of its inputs (it learned from few labels)."""
        return self.parts.rules is not None

    def score(self, table: FeatureTable, *, rules: Floats | None = None) -> Scored:
        """Score every row; columns are found by key, ``rules`` joins where the model ``needs_rules``."""
        if self.needs_rules and rules is not None and RULES.key not in table.keys:
            table = table.joined(RULES, rules)
        values = table.only([feature.key for feature in self.features]).values
        rows = len(table)
        contributions, known = np.zeros((rows, len(self.shapes))), np.zeros(rows)
        would_say, outside = np.empty(rows), np.zeros(rows, dtype=bool)
        for start in range(0, rows, BLOCK):
            block = slice(start, start + BLOCK)
            known[block], outside[block] = self._fill(values[block], contributions[block])
            would_say[block] = self.total(contributions[block])
        abstains = self._abstains(table, values, known, outside)
        return Scored(np.where(abstains == "", would_say, np.nan), contributions, abstains, would_say)

    def total(self, contributions: Floats) -> Floats:
        """The one order of additions: base, then feature by feature."""
        found = np.full(len(contributions), self.base)
        for column in range(contributions.shape[1]):
            found += contributions[:, column]
        return found

    def _fill(self, values: Floats, contributions: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Write the contributions; return how much importance is known per row, and whether a value is out of range."""
        known, outside = np.zeros(len(values)), np.zeros(len(values), dtype=bool)
        for column, shape in enumerate(self.shapes):
            own = np.ascontiguousarray(values[:, column])
            low, high = self.limits[column]
            outside |= (own < low) | (own > high)
            if self.importance[column] > 0:
                contributions[:, column] = shape(own)
                known += np.where(shape.knows(own), self.importance[column], 0.0)
        return known, outside

    def _abstains(
        self, table: FeatureTable, values: Floats, known: Floats, outside: NDArray[np.bool_]
    ) -> NDArray[np.str_]:
        found = np.full(len(table), "", dtype="U7")
        nothing = np.isnan(values).all(axis=1)
        found[nothing | (known < (1 - self.most_missing) * np.sum(self.importance))] = "missing"
        core = [column for column, feature in enumerate(self.features) if feature.core]
        if core:
            found[np.isnan(values[:, core]).all(axis=1)] = "core"
        found[outside] = "range"
        if self.cohorts:
            found[[cohort not in self.cohorts for cohort in table.cohorts.tolist()]] = "cohort"
        return found


def reasons(model: Model, scored: Scored, row: int, most: int = 3, least: float = 0.1) -> list[Reason]:
    """What moved this row most, largest first; ``least`` is the log-odds below which a reason says nothing."""
    own = scored.contributions[row]
    order = sorted(range(len(own)), key=lambda column: (-abs(own[column]), column))
    return [_reason(model.features[column], float(own[column])) for column in order[:most] if abs(own[column]) >= least]


def _reason(feature: Feature, contribution: float) -> Reason:
    raises = contribution > 0
    return Reason(feature.key, (feature.higher if raises else feature.lower) or feature.meaning, contribution, raises)


def at_shares(said: Floats, weights: Floats, shares: Sequence[float]) -> list[float]:
    """The weighted quantiles of what was said."""
    order = np.argsort(said, kind="stable")
    passed = np.cumsum(weights[order]) / np.sum(weights)
    return [float(said[order][min(int(np.searchsorted(passed, share)), len(said) - 1)]) for share in shares]
