"""Alerts whose reasons turn out never to have been reasons: a file was rolled back, or answers were another person's.

An alert is *lowered* by the centre only, with its reasons, because a person
then judges that the student needs less (states.md). Here nobody judges
anything: the alert falls back to what its remaining reasons say, because the
data that had carried it higher were not this student's. A reason that was
merely replaced or scored anew still counts: there a person decides. So does
the level a person has raised it to.

Without any reason that counts, the alert is void: it ends, nobody owes
anything any more, and everybody it was shown to is told, without a word about
whom (law 4). A case that was opened from it stays, and its keeper is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from sqlalchemy import select

from app.admin import rulebook
from app.events import Event
from app.notices import post
from app.risk import duty as duties
from app.security.access import Access
from app.security.holders import holders_of
from models.case import Case
from models.identity import Role, RoleGrant
from models.moment import now, today
from models.risk import Alert, AlertStage, Duty, DutyHolder, DutyStage, HoldReason, Level, Signal

NEVER_WAS = frozenset({"rolled_back", "reattributed"})
"""Causes after which a reason does not count: it was never this student's."""
SOME = 500
_SIDE_BY_SIDE = (Role.ADVISOR, Role.COLLEGE_LEAD, Role.PSYCHOLOGIST, Role.CENTRE_HEAD, Role.AFFAIRS_HEAD, Role.DUTY)


class AlertsCorrected(Event):
    """Alerts fell back to the reasons they have left, or are void."""


class After(Enum):
    """What becomes of an alert."""

    STAYS = "stays"
    FALLS = "falls"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Ground:
    """What an alert rests on, once some of its reasons are gone."""

    counted: tuple[Signal, ...]
    live: bool
    first_counts: bool
    """Whether the reason that raised it is one that counts."""

    def level(self, alert: Alert) -> Level | None:
        levels = [signal.level for signal in self.counted]
        if alert.level_by_person is not None:
            levels.append(alert.level_by_person)
        return max(levels, key=lambda level: level.severity, default=None)

    def outcome(self, alert: Alert) -> After:
        level = self.level(alert)
        if level is None:
            return After.VOID
        return After.FALLS if level.severity < alert.level.severity else After.STAYS


def grounds(
    access: Access, alert_ids: Iterable[UUID], *, gone: Iterable[UUID] = (), again: Iterable[UUID] = ()
) -> dict[UUID, Ground]:
    """What each alert rests on when the signals ``gone`` do not count and those ``again`` hold again."""
    gone, again, wanted = set(gone), set(again), sorted(set(alert_ids))
    held: dict[UUID, list[Signal]] = {alert_id: [] for alert_id in wanted}
    for start in range(0, len(wanted), SOME):
        for signal in access.session.scalars(
            select(Signal)
            .where(Signal.alert_id.in_(wanted[start : start + SOME]))
            .order_by(Signal.raised_at, Signal.id)
        ):
            held[signal.alert_id].append(signal)

    def counts(signal: Signal) -> bool:
        if signal.id in gone:
            return False
        return signal.id in again or signal.voided_at is None or signal.void_cause not in NEVER_WAS

    def lives(signal: Signal) -> bool:
        return signal.id not in gone and (signal.id in again or signal.voided_at is None)

    return {
        alert_id: Ground(
            tuple(signal for signal in signals if counts(signal)),
            any(lives(signal) for signal in signals),
            bool(signals) and counts(signals[0]),
        )
        for alert_id, signals in held.items()
    }


def settle(access: Access, alert_ids: Iterable[UUID], *, by: UUID) -> set[UUID]:
    """Bring alerts to what their reasons now say; returns the students whose alert is void."""
    access.session.flush()
    found = grounds(access, alert_ids)
    told: list[tuple[UUID, Role, str]] = []
    void: set[UUID] = set()
    alerts = _alerts(access, list(found))
    facts = _Facts(access, alerts)
    for alert in alerts:
        ground = found[alert.id]
        outcome = ground.outcome(alert)
        if alert.has_ended:
            told += _tell_keeper(access, alert) if outcome is After.VOID else []
        elif outcome is After.VOID:
            told += _void(access, alert, facts)
            void.add(alert.student_id)
        else:
            if not ground.live and not alert.reasons_void:
                told.append((*facts.owner(alert.owner_id), "reasons_void"))
            alert.reasons_void = not ground.live
            _fall(access, alert, ground, facts)
    for kind in sorted({kind for _, _, kind in told}):
        post.tell_each(access, [(staff_id, role) for staff_id, role, which in told if which == kind], kind)
    access.session.flush()
    if found:
        access.record(AlertsCorrected(object_id=by, count=len(found)))
    return void


def _alerts(access: Access, ids: Sequence[UUID]) -> list[Alert]:
    return [
        alert
        for start in range(0, len(ids), SOME)
        for alert in access.session.scalars(
            select(Alert).where(Alert.id.in_(ids[start : start + SOME])).order_by(Alert.student_id, Alert.id)
        )
    ]


# --- lower ------------------------------------------------------------------------------------


