"""Facts from answer sheets: totals, factors, flagged answers, doubt. Opened to count, parsed once, never kept.

Kinds: ``sheet.SCALE.total``, ``sheet.SCALE.sub.KEY``, ``sheet.SCALE.highest`` (the highest factor),
``sheet.SCALE.flags`` (flagged answers), and of any scale ``sheet.flags`` and ``sheet.doubtful``. A new scale needs
nothing here.

Whatever is said of doubtful sheets: a flagged answer counts all the same (law 2), a total does not (law 3). A sheet
whose total is not known, or not believed, says so: an older total is not the present any more.

A sheet is known from when it was recorded until it was voided. It speaks of
when it was taken; where no one knows, of when its round began, so that a sheet
scored anew years later does not pass for a later wave.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from sqlalchemy import Select, select

from app.risk.gathering.facts import Asked, Facts, Moments, Places, Values, moments
from app.screening.scales.measured import compare
from app.screening.scales.scale import RedFlag, Scale, all_scales
from app.security.access import Access
from models.bulk import fetch_many, fetch_sealed
from models.screening import ResponseSet, ScreeningRound, SheetValidity

NAME = "sheet"
FLAGS, DOUBTFUL = f"{NAME}.flags", f"{NAME}.doubtful"
_OF_ANY = frozenset({FLAGS, DOUBTFUL})
"""Kinds that every scale has."""
_loads = json.JSONDecoder().decode
_Take = Callable[[dict[str, Any]], float]
_Way = tuple[list[_Take], Callable[[Values], Values]]


def facts(access: Access, asked: Asked) -> Iterator[Facts]:
    """What answer sheets say."""
    kinds = sorted(asked.of(NAME))
    scales = {kind.split(".")[1] for kind in kinds if kind.count(".") > 1}
    query = _query(None if _OF_ANY & set(kinds) else scales, asked)
    places, columns = asked.part(fetch_sealed(access.session, asked.narrowed(query)))
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
            ResponseSet.round_id,
            ResponseSet.body,
        )
        .where(ResponseSet.recorded_at <= asked.until)
        .order_by(ResponseSet.student_id)
    )
    return query if scales is None else query.where(ResponseSet.scale.in_(sorted(scales)))


class _Sheets:
    """All sheets of the students asked for, column by column; the sheets of one student lie together."""

    def __init__(self, access: Access, asked: Asked, places: Places, columns: Sequence[list[Any]]) -> None:
        ids, scale, version, validity, recorded, voided, taken, rounds, bodies = columns
        owners = [asked.students[place] for place in places.tolist()]
        self.texts = access.open_many_to_count(ResponseSet.body, owners, ids, bodies)
        self.places, self.scale = places, np.array(scale)
        self.version = _codes(version)
        self.doubtful = np.array(validity) == SheetValidity.DOUBTFUL.value
        self.known_at, self.until = moments(recorded), moments(voided)
        self.of_time = np.minimum(_either(moments(taken), _opened(access, rounds)), self.known_at)

    def of(self, key: str, kinds: Sequence[str]) -> Iterator[Facts]:
        """The facts of one scale: every kind that is its own, and those that any scale has."""
        which = np.flatnonzero(self.scale == key)
        wanted = [kind for kind in kinds if kind in _OF_ANY or kind.startswith(f"{NAME}.{key}.")]
        ways = [_way(kind.rsplit(".", 1)[-1], kind, all_scales().get(key)) for kind in wanted]
        takes = [take for some, _ in ways for take in some]
        table = _parsed([self.texts[place] for place in which.tolist()], takes)
        ends = np.cumsum([len(some) for some, _ in ways])
        for kind, (some, together), end in zip(wanted, ways, ends, strict=True):
            values = together(table[:, end - len(some) : end])
            if kind.endswith(".flags"):
                told = np.isfinite(values)
                yield self._facts(kind, which[told], values[told])
            else:
                believed = np.isfinite(values) & ~self.doubtful[which]
                yield self._facts(kind, which, np.where(believed, values, np.nan))

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


def _codes(words: Sequence[str]) -> Places:
    """A number per different word."""
    numbers = {word: number for number, word in enumerate(dict.fromkeys(words))}
    return np.array([numbers[word] for word in words], dtype=np.int64)


def _opened(access: Access, rounds: Sequence[bytes]) -> Moments:
    """When the round of each sheet began."""
    opened = dict(fetch_many(access.session, select(ScreeningRound.id, ScreeningRound.opened_at)))
    return moments([opened[round_id] for round_id in rounds])


def _either(first: Moments, second: Moments) -> Moments:
    return np.where(np.isnat(first), second, first)


# --- what is read from one sheet ------------------------------------------------------------


def _parsed(texts: Sequence[bytes | None], takes: Sequence[_Take]) -> Values:
    """Sheets x kinds; every sheet is parsed once and let go."""
    sheets = map(_loads, (text.decode() for text in texts if text))
    flat = np.fromiter((take(held) for held in sheets for take in takes), np.float64, len(texts) * len(takes))
    return flat.reshape(len(texts), len(takes))


def _way(what: str, kind: str, scale: Scale | None) -> _Way:
    """What is taken from each parsed sheet for one kind of fact, and what one value is made of it."""
    if what == "total":
        return [_total], _only
    if ".sub." in kind:
        return [partial(_subscale, what)], _only
    if what == "highest":
        factors = [held.key for held in scale.subscales if held.is_factor] if scale else []
        return [partial(_subscale, key) for key in factors], _highest
    flags = scale.red_flags if scale else ()
    return [partial(_answer, flag.item - 1) for flag in flags], partial(_flagged, flags)


def _total(held: dict[str, Any]) -> float:
    return _number(held.get("total"))


def _subscale(key: str, held: dict[str, Any]) -> float:
    return _number(held.get("subscales", {}).get(key))


def _answer(place: int, held: dict[str, Any]) -> float:
    answers = held.get("answers")
    return _number(answers[place]) if answers else np.nan


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _only(taken: Values) -> Values:
    return taken[:, 0]


def _highest(taken: Values) -> Values:
    highest: Values = np.fmax.reduce(taken, axis=1, initial=-np.inf)
    return highest


def _flagged(flags: Sequence[RedFlag], taken: Values) -> Values:
    """How many items were answered so that somebody must look; several flags of one item are one."""
    met: dict[int, Any] = {}
    for column, flag in enumerate(flags):
        met[flag.item] = met.get(flag.item, False) | compare(flag.op, taken[:, column], flag.value)
    flagged: Values = np.add.reduce([np.zeros(len(taken)), *met.values()])
    return flagged
