"""The operational log: what the machine did, never what anybody wrote.

Only the keys listed here pass, and only plain values: anything else is
dropped, and a dropped key is named so that the omission is seen. Anonymous
hits that were refused go here too, throttled, because anybody can make them.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import MutableMapping
from typing import Any

import structlog

ALLOWED = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "request_id",
        "route",
        "method",
        "status",
        "milliseconds",
        "role",
        "job",
        "job_id",
        "attempt",
        "error",
        "where",
        "count",
        "stage",
        "command",
        "worker",
        "reference",
        "reason",
        "port",
        "head",
        "suppressed",
    }
)
"""Everything that may stand in a line. Ids of people and all content are missing on purpose."""


def only_allowed(_logger: Any, _name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop what is not on the list, and every value that is not a plain short one."""
    kept: dict[str, Any] = {}
    dropped = []
    for key, value in line.items():
        if key in ALLOWED and isinstance(value, str | int | float | bool | None) and len(str(value)) <= 200:
            kept[key] = value
        else:
            dropped.append(key)
    if dropped:
        kept["dropped"] = ",".join(sorted(dropped))
    return kept


def configure() -> None:
    """Send structured lines to standard error, for gunicorn and systemd to keep."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_allowed,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.getLogger("sqlalchemy.engine").setLevel(logging.CRITICAL)


def where(problem: BaseException) -> str:
    """File and line of the innermost frame of our own code; no message, because messages quote values."""
    trace, place = problem.__traceback__, "?"
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if "site-packages" not in path:
            place = f"{'/'.join(path.rsplit('/', 2)[-2:])}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


class Throttled:
    """At most so many lines a minute; counts what it swallowed."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._lock = threading.Lock()
        self._minute = 0
        self._written = 0
        self._swallowed = 0

    def warn(self, message: str, **facts: Any) -> None:
        with self._lock:
            minute = int(time.monotonic() // 60)
            if minute != self._minute:
                swallowed, self._swallowed = self._swallowed, 0
                self._minute, self._written = minute, 0
                if swallowed:
                    facts["suppressed"] = swallowed
            if self._written >= self._per_minute:
                self._swallowed += 1
                return
            self._written += 1
        log.warning(message, **facts)


log: Any = structlog.get_logger()
refusals = Throttled(per_minute=60)
