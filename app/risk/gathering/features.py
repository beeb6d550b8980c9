"""The declared features: ``config/features.toml``, read and checked. Adding one is adding an entry there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.risk.gathering.reckon import Reckoning
from config import catalogue
from config.catalogue import CatalogueError
from ml.features import Direction, Feature, Sensitivity

_TEXTS = ("meaning", "unit", "source", "higher", "lower")
_NUMBERS = ("lowest", "highest")
_KNOWN = {*_TEXTS, *_NUMBERS, "core", "direction", "sensitivity", "fact", "how", "window_days", "data_use"}


@dataclass(frozen=True, slots=True)
class Declared:
    """One feature: what the model knows of it, and how it comes about."""

    feature: Feature
    fact: str
    """Kind of fact: ``source.what``."""
    how: Reckoning
    window_days: int | None
    data_use: str
    """Key of ``[data_use]`` whose entry must be in force; empty for what the care room itself recorded."""

    @property
    def key(self) -> str:
        return self.feature.key

    @property
    def source(self) -> str:
        """The name under which its source of facts is registered."""
        return self.fact.split(".", 1)[0]


@dataclass(frozen=True, slots=True)
class Domain:
    """Data of another domain, collected for another purpose."""

    key: str
    title: str
    holds: str
    """Which data, and what for they were collected."""


def declared() -> tuple[Declared, ...]:
    """Every feature, in the order of the file."""
    held = catalogue.table("features")
    uses = held.get("data_use", {})
    return tuple(_read(key, entry, uses) for key, entry in held["feature"].items())


def domains() -> tuple[Domain, ...]:
    """Every domain the register knows, in the order of the file."""
    return tuple(
        Domain(key, entry["title"], entry["holds"])
        for key, entry in catalogue.table("features").get("data_use", {}).items()
    )


def resting_on(domain: str) -> tuple[Declared, ...]:
    """The features that are gathered only while the entry of this domain is in force."""
    return tuple(entry for entry in declared() if entry.data_use == domain)


def _read(key: str, entry: dict[str, Any], uses: dict[str, Any]) -> Declared:
    unknown = set(entry) - _KNOWN
    if unknown:
        raise CatalogueError(f"features.toml：[feature.{key}] 有不认识的项 {sorted(unknown)}。")
    use = entry.get("data_use", "")
    if use and use not in uses:
        raise CatalogueError(f"features.toml：[feature.{key}] 的 data_use “{use}”没有说明。")
    try:
        told: dict[str, Any] = {name: str(entry.get(name, "")) for name in _TEXTS}
        bounds: dict[str, Any] = {name: float(entry[name]) for name in _NUMBERS if name in entry}
        feature = Feature(
            key=key,
            direction=Direction(entry["direction"]),
            sensitivity=Sensitivity(entry["sensitivity"]),
            core=bool(entry.get("core", False)),
            **told,
            **bounds,
        )
        found = Declared(feature, entry["fact"], Reckoning(entry["how"]), entry.get("window_days"), use)
    except (KeyError, ValueError) as problem:
        raise CatalogueError(f"features.toml：[feature.{key}] 不完整或写法不对：{problem}。") from problem
    if bool(use) is not (feature.sensitivity is Sensitivity.CROSS_DOMAIN):
        raise CatalogueError(f"features.toml：[feature.{key}] 跨领域的输入必须写明 data_use，其他输入不能写。")
    return found
