"""Which column means what, by the names that columns bear in real files."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

from config import catalogue

_BRACKETS = re.compile(r"[(\[【〔<].*?[)\]】〕>]")
_SIGNS = re.compile(r"[\s\-_.,:;/\\|*#'\"“”‘’、。·•:()\[\]]+")


def normal(header: str) -> str:
    """One form per header: NFKC, lower case, without what stands in brackets, blanks and punctuation."""
    folded = unicodedata.normalize("NFKC", header).lower()
    return _SIGNS.sub("", _BRACKETS.sub("", folded))


@cache
def aliases(table: str) -> dict[str, str]:
    """Normal header → field, from ``config/headers.toml``."""
    found: dict[str, str] = {}
    for name, words in catalogue.table("headers")[table].items():
        for word in words:
            found.setdefault(normal(word), name)
    return found


def columns(table: str, header: Iterable[str]) -> dict[str, int]:
    """Field → position. The first of two columns with one meaning counts."""
    known, found = aliases(table), {}
    for place, word in enumerate(header):
        name = known.get(normal(word))
        if name is not None and name not in found:
            found[name] = place
    return found


def words_for(table: str, name: str) -> str:
    """The header words that would be understood, for an error message."""
    return "、".join(catalogue.table("headers")[table][name][:4])
