"""A whole scale: everything that scoring, importing and reading results need to know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.screening.scales.scale_parts import (
    Band,
    Coding,
    Count,
    Item,
    Missing,
    Norm,
    Pattern,
    RedFlag,
    Subscale,
    Total,
    ValidityRules,
    meets,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scale:
    """Everything scoring needs to know of one scale, in one version."""

    key: str
    name: str
    title: str
    version: str
    licence_class: str
    kind: str
    minimum: int
    maximum: int
    items: tuple[Item, ...]
    answers: Mapping[int, str]
    answer_words: Mapping[str, int]
    codings: tuple[Coding, ...]
    reversed: frozenset[int]
    subscales: tuple[Subscale, ...]
    counts: tuple[Count, ...]
    total: Total
    bands: tuple[Band, ...]
    band_sets: Mapping[str, tuple[Band, ...]]
    band_set: str
    positive: Pattern
    red_flags: tuple[RedFlag, ...]
    missing: Missing
    validity: ValidityRules
    norms: tuple[Norm, ...]
    reliability: float | None
    sd: float | None
    prefixes: tuple[str, ...]
    source: str
    loinc: Mapping[str, str]
    lowest: float
    highest: float
    total_aliases: tuple[str, ...] = ()
    focus: tuple[str, ...] = ("mood",)
    period: str = ""
    prompt: str = ""

    @property
    def size(self) -> int:
        return len(self.items)

    @property
    def is_import_only(self) -> bool:
        return self.licence_class == "import_only"

    @property
    def has_total(self) -> bool:
        return self.total.of != "none"

    @property
    def norm(self) -> Norm | None:
        """The norm that changes over time are judged by."""
        return self.norms[0] if self.norms else None

    def subscale(self, key: str) -> Subscale:
        return next(held for held in self.subscales if held.key == key)

    def band_of(self, total: float) -> Band:
        """The band of a total; only for scales whose bands are ranges."""
        return [band for band in self.bands if meets(band.op, total, band.start)][-1]
