"""A platform that pushes, as tests hold it: with the key of a source, and a signature made by hand."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from models import moment
from tests.sources.delivering import Delivering

CSV = "text/csv"
JSON = "application/json"
ACCEPTED = (200, {"result": "accepted"})
REPEATED = (200, {"result": "repeated"})
REFUSED = (403, {"result": "refused"})


class Pushing:
    """A platform with the key of a source."""

    def __init__(self, centre: Delivering, **facts: Any) -> None:
        self.centre = centre
        self.source, self.key = centre.source_with_key(**facts)
        self._browser = centre.house.anonymous()

    def send(
        self,
        body: bytes,
        *,
        kind: str = CSV,
        key: str | None = None,
        at: int | None = None,
        to: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        stamp = str(int(moment.now().timestamp()) if at is None else at)
        signed = {"X-Xinyu-Time": stamp, "X-Xinyu-Signature": signature(key or self.key, stamp, body)}
        held = signed if headers is None else headers
        answer = self._browser.post(f"/push/{to or self.source.id}", data=body, content_type=kind, headers=held)
        return answer.status_code, answer.get_json()

    def survey(self, sheet: dict[str, Any], *, key: str | None = None) -> tuple[int, Any]:
        """As 问卷星 pushes."""
        sign = hashlib.sha1(f"{sheet['activity']}{sheet['index']}{key or self.key}".encode()).hexdigest()
        return self.send(json.dumps(sheet | {"sign": sign}).encode(), kind=JSON, headers={})


def signature(key: str, stamp: str, body: bytes) -> str:
    return hmac.new(key.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
