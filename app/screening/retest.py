"""建议重测: answers that cannot be believed are asked for again, by one person and by a time (law 3).

A re-test is asked for whatever the doubtful answers said, and takes nothing
away: what was critical on them has its alert. Declining is a right and ends it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from app.admin import rulebook
from app.events import Event
from app.notices import post
from app.security.access import Access
from app.security.holders import first_holder, holders_of
from app.students.roster import RosterCommitted, StudentsMoved
from config import catalogue
from models.base import new_ids
from models.bulk import Same
from models.identity import Role
from models.moment import now
from models.participation import Retest, RetestStage
from models.refusal import Refusal
from models.screening import ScreeningRound
from models.student import Student
from models.working_time import Clock, ClockKind

SOME = 500
"""Students named in one statement."""
Place = tuple[bytes, bytes, bytes]
"""Student, college, class: raw ids, as matching finds them."""


class RetestsAsked(Event):
    """Students were asked to answer again."""


class RetestsSettled(Event):
    """Re-tests ended, because believable answers came or their ground fell away."""


class RetestDeclined(Event):
    """A re-test ended without new answers: the student declines, or somebody has talked to him."""


class RetestHandedOver(Event):
    """Somebody else sees to a re-test."""


class RetestChased(Event):
    """Somebody was reminded of re-tests that are overdue."""


# --- asking and settling: called from the commit of a delivery ------------------------------


def ask(
    access: Access,
    screening_round: ScreeningRound,
    batch_id: UUID | None,
    students: Sequence[Place],
    reasons: Sequence[Mapping[str, Sequence[str]]],
) -> int:
    """Open one re-test per student who has none open in this round; returns how many.

    ``reasons``, in the order of ``students``: scale → why its answers are
    doubtful (codes of ``config/words.toml`` under ``validity``).
    """
    waiting = {row.bytes for row in access.session.scalars(_open(screening_round.id, Retest.student_id))}
    fresh = {place[0]: (place, why) for place, why in zip(students, reasons, strict=True) if place[0] not in waiting}
    if not fresh:
        return 0
    owner, role = _keeper(access, screening_round.owner_id)
    places, ids = [place for place, _ in fresh.values()], new_ids(len(fresh))
    bodies = [json.dumps({"scales": dict(why)}, ensure_ascii=False).encode() for _, why in fresh.values()]
    access.insert_many(
        Retest,
        {
            "id": ids,
            "version": Same(1),
            "round_id": Same(screening_round.id),
            "student_id": [student for student, _, _ in places],
            "college_id": [college for _, college, _ in places],
            "class_id": [group for _, _, group in places],
            "stage": Same(RetestStage.OPEN),
            "owner_id": Same(owner),
            "due_at": Same(_due(access)),
            "created_at": Same(now()),
            "batch_id": Same(batch_id),
            "body": access.seal_many(Retest.body, [student for student, _, _ in places], ids, bodies),
        },
    )
    post.tell(access, owner, role, "retests_asked", count=len(fresh))
    access.record(RetestsAsked(object_id=screening_round.id, count=len(fresh)))
    return len(fresh)


def settle(access: Access, round_id: UUID, student_ids: Iterable[bytes | UUID], *, by: UUID | None = None) -> int:
    """Believable answers of these students came, with a delivery: their open re-tests of the round are done."""
    wanted = [UUID(bytes=found) if isinstance(found, bytes) else found for found in student_ids]
    ended = 0
    for start in range(0, len(wanted), SOME):
        some = Retest.student_id.in_(wanted[start : start + SOME])
        ended += _end(access, _open(round_id, Retest).where(some), RetestStage.DONE, by)
    return _said(access, round_id, ended)


def _open(round_id: UUID, *what: Any) -> Any:
    return select(*what).where(Retest.round_id == round_id, Retest.ended_at.is_(None))


def _end(access: Access, query: Any, stage: RetestStage, by: UUID | None = None) -> int:
    rows = access.session.scalars(query.order_by(Retest.student_id)).all()
    for row in rows:
        row.move_to(stage)
        row.ended_at, row.settled_by = now(), by
    access.session.flush()
    return len(rows)


def _said(access: Access, object_id: UUID | None, ended: int) -> int:
    if ended:
        access.record(RetestsSettled(object_id=object_id, count=ended))
    return ended


def _due(access: Access) -> Any:
    days = catalogue.table("validity")["retest"]["due_days"]
    return rulebook.current(access.session).calendar.due(now(), Clock(ClockKind.DAYS, days))


def _keeper(access: Access, staff_id: UUID) -> tuple[UUID, Role]:
    """This person in the role in which it reaches him; whoever left the centre is followed by its head."""
    for role in (Role.CENTRE_HEAD, Role.PSYCHOLOGIST):
        if staff_id in holders_of(access.session, role):
            return staff_id, role
    for role in (Role.CENTRE_HEAD, Role.PSYCHOLOGIST):
        found = first_holder(access.session, role)
        if found is not None:
            return found, role
    return staff_id, Role.PSYCHOLOGIST


# --- what people do with one -----------------------------------------------------------------


def decline(access: Access, row: Retest, *, stage: RetestStage, text: str) -> None:
    """End it without new answers: the student declines (``DECLINED``), or somebody has talked to him (``DONE``)."""
    if stage not in {RetestStage.DECLINED, RetestStage.DONE}:
        raise Refusal("请选择怎样结束。", field="stage")
    row.move_to(stage)
    row.ended_at = now()
    held: dict[str, Any] = access.open_json(row, Retest.body)
    access.seal_json(row, Retest.body, held | {"outcome": text, "by": str(access.actor.id)})
    access.record(RetestDeclined(object_id=row.id, student_ids=(row.student_id,)))


def hand_over(access: Access, row: Retest, *, to: UUID, role: Role) -> None:
    """Give an open re-test to a colleague of the centre."""
    if row.has_ended:
        raise Refusal("这一项重测已经结束。")
    if role not in {Role.PSYCHOLOGIST, Role.CENTRE_HEAD} or to not in holders_of(access.session, role):
        raise Refusal("这位老师目前没有心理中心的岗位角色，请另选一位。", field="to")
    row.owner_id = to
    post.tell(access, to, role, "retests_asked")
    access.record(RetestHandedOver(object_id=row.id, student_ids=(row.student_id,)))


def open_of_mine(access: Access) -> int:
    """For the navigation: open re-tests with my name on them, counted to 100."""
    return access.count(Retest, Retest.ended_at.is_(None), Retest.owner_id == access.actor.id, most=100)


# --- what happens by itself -------------------------------------------------------------------


def follow_moved_students(access: Access, happened: StudentsMoved) -> None:
    """Listener: an open re-test goes with the student to the new class."""
    for row in access.session.scalars(select(Retest).where(Retest.ended_at.is_(None))):
        if row.student_id in happened.moved:
            row.college_id, row.class_id = happened.moved[row.student_id]


def end_of_students_who_left(access: Access, _happened: RosterCommitted) -> None:
    """Listener: nobody asks somebody again who has left the school."""
    access.session.flush()
    left = Retest.student_id.in_(select(Student.id).where(Student.left_at.is_not(None)))
    _said(access, None, _end(access, select(Retest).where(Retest.ended_at.is_(None), left), RetestStage.VOID))


def chase(access: Access) -> None:
    """Remind the owner and the head of the centre of what is overdue, once and then every so many days."""
    instant = now()
    again = instant - timedelta(days=catalogue.table("validity")["retest"]["remind_days"])
    late = access.session.scalars(
        select(Retest)
        .where(
            Retest.ended_at.is_(None),
            Retest.due_at <= instant,
            or_(Retest.chased_at.is_(None), Retest.chased_at <= again),
        )
        .order_by(Retest.student_id)
    ).all()
    if not late:
        return
    told = []
    for row in late:
        row.owner_id, role = _keeper(access, row.owner_id)
        row.chased_at = instant
        told.append((row.owner_id, role))
    head = first_holder(access.session, Role.CENTRE_HEAD)
    told += [(head, Role.CENTRE_HEAD) for row in late if head is not None and row.owner_id != head]
    post.tell_each(access, told, "retests_overdue")
    access.record(RetestChased(count=len(late)))