def _fall(access: Access, alert: Alert, ground: Ground, facts: _Facts) -> None:
    """Level and duties are those of the reasons that count.

    Clocks: whatever a delivery had shortened has been given back already
    (``extension.undo``). If even the first reason was none, the clocks of the
    first that counts hold, for duties that nobody has missed yet.
    """
    level = ground.level(alert)
    assert level is not None  # noqa: S101 - an alert without any is void
    alert.level = level
    book = rulebook.current(access.session)
    first = ground.counted[0] if ground.counted else None
    for item in facts.open[alert.id]:
        if item.kind not in duties.kinds_for(level):
            duties.cancel(access, item)
            continue
        changed = item.level is not level
        item.level = level
        if changed and not ground.first_counts and first is not None and not item.times_escalated:
            item.due_at = book.due(f"{level.value}.{item.kind.value}", since=first.raised_at)
            duties.keep_clock(access, alert)


# --- void -------------------------------------------------------------------------------------


def acted_on(access: Access, alerts: Sequence[Alert]) -> set[UUID]:
    """Alerts that somebody has seen to: 签收, taken, done, watched, raised."""
    found = {alert.id for alert in alerts if alert.stage is AlertStage.WATCHING or alert.level_by_person is not None}
    ids = [alert.id for alert in alerts]
    for start in range(0, len(ids), SOME):
        some = Duty.alert_id.in_(ids[start : start + SOME])
        touched = Duty.acknowledged_at.is_not(None) | (Duty.stage == DutyStage.DONE)
        found |= set(access.session.scalars(select(Duty.alert_id).where(some, touched)))
        taken = select(Duty.alert_id).join(DutyHolder, DutyHolder.duty_id == Duty.id)
        found |= set(access.session.scalars(taken.where(some, DutyHolder.how == HoldReason.TAKEN)))
    return found


class _Facts:
    """What is asked of every alert of a correction, looked up once for all of them."""

    def __init__(self, access: Access, alerts: Sequence[Alert]) -> None:
        self._session = access.session
        self.acted = acted_on(access, alerts)
        self.open: dict[UUID, list[Duty]] = {alert.id: [] for alert in alerts}
        self._roles: dict[UUID, Role] = {}
        ids = list(self.open)
        for start in range(0, len(ids), SOME):
            for item in access.session.scalars(
                select(Duty)
                .where(Duty.alert_id.in_(ids[start : start + SOME]), Duty.stage == DutyStage.OPEN)
                .order_by(Duty.due_at, Duty.id)
            ):
                self.open[item.alert_id].append(item)

    def owner(self, staff_id: UUID) -> tuple[UUID, Role]:
        if staff_id not in self._roles:
            self._roles[staff_id] = duties.role_of(self._session, staff_id)
        return staff_id, self._roles[staff_id]


def _void(access: Access, alert: Alert, facts: _Facts) -> list[tuple[UUID, Role, str]]:
    """It ends, with all that is owed on it. Who is told depends on whether anybody has acted."""
    acted = alert.id in facts.acted
    kind = "alert_voided_after_work" if acted else "alert_voided"
    told = _shown_to(access, alert, facts) if acted else _owners(alert, facts)
    for item in facts.open[alert.id]:
        item.move_to(DutyStage.CANCELLED)
        item.ended_at = now()
    alert.move_to(AlertStage.VOID)
    alert.ended_at, alert.reasons_void = now(), True
    return [(staff_id, role, kind) for staff_id, role in told]


def _owners(alert: Alert, facts: _Facts) -> list[tuple[UUID, Role]]:
    owing = [(item.owner_id, item.owner_role) for item in facts.open[alert.id]]
    return list(dict.fromkeys([*owing, facts.owner(alert.owner_id)]))


def _shown_to(access: Access, alert: Alert, facts: _Facts) -> list[tuple[UUID, Role]]:
    """Owners, everybody a duty has been with, and for a red one those who are informed of every red one."""
    session = access.session
    found = dict(_owners(alert, facts))
    owners = session.execute(select(Duty.owner_id, Duty.owner_role).where(Duty.alert_id == alert.id))
    for staff_id, role in owners:
        found.setdefault(staff_id, role)
    held = session.scalars(
        select(DutyHolder.staff_id).join(Duty, Duty.id == DutyHolder.duty_id).where(Duty.alert_id == alert.id)
    )
    for staff_id in held:
        if staff_id not in found:
            found[staff_id] = _role(access, staff_id)
    if alert.level is Level.RED:
        for role in map(Role, rulebook.current(session).levels["red"]["informs"]):
            college = alert.college_id if role is Role.COLLEGE_LEAD else None
            for staff_id in holders_of(session, role, college_id=college):
                found.setdefault(staff_id, role)
    return list(found.items())


def _role(access: Access, staff_id: UUID) -> Role:
    """The role in which somebody who once held a duty is reached."""
    day = today()
    roles = set(
        access.session.scalars(
            select(RoleGrant.role).where(
                RoleGrant.staff_id == staff_id,
                RoleGrant.since <= day,
                RoleGrant.until.is_(None) | (RoleGrant.until > day),
            )
        )
    )
    return next((role for role in _SIDE_BY_SIDE if role in roles), Role.ADVISOR)


def _tell_keeper(access: Access, alert: Alert) -> list[tuple[UUID, Role, str]]:
    """A case that came of it stays: a person has seen the student. Its keeper decides."""
    if alert.stage is not AlertStage.CASE_OPENED:
        return []
    keeper = access.session.scalar(
        select(Case.keeper_id).where(Case.student_id == alert.student_id, Case.closed_at.is_(None))
    )
    return [] if keeper is None else [(keeper, duties.role_of(access.session, keeper), "case_ground_void")]
