"""撤回: a committed delivery no longer holds, and everything that holds is as it was before it came.

Its sheets are void and those it had replaced hold again; the rooms above undo
what they had concluded from it (``BatchRolledBack``). Nothing is deleted and
no number is edited: a sheet names in ``voided_by`` the delivery (or the
correction) on whose account it does not hold, and that is all there is to
turn back. What another delivery says as well stays, and is that one's from
now on (law 2). A delivery that is rolled back never comes back: it is brought
in again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update

from app.events import Event
from app.notices import post
from app.screening.corrections import taking_part
from app.screening.importing import restore, witness
from app.security.access import Access
from app.security.holders import holders_of, names_of
from app.web.words import stamp
from models.correction import WitnessKind
from models.identity import Role
from models.intake import BatchKind, BatchStage, ImportBatch
from models.moment import now
from models.refusal import Refusal
from models.screening import ResponseSet, RoundStage, ScreeningRound

LEAST_REASON = 5
SOME = 500
MOST_FILES = 200


@dataclass(frozen=True, slots=True)
class Undoing:
    """Which sheets change when a delivery is rolled back."""

    gone: tuple[UUID, ...]
    """Its own, that hold now."""
    again: tuple[UUID, ...]
    """Those it had replaced."""
    kept: dict[UUID, UUID]
    """Its own that another delivery says as well, and which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRolledBack(Event):
    """A delivery was rolled back. ``object_id`` is the delivery."""

    undoing: Undoing


Counter = Callable[[Access, ImportBatch, Undoing], dict[str, int]]
_counters: list[Counter] = []


def count_with(counter: Counter) -> None:
    """Let ``counter`` say beforehand what rolling back would come to. Wiring only."""
    if counter not in _counters:
        _counters.append(counter)


def undoing_of(access: Access, batch: ImportBatch) -> Undoing:
    """Work out what rolling back means for sheets; writes nothing."""
    rows = access.session.execute(
        select(ResponseSet.id, ResponseSet.round_id, ResponseSet.student_id, ResponseSet.scale, ResponseSet.digest)
        .where(ResponseSet.batch_id == batch.id, ResponseSet.voided_at.is_(None))
        .order_by(ResponseSet.id)
    ).all()
    said = witness.still_said(
        access, WitnessKind.SHEET, [row.digest for row in rows], without=batch.id, round_id=batch.round_id
    )
    gone = [row for row in rows if row.digest not in said]
    keys = [(row.round_id, row.student_id, row.scale) for row in gone]
    again = restore.to_hold_again(access, keys, without=batch.id, gone=(row.id for row in gone))
    kept = {row.id: said[row.digest] for row in rows if row.digest in said}
    return Undoing(tuple(row.id for row in gone), tuple(again), kept)


def consequences(access: Access, batch: ImportBatch) -> dict[str, int]:
    """What rolling back would come to, for the page before the button."""
    return _counted(access, batch, undoing_of(access, batch))


def _counted(access: Access, batch: ImportBatch, undoing: Undoing) -> dict[str, int]:
    found = {
        "sheets_voided": len(undoing.gone),
        "sheets_restored": len(undoing.again),
        "sheets_kept": len(undoing.kept),
    }
    for counter in (taking_part.count, *_counters):
        found |= counter(access, batch, undoing)
    found["files_to_repeat"] = len(_files_to_repeat(access, batch))
    return found


def refuse_unless_may(access: Access, batch: ImportBatch) -> None:
    """The head of the centre, or whoever brought the delivery in, while its round runs and it holds."""
    if batch.kind is not BatchKind.SCREENING:
        raise Refusal("只有普查结果可以撤回。")
    if access.actor.role is not Role.CENTRE_HEAD and (access.actor.id is None or batch.owner_id != access.actor.id):
        raise Refusal("只有导入这份文件的老师或心理中心主任可以撤回，请联系主任。")
    if batch.stage is BatchStage.ROLLED_BACK:
        raise Refusal(f"{_who(access, batch)}已经撤回了这份文件，不用再撤回。")
    if batch.stage is BatchStage.COMMITTING:
        raise Refusal("这份文件正在写入，请等写入完成后再撤回。")
    if batch.stage is not BatchStage.COMMITTED:
        raise Refusal("这份文件没有写入，不用撤回；如不再需要，请选择“放弃”。")
    found = access.session.get_one(ScreeningRound, batch.round_id)
    if found.stage not in {RoundStage.OPEN, RoundStage.MAKE_UP}:
        raise Refusal("这个批次已经结束，不能再撤回其中的文件。确需更正时，请先在批次页面重新开放补测，再来撤回。")


