"""What a scale is made of, once its file has been read and found possible.

Answers are canonical: in the scale's own coding, as they were answered, before
any reversal. Everything here is data; the arithmetic lies in ``scoring``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

CHOICE, MINUTES, CLOCK, HOURS = "choice", "minutes", "clock", "hours"
"""Kinds of items: one of the answers; minutes; a time of day; hours. The last three are kept in minutes."""


@dataclass(frozen=True, slots=True)
class Item:
    """One question. ``text`` is empty where the licence forbids to ship it."""

    number: int
    text: str
    key: str = ""
    """Name of an item that is scored by name because its number differs between forms (PSQI)."""
    name: str = ""
    """A short word for the item; never its wording."""
    kind: str = CHOICE
    minimum: int = 0
    maximum: int = 0
    aliases: tuple[str, ...] = ()
    """Further headers that mean this item, normalised."""
    answers: Mapping[int, str] = field(default_factory=dict)
    """Its own answers, where they are not the scale's."""
    answer_words: Mapping[str, int] = field(default_factory=dict)
    loinc: str = ""

    @property
    def label(self) -> str:
        return self.name or self.text or f"第 {self.number} 题"


@dataclass(frozen=True, slots=True)
class Coding:
    """A way in which files code the answers. ``values`` where it is no mere shift (1 = 是, 2 = 否)."""

    key: str
    minimum: int
    maximum: int
    title: str
    values: Mapping[int, int] = field(default_factory=dict)
    reason: str = ""
    """Why it fits the file at hand; empty in the scale itself."""


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison: ``item 9 >= 1``, ``total > 160``, ``count auxiliary >= 2``, ``subscale anxiety >= 15``."""

    measure: str
    op: str
    value: float


@dataclass(frozen=True, slots=True)
class Pattern:
    """Several checks, of which any or all must hold. Without checks it never holds."""

    checks: tuple[Check, ...] = ()
    every: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """A range of totals from ``start`` up to the next band; or, in a scale of categories, what ``when`` says."""

    start: float
    key: str
    label: str
    op: str = ">="
    when: Pattern | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """A value that meets this scores so much; the last cut that is met counts."""

    op: str
    value: float
    score: int


@dataclass(frozen=True, slots=True)
class Part:
    """What a component adds up: an item as answered, or what its cuts make of it."""

    item: int
    cuts: tuple[Cut, ...] = ()


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Time asleep as a share of the time in bed, in percent; midnight lies between the two."""

    slept: int
    to_bed: int
    up: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscale:
    """A factor or a named component."""

    key: str
    name: str
    items: tuple[int, ...]
    method: str = "sum"
    multiplier: float = 1.0
    rounding: str = "none"
    bands: tuple[Band, ...] = ()
    aliases: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    """For a component: its parts, which are added before its own ``cuts``."""
    cuts: tuple[Cut, ...] = ()
    efficiency: Efficiency | None = None
    is_factor: bool = True
    """Whether it takes part in "the highest factor"."""
    lowest: float = 0.0
    highest: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many items meet a comparison, or the mean answer of those that do (none: no value)."""

    key: str
    name: str
    items: tuple[int, ...]
    op: str
    value: int
    method: str = "count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """How the total comes about: of items, of subscales, only stated by a source, or not at all."""

    of: str = "items"
    items: tuple[int, ...] = ()
    method: str = "sum"
    multiplier: float = 1.0
    rounding: str = "none"


@dataclass(frozen=True, slots=True)
class RedFlag:
    """An answer that is critical by itself, also on an incomplete sheet. Unpacks as (item, value)."""

    item: int
    op: str
    value: int
    level: str
    reason: str
    focus: tuple[str, ...]

    def __iter__(self) -> Iterator[int]:
        return iter((self.item, self.value))

    def meets(self, answer: int | None) -> bool:
        """Whether this answer raises the flag; a missing one does not."""
        return answer is not None and answer >= 0 and meets(self.op, answer, self.value)

    @property
    def is_critical(self) -> bool:
        """A soft flag (``level = "list"``) only puts the student on the interview list."""
        return self.level != "list"


@dataclass(frozen=True, slots=True)
class Missing:
    """What becomes of a sheet with gaps: no total, gaps allowed, or up to so many filled by the sheet's own mean."""

    rule: str = "refuse"
    at_most: int = 0
    required: tuple[int, ...] = ()
    """Where gaps are allowed: the items without which the sheet is incomplete all the same."""


@dataclass(frozen=True, slots=True)
class LieRule:
    """So many of these items answered like this: the sheet is doubtful."""

    items: tuple[int, ...]
    op: str
    value: int
    at_least: int


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Answers that cannot both be meant."""

    key: str
    reason: str
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class ValidityRules:
    """What the scale itself says about careless answers; the rest is in ``config/validity.toml``."""

    lie: LieRule | None = None
    contradictions: tuple[Contradiction, ...] = ()
    seconds_per_item: float | None = None
    """Fewer seconds per item than this are too few; none: the house's own number."""
    uniform_is_plausible: bool = True
    """All answers alike can be meant (all 0); with reversed items they can not."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and standard deviation of a norm group."""

    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class Norm:
    """A dated norm, as published."""

    key: str
    title: str
    dated: str
    source: str
    total: Moments | None
    subscales: Mapping[str, Moments]


def meets(op: str, one: float, other: float) -> bool:
    """Whether ``one op other`` holds."""
    return {">=": one >= other, ">": one > other, "<=": one <= other, "<": one < other, "==": one == other}[op]
