"""Facts from answer sheets: totals, factors, flagged answers, doubt. Opened to count, parsed once, never kept.

Kinds: ``sheet.SCALE.total``, ``sheet.SCALE.sub.KEY``, ``sheet.SCALE.highest`` (the highest factor),
``sheet.SCALE.flags`` (flagged answers), and of any scale ``sheet.flags`` and ``sheet.doubtful``. A new scale needs
nothing here.

Whatever is said of doubtful sheets: a flagged answer counts all the same (law 2), a total does not (law 3).

A sheet is known from when it was recorded until it was voided. It speaks of
when it was taken; where no one knows, of when its round began, so that a sheet
scored anew years later does not pass for a later wave.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Select, select

from app.risk.model.facts import Asked, Facts, Moments, Places, Values, moments
from app.screening.scales.scale import Scale, all_scales
from app.security.access import Access
from models.bulk import fetch_sealed
from models.screening import ResponseSet, ScreeningRound, SheetValidity

NAME = "sheet"
FLAGS, DOUBTFUL = f"{NAME}.flags", f"{NAME}.doubtful"
_OF_ANY = frozenset({FLAGS, DOUBTFUL})
"""Kinds that every scale has."""
_loads = json.JSONDecoder().decode
_Take = Callable[[dict[str, Any]], float | None]
_Meets = Callable[[int | None], bool]


def facts(access: Access, asked: Asked) -> Iterator[Facts]:
    """What answer sheets say."""
    kinds = sorted(asked.of(NAME))
    scales = {kind.split(".")[1] for kind in kinds if kind.count(".") > 1}
    rows = fetch_sealed(access.session, asked.narrowed(_query(None if _OF_ANY & set(kinds) else scales, asked)))
    places, columns = asked.part(rows, width=9)
    if not len(places):
        return
    sheets = _Sheets(access, asked, places, columns)
    for key in sorted(set(sheets.scale.tolist())):
        yield from sheets.of(key, [kind for kind in kinds if kind != DOUBTFUL])
    if DOUBTFUL in kinds:
        yield sheets.doubts()


def _query(scales: set[str] | None, asked: Asked) -> Select[*tuple[Any, ...]]:
    query = (
        select(
            ResponseSet.student_id,
            ResponseSet.id,
            ResponseSet.scale,
            ResponseSet.scale_version,
            ResponseSet.validity,
            ResponseSet.recorded_at,
            ResponseSet.voided_at,
            ResponseSet.taken_at,
            ScreeningRound.opened_at,
            ResponseSet.body,
        )
        .join(ScreeningRound, ScreeningRound.id == ResponseSet.round_id)
        .where(ResponseSet.recorded_at <= asked.until)
        .order_by(ResponseSet.student_id)
    )
    return query if scales is None else query.where(ResponseSet.scale.in_(sorted(scales)))


class _Sheets:
    """All sheets of the students asked for, column by column; the sheets of one student lie together."""

    def __init__(self, access: Access, asked: Asked, places: Places, columns: Sequence[list[Any]]) -> None:
        ids, scale, version, validity, recorded, voided, taken, opened, bodies = columns
        owners = [asked.students[place] for place in places.tolist()]
        self.texts = access.open_many_to_count(ResponseSet.body, owners, ids, bodies)
        self.places, self.scale = places, np.array(scale)
        self.version = np.unique(np.array(version), return_inverse=True)[1].astype(np.int64)
        self.doubtful = np.array(validity) == SheetValidity.DOUBTFUL.value
        self.known_at, self.until = moments(recorded), moments(voided)
        self.of_time = np.minimum(_either(moments(taken), moments(opened)), self.known_at)

    def of(self, key: str, kinds: Sequence[str]) -> Iterator[Facts]:
        """The facts of one scale: every kind that is its own, and those that any scale has."""
        which = np.flatnonzero(self.scale == key)
        wanted = [kind for kind in kinds if kind in _OF_ANY or kind.startswith(f"{NAME}.{key}.")]
        takes = [_take(kind.removeprefix(f"{NAME}.{key}."), all_scales().get(key)) for kind in wanted]
        table = _parsed([self.texts[place] for place in which.tolist()], takes)
        for kind, values in zip(wanted, table.T, strict=True):
            believed = np.isfinite(values)
            if not kind.endswith(".flags"):
                believed &= ~self.doubtful[which]
            yield self._facts(kind, which[believed], values[believed])

    def doubts(self) -> Facts:
        """Whether each sheet can be believed: no need to look into it."""
        return self._facts(DOUBTFUL, np.arange(len(self.places)), self.doubtful.astype(np.float64))

    def _facts(self, kind: str, which: Places, values: Values) -> Facts:
        return Facts(
            kind=kind,
            places=self.places[which],
            values=values,
            known_at=self.known_at[which],
            of_time=self.of_time[which],
            until=self.until[which],
            alike=self.version[which],
        )


def _either(first: Moments, second: Moments) -> Moments:
    return np.where(np.isnat(first), second, first)


# --- what is read from one sheet ------------------------------------------------------------


def _parsed(texts: Sequence[bytes | None], takes: Sequence[_Take]) -> Values:
    """Sheets x kinds; every sheet is parsed once and let go."""
    found = [[take(held) for take in takes] for held in map(_loads, (text.decode() for text in texts if text))]
    return np.array(found, dtype=np.float64).reshape(len(texts), len(takes))


def _take(what: str, scale: Scale | None) -> _Take:
    """How one value is read from a parsed sheet; none where the sheet does not say."""
    if what == "total":
        return _total
    if what.startswith("sub."):
        key = what.removeprefix("sub.")
        return lambda held: held.get("subscales", {}).get(key)
    if what == "highest":
        factors = [held.key for held in scale.subscales if held.is_factor] if scale else []
        return lambda held: _highest(held.get("subscales", {}), factors)
    flags: dict[int, list[_Meets]] = {}
    for flag in scale.red_flags if scale else ():
        flags.setdefault(flag.item - 1, []).append(flag.meets)
    return lambda held: _flagged(held.get("answers"), flags)


def _total(held: dict[str, Any]) -> float | None:
    return held.get("total")


def _highest(subscales: Mapping[str, float], factors: Sequence[str]) -> float | None:
    return max((subscales[key] for key in factors if key in subscales), default=None)


def _flagged(answers: Sequence[int | None] | None, flags: Mapping[int, Sequence[_Meets]]) -> int:
    """How many of the flagged items were answered so that somebody must look; several flags of one item are one."""
    if not answers:
        return 0
    return sum(any(meets(answers[place]) for meets in several) for place, several in flags.items())