def _who(access: Access, batch: ImportBatch) -> str:
    name = names_of(access.session, [batch.rolled_back_by]).get(batch.rolled_back_by or UUID(int=0), "另一位老师")
    return f"{name}在 {stamp(batch.rolled_back_at)} " if batch.rolled_back_at else name


def roll_back(access: Access, batch: ImportBatch, *, reason: str) -> dict[str, int]:
    """Take a delivery back, with the reason; returns what it came to."""
    session = access.session
    screening_round = session.get_one(ScreeningRound, batch.round_id, with_for_update=True)
    session.refresh(batch, with_for_update=True)
    refuse_unless_may(access, batch)
    if len(reason.strip()) < LEAST_REASON:
        raise Refusal(f"请写明撤回的原因（至少 {LEAST_REASON} 个字）。", field="reason")
    undoing = undoing_of(access, batch)
    came_to = _counted(access, batch, undoing)
    access.lock_students(_students_of(access, [*undoing.gone, *undoing.again, *undoing.kept]))
    _write(access, batch, undoing)
    batch.move_to(BatchStage.ROLLED_BACK)
    batch.rolled_back_at, batch.rolled_back_by = now(), access.actor.id
    held = access.open_json(batch, ImportBatch.receipt) or {}
    said = {
        "by": str(access.actor.id),
        "name": access.actor.name,
        "at": now().isoformat(),
        "words": stamp(now()),
        "reason": reason.strip(),
        "came_to": came_to,
    }
    access.seal_json(batch, ImportBatch.receipt, held | {"rolled_back": said})
    session.flush()
    access.record(BatchRolledBack(object_id=batch.id, count=len(undoing.gone), undoing=undoing))
    taking_part.undo(access, batch)
    _tell(access, batch, screening_round, came_to["files_to_repeat"])
    return came_to


def _write(access: Access, batch: ImportBatch, undoing: Undoing) -> None:
    """Sheets only: void, hold again, or from now on another delivery's."""
    restore.let_go(access, undoing.gone, by=batch.id)
    restore.hold_again(access, undoing.again)
    by_heir: dict[UUID, list[UUID]] = {}
    for sheet_id, heir in undoing.kept.items():
        by_heir.setdefault(heir, []).append(sheet_id)
    for heir, ids in by_heir.items():
        for start in range(0, len(ids), SOME):
            access.session.execute(
                update(ResponseSet).where(ResponseSet.id.in_(ids[start : start + SOME])).values(batch_id=heir)
            )


def _students_of(access: Access, ids: list[UUID]) -> set[UUID]:
    found: set[UUID] = set()
    for start in range(0, len(ids), SOME):
        found |= set(
            access.session.scalars(
                select(ResponseSet.student_id).where(ResponseSet.id.in_(ids[start : start + SOME])).distinct()
            )
        )
    return found


def _files_to_repeat(access: Access, batch: ImportBatch) -> list[UUID]:
    """Later deliveries of the round with answers that were not taken because others held: they may be wanted now."""
    later = access.session.scalars(
        select(ImportBatch)
        .where(
            ImportBatch.round_id == batch.round_id,
            ImportBatch.stage == BatchStage.COMMITTED,
            ImportBatch.committed_at >= batch.committed_at,
            ImportBatch.id != batch.id,
        )
        .order_by(ImportBatch.committed_at, ImportBatch.id)
        .limit(MOST_FILES)
    ).all()
    receipts = {row.id: access.open_json(row, ImportBatch.receipt) or {} for row in later}
    return [
        batch_id
        for batch_id, receipt in receipts.items()
        if any(held.get("sheets_left") for held in receipt.get("against", {}).values())
    ]


def _tell(access: Access, batch: ImportBatch, screening_round: ScreeningRound, to_repeat: int) -> None:
    """The head of the centre and whoever had brought it in, unless they did it themselves."""
    heads = [(staff_id, Role.CENTRE_HEAD) for staff_id in holders_of(access.session, Role.CENTRE_HEAD)[:1]]
    told = [*heads, *([(batch.owner_id, _role(access, batch.owner_id))] if batch.owner_id else [])]
    others = {staff_id: role for staff_id, role in reversed(told) if staff_id != access.actor.id}
    post.tell_each(access, others.items(), "batch_rolled_back")
    if to_repeat:
        owner = screening_round.owner_id
        post.tell(access, owner, _role(access, owner), "import_again", count=to_repeat)


def _role(access: Access, staff_id: UUID) -> Role:
    return Role.CENTRE_HEAD if staff_id in holders_of(access.session, Role.CENTRE_HEAD) else Role.PSYCHOLOGIST
