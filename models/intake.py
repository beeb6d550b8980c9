"""Files that came in, and how far each has got."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy import LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, Key, Versioned, reference, word
from models.moment import Moment
from models.sealed import OfSelf, Sealed, answered
from models.state import HasStages


class BatchKind(StrEnum):
    """What a file is about."""

    ROSTER = "roster"
    CLASS_POSTS = "class_posts"
    STAFF = "staff"
    SCREENING = "screening"
    RENUMBER = "renumber"
    """旧学号 → 新学号."""


class BatchStage(StrEnum):
    """How far a file has got (states.md, Import batch)."""

    UPLOADED = "uploaded"
    READ = "read"
    MAPPED = "mapped"
    PREVIEWED = "previewed"
    COMMITTING = "committing"
    COMMITTED = "committed"
    ROLLED_BACK = "rolled_back"
    REFUSED = "refused"
    STALE = "stale"
    WITHDRAWN = "withdrawn"


class ImportBatch(Versioned, HasStages, OfSelf, Base):
    """One delivery of one file: uploaded, read, mapped, previewed, committed; or refused with the reason."""

    __tablename__ = "import_batch"
    __moves__ = {
        BatchStage.UPLOADED: {BatchStage.READ, BatchStage.REFUSED, BatchStage.WITHDRAWN},
        BatchStage.READ: {BatchStage.MAPPED, BatchStage.REFUSED, BatchStage.WITHDRAWN},
        BatchStage.MAPPED: {BatchStage.PREVIEWED, BatchStage.READ, BatchStage.REFUSED, BatchStage.WITHDRAWN},
        BatchStage.PREVIEWED: {
            BatchStage.COMMITTING,
            BatchStage.MAPPED,
            BatchStage.READ,
            BatchStage.STALE,
            BatchStage.WITHDRAWN,
        },
        BatchStage.COMMITTING: {BatchStage.COMMITTED, BatchStage.REFUSED, BatchStage.STALE},
        BatchStage.STALE: {BatchStage.MAPPED, BatchStage.WITHDRAWN},
        BatchStage.COMMITTED: {BatchStage.ROLLED_BACK},
        BatchStage.ROLLED_BACK: set(),
        BatchStage.REFUSED: set(),
        BatchStage.WITHDRAWN: set(),
    }

    id: Mapped[Key]
    version: Mapped[int] = mapped_column(default=1)
    kind: Mapped[BatchKind] = word(BatchKind)
    stage: Mapped[BatchStage] = word(BatchStage)
    round_id: Mapped[UUID | None] = reference("screening_round.id", index=True, nullable=True)
    owner_id: Mapped[UUID | None] = reference("staff.id", index=True, nullable=True)
    """Who brought it in; none for the command line."""
    uploaded_at: Mapped[Moment]
    committed_at: Mapped[Moment | None]
    rolled_back_at: Mapped[Moment | None]
    rolled_back_by: Mapped[UUID | None] = mapped_column(Id)
    critical_due_at: Mapped[Moment | None]
    """By when somebody has to write or put aside a previewed file that holds something critical (law 2)."""
    """Who took it back; the reason is sealed in the receipt."""
    file_digest: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    """Keyed digest of the file: the same file is recognised, its content is not."""
    bytes_total: Mapped[int]
    progress: Mapped[int] = mapped_column(default=0)
    """Rows done of the step that is running."""
    progress_total: Mapped[int] = mapped_column(default=0)
    strict: Mapped[bool] = mapped_column(default=False)
    replace: Mapped[bool] = mapped_column(default=False)

    file_name: Mapped[Sealed] = answered("import_batch.file_name/1")
    plan: Mapped[Sealed | None] = answered("import_batch.plan/1", nullable=True)
    """JSON: sheet, header row and which column means what."""
    receipt: Mapped[Sealed | None] = answered("import_batch.receipt/1", nullable=True)
    """JSON: counts and problems of the preview, then of the commit."""
    rejected: Mapped[Sealed | None] = answered("import_batch.rejected/1", nullable=True)
    """JSON: the rows that did not go in as the file had them, each with its reason, for the workbook that goes back."""


class BatchChunk(Base):
    """A slice of an uploaded file, sealed under its batch; never a file on disk (decisions 8)."""

    __tablename__ = "batch_chunk"
    __owner__ = ("import_batch", "batch_id")
    __table_args__ = (UniqueConstraint("batch_id", "place"),)

    id: Mapped[Key]
    batch_id: Mapped[UUID] = reference("import_batch.id")
    place: Mapped[int]
    body: Mapped[Sealed] = answered("batch_chunk.body/1")
