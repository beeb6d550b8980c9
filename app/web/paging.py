"""Where in a long list the reader is. Filters and page stand in the URL, names and ids never."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.security.access import PAGE
from app.web.arguments import whole

MOST_PAGES = 2_000


@dataclass(frozen=True, slots=True)
class Place:
    """One page of a list: its number from 1, and whether there is a next one."""

    number: int
    has_next: bool = False

    @property
    def offset(self) -> int:
        return (self.number - 1) * PAGE

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    def with_rows(self, found: int) -> Place:
        """``found`` rows came when one more than a page was asked for."""
        return replace(self, has_next=found > PAGE)


def page_of(argument: str | None) -> Place:
    """The page a URL asks for; anything odd is the first."""
    return Place(min(max(whole(argument) or 1, 1), MOST_PAGES))
