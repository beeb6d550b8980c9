"""A student's life with the house, in any order: nothing waits without an owner, nothing closes over something open."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from app.risk import ladder
from app.security.actor import WORKER
from app.security.door import open_door
from app.security.holders import holders_of
from app.security.policy import Permission
from config.settings import Settings
from models import moment
from models.approval import Approval, ApprovalStage
from models.case import Case, Task, TaskStage
from models.identity import Role
from models.moment import travel
from models.risk import Alert, AlertStage, Duty, DutyHolder, DutyKind, DutyStage, HoldReason
from tests.cases import work
from tests.conftest import copied_sqlite
from tests.house import Client, House, Page
from tests.risk.people import staffed, talk
from tests.risk.times import MONDAY, again

DECIDERS = (Role.PSYCHOLOGIST, Role.CENTRE_HEAD, Role.AFFAIRS_HEAD)


class Life(RuleBasedStateMachine):
    """One student, everybody around him, and a clock that runs."""

    template: Settings

    @initialize()
    def move_in(self) -> None:
        self.open = contextlib.ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="xinyu-life-"))
        self.at = MONDAY
        self.open.enter_context(travel(self.at))
        door = open_door(copied_sqlite(self.template, self.folder))
        self.open.callback(door.database.dispose)
        self.house = House(door)
        self.people = staffed(self.house)
        self.student = self.people.student
        self.centre = [self.people.psychologist, self.people.head]

    # --- what is there -----------------------------------------------------------------------

    def rows(self, model: type[Any], *where: Any) -> list[Any]:
        return [row for (row,) in self.house.all(select(model).where(*where).order_by(model.id))]

    def alert(self) -> Alert | None:
        return next(iter(self.rows(Alert, Alert.ended_at.is_(None))), None)

    def duty(self, kind: DutyKind) -> Duty | None:
        return next(iter(self.rows(Duty, Duty.stage == DutyStage.OPEN, Duty.kind == kind)), None)

    def case(self) -> Case | None:
        return next(iter(self.rows(Case)), None)

    def keeper(self, case: Case) -> Client:
        return next(person for person in self.centre if person.id == case.keeper_id)

    def answered(self, page: Page) -> None:
        assert page.status in {200, 403, 404, 409, 422}, page.text

    # --- what happens -------------------------------------------------------------------------

    @rule(urgency=st.sampled_from(["watch", "soon", "urgent"]), reached=st.sampled_from(["yes", "no"]))
    def report(self, urgency: str, reached: str) -> None:
        page = talk(self.people.advisor, f"/students/{self.student.id}", urgency=urgency, reached=reached)
        assert page.status == 200

    @precondition(lambda self: self.duty(DutyKind.CONTACT))
    @rule(reached=st.sampled_from(["yes", "no"]))
    def contact(self, reached: str) -> None:
        duty = self.duty(DutyKind.CONTACT)
        assert talk(self.people.advisor, f"/duties/{duty.id}", reached=reached).status == 200  # type: ignore[union-attr]

    @precondition(lambda self: self.duty(DutyKind.CONTACT))
    @rule(what=st.sampled_from(["acknowledge", "take"]), lead=st.booleans())
    def touch_contact(self, what: str, lead: bool) -> None:
        person = self.people.lead if lead else self.people.advisor
        self.answered(person.post(f"/duties/{self.duty(DutyKind.CONTACT).id}/{what}"))  # type: ignore[union-attr]

    @precondition(lambda self: self.duty(DutyKind.ASSESSMENT))
    @rule(who=st.integers(0, 1))
    def take(self, who: int) -> None:
        self.answered(self.centre[who].post(f"/duties/{self.duty(DutyKind.ASSESSMENT).id}/take"))  # type: ignore[union-attr]

    @precondition(lambda self: self.alert())
    @rule(who=st.integers(0, 1), what=st.sampled_from(["take", "disprove", "watch", "raise"]), days=st.integers(1, 20))
    def decide(self, who: int, what: str, days: int) -> None:
        alert = self.alert()
        assert alert is not None
        until = (moment.today() + timedelta(days=days)).isoformat()
        fields = {"basis": "与本人核实过", "until": until, "level": "red", "version": str(alert.version)}
        self.answered(self.centre[who].post(f"/alerts/{alert.id}/{what}", **fields))

    @precondition(lambda self: not self.rows(Case, Case.closed_at.is_(None)) and not self.case())
    @rule(who=st.integers(0, 1), level=st.sampled_from(["red", "orange", "yellow"]))
    def open_case(self, who: int, level: str) -> None:
        self.answered(self.centre[who].post(f"/students/{self.student.id}/case", level=level, text="评估"))

    @precondition(lambda self: self.case())
    @rule(
        what=st.sampled_from(["notes", "tasks", "level", "stage", "close", "reopen", "reopen"]),
        level=st.sampled_from(["red", "orange", "yellow", "green"]),
        outcome=st.sampled_from(["stable", "own_wish", "graduated"]),
    )
    def work_on_case(self, what: str, level: str, outcome: str) -> None:
        case = self.case()
        assert case is not None
        day = (moment.today() + timedelta(days=5)).isoformat()
        fields = {
            "notes": {"kind": "session", "text": "谈过"},
            "tasks": {"kind": "follow_up", "text": "复谈", "due_on": day},
            "level": {"level": level, "basis": "评估后调整"},
            "stage": {"stage": "active"},
            "close": {"outcome": outcome, "summary": "小结"},
            "reopen": {"text": "本人再次求助"},
        }[what]
        self.answered(work.act(self.house, self.keeper(case), case, what, **fields))

    @precondition(lambda self: self.rows(Task, Task.stage == TaskStage.OPEN))
    @rule(done=st.sampled_from(["yes", "no"]))
    def end_task(self, done: str) -> None:
        [task, *_] = self.rows(Task, Task.stage == TaskStage.OPEN)
        owner = next(person for person in self.centre if person.id == task.owner_id)
        assert owner.post(f"/tasks/{task.id}", done=done, text="情况", version=str(task.version)).status == 200

    @precondition(lambda self: self.rows(Approval, Approval.stage == ApprovalStage.WAITING))
    @rule(decision=st.sampled_from(["approve", "approve", "decline"]), who=st.integers(0, 2))
    def sign(self, decision: str, who: int) -> None:
        [request] = self.rows(Approval, Approval.stage == ApprovalStage.WAITING)
        signer = [*self.centre, self.people.affairs][who]
        before = self.case()
        page = signer.post(f"/approvals/{request.id}", decision=decision, version=str(request.version))
        self.answered(page)
        after = self.case()
        if before and after and after.closed_at and not before.closed_at:
            self.nothing_open_at_closing()

    def nothing_open_at_closing(self) -> None:
        assert self.alert() is None
        assert self.rows(Duty, Duty.stage == DutyStage.OPEN) == []
        assert {task.kind for task in self.rows(Task, Task.stage == TaskStage.OPEN)} <= {"after_care"}

    @precondition(lambda self: self.rows(Case, Case.closed_at.is_(None)))
    @rule(to=st.integers(0, 1), outcome=st.sampled_from(["own_wish", "graduated", "referred"]))
    def settle(self, to: int, outcome: str) -> None:
        """Hand over, make the contact that is owed, end what is open, ask to close, and let another sign."""
        case = self.case()
        assert case is not None
        self.answered(work.act(self.house, self.people.head, case, "hand-over", to=str(self.centre[to].id)))
        for _ in self.rows(Duty, Duty.stage == DutyStage.OPEN, Duty.kind == DutyKind.CONTACT):
            talk(self.people.advisor, f"/students/{self.student.id}")
        if self.alert():
            self.decide(to, "take", 1)
            self.decide(to, "disprove", 1)
        while self.rows(Task, Task.stage == TaskStage.OPEN):
            self.end_task("yes")
        case = self.case()
        assert case is not None
        self.answered(work.act(self.house, self.keeper(case), case, "close", outcome=outcome, summary="小结"))
        if self.rows(Approval, Approval.stage == ApprovalStage.WAITING):
            self.sign("approve", 1 - to)

    @rule(hours=st.sampled_from([0.3, 3, 26, 24 * 8]))
    def time_passes(self, hours: float) -> None:
        self.at += timedelta(hours=hours)
        self.open.enter_context(travel(self.at))
        with self.house.door.enter(WORKER, Permission.CLOCKS_RUN) as access:
            ladder.climb(access)
        for name in ("head", "psychologist", "affairs", "lead", "advisor"):
            object.__setattr__(self.people, name, again(getattr(self.people, name)))
        self.centre = [self.people.psychologist, self.people.head]
        late = moment.now() - timedelta(seconds=1)
        assert self.rows(Duty, Duty.stage == DutyStage.OPEN, Duty.due_at <= late) == []

    # --- what always holds ----------------------------------------------------------------------

    @invariant()
    def everything_open_has_an_owner_who_can_act(self) -> None:
        with self.house.session() as session:
            held = {role: set(holders_of(session, role)) for role in Role}
        deciders = set().union(*(held[role] for role in DECIDERS))
        for duty in self.rows(Duty, Duty.stage == DutyStage.OPEN):
            assert duty.owner_id in held[duty.owner_role]
        for alert in self.rows(Alert, Alert.ended_at.is_(None)):
            assert alert.owner_id in deciders
        for case in self.rows(Case, Case.closed_at.is_(None)):
            assert case.keeper_id in held[Role.PSYCHOLOGIST] | held[Role.CENTRE_HEAD]
        for request in self.rows(Approval, Approval.stage == ApprovalStage.WAITING):
            assert request.owner_id != request.asked_by

    @invariant()
    def one_alert_and_one_case_are_open_at_most(self) -> None:
        assert len(self.rows(Alert, Alert.ended_at.is_(None))) <= 1
        assert len(self.rows(Case, Case.closed_at.is_(None))) <= 1

    @invariant()
    def stages_and_ends_agree(self) -> None:
        for alert in self.rows(Alert):
            assert (alert.ended_at is None) == (alert.stage in {AlertStage.RAISED, AlertStage.WATCHING})
        for duty in self.rows(Duty):
            assert (duty.ended_at is None) == (duty.stage is DutyStage.OPEN)
        ended = {alert.id for alert in self.rows(Alert, Alert.ended_at.is_not(None))}
        for duty in self.rows(Duty, Duty.stage == DutyStage.OPEN, Duty.kind == DutyKind.ASSESSMENT):
            assert duty.alert_id not in ended

    def teardown(self) -> None:
        if not hasattr(self, "house"):
            return
        proof = self.house.proof()
        steps = self.house.count(DutyHolder, DutyHolder.how == HoldReason.ESCALATED)
        [(climbed,)] = self.house.all(select(func.coalesce(func.sum(Duty.times_escalated), 0)))
        self.open.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        assert proof.bad is None
        assert steps == climbed


def test_in_any_order_nothing_waits_without_an_owner_and_the_log_holds(sqlite_template: Settings) -> None:
    Life.template = sqlite_template

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Life,
        settings=hypothesis_settings(
            max_examples=4, stateful_step_count=26, deadline=None, derandomize=True, phases=[Phase.generate]
        ),
    )
