"""Words by which files say whether an answer sheet can be believed."""

from __future__ import annotations

from functools import cache

from app.intake.headers import normal
from config import catalogue


@cache
def _doubtful() -> frozenset[str]:
    return frozenset(normal(word) for word in catalogue.table("source_words")["validity"]["doubtful"])


def is_doubtful(text: str) -> bool:
    """Whether the source itself calls the sheet void: 作废、无效、未通过测谎题."""
    return normal(text) in _doubtful()
