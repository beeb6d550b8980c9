"""What a delivery changed about an alert that was open already, written down so that it can be turned back.

Clocks only ever get shorter when reasons are added, and each step is written
with the times before and after it. When a delivery is rolled back, the times
before it hold again, unless a later delivery rests on them: then the later
step is told what was before the one that is taken out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.risk import duty as duties
from app.security.access import Access
from models.moment import now
from models.risk import Alert, AlertExtension, AlertStage


@contextmanager
def remembered(access: Access, alert: Alert, batch_id: UUID | None) -> Iterator[None]:
    """Write down what the block changes about ``alert``, on account of a delivery."""
    if batch_id is None:
        yield
        return
    stage, due_at = alert.stage, alert.due_at
    before = {item.id: item.due_at for item in duties.open_duties(access.session, alert.id)}
    yield
    access.session.flush()
    after = {item.id: item.due_at for item in duties.open_duties(access.session, alert.id)}
    clocks = {
        str(duty_id): [before[duty_id].isoformat(), due.isoformat()]
        for duty_id, due in after.items()
        if duty_id in before and due != before[duty_id]
    }
    given = [str(duty_id) for duty_id in after if duty_id not in before]
    if not clocks and not given and (stage, due_at) == (alert.stage, alert.due_at):
        return
    access.session.add(
        AlertExtension(
            alert_id=alert.id,
            student_id=alert.student_id,
            batch_id=batch_id,
            extended_at=now(),
            stage_before=stage,
            due_before=due_at,
            due_after=alert.due_at,
            duties=json.dumps({"clocks": clocks, "given": given}),
        )
    )


def undo(access: Access, alert: Alert, batch_id: UUID) -> bool:
    """Give the alert back the clocks it had before this delivery; returns whether there was anything to undo."""
    steps = access.session.scalars(
        select(AlertExtension)
        .where(AlertExtension.alert_id == alert.id, AlertExtension.undone_at.is_(None))
        .order_by(AlertExtension.extended_at, AlertExtension.id)
    ).all()
    found = False
    for place in reversed(range(len(steps))):
        step = steps[place]
        if step.batch_id != batch_id:
            continue
        later = next((other for other in steps[place + 1 :] if other.undone_at is None), None)
        if later is None:
            _turn_back(access, alert, step)
        else:
            _tell_later(step, later)
        step.undone_at, found = now(), True
    return found


def _turn_back(access: Access, alert: Alert, step: AlertExtension) -> None:
    """Nothing rests on this step. What somebody has changed or done since is left as it is."""
    if alert.has_ended:
        return
    held: dict[str, Any] = json.loads(step.duties)
    open_ones = {str(item.id): item for item in duties.open_duties(access.session, alert.id)}
    for duty_id, (before, after) in held["clocks"].items():
        item = open_ones.get(duty_id)
        if item is not None and item.due_at == datetime.fromisoformat(after):
            item.due_at = datetime.fromisoformat(before)
    for duty_id in held["given"]:
        if duty_id in open_ones:
            duties.cancel(access, open_ones[duty_id])
    access.session.flush()
    if step.stage_before is AlertStage.WATCHING and alert.stage is AlertStage.RAISED:
        alert.move_to(AlertStage.WATCHING)
        alert.due_at = step.due_before
    elif alert.due_at == step.due_after:
        alert.due_at = step.due_before


def _tell_later(step: AlertExtension, later: AlertExtension) -> None:
    """A later delivery found the alert as this one had left it: had this one not come, it would have found it so."""
    mine, its = json.loads(step.duties), json.loads(later.duties)
    for duty_id, (before, after) in mine["clocks"].items():
        held = its["clocks"].setdefault(duty_id, [after, after])
        if held[0] == after:
            held[0] = before
    its["given"] += [duty_id for duty_id in mine["given"] if duty_id not in its["given"]]
    later.duties = json.dumps(its)
    if later.due_before == step.due_after:
        later.due_before = step.due_before
    if step.stage_before is AlertStage.WATCHING:
        later.stage_before = AlertStage.WATCHING


def hand_over(access: Access, alert_ids: Sequence[UUID], batch_id: UUID, heir: UUID) -> None:
    """Another delivery says the same: the steps are that one's."""
    for step in access.session.scalars(
        select(AlertExtension).where(
            AlertExtension.alert_id.in_(alert_ids),
            AlertExtension.batch_id == batch_id,
            AlertExtension.undone_at.is_(None),
        )
    ):
        step.batch_id = heir
