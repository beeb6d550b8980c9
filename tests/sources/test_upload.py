"""A source whose files a person uploads: what its columns mean is remembered all the same."""

from __future__ import annotations

import re

from sqlalchemy import select

from app.screening.sources import source as sources
from app.security.policy import Permission
from models.intake import ImportBatch
from models.source import ArrivalState, ScreeningSource, SourceKind
from tests.furnished import page_value
from tests.screening.files import COLUMNS
from tests.sources.delivering import Delivering, calm, clean, table


def upload(centre: Delivering, raw: bytes, **more: object) -> str:
    centre.psychologist.post(f"/rounds/{centre.round.id}/import", upload=(raw, "结果.csv"), **more)
    [*_, (batch_id,)] = centre.house.all(
        select(ImportBatch.id).where(ImportBatch.round_id.is_not(None)).order_by(ImportBatch.uploaded_at)
    )
    return f"/imports/{batch_id}"


def confirm(centre: Delivering, path: str) -> dict[str, str]:
    html = centre.psychologist.get(f"{path}/map").html
    folded = dict(re.findall(r'type="hidden" name="(column-\d+)" value="([^"]*)"', html))
    meanings = {
        f"column-{place}": page_value(html, place) for place in range(len(COLUMNS)) if f"column-{place}" not in folded
    }
    version = re.search(r'name="version" value="(\d+)"', html)
    assert version
    centre.psychologist.post(f"{path}/map", version=version[1], **meanings)
    return meanings


def test_an_upload_for_a_source_is_its_arrival_and_its_columns_are_remembered(centre: Delivering) -> None:
    row = centre.source(kind=SourceKind.UPLOAD, mapped=False)
    assert "测评平台" in centre.psychologist.get(f"/rounds/{centre.round.id}/import")

    path = upload(centre, clean(centre.people), source=row.id.hex)
    confirm(centre, path)
    centre.house.work()

    [arrived] = centre.arrivals()
    assert (arrived.state, arrived.owner_id, arrived.source_id) == (
        ArrivalState.WAITING,
        centre.psychologist.id,
        row.id,
    )
    assert sources.mappings_of(centre.house.again(row))

    version = str(centre.batch(arrived).version)
    centre.psychologist.post(f"{path}/commit", version=version)
    centre.house.work()
    assert centre.states() == [ArrivalState.COMMITTED]


def test_the_next_upload_for_the_source_starts_from_what_was_confirmed(centre: Delivering) -> None:
    row = centre.source(kind=SourceKind.UPLOAD, mapped=False)
    unusual = ["编码", "姓名", *(f"题{place}" for place in range(1, 17))]
    with centre.psychologist.under(Permission.SOURCE_MANAGE) as access:
        held = {"complete": True, "columns": {"student_number": "编码"}, "scales": {"gad7": {"items": unusual[11:]}}}
        sources.remember(access, access.find(ScreeningSource, row.id), [held], confirmed_by=centre.psychologist.id)

    chosen = confirm(centre, upload(centre, table(*calm(centre.people), header=unusual), source=row.id.hex))

    assert (chosen["column-0"], chosen["column-11"], chosen["column-2"]) == ("student_number", "gad7.1", "")


def test_an_upload_without_a_source_has_no_arrival_and_an_unknown_one_is_refused(centre: Delivering) -> None:
    row = centre.source(kind=SourceKind.UPLOAD)
    upload(centre, clean(centre.people), source="")
    other = centre.psychologist.post(
        f"/rounds/{centre.round.id}/import", upload=(clean(centre.people), "a.csv"), source=centre.round.id.hex
    )

    assert centre.arrivals() == []
    assert other.status == 422
    assert row.retired_at is None
