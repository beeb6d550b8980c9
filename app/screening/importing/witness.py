"""What a delivery says that was known already: kept by digest, so that the earlier delivery can be rolled back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import select

from app.security.access import Access
from models.base import new_ids
from models.bulk import Same
from models.correction import Witness, WitnessKind
from models.intake import BatchStage, ImportBatch

SOME = 500


def write(access: Access, batch_id: UUID, kind: WitnessKind, digests: Iterable[bytes]) -> None:
    """This delivery says these as well."""
    said = sorted(set(digests))
    access.insert_many(
        Witness,
        {"id": new_ids(len(said)), "batch_id": Same(batch_id), "kind": Same(kind), "digest": said},
    )


def still_said(
    access: Access, kind: WitnessKind, digests: Sequence[bytes], *, without: UUID, round_id: UUID | None = None
) -> dict[bytes, UUID]:
    """Digest → the latest other delivery, committed and standing, that says the same."""
    found: dict[bytes, UUID] = {}
    for start in range(0, len(digests), SOME):
        query = (
            select(Witness.digest, Witness.batch_id)
            .join(ImportBatch, ImportBatch.id == Witness.batch_id)
            .where(
                Witness.kind == kind,
                Witness.digest.in_(digests[start : start + SOME]),
                Witness.batch_id != without,
                ImportBatch.stage == BatchStage.COMMITTED,
            )
            .order_by(ImportBatch.committed_at, Witness.id)
        )
        if round_id is not None:
            query = query.where(ImportBatch.round_id == round_id)
        found |= {digest: batch_id for digest, batch_id in access.session.execute(query)}
    return found
