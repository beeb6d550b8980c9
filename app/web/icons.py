"""Icons of the installed icon set, drawn into the page: no font, no request, nothing inline that the CSP forbids."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import flask_bootstrap
from markupsafe import Markup

VENDOR = Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5"
_SYMBOL = re.compile(r'<symbol[^>]*? viewBox="([^"]+)" id="([^"]+)">(.*?)</symbol>', re.DOTALL)


@cache
def _symbols() -> dict[str, tuple[str, str]]:
    sprite = (VENDOR / "icons" / "bootstrap-icons.svg").read_text(encoding="utf-8")
    return {name: (box, body) for box, name, body in _SYMBOL.findall(sprite)}


@cache
def icon(name: str) -> Markup:
    """One icon, hidden from readers: the word beside it says what it means. Raises ``KeyError`` on a wrong name."""
    box, body = _symbols()[name]
    return Markup(  # noqa: S704 - from the installed icon set, no user input
        f'<svg class="icon" viewBox="{box}" fill="currentColor" aria-hidden="true" focusable="false">{body}</svg>'
    )
