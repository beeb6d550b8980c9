"""Fresh answer sheets as sealed rows, column by column, ready for one bulk insert."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from app.screening.scoring import ENGINE, MISSING
from app.screening.sheets import Bundle, ScaleSheets
from app.security.access import Access
from models.base import new_ids
from models.bulk import Same
from models.intake import ImportBatch
from models.moment import now
from models.screening import ResponseSet, SheetStatus
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
    bodies = [_bodies(held) for held in scales]
    access.vault.fetch_keys("student", owners, KeyClass.ANSWERS, make=False)
    sealed = access.vault.seal_many(field_of(ResponseSet.body), owners, ids, [next(bodies[scale]) for scale in which])
    scored = np.column_stack([np.isfinite(held.scores.totals) for held in scales])[fresh].tolist()
    return {
        "id": ids,
        "round_id": Same(batch.round_id),
        "student_id": owners,
        "batch_id": Same(batch.id),
        "scale": [scales[scale].scale.key for scale in which],
        "scale_version": [scales[scale].scale.version for scale in which],
        "engine_version": Same(ENGINE),
        "status": [_STATUS[is_scored] for is_scored in scored],
        "recorded_at": Same(now()),
        "digest": [scales[scale].digests[place] for place, scale in zip(places, which, strict=True)],
        "body": sealed,
    }


_STATUS = (SheetStatus.INCOMPLETE.value, SheetStatus.SCORED.value)


def _bodies(held: ScaleSheets) -> Iterator[bytes]:
    """The JSON of each fresh sheet. Written by hand because there are many: str() of a list of numbers is JSON."""
    places = np.flatnonzero(held.fresh)
    answers = held.answers[places].tolist()
    at_least = held.scores.at_least[places].tolist()
    bands = held.scores.bands[places].tolist()
    positive = held.scores.positive[places].tolist()
    keys = [band.key for band in held.scale.bands]
    words = ("false", "true")
    for row, total, band, is_positive in zip(answers, at_least, bands, positive, strict=True):
        if band < 0:
            shown = str(row).replace(str(MISSING), "null")
            yield f'{{"answers":{shown},"total":null,"band":null,"positive":null}}'.encode()
        else:
            yield f'{{"answers":{row},"total":{total},"band":"{keys[band]}","positive":{words[is_positive]}}}'.encode()
