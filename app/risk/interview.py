"""The round's interview list (约谈名单): who talks to whom, and what came of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from app.events import Event
from app.notices import post
from app.screening.rounds.round import RoundChanged
from app.security.access import Access
from app.security.holders import names_of
from app.students.roster import StudentsMoved
from models.identity import Role
from models.interview import InterviewEntry, InterviewStage
from models.moment import now
from models.refusal import Refusal
from models.risk import Level


class Result(StrEnum):
    """What a talk came to: A serious, continue; B some difficulty, come back; C nothing further (domain §A.4)."""

    A = "A"
    B = "B"
    C = "C"


class InterviewTaken(Event):
    """Somebody will talk to this student."""


class InterviewRecorded(Event):
    """A talk, or the attempt at one, was recorded."""


OPEN_STAGES = (InterviewStage.LISTED, InterviewStage.INVITED, InterviewStage.SECOND_TALK)


def follow_moved_students(access: Access, happened: StudentsMoved) -> None:
    """Listener: an open entry goes with the student to the new class."""
    for entry in access.session.scalars(select(InterviewEntry).where(InterviewEntry.ended_at.is_(None))):
        if entry.student_id in happened.moved:
            entry.college_id, entry.class_id = happened.moved[entry.student_id]


def follow_new_deadline(access: Access, happened: RoundChanged) -> None:
    """Listener: whoever still waits on a round's list has the round's new deadline."""
    if happened.interviews_due is None:
        return
    waiting = (InterviewEntry.round_id == happened.object_id, InterviewEntry.ended_at.is_(None))
    access.session.execute(
        update(InterviewEntry)
        .where(*waiting)
        .values(due_at=happened.interviews_due, version=InterviewEntry.version + 1)
    )


def take(access: Access, entry: InterviewEntry) -> None:
    """我来约谈: become the owner. Somebody who already invited keeps it."""
    me = access.actor
    if me.id is None or entry.stage not in OPEN_STAGES:
        raise Refusal("这一项约谈已经结束。")
    if entry.stage is not InterviewStage.LISTED and entry.owner_id != me.id:
        name = names_of(access.session, [entry.owner_id]).get(entry.owner_id, "另一位老师")
        raise Refusal(f"{name}已经在约谈这名学生。")
    entry.owner_id = me.id
    if entry.stage is InterviewStage.LISTED:
        entry.move_to(InterviewStage.INVITED)
    access.record(InterviewTaken(object_id=entry.id, student_ids=(entry.student_id,)))


def record(
    access: Access,
    entry: InterviewEntry,
    *,
    stage: InterviewStage,
    result: Result | None,
    text: str,
    level: Level | None = None,
) -> None:
    """Write down what came of it. A finished talk has a result; the others say why not.

    ``level`` is what whoever talked now judges; nothing follows from it by
    itself, the page offers the next step.
    """
    if stage is InterviewStage.DONE and result is None:
        raise Refusal("请选择约谈结果（A、B 或 C）。", field="result")
    if stage is not InterviewStage.DONE and result is not None:
        raise Refusal("只有完成约谈才有结果，请不要同时选择 A、B、C。", field="result")
    if level is not None and stage not in {InterviewStage.DONE, InterviewStage.SECOND_TALK}:
        raise Refusal("没有谈成时不评等级，请取消关注等级的选择。", field="level")
    entry.move_to(stage)
    held = {"result": result.value if result else None, "level": level.value if level else None}
    write_outcome(access, entry, held | {"text": text})
    if entry.has_ended:
        entry.ended_at = now()
    access.record(InterviewRecorded(object_id=entry.id, student_ids=(entry.student_id,)))


def write_outcome(access: Access, entry: InterviewEntry, held: dict[str, Any]) -> None:
    """What came of an entry, by whom and when; what was written before stays under ``earlier`` (law 8)."""
    with access.session.no_autoflush:  # one act is one version of the entry
        before = access.open_json(entry, InterviewEntry.outcome)
    earlier = [*before.pop("earlier", []), before] if before else []
    said = held | {"by": str(access.actor.id), "at": now().isoformat(timespec="seconds")}
    access.seal_json(entry, InterviewEntry.outcome, said | ({"earlier": earlier} if earlier else {}))


def hand_over(access: Access, entry: InterviewEntry, *, to: UUID, role: Role) -> None:
    """Give an open entry to a colleague."""
    if entry.stage not in OPEN_STAGES:
        raise Refusal("这一项约谈已经结束。")
    entry.owner_id = to
    post.tell(access, to, role, "duty_reassigned")
    access.record(InterviewTaken(object_id=entry.id, student_ids=(entry.student_id,)))
