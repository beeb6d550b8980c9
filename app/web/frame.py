"""What every template can use: words, masks, icons, navigation, static files with their version in the name."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, send_from_directory, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from jinja2 import StrictUndefined
from werkzeug.local import LocalProxy

from app.web import navigation
from app.web.feature import ANYONE, Room, may
from app.web.icons import VENDOR, icon
from app.web.words import FILTERS
from config import catalogue
from models import moment
from models.keys import DeploymentKind

STATIC = Path(__file__).parent / "static"
vendor = Room("vendor", __name__)


@vendor.route("/vendor/<path:name>", needs=ANYONE)
def static(name: str) -> ResponseReturnValue:
    """Bootstrap's CSS, straight from the installed package."""
    return send_from_directory(VENDOR / "css", name, max_age=31_536_000)


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a static file; it changes with the file, so that browsers may keep it for ever."""
    return url_for("static", filename=name, v=_digest(STATIC / name))


def vendor_asset(name: str) -> str:
    return url_for("vendor.static", name=name, v=_digest(VENDOR / "css" / name))


me = LocalProxy(lambda: current_user if current_user and current_user.is_authenticated else None)
"""Whoever is signed in, or nobody. A proxy, so that macros see it as well as pages."""


def dress(app: Flask) -> None:
    """Give the templates what they share. A name that is not there is an error, never an empty string."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    table = catalogue.table("security")
    app.jinja_env.globals.update(
        icon=icon,
        may=may,
        asset=asset,
        vendor_asset=vendor_asset,
        me=me,
        now=moment.now,
        screen=table["screen"] | table["session"],
    )

    @app.context_processor
    def shared() -> dict[str, Any]:
        door = app.extensions["door"]
        return {
            "navigation": navigation.shown(),
            "unread": navigation.unread(),
            "school": door.deployment.school,
            "is_demo": door.deployment.kind is DeploymentKind.DEMO,
        }
