"""Fresh answer sheets as sealed rows, column by column, ready for one bulk insert."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from app.screening.scales.scoring import ENGINE, MISSING
from app.screening.tables.sheets import Bundle, ScaleSheets
from app.security.access import Access
from models.base import new_ids
from models.bulk import Same
from models.intake import ImportBatch
from models.moment import now
from models.screening import ResponseSet, SheetStatus, SheetValidity
from models.sealed import KeyClass, field_of


def number(scales: dict[str, ScaleSheets]) -> None:
    """Give every fresh sheet its id."""
    for held in scales.values():
        places = np.flatnonzero(held.fresh)
        ids: list[bytes | None] = [None] * len(held.fresh)
        for place, new in zip(places.tolist(), new_ids(len(places)), strict=True):
            ids[place] = new
        held.ids = ids


def columns(access: Access, bundle: Bundle, batch: ImportBatch) -> dict[str, Any]:
    """The rows of ``response_set``, sealed, column by column; the sheets of one student lie together."""
    scales = list(bundle.scales.values())
    fresh = np.column_stack([held.fresh for held in scales])
    places, which = (found.tolist() for found in np.nonzero(fresh))
    owners: list[Any] = [bundle.students[place] for place in places]
    ids: list[Any] = [scales[scale].ids[place] for place, scale in zip(places, which, strict=True)]
    texts = [bodies(held) for held in scales]
    access.vault.fetch_keys("student", owners, KeyClass.ANSWERS, make=False)
    sealed = access.vault.seal_many(field_of(ResponseSet.body), owners, ids, [next(texts[scale]) for scale in which])
    held_for = list(zip(places, which, strict=True))
    return {
        "id": ids,
        "round_id": Same(batch.round_id),
        "student_id": owners,
        "batch_id": Same(batch.id),
        "scale": [scales[scale].scale.key for scale in which],
        "scale_version": [scales[scale].scale.version for scale in which],
        "engine_version": Same(ENGINE),
        "status": np.column_stack([statuses(held) for held in scales])[fresh].tolist(),
        "validity": np.column_stack([_validities(held) for held in scales])[fresh].tolist(),
        "coding": [scales[scale].coding[place] for place, scale in held_for],
        "norm": [norms[scale] for scale in which] if any(norms := [_norm(held) for held in scales]) else Same(None),
        "taken_at": [bundle.taken_at[place] for place in places] if any(bundle.taken_at) else Same(None),
        "recorded_at": Same(now()),
        "digest": [scales[scale].digests[place] for place, scale in held_for],
        "body": sealed,
    }


def _norm(held: ScaleSheets) -> str | None:
    return held.scale.norm.key if held.scale.norm is not None else None


def statuses(held: ScaleSheets) -> Any:
    """Of every row: scored, incomplete, or stated by the source."""
    scored = np.where(held.lacking, SheetStatus.INCOMPLETE.value, SheetStatus.SCORED.value)
    return np.where(held.stated, SheetStatus.STATED.value, scored).astype(object)


def _validities(held: ScaleSheets) -> Any:
    checked = np.where(held.stated, SheetValidity.UNCHECKED.value, SheetValidity.VALID.value)
    return np.where(held.validity.doubtful, SheetValidity.DOUBTFUL.value, checked).astype(object)


def bodies(held: ScaleSheets) -> Iterator[bytes]:
    """The JSON of each fresh sheet. Written by hand because there are many: str() of a list of numbers is JSON.

    The band's own words are kept with it, so that a sheet reads the same when
    its scale has a new version.
    """
    places = np.flatnonzero(held.fresh)
    answers = held.answers[places].tolist()
    totals = held.scores.totals[places].tolist()
    bands = held.scores.bands[places].tolist()
    positive = held.scores.positive[places].tolist()
    said = [json.dumps({"band": band.key, "label": band.label}, ensure_ascii=False)[1:-1] for band in held.scale.bands]
    said.append('"band": null')
    words = ("false", "true")
    more = _more(held, places)
    for at, (row, total, band, is_positive) in enumerate(zip(answers, totals, bands, positive, strict=True)):
        shown = str(row) if MISSING not in row else str(row).replace(str(MISSING), "null")
        number = "null" if total != total else str(int(total)) if total == int(total) else repr(total)  # noqa: PLR0124 - nan
        sure = words[is_positive] if band >= 0 or is_positive else "null"
        yield f'{{"answers":{shown},"total":{number},{said[band]},"positive":{sure}{more.get(at, "")}}}'.encode()


def _more(held: ScaleSheets, places: Any) -> dict[int, str]:
    """What only some sheets or scales have: factors, counts, reasons of doubt."""
    parts: dict[int, dict[str, Any]] = {}
    if held.scale.subscales:
        keys = [subscale.key for subscale in held.scale.subscales]
        rows = np.round(held.scores.subscales[places], 4).tolist()
        for at, row in enumerate(rows):
            known = {key: value for key, value in zip(keys, row, strict=True) if value == value}  # noqa: PLR0124 - nan
            if known:
                parts[at] = {"subscales": known}
    for name, values in held.scores.counts.items():
        for at, value in enumerate(np.asarray(values, dtype=np.float64)[places].tolist()):
            if value == value:  # noqa: PLR0124 - nan
                parts.setdefault(at, {}).setdefault("counts", {})[name] = round(value, 4)
    doubtful = held.validity.doubtful[places]
    for at in np.flatnonzero(doubtful).tolist():
        parts.setdefault(at, {})["doubtful"] = held.validity.of(int(places[at]))
    return {at: f",{json.dumps(part, ensure_ascii=False)[1:-1]}" for at, part in parts.items()}
