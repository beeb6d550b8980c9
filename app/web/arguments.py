"""What an address or a form carries, read without trust: whatever is odd is nothing."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask import Flask, abort, request

MOST_DIGITS = 9
FIRST_YEAR, LAST_YEAR = 2000, 2100
"""Days outside are slips of the hand, and databases disagree about them."""


def whole(text: str | None) -> int | None:
    """A whole number of up to nine digits."""
    return int(text) if text and len(text) <= MOST_DIGITS and text.isascii() and text.isdecimal() else None


def version_seen(text: str | None) -> int | None:
    """The version a page was built from. One that cannot be read is 0, which no row has: the page is stale."""
    return (whole(text) or 0) if text else None


def day(text: str | None) -> date | None:
    """A day as a date field sends it, of this century."""
    try:
        found = date.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found and FIRST_YEAR <= found.year < LAST_YEAR else None


def identifier(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def refuse_zero_bytes(app: Flask) -> None:
    """No browser sends one and PostgreSQL takes none: such a request ends before it reaches a query."""

    @app.before_request
    def look() -> None:
        for held in (request.args, request.form):
            if any("\0" in text for values in held.lists() for text in (values[0], *values[1])):
                abort(400)
