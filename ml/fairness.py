"""The same figures by group, and how to speak of them.

What a page may say, and what not:

- Groups are never ranked, neither by share on the list nor by share of events.
  Differences are told against the whole, in the order the school uses.
- A difference whose interval contains 0 is *not known*; it is not "none". So
  many groups are looked at that some would differ by chance: the intervals of
  the differences of one variable hold together (Bonferroni).
- Less recall in a group means that more of its students who need a talk are
  missed. The first questions are whether the inputs hold for this group (a
  questionnaire not normed for it, facts that are not gathered for it) and
  whether the audit share reaches it. The remedy is on our side.
- A figure is never a property of the group: who is interviewed, who answers
  and what is written down differ between groups too.

Small groups: a group with fewer than ``smallest`` people, or with too few
events or non-events, is withheld with all its figures and counts. What is left
over must not give it away: if only one group of a variable is withheld, or all
withheld together are fewer than ``smallest``, the next smallest goes too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml import measures
from ml.intervals import LEVEL, Estimate, Floats, by_spread, estimate, resamples
from ml.measures import Ranked
from ml.rows import SEED, Asked, Rows, measure, prepare

SMALLEST, SMALLEST_POSITIVES = 30, 10
_DRAWS = 200
_LIST = 0.10
FIGURES = ("prevalence", "auc", "ap", "brier", "slope", "in_the_large", "listed", "recall", "precision")
COMPARED = ("auc", "brier", "in_the_large", "listed", "recall", "precision")
"""Figures whose difference to the whole is told; prevalence and slope are left to their own intervals."""


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """One group of one variable. Of a withheld group nothing is told but that it exists."""

    variable: str
    group: str
    withheld: bool
    people: int | None = None
    positives: int | None = None
    figures: Mapping[str, Estimate] | None = None
    """By the names of ``FIGURES``; ``listed``, ``recall`` and ``precision`` at the one list of the whole."""
    differences: Mapping[str, Estimate] | None = None
    """This group less the whole, by the names of ``COMPARED``."""

    @property
    def words(self) -> str:
        """What the differences say, in a sentence for the page."""
        if self.withheld or self.differences is None:
            return "人数较少，不显示"
        recall = self.differences["recall"]
        if recall.low is None or recall.high is None or recall.low <= 0 <= recall.high:
            return "与全体的差别尚不能判断"
        if recall.high < 0:
            return "名单在这一组中漏掉的较多，请检查输入项是否适用，并考虑增加抽查"
        return "名单在这一组中漏掉的较少"


@dataclass(frozen=True)
class _Group:
    """Where the rows of one group are, and its own order of them."""

    name: str
    rows: NDArray[np.intp]
    ranked: tuple[Ranked, ...]
    people: int
    positives: int
    negatives: int


def by_group(
    labels: NDArray[Any],
    log_odds: NDArray[np.float64],
    groups: Mapping[str, NDArray[Any]],
    *,
    smallest: int = SMALLEST,
    smallest_positives: int = SMALLEST_POSITIVES,
    weights: NDArray[np.float64] | None = None,
    people: NDArray[Any] | None = None,
    capacity: float = _LIST,
    draws: int = _DRAWS,
    seed: int = SEED,
) -> tuple[GroupFigures, ...]:
    """Figures by the groups of each variable, small ones withheld. ``capacity`` is the list of the whole."""
    rows = prepare(labels, log_odds, asked=Asked((), ()), weights=weights, people=people)
    shown, found = {}, []
    for variable, values in groups.items():
        held = _groups(rows, np.asarray(values)[rows.kept])
        hidden = withheld({one.name: _size(one) for one in held}, smallest, smallest_positives)
        shown[variable] = [one for one in held if one.name not in hidden]
        found += [GroupFigures(variable, one.name, True) for one in held if one.name in hidden]
    whole, parts = _draw(rows, [one for held in shown.values() for one in held], capacity, draws, seed)
    place = iter(parts)
    for variable, held in shown.items():
        found += [_figures(variable, one, next(place), whole, len(held)) for one in held]
    order = list(groups)
    return tuple(sorted(found, key=lambda one: (order.index(one.variable), one.group)))


def withheld(
    sizes: Mapping[str, tuple[int, int, int]], smallest: int = SMALLEST, smallest_positives: int = SMALLEST_POSITIVES
) -> frozenset[str]:
    """Groups not to be shown, of (people, positives, negatives) each, with those that would give them away."""
    order = sorted(sizes, key=lambda name: (sizes[name], name))
    hidden = {
        name for name in order if sizes[name][0] < smallest or min(sizes[name][1], sizes[name][2]) < smallest_positives
    }
    for name in order:
        together = sum(sizes[one][0] for one in hidden)
        if not hidden or (len(hidden) > 1 and together >= smallest):
            break
        hidden.add(name)
    return frozenset(hidden)


def _size(group: _Group) -> tuple[int, int, int]:
    return group.people, group.positives, group.negatives


def _groups(rows: Rows, values: NDArray[Any]) -> list[_Group]:
    people = np.arange(len(values)) if rows.people is None else rows.people
    found = []
    for name in sorted({str(one) for one in values.tolist()}):
        place = np.flatnonzero(values.astype(str) == name)
        hit = rows.labels[place] > 0
        ranked = tuple(Ranked(one.labels[place], one.log_odds[place], one.ranks[place]) for one in rows.ranked)
        counts = (len(np.unique(people[held])) for held in (place, place[hit], place[~hit]))
        found.append(_Group(name, place, ranked, *counts))
    return found


Values = dict[str, float]


def _draw(
    rows: Rows, groups: list[_Group], capacity: float, draws: int, seed: int
) -> tuple[list[Values], list[list[Values]]]:
    """The figures of the whole and of each group: first of the rows, then of every draw."""
    whole, parts = [], [[] for _ in groups]  # type: tuple[list[Values], list[list[Values]]]
    ones = np.ones(len(rows.labels))
    for count in (ones, *resamples(len(rows.labels), draws=draws, seed=seed, people=rows.people)):
        w = rows.weights * count
        lists = [measures.taken(held, w, capacity) for held in rows.ranked]
        whole.append(_mean(rows.ranked, w, lists))
        for place, group in enumerate(groups):
            parts[place].append(_mean(group.ranked, w[group.rows], [one[group.rows] for one in lists]))
    return whole, parts


def _mean(ranked: tuple[Ranked, ...], weights: Floats, lists: list[Floats]) -> Values:
    found = []
    for held, part in zip(ranked, lists, strict=True):
        one = measure(held, weights, Asked((), ()))
        one["listed"] = measures.ratio((weights * part).sum(), weights.sum())
        one["recall"] = measures.recall(held, weights, part)
        one["precision"] = measures.precision(held, weights, part)
        found.append(one)
    return {name: float(np.mean([one[name] for one in found])) for name in FIGURES}


def _figures(variable: str, group: _Group, drawn: list[Values], whole: list[Values], among: int) -> GroupFigures:
    def all_of(name: str, held: list[Values]) -> Floats:
        return np.array([one[name] for one in held])

    own = {name: all_of(name, drawn) for name in FIGURES}
    return GroupFigures(
        variable,
        group.name,
        False,
        group.people,
        group.positives,
        {name: estimate(own[name][0], own[name][1:]) for name in FIGURES},
        {name: _difference(own[name] - all_of(name, whole), among) for name in COMPARED},
    )


def _difference(held: Floats, among: int) -> Estimate:
    """The intervals of all groups of a variable hold together."""
    return by_spread(held[0], held[1:], level=1 - (1 - LEVEL) / max(among, 1))
